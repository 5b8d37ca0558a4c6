import re

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, parse_contact_from_email

from ..tools.reading import read_id


class HelpdeskTicket(models.Model):
    """A message about another matter becomes a ticket of its own."""

    _inherit = "helpdesk.ticket"

    def action_split(self, message_id):
        """Take a message out of this ticket's conversation, and make a ticket of it.
        Returns the action that opens the new ticket.

        Whoever wrote the message is its customer. Answers to the message arrive in the
        new ticket; nobody is told by itself.

        :param message_id: the id of the message
        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when it is no message that can be split off
        """
        self.ensure_one()
        self.check_access("write")
        self._lock_after_sales(self)
        message = self._get_message_to_split(read_id(message_id))
        # sudo: the user works on this ticket, as was just checked, and reads the
        # message; the new one is made of these two and nothing else.
        ticket = self.sudo()._split(message.sudo())
        return ticket.sudo(False)._get_records_action(context={})

    def _get_message_to_split(self, message_id):
        message = self.env["mail.message"].search(
            Domain("id", "=", message_id or 0)
            & Domain("model", "=", self._name)
            & Domain("res_id", "=", self.id)
        )
        if (
            not message
            or message.message_type not in ("comment", "email")
            or message.subtype_id == self._creation_subtype()
        ):
            raise UserError(
                self.env._(
                    "Choose a message from the conversation of this ticket. Its "
                    "first message and automatic notes can't be split off."
                )
            )
        return message

    def _split(self, message):
        """Return the new ticket that takes ``message`` along. Called with sudo."""
        self.ensure_one()
        ticket = self.with_context(
            mail_create_nosubscribe=True, mail_auto_subscribe_no_notify=True
        ).create(self._prepare_split_vals(message))
        ticket._send_no_stage_mail()
        if self._is_customer_side(
            message.author_id, email_normalize(message.email_from)
        ):
            followers = self.message_partner_ids
        else:
            # The customer reads nothing of what others wrote.
            followers = self.message_partner_ids.filtered(lambda p: not p.partner_share)
        ticket.message_subscribe(partner_ids=followers.ids)
        vals = {"res_id": ticket.id}
        if ticket._is_customer_side(
            message.author_id, email_normalize(message.email_from)
        ):
            # It may have been an aside before.
            vals["is_internal"] = False
        message.write(vals)
        message.attachment_ids.filtered(
            lambda file: file.res_model == self._name and file.res_id == self.id
        ).write({"res_id": ticket.id})
        (self | ticket)._tell_turn()
        author = self.env.user.partner_id.id
        ticket._message_log(
            body=self.env._(
                "Split off from %(ticket)s.", ticket=self._get_number_link()
            ),
            author_id=author,
        )
        self._message_log(
            body=self.env._(
                "A message was split off: it is in %(ticket)s now.",
                ticket=ticket._get_number_link(),
            ),
            author_id=author,
        )
        return ticket

    def _prepare_split_vals(self, message):
        """Return the values of the ticket that a message of this one becomes."""
        self.ensure_one()
        subject = " ".join((message.subject or "").split())
        subject = re.sub(r"^(?:(?:re|aw|sv)\s*:\s*)+", "", subject, flags=re.IGNORECASE)
        author = message.author_id
        name, email = parse_contact_from_email(message.email_from or "")
        colleague = author and not author.partner_share
        # The customer reads subject and description, and no note of a colleague (T13).
        hidden = colleague and (message.is_internal or message.subtype_id.internal)
        vals = {
            "name": (not hidden and subject[:250]) or self.name,
            "team_id": self.team_id.id,
            "user_id": self.user_id.id if self.user_id.active else False,
            "priority": self.priority,
            "description": not hidden and message.body,
        }
        if colleague or self._is_customer_side(author, email_normalize(email)):
            # Purchases are not told: the matter is another one.
            vals["partner_id"] = (
                author.id if author and not colleague else self.partner_id.id
            )
            if not vals["partner_id"]:
                vals |= {
                    "partner_name": self.partner_name if colleague else name or email,
                    "partner_email": self.partner_email if colleague else email,
                }
        elif author:
            vals["partner_id"] = author.id
        else:
            vals |= {"partner_name": name or email, "partner_email": email}
        return vals

    def _tell_turn(self):
        """Note again whose turn it is on these tickets, by what is said in them now."""
        comment = self.env.ref("mail.mt_comment")
        for ticket in self:
            vals = {"last_word": False, "waiting_since": False}
            first = ticket.message_ids.filtered(
                lambda m: m.subtype_id == self._creation_subtype()
            )[-1:]
            said = (
                [("customer", first.create_date)]
                if first.message_type == "email"
                else []
            )
            for message in ticket.message_ids.sorted("id"):
                if message.subtype_id == comment and message.message_type in (
                    "comment",
                    "email",
                ):
                    word = ticket._get_word(message)
                    said += [(word, message.create_date)] if word else []
            for word, date in said:
                waiting = vals["waiting_since"] or date if word == "customer" else False
                vals = {
                    "last_word": word,
                    "last_word_date": date,
                    "waiting_since": waiting,
                }
            ticket.write(vals)
