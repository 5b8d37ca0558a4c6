from odoo import api, fields, models


class HelpdeskTicketWizard(models.AbstractModel):
    """A pop-up that is opened on a ticket, for whoever may read the ticket."""

    _name = "helpdesk.ticket.wizard"
    _description = "Pop-up of a helpdesk ticket"

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Ticket",
        ondelete="cascade",
    )

    @api.constrains("helpdesk_ticket_id")
    def _check_helpdesk_ticket(self):
        """Refuse the pop-up of a ticket that the user may not read: what it proposes
        tells what the customer bought (T28)."""
        # Constraints run as superuser: ask as the user.
        self.sudo(False).helpdesk_ticket_id.check_access("read")

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        # What the client asks before there is a record, see above.
        ticket = values.get("helpdesk_ticket_id") or self.env.context.get(
            "default_helpdesk_ticket_id"
        )
        if ticket:
            ticket = ticket.get("id") if isinstance(ticket, dict) else ticket
            self.env["helpdesk.ticket"].browse(ticket).check_access("read")
        return super().onchange(values, field_names, fields_spec)
