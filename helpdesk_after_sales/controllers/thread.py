from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import email_normalize

from odoo.addons.mail.controllers.thread import ThreadController


class HelpdeskThreadController(ThreadController):
    """Agents answer everybody who wrote, also without the right to make contacts: core
    drops the addresses of people whom it may make no contact of, without a word."""

    @http.route()
    def mail_thread_partner_from_email(self, thread_model, thread_id, emails):
        if thread_model == "helpdesk.ticket":
            request.env[thread_model].browse(thread_id)._make_contacts(emails)
        return super().mail_thread_partner_from_email(thread_model, thread_id, emails)

    def _prepare_message_data(self, post_data, *, thread, **kwargs):
        emails = post_data.get("partner_emails")
        if (
            thread._name != "helpdesk.ticket"
            or not emails
            or not request.env.user._is_internal()
        ):
            return super()._prepare_message_data(post_data, thread=thread, **kwargs)
        # The rights are those of the agent, whatever the thread was browsed with.
        ticket = thread.sudo(False)
        contacts = ticket._make_contacts(emails)
        data = super()._prepare_message_data(post_data, thread=thread, **kwargs)
        reached = set(
            (contacts | contacts.browse(data.get("partner_ids") or ())).mapped(
                "email_normalized"
            )
        )
        lost = [raw for raw in emails if email_normalize(raw) not in reached]
        if lost:
            raise UserError(
                ticket.env._(
                    "Nothing was sent: there is no contact with the address "
                    "%(addresses)s, and you can't create one. Remove it, or ask "
                    "somebody who can create contacts.",
                    addresses=", ".join(lost),
                )
            )
        data["partner_ids"] = list({*(data.get("partner_ids") or ()), *contacts.ids})
        return data
