from odoo import api, models

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class HelpdeskReplacementWizard(models.TransientModel):
    """What the rules say to a replacement (X10)."""

    _inherit = "helpdesk.replacement.wizard"

    @api.depends("line_ids.quantity", "line_ids.reason_id", "line_ids.product_id")
    def _compute_helpdesk_rule_notice(self):
        return super()._compute_helpdesk_rule_notice()

    def _get_rule_act(self):
        # sudo: compared by the rules; the lines are those of the pop-up.
        lines = self.sudo().line_ids.filtered(lambda line: line.quantity > 0)
        asked, worth = [], 0.0
        for line in lines:
            sold = line.sale_line_id._origin
            reason = (line.reason_id or self.helpdesk_reason_id).sudo()._origin
            asked.append(RuleLine(sold.product_id, reason, sold, line.lot_id._origin))
            if line.product_id._origin == sold.product_id:
                unit = line.product_id.uom_id
                worth += sold._get_after_sales_worth(
                    unit._compute_quantity(
                        line.quantity, sold.product_uom_id, round=False
                    )
                )
            else:
                worth += line.product_id.lst_price * line.quantity
        return self._new_rule_act(asked, worth)
