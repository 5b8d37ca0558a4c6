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

    # -- Approvals, called with sudo() ---------------------------------------

    def _ask_approval(self, act, answer):
        """Ask a colleague to approve what this step would give."""
        self.env.invalidate_all(flush=False)
        self.state = "ready"
        what = self._describe()
        if act.amount:
            what = self.env._(
                "%(step)s, worth %(amount)s.",
                step=what,
                amount=act.company.currency_id.format(act.amount),
            )
        step = self._as_planner()
        try:
            step.env["helpdesk.after.sales.approval"]._ask(
                step.ticket_id,
                act,
                answer,
                what,
                res_model=self._name,
                res_id=self.id,
            )
        except UserError as error:
            self._fail(str(error))

    def _run_approved(self, user):
        """Do what this step says as ``user``, who has approved it; returns the action
        that opens what was made."""
        self.ensure_one()
        if self.state != "ready":
            raise UserError(
                self.env._("%(step)s is not open any more.", step=self._describe())
            )
        document = self._as_user(user)._perform()
        self._end_with(document)
        return document and document._get_records_action(context={})

    def _may_run(self, user):
        """Return whether ``user`` has the rights that this step takes."""
        return not self._as_user(user)._get_helpers()
