from odoo import api, models

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class AccountMoveReversal(models.TransientModel):
    """What the rules say to a refund (X10)."""

    _inherit = "account.move.reversal"

    @api.depends("helpdesk_total", "helpdesk_line_ids.quantity", "move_ids")
    def _compute_helpdesk_rule_notice(self):
        return super()._compute_helpdesk_rule_notice()

    def _get_rule_act(self):
        return self._new_refund_act(self.helpdesk_total)

    def _new_refund_act(self, amount):
        """Return the act of a refund of ``amount``, in the currency of the invoices."""
        # sudo: compared by the rules; the lines are those of the pop-up.
        wizard = self.sudo()
        invoices = wizard.move_ids._origin
        chosen = wizard.helpdesk_line_ids.filtered("quantity").move_line_id._origin
        lines = [
            RuleLine(
                line.product_id,
                wizard.helpdesk_reason_id._origin,
                line.sale_line_ids[:1],
                wizard.env["stock.lot"],
            )
            for line in chosen.filtered(lambda line: line.price_total > 0)
        ]
        worth = None
        if len(invoices.currency_id) == 1:
            company = wizard.helpdesk_ticket_id.company_id
            worth = invoices.currency_id._convert(amount, company.currency_id, company)
        return self._new_rule_act(lines, worth)

    @api.depends("helpdesk_ticket_id", "move_ids")
    def _compute_helpdesk_fee_percent(self):
        result = super()._compute_helpdesk_fee_percent()
        for wizard in self.filtered("helpdesk_ticket_id"):
            # Not what it comes to: that follows from the fee.
            worth = sum(wizard.helpdesk_line_ids.mapped("amount"))
            answer = wizard._get_rule_answer(wizard._new_refund_act(worth))
            if answer and answer.fee > wizard.helpdesk_fee_percent:
                wizard.helpdesk_fee_percent = answer.fee
        return result
