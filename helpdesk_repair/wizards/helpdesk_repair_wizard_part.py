from odoo import api, fields, models


class HelpdeskRepairWizardPart(models.TransientModel):
    _name = "helpdesk.repair.wizard.part"
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
    )

    @api.depends("product_id")
    def _compute_uom_id(self):
        for part in self:
            part.uom_id = part.product_id.uom_id

    def _prepare_move_values(self):
        """Return the values of the move of this part in the repair order."""
        return {
            "repair_line_type": self.type,
            "product_id": self.product_id.id,
            "product_uom_qty": self.quantity,
            "product_uom": self.uom_id.id,
        }
