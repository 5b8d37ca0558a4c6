from odoo import api, models


class HelpdeskCouponWizard(models.TransientModel):
    """What the rules say to a code (X10)."""

    _inherit = "helpdesk.coupon.wizard"

    @api.depends("amount", "program_id", "program_type")
    def _compute_helpdesk_rule_notice(self):
        return super()._compute_helpdesk_rule_notice()

    def _get_rule_act(self):
        if self.program_type == "gift_card":
            return self._new_rule_act(amount=self._get_amount())
        # sudo: compared by the rules, if it is one that is offered.
        program = self.program_id.sudo()._origin & self._get_programs()
        if not program:
            return None
        value = program.currency_id._convert(
            program._get_helpdesk_value(),
            self.company_id.currency_id,
            self.company_id,
        )
        return self._new_rule_act(amount=value or None)
