from odoo import api, models

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class HelpdeskRepairWizard(models.TransientModel):
    """What the rules say to a repair under warranty (X10)."""

    _inherit = "helpdesk.repair.wizard"

    @api.depends("product_id", "lot_id", "under_warranty", "part_ids.quantity")
    def _compute_helpdesk_rule_notice(self):
        return super()._compute_helpdesk_rule_notice()

    def _get_rule_act(self):
        if not self.under_warranty:
            return None
        wizard = self.sudo()  # sudo: compared by the rules
        line = RuleLine(
            wizard.product_id._origin,
            wizard.helpdesk_reason_id._origin,
            wizard.env["sale.order.line"],
            wizard.lot_id._origin,
        )
        parts = wizard.part_ids.filtered(lambda part: part.type == "add")
        worth = sum(
            part.product_id.lst_price
            * part.uom_id._compute_quantity(
                part.quantity, part.product_id.uom_id, round=False
            )
            for part in parts
        )
        return self._new_rule_act([line], worth)
