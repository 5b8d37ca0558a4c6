from odoo import models
from odoo.tools import email_normalize, parse_contact_from_email


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _get_helpdesk_author_name(self):
        """Return the name of whoever wrote this message of a ticket, also of strangers,
        who have no contact; never an address."""
        self.ensure_one()
        if self.author_id:
            return self.author_id.name
        name, address = parse_contact_from_email(self.email_from or "")
        ticket = self.env["helpdesk.ticket"].browse(self.res_id)
        if address == email_normalize(ticket.partner_email) and ticket.partner_name:
            name = ticket.partner_name
        return (name or address or "").partition("@")[0]

    def _portal_message_format(self, properties_names, options=None):
        vals_list = super()._portal_message_format(properties_names, options=options)
        for message, values in zip(self, vals_list, strict=True):
            # sudo: the page shows who wrote; its access was checked.
            message = message.sudo()
            if message.model == "helpdesk.ticket" and not message.author_id:
                # The client falls back to the address.
                values["author_id"] = False
                values["email_from"] = message._get_helpdesk_author_name()
        return vals_list
