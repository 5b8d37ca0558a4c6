from odoo import api, models
from odoo.exceptions import UserError

from ..tools.rules import RuleAct, RuleLine


class HelpdeskTicket(models.Model):
    """What a ticket is about, as the rules ask for it (X10)."""

    _inherit = "helpdesk.ticket"

    def _new_rule_act(self, service, lines=None, amount=None, reason=None):
        """Return a :class:`RuleAct` of this ticket, under ``sudo()``.

        :param service: the field of the team that switches it on
        :param lines: what is given, else what the ticket is about
        :param amount: with taxes, in company currency; ``None``: nobody knows
        """
        # sudo: compared by the rules only.
        ticket = self.sudo()._origin
        return RuleAct(
            service=service,
            team=ticket.team_id,
            company=ticket.company_id,
            customer=ticket.commercial_partner_id,
            ticket=ticket,
            lines=lines or ticket._get_rule_lines(reason),
            amount=amount,
        )

    def _get_rule_lines(self, reason=None):
        """Return what this ticket is about for the rules. Called with ``sudo()``."""
        nothing = self.env["helpdesk.after.sales.reason"]
        lines = self.line_ids.filtered("product_id")
        if not lines:
            sold = self.env["sale.order.line"].browse()
            return [RuleLine(self.product_id, reason or nothing, sold, self.lot_id)]
        return [
            RuleLine(
                line.product_id,
                reason or line.reason_id,
                line.sale_line_id,
                line.lot_id,
            )
            for line in lines
        ]

    # -- Portal --------------------------------------------------------------

    @api.model
    def _new_portal_rule_act(self, service, team, line, quantity, reason, lot=None):
        """Return what a customer asks for, as a :class:`RuleAct` without a ticket."""
        lots = self.env["stock.lot"].sudo()  # sudo: compared by the rules only
        return RuleAct(
            service=service,
            team=team,
            company=line.company_id,
            # sudo: tags and country of the user's own company, for the rules
            customer=self._get_portal_customer().sudo().commercial_partner_id,
            ticket=self.env["helpdesk.ticket"].sudo(),  # sudo: there is none
            lines=[RuleLine(line.product_id, reason, line, lot or lots)],
            amount=line._get_after_sales_worth(quantity),
        )

    @api.model
    def _get_portal_request_left(self, service, line):
        """What the rules refuse whatever the reason isn't offered (X10)."""
        team, left, refusal = super()._get_portal_request_left(service, line)
        # sudo: rules hold for everybody; their sentence is for the customer.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        if refusal or not team or not rules._are_there(team.company_id):
            return team, left, refusal
        reasons = self._get_request_reasons(service, team)
        known = [*reasons] or [reasons]
        if not team.require_reason:
            known.append(reasons.browse())
        acts = [
            self._new_portal_rule_act(service, team, line, min(left, 1.0), reason)
            for reason in known
        ]
        answers = rules._answer(acts)
        if all(answer.verdict == "refuse" for answer in answers.values()):
            return team, 0, answers[acts[-1]].rule._get_sentence()
        return team, left, False

    @api.model
    def _check_portal_rules(self, team, line, asked):
        """Refuse what the rules refuse of a request, whose values are ``asked``.

        :raises UserError: with the sentence of the rule
        """
        # sudo: see _get_portal_request_left
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        if not rules._are_there(team.company_id):
            return
        act = self._new_portal_rule_act(
            asked["service"],
            team,
            line,
            asked["quantity"],
            rules.env["helpdesk.after.sales.reason"].browse(asked["reason_id"]),
            rules.env["stock.lot"].browse(asked["lot_id"]),
        )
        answer = rules._answer([act])[act]
        if answer.verdict == "refuse":
            raise UserError(answer.rule._get_sentence())
