from odoo import api, models
from odoo.exceptions import UserError


class HelpdeskAfterSalesStep(models.Model):
    """A plan promises nothing that the rules refuse (X10). What a step makes asks them
    once more."""

    _inherit = "helpdesk.after.sales.step"

    @api.model
    def _get_rule_service(self, _service):
        """Return the field of the team that switches on what a step gives, or ``False``
        when the rules have nothing to say to it. Bridges answer."""
        return False

    @api.model
    def _check_planned_rules(self, service, document):
        """Refuse to plan what the rules refuse to give for what ``document`` brings.

        :raises UserError: with the sentence of the rule
        """
        switch = self._get_rule_service(service)
        # sudo: rules hold for everybody; the caller has checked the ticket.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        document = document.sudo()
        if not switch or not rules._are_there(document.helpdesk_ticket_id.company_id):
            return
        act = document._get_rule_act()
        if not act:
            return
        act.service = switch
        answer = rules._answer([act])[act]
        if answer.verdict == "refuse":
            raise UserError(rules._describe_answer(answer))
