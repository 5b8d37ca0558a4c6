import math

from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskRepairWizardPart(models.TransientModel):
    _name = "helpdesk.repair.wizard.part"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Part of a repair from a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="helpdesk.repair.wizard", required=True, ondelete="cascade"
    )
    type = fields.Selection(
        selection=[("add", "Add"), ("remove", "Remove"), ("recycle", "Recycle")],
        required=True,
        default="add",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        domain="[('type', '=', 'consu')]",
    )
    quantity = fields.Float(digits="Product Unit", default=1, required=True)
    uom_id = fields.Many2one(
        comodel_name="uom.uom",
        string="Unit",
        compute="_compute_uom_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('id', 'in', allowed_uom_ids)]",
    )
    allowed_uom_ids = fields.Many2many(
        comodel_name="uom.uom", compute="_compute_allowed_uom_ids"
    )

    @api.depends("product_id")
    def _compute_uom_id(self):
        for part in self:
            part.uom_id = part.product_id.uom_id

    @api.depends("product_id")
    def _compute_allowed_uom_ids(self):
        for part in self:
            # sudo: the units of a product that can be chosen, its vendors' as well: as
            # the form of Repairs offers.
            product = part.product_id.sudo()
            part.allowed_uom_ids = (
                product.uom_id | product.uom_ids | product.seller_ids.product_uom_id
            )

    def _check_part(self):
        """Refuse what can't be a part of a repair, in a sentence."""
        product = self.product_id
        if product.type != "consu":
            raise UserError(
                self.env._(
                    "%(product)s is a service: services are added to the quotation.",
                    product=product.display_name,
                )
            )
        if (
            not math.isfinite(self.quantity)
            or self.uom_id.compare(self.quantity, 0) <= 0
        ):
            raise UserError(
                self.env._(
                    "%(product)s: enter the quantity of this part.",
                    product=product.display_name,
                )
            )
        if self.uom_id != product.uom_id and self.uom_id not in self.allowed_uom_ids:
            raise UserError(
                self.env._(
                    "%(product)s is not measured in %(unit)s: choose one of %(units)s.",
                    product=product.display_name,
                    unit=self.uom_id.name,
                    units=", ".join(self.allowed_uom_ids.mapped("name")),
                )
            )

    def _prepare_move_values(self):
        """Return the values of the move of this part in the repair order."""
        return {
            "repair_line_type": self.type,
            "product_id": self.product_id.id,
            "product_uom_qty": self.quantity,
            "product_uom": self.uom_id.id,
        }
