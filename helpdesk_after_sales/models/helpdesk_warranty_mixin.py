from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

CORRECTED = {
    "warranty_start",
    "warranty_end",
    "helpdesk_kit_warranty_end",
    "helpdesk_warranty_reason",
    "helpdesk_warranty_terms",
}


class HelpdeskWarrantyMixin(models.AbstractModel):
    """What was promised when something was delivered: a fact, whatever the product says
    later (X32). One piece can be corrected, by who may and with a reason."""

    _name = "helpdesk.warranty.mixin"
    _description = "Kept warranty"

    warranty_start = fields.Date(string="Under Warranty From", copy=False)
    warranty_end = fields.Date(
        string="Under Warranty Until",
        copy=False,
        index="btree_not_null",
        help="The last day of the warranty, as promised when it was delivered. Empty: "
        "not delivered, or without a warranty.",
    )
    helpdesk_warranty_reason = fields.Char(
        string="Correction Reason",
        copy=False,
        help="Why the warranty of this piece differs from what was promised.",
    )

    _warranty_dates = models.Constraint(
        "CHECK(warranty_end >= warranty_start)",
        "A warranty can't end before it begins.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_warranty_correction({k: v for k, v in vals.items() if v})
        return super().create(vals_list)

    def write(self, vals):
        if CORRECTED.isdisjoint(vals):
            return super().write(vals)
        self._check_warranty_correction(vals)
        result = super().write(vals)
        # A delivery keeps what was promised piece by piece, without a reason, and tells
        # the tickets once for all of them.
        if not self.env.su or vals.get("helpdesk_warranty_reason"):
            self._warranty_changed()
        return result

    def _check_warranty_correction(self, vals):
        """Raise unless the user may correct a warranty, and says why.

        :raises AccessError: for users who are not administrators of Inventory
        :raises UserError: without a reason
        """
        if self.env.su or CORRECTED.isdisjoint(vals):
            return
        if not self.env.user.has_group("stock.group_stock_manager"):
            raise AccessError(
                self.env._("Only Inventory administrators can correct a warranty.")
            )
        if not (vals.get("helpdesk_warranty_reason") or "").strip():
            raise UserError(self.env._("Enter the reason for correcting the warranty."))

    def _warranty_changed(self):
        """Let the tickets about these pieces know their new warranty."""
        raise NotImplementedError
