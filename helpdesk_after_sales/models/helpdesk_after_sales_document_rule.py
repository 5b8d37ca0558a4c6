from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskAfterSalesDocument(models.AbstractModel):
    """The rules are asked where a document gets its ticket, whatever made it: a
    pop-up, the plan of a ticket, a client, or the application itself (X10)."""

    _inherit = "helpdesk.after.sales.document"

    helpdesk_approval_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.approval",
        string="Approval",
        ondelete="set null",
        index="btree_not_null",
        copy=False,
        readonly=True,
        server_only=True,
        groups="base.group_user",
        help="Who asked for this, and who approved it.",
    )

    #: whether giving begins when a document gets its ticket
    _after_sales_rules_when_linked = True

    def _after_sales_linked(self, told=False):
        result = super()._after_sales_linked(told)
        if self._after_sales_rules_when_linked:
            self._check_after_sales_rules()
        return result

    # -- What bridges answer, called with sudo() -----------------------------

    def _get_rule_act(self):
        """Return what this document gives as a :class:`RuleAct`, or ``None`` when the
        rules have nothing to say to it."""
        return None

    @api.model
    def _get_given_domain(self):
        """Return the domain of the documents that count as given to a customer, with
        drafts, without what was cancelled."""
        return Domain.FALSE

    def _get_given_amount(self):
        """Return what this document is worth, with taxes, in company currency."""
        return 0.0

    def _check_rule_answer(self, act, answer):
        """Refuse what the rules don't let this document give.

        :raises UserError: with the sentence of the rule
        """
        rules = self.env["helpdesk.after.sales.rule"]
        if answer.verdict == "refuse":
            raise UserError(rules._describe_answer(answer))
        if answer.verdict == "ask" and not self._is_approved(act):
            rules._raise_asking(act, answer)

    def _is_approved(self, act):
        """Return whether a colleague has approved this: they make it in this very
        transaction, or it is worth no more than what they made then."""
        running = self.env["helpdesk.after.sales.approval"]._get_running(act.ticket)
        if running:
            if self.helpdesk_approval_id != running:
                self.helpdesk_approval_id = running
                running.amount += act.amount or 0.0
                self._message_log(
                    body=self.env._(
                        "Asked for by %(user)s, approved by %(approver)s.",
                        user=running.user_id.name,
                        approver=running.approver_id.name,
                    )
                )
            return True
        approval = self.helpdesk_approval_id
        if approval.state != "approved":
            return False
        approved = self.search(
            Domain("helpdesk_approval_id", "=", approval.id)
            & (Domain("id", "=", self.id) | self._get_given_domain())
        )
        total = sum(document._get_given_amount() for document in approved)
        return approval.currency_id.compare_amounts(total, approval.amount) <= 0

    # -- Asking --------------------------------------------------------------

    def _check_after_sales_rules(self):
        """Refuse what the rules don't let these documents give.

        :raises UserError: with the sentence of the rule
        """
        # sudo: rules hold for everybody; their sentence is all that is told.
        rules = self.env["helpdesk.after.sales.rule"].sudo()
        documents = self.sudo().filtered("helpdesk_ticket_id")
        if not rules._are_there(documents.helpdesk_ticket_id.company_id):
            return
        acts = [act for document in documents if (act := document._get_rule_act())]
        rules._hold_customers(acts)
        for act, answer in rules._answer(acts).items():
            act.document._check_rule_answer(act, answer)

    def _new_rule_act(self, service, lines=None, amount=None):
        """Return the act of this document.

        :param lines: what is given, else what the ticket is about
        """
        self.ensure_one()
        ticket = self.helpdesk_ticket_id
        act = ticket._new_rule_act(service, lines, amount, self.helpdesk_reason_id)
        act.document = self
        return act
