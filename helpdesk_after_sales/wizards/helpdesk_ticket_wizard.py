from odoo import api, fields, models


class HelpdeskTicketWizard(models.AbstractModel):
    """A pop-up that is opened on a ticket, for whoever may read the ticket: what it
    proposes tells what the customer bought (T28)."""

    _name = "helpdesk.ticket.wizard"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Pop-up of a helpdesk ticket"

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Ticket",
        ondelete="cascade",
    )

    @api.constrains("helpdesk_ticket_id")
    def _check_helpdesk_ticket(self):
        """Refuse the pop-up of a ticket that the user may not read, whoever makes it
        (T28)."""
        # Constraints run as superuser: ask as the user.
        self.sudo(False).helpdesk_ticket_id.check_access("read")
