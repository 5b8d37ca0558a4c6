from odoo import api, models

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class HelpdeskReturnWizard(models.TransientModel):
    """What the rules say to a return (X10)."""

    _inherit = "helpdesk.return.wizard"

    @api.depends("line_ids.quantity", "line_ids.reason_id", "line_ids.move_id")
    def _compute_helpdesk_rule_notice(self):
        return super()._compute_helpdesk_rule_notice()

    def _get_rule_act(self):
        # sudo: compared by the rules; the lines are those of the pop-up.
        lines = self.sudo().line_ids.filtered(lambda line: line.quantity > 0)
        asked, worth = [], 0.0
        for line in lines:
            move = line.move_id._origin
            sold = move.sale_line_id or line.kit_line_id._origin
            reason = (line.reason_id or self.helpdesk_reason_id).sudo()._origin
            product = sold.product_id or move.product_id
            lot = line.lot_ids[:1]._origin
            asked.append(RuleLine(product, reason, sold, lot, move))
            unit = line.product_id.uom_id
            if sold.product_id == line.product_id._origin:
                worth += sold._get_after_sales_worth(
                    unit._compute_quantity(
                        line.quantity, sold.product_uom_id, round=False
                    )
                )
            else:
                worth += line.product_id.lst_price * line.quantity
        return self._new_rule_act(asked, worth)
