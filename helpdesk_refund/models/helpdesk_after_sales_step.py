from odoo import api, fields, models
from odoo.exceptions import UserError

REFUNDS = ("refund_draft", "refund_post")


class HelpdeskAfterSalesStep(models.Model):
    """Refund what has arrived and was accepted (X18)."""

    _inherit = "helpdesk.after.sales.step"

    service = fields.Selection(
        selection_add=[
            ("refund_draft", "Refund as a draft"),
            ("refund_post", "Refund"),
        ],
        ondelete=dict.fromkeys(REFUNDS, "cascade"),
    )

    @api.model
    def _check_planned(self, service, ticket):
        if service in REFUNDS and not ticket.use_credit_notes:
            raise UserError(
                self.env._(
                    "The team %(team)s makes no refunds: plan something else, or ask "
                    "a Helpdesk administrator to switch them on.",
                    team=ticket.team_id.display_name,
                )
            )
        return super()._check_planned(service, ticket)

    @api.model
    def _get_rule_service(self, service):
        if service in REFUNDS:
            return "use_credit_notes"
        return super()._get_rule_service(service)

    @api.model
    def _get_credit_service(self, ticket):
        if ticket.team_id.use_credit_notes:
            return "refund_draft"
        return super()._get_credit_service(ticket)

    def _get_helpers(self):
        group = "account.group_account_invoice"
        if self.service not in REFUNDS or self.env.user.has_group(group):
            return super()._get_helpers()
        # sudo: who may do what the planner may not; one of them is asked.
        users = self.env.ref(group).sudo().all_user_ids
        company = self.sudo().ticket_id.company_id
        helpers = users.filtered(
            lambda user: (
                user.active
                and company in user.company_ids
                and self.ticket_id.with_user(user).has_access("read")
            )
        )
        # Nobody may: the planner is told.
        return helpers or self.env.user

    def _perform(self):
        if self.service not in REFUNDS:
            return super()._perform()
        note = self.ticket_id._refund_accepted()
        if note and self.service == "refund_post":
            note.action_post()
        return note

    def _withdraw(self):
        if self.service not in REFUNDS:
            return super()._withdraw()
        # sudo: which note it made; it is deleted with the rights of the planner.
        note = self.env["account.move"].browse(self.sudo().made_id).exists()
        if not note or note.sudo().state != "draft":
            return False
        note.unlink()
        return True
