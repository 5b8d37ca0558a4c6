from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools.asking import pack


class HelpdeskAfterSalesWizard(models.AbstractModel):
    """What the rules say, before a button is pressed (X10). What is made asks them once
    more, see ``helpdesk.after.sales.document``."""

    _inherit = "helpdesk.after.sales.wizard"

    helpdesk_rule_notice = fields.Char(
        string="Rule", compute="_compute_helpdesk_rule_notice"
    )
    helpdesk_rule_refuses = fields.Boolean(
        compute="_compute_helpdesk_rule_notice", export_string_translation=False
    )

    @api.depends("helpdesk_ticket_id", "helpdesk_reason_id", "helpdesk_case_line_ids")
    @api.depends_context("lang")
    def _compute_helpdesk_rule_notice(self):
        # sudo: the sentence of a rule is for whoever may work on the ticket.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        for wizard in self:
            answer = wizard._get_rule_answer()
            wizard.helpdesk_rule_notice = answer and rules._describe_answer(answer)
            wizard.helpdesk_rule_refuses = bool(answer) and answer.verdict == "refuse"

    def _get_rule_answer(self, act=None):
        """Return the ``Answer`` of the rules to ``act``, else to what is chosen; or
        ``None`` where there are none."""
        ticket = self.helpdesk_ticket_id._origin
        # sudo: rules hold for everybody; the caller tells the sentence only.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        if (
            not ticket
            or not ticket.has_access("read")
            or not rules._are_there(ticket.company_id)
        ):
            return None
        act = act or self._get_rule_act()
        return rules._answer([act])[act] if act else None

    def _get_rule_act(self):
        """Return what is chosen as a ``RuleAct``, or ``None`` when the rules have
        nothing to say to it. A bridge says more of lines and amount."""
        return self._new_rule_act()

    def _new_rule_act(self, lines=None, amount=None):
        lines = lines or [
            *self.helpdesk_ticket_id.sudo()._origin._get_rule_lines(  # sudo: compared
                self.helpdesk_reason_id.sudo()._origin
            )
        ]
        return self.helpdesk_ticket_id._new_rule_act(
            self._after_sales_switch, lines, amount
        )

    def _check_rules(self):
        """Refuse what the rules refuse, where a document comes too late for that.

        :raises UserError: with the sentence of the rule
        """
        # sudo: see _get_rule_answer
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        if not rules._are_there(self.helpdesk_ticket_id.company_id):
            return
        if act := self._get_rule_act():
            rules._hold_customers([act])
            answer = rules._answer([act])[act]
            if answer.verdict == "refuse":
                raise UserError(rules._describe_answer(answer))
            approvals = self.env["helpdesk.after.sales.approval"]
            if answer.verdict == "ask" and not approvals._get_running(act.ticket):
                rules._raise_asking(act, answer)

    # -- Approvals -----------------------------------------------------------

    def _may_ask_approval(self):
        """Return whether a rule may want an approval. The plan of a ticket asks for
        its own."""
        ticket = self.helpdesk_ticket_id
        # sudo: whether there are rules
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        return (
            bool(ticket)
            and not self.env.context.get("helpdesk_step_id")
            and rules._are_there(ticket.sudo().company_id, "ask")
        )

    def _ask_approval(self, act, answer, button, arguments):
        """Ask for an approval of what this pop-up would make; returns the action that
        shows what was asked for. The button has checked all but the rule.

        :param button: name of its method, with its ``arguments``
        """
        # Only now, so that nothing is kept of a pop-up that isn't ready.
        self._check_ready()
        shown = self._get_rule_act()
        if shown and shown.amount is not None:
            act = shown  # all that it makes; the rule answered to a part of it
        approval = self.env["helpdesk.after.sales.approval"]._ask(
            self.helpdesk_ticket_id,
            act,
            answer,
            self._describe_asked(act),
            res_model=self._name,
            button=button,
            content={
                "values": pack(self, (self._after_sales_result,)),
                "arguments": arguments,
            },
        )
        return approval._tell_asked()

    def _describe_asked(self, act):
        """Return what would be given, in one line."""
        names = dict.fromkeys(line.product.display_name for line in act.lines)
        words = {
            "service": self.env["helpdesk.team"]._get_switch_label(act.service),
            "customer": act.customer.display_name,
            "products": ", ".join(filter(None, names)) or "-",
        }
        if act.amount:
            return self.env._(
                "%(service)s for %(customer)s: %(products)s, worth %(amount)s.",
                amount=act.company.currency_id.format(act.amount),
                **words,
            )
        return self.env._("%(service)s for %(customer)s: %(products)s.", **words)
