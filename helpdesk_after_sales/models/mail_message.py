from odoo import models
from odoo.exceptions import AccessError
from odoo.tools import email_normalize, parse_contact_from_email

from ..tools.pointers import find_hidden

OURS = ("helpdesk.ticket", "helpdesk.ticket.conversation")


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["helpdesk.named.mixin", "mail.message"]

    def _filtered_unreadable(self):
        # What a ticket's messages are called is its subject, and everybody, customers
        # too, may answer to any message by its id. Other documents are Odoo's business.
        if not self.env.su:
            return self.browse()
        ours = self.filtered(lambda message: message.id and message.model in OURS)
        try:
            # sudo: the environment of who asked, as it came.
            return ours - ours.sudo(False)._filtered_access("read").sudo()
        except AccessError:
            return ours

    def _compute_record_name(self):
        result = super()._compute_record_name()
        if not self.env.su:
            colleague = self.env.user._is_internal()
            mixin = self.pool["helpdesk.named.mixin"]
            hidden = find_hidden(
                self,
                "model",
                lambda model: colleague and isinstance(self.env[model], mixin),
            )
            hidden.record_name = False
        return result

    def _get_short_name(self):
        return False

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
