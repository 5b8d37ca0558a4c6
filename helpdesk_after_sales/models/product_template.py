from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Domain


class ProductTemplate(models.Model):
    _inherit = "product.template"

    warranty_duration = fields.Integer(
        string="Warranty",
        company_dependent=True,
        # Read with the product, not with the accounts of it: nearly every pop-up asks.
        prefetch=True,
        help="How long the product is under warranty, from the day of its delivery. "
        "What has already been delivered keeps its warranty. 0 for no statement "
        "about a warranty.",
    )
    warranty_unit = fields.Selection(
        selection=[
            ("day", "Days"),
            ("week", "Weeks"),
            ("month", "Months"),
            ("year", "Years"),
        ],
        company_dependent=True,
        prefetch=True,
        help="Months if empty.",
    )

    @api.constrains("warranty_duration")
    def _check_warranty_duration(self):
        # The two fields may be written one after the other: only a slip of the keyboard
        # is refused here, and nothing lasts longer than a hundred years.
        for product in self:
            if not 0 <= product.warranty_duration <= 36525:
                raise ValidationError(
                    self.env._(
                        "%(product)s: a warranty lasts between one day and a hundred "
                        "years.",
                        product=product.display_name,
                    )
                )

    def _get_warranty_term(self):
        """Return what this product promises in the current company, as ``"2 year"``, or
        an empty text without a warranty; also of no record."""
        if self.warranty_duration <= 0:
            return ""
        return f"{self.warranty_duration} {self.warranty_unit or 'month'}"

    def action_begin_past_warranties(self):
        """Give the past deliveries of these products the warranty that the products
        have now, where none is kept. Returns ``True``.

        :raises AccessError: for users who are not administrators of Inventory
        """
        if not self.env.user.has_group("stock.group_stock_manager"):
            raise AccessError(
                self.env._("Only Inventory administrators can start warranties.")
            )
        variants = self.with_context(active_test=False).product_variant_ids.ids
        # sudo: deliveries in the user's companies; only their warranty is written, as
        # administrators of Inventory may.
        self.env["stock.move"].sudo().search(
            Domain("company_id", "in", self.env.companies.ids)
            & Domain("state", "=", "done")
            & Domain("location_dest_id.usage", "=", "customer")
            & Domain("warranty_end", "=", False)
            & (
                Domain("product_id", "in", variants)
                | Domain("sale_line_id.product_id", "in", variants)
            )
        )._begin_warranties(again=True)
        return True
