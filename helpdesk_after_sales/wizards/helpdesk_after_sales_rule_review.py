from odoo import api, fields, models
from odoo.fields import Domain

#: so many documents of each kind are tried at most, the newest
REVIEWED = 2000


class HelpdeskAfterSalesRuleReview(models.TransientModel):
    """What the rules, as they are now, would have said about the documents of the last
    year (X10): before they are switched on, and after."""

    _name = "helpdesk.after.sales.rule.review"
    _description = "What the rules would have said"
    _order = "date desc, id"

    date = fields.Datetime(readonly=True, server_only=True, copy=False)
    name = fields.Char(string="Document", readonly=True, server_only=True, copy=False)
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        ondelete="cascade",
        readonly=True,
        server_only=True,
        copy=False,
    )
    service = fields.Char(readonly=True, server_only=True, copy=False)
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        ondelete="cascade",
        readonly=True,
        server_only=True,
        copy=False,
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency",
        ondelete="cascade",
        readonly=True,
        server_only=True,
        copy=False,
    )
    amount = fields.Monetary(readonly=True, server_only=True, copy=False)
    rule_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.rule",
        ondelete="cascade",
        readonly=True,
        server_only=True,
        copy=False,
    )
    verdict = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.after.sales.rule"]._fields["verdict"].selection
        ),
        readonly=True,
        server_only=True,
        copy=False,
    )

    @api.model
    def _review(self):
        """Return the action that shows what the rules would have said about the
        documents of the last 365 days. The caller has checked that the user may read
        rules."""
        rules = self.env["helpdesk.after.sales.rule"]
        acts = self._get_acts()
        answers = rules.sudo()._answer(acts)  # sudo: of tickets that the user sees
        labels = self.env["helpdesk.team"]
        # sudo: only the server writes these rows; they belong to the user.
        rows = self.sudo().create(
            [
                {
                    "date": act.moment,
                    "name": act.document.display_name,
                    "ticket_id": act.ticket.id,
                    "service": labels._get_switch_label(act.service),
                    "partner_id": act.customer.id,
                    "currency_id": act.company.currency_id.id,
                    "amount": act.amount or 0.0,
                    "rule_id": answer.rule.id,
                    "verdict": answer.verdict,
                }
                for act, answer in answers.items()
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What the Rules Would Have Said"),
            "res_model": self._name,
            "views": [(False, "list"), (False, "pivot")],
            "domain": [("id", "in", rows.ids)],
            "context": {"group_by": ["verdict", "rule_id"]},
        }

    @api.model
    def _get_acts(self):
        """Return the acts of the last year's documents on tickets that the user sees,
        the newest first."""
        since = fields.Datetime.subtract(fields.Datetime.now(), days=365)
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        acts = []
        for model in sorted(
            self.env.registry.descendants(["helpdesk.after.sales.document"], "_inherit")
        ):
            # sudo: documents of tickets that the user sees, see below; what the rules
            # say of them is told.
            documents = self.env[model].sudo()
            if documents._abstract:
                continue
            found = documents.search(
                Domain("helpdesk_ticket_id", "!=", False)
                & Domain("helpdesk_ticket_id.company_id", "in", self.env.companies.ids)
                & Domain("create_date", ">=", since),
                order="id desc",
                limit=REVIEWED,
            )
            seen = tickets.search(Domain("id", "in", found.helpdesk_ticket_id.ids))
            for document in found:
                if document.helpdesk_ticket_id.id not in seen._ids:
                    continue
                if act := document._get_rule_act():
                    act.moment = document.create_date
                    acts.append(act)
        return acts


class HelpdeskAfterSalesRule(models.Model):
    _inherit = "helpdesk.after.sales.rule"

    def action_review(self):
        """Return the action that shows what all rules would have said about the
        documents of the last 365 days.

        :raises AccessError: for whoever may not read rules
        """
        self.env["helpdesk.after.sales.rule"].check_access("read")
        return self.env["helpdesk.after.sales.rule.review"]._review()
