from odoo import api, models
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """What a ticket is called, and by whom: its subject is for who may read it."""

    _inherit = "helpdesk.ticket"

    @api.depends("name", "ticket_ref")
    @api.depends_context("lang")
    def _compute_display_name(self):
        hidden = self._filtered_unreadable()
        for ticket in hidden:
            ticket.display_name = ticket._get_short_name()
        for ticket in self - hidden:
            ticket.display_name = ticket._get_full_name()

    def _get_full_name(self):
        """Return subject and number, for who may read the ticket."""
        return f"{self.name} (#{self.ticket_ref})" if self.ticket_ref else self.name

    def _get_short_name(self):
        return self.env._("Ticket #%(number)s", number=self.ticket_ref or "")

    def _get_number_link(self):
        """Return the link to this ticket for the chatter of a document, which people
        read who may not read the ticket: its subject is not for them."""
        return self._get_html_link(title=f"#{self.ticket_ref}")

    def _message_compute_subject(self):
        # A mail about the ticket goes to who reads it, whoever sends it.
        return self._get_full_name()

    def _notify_thread(self, message, msg_vals=False, **kwargs):
        if self:
            kwargs.setdefault("force_record_name", self._get_full_name())
        return super()._notify_thread(message, msg_vals=msg_vals, **kwargs)

    @api.model
    def _search_display_name(self, operator, value):
        """Find words of the subject, and the number as people write it: ``#42`` is
        00042. The number is compared as a whole, so that its index serves."""
        domain = super()._search_display_name(operator, value)
        if operator in ("=", "like", "ilike", "=like", "=ilike") and value:
            number = str(value).strip().lstrip("#")
            domain |= Domain("ticket_ref", "in", [number, number.zfill(5)])
        return domain
