from odoo import api, models
from odoo.fields import Domain


class LoyaltyCard(models.Model):
    """What a code gives, for the rules (X10)."""

    _inherit = "loyalty.card"

    def _get_rule_act(self):
        # A code without a value in money may be worth anything.
        amount = self._get_given_amount() or None
        return self._new_rule_act("use_coupons", amount=amount)

    @api.model
    def _get_given_domain(self):
        return Domain("active", "=", True)

    def _get_given_amount(self):
        value = self.helpdesk_value
        if self.program_type == "gift_card":
            value = max(value, self.points)
        company = self.helpdesk_ticket_id.company_id
        return self.currency_id._convert(
            value or self.program_id._get_helpdesk_value(),
            company.currency_id,
            company,
        )
