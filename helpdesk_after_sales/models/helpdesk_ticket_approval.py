from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskTicket(models.Model):
    """What waits for an approval on a ticket (X10)."""

    _inherit = "helpdesk.ticket"

    approval_ids = fields.One2many(
        comodel_name="helpdesk.after.sales.approval",
        inverse_name="ticket_id",
        string="Approvals",
        copy=False,
        groups="helpdesk_after_sales.group_helpdesk_user",
    )
    approval_notice = fields.Text(
        compute="_compute_approval_notice",
        groups="helpdesk_after_sales.group_helpdesk_user",
        help="What waits for an approval.",
    )

    @api.depends("approval_ids.state")
    @api.depends_context("lang")
    def _compute_approval_notice(self):
        for ticket in self:
            waiting = ticket.approval_ids.filtered(lambda a: a.state == "asked")
            ticket.approval_notice = "\n".join(
                self.env._(
                    "%(user)s waits for an approval: %(what)s",
                    user=approval.user_id.name,
                    what=approval.what,
                )
                for approval in waiting
            )

    @api.readonly
    def action_view_approvals(self):
        """Return the action for what waits for an approval on this ticket.

        :raises AccessError: when the ticket isn't the user's to read
        :raises UserError: when nothing waits
        """
        self.ensure_one()
        self.check_access("read")
        waiting = self.approval_ids.filtered(lambda a: a.state == "asked")
        if not waiting:
            raise UserError(self.env._("Nothing waits for an approval any more."))
        return waiting._get_records_action(name=self.env._("Approvals"))
