from odoo import fields, models


class HelpdeskTicketRequestDecline(models.TransientModel):
    _name = "helpdesk.ticket.request.decline"
    _inherit = "helpdesk.ticket.wizard"
    _description = "Decline the request of a customer"

    helpdesk_ticket_id = fields.Many2one(required=True)
    line_id = fields.Many2one(
        comodel_name="helpdesk.ticket.line",
        string="Request",
        ondelete="cascade",
    )
    reason = fields.Text(
        string="Reason, for colleagues",
        required=True,
        help="The customer does not see this.",
    )
    answer = fields.Text(
        string="Note to the customer",
        required=True,
        help="The customer gets this by email, and reads it in the portal.",
    )

    def action_decline(self):
        """Decline the request and tell the customer. Returns the action that closes
        the pop-up.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the request has been answered in the meantime
        """
        self.ensure_one()
        line = self.line_id or self.helpdesk_ticket_id._get_request_to_answer()
        line._decline(self.reason, self.answer)
        return {"type": "ir.actions.act_window_close"}
