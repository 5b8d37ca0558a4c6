from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, formataddr

from ..tools.reading import check_one, read_integer


class HelpdeskTicket(models.Model):
    """Replies by mail and in the portal: what they are, whom they are for, what they
    open again. What a person writes reaches somebody, or the writer is told."""

    _inherit = "helpdesk.ticket"

    def _prepare_mail_reply(self, values):
        """Return the values of a mail that answers in this ticket.

        Core makes a note of each answer to an internal message, and tells the author of
        the message that is answered, whoever both are.

        :param dict values: those of ``message_post``, as the gateway gives them
        """
        self.ensure_one()
        # sudo: the gateway posts for whoever wrote.
        ticket = self.sudo()
        parent = ticket.env["mail.message"].browse(values.get("parent_id") or ())
        author = ticket.env["res.partner"].browse(values.get("author_id") or ())
        email = email_normalize(values.get("email_from"))
        company = ticket.company_id.partner_id
        # The shop itself, and what it sends by itself, is nobody to tell.
        asked = parent.author_id.filtered("active") - author - company
        note = ticket._is_note(parent)
        address = False
        if self._is_customer_side(author, email):
            note, told = False, asked
        elif author and not author.partner_share:
            # A note is answered by a note; what a customer did, by an answer to them.
            if parent.subtype_id != self.env.ref("mail.mt_note"):
                note = note and not asked.partner_share
            told = asked
            if not note:
                told, address = ticket._get_correspondents(parent)
                told -= author
            elif not parent.author_id and parent.message_type == "email":
                address = parent.email_from
        else:
            # Whoever knows a Message-ID may write: the customer isn't mailed by it.
            told = asked.filtered(lambda p: not ticket._is_customer_side(p))
            if note:
                told |= ticket.user_id.partner_id
        subtype = "mail.mt_note" if note else "mail.mt_comment"
        values = values | {
            "partner_ids": told.ids,
            "outgoing_email_to": address,
            "subtype_id": self.env["ir.model.data"]._xmlid_to_res_id(subtype),
            "is_internal": note,
        }
        if not note and not self._is_customer_side(author, email):
            # What others answer is for whom the message was that they answer to.
            values["is_internal"] = (
                ticket._is_aside(values)
                if author and not author.partner_share
                else parent.is_internal
            )
        if author.partner_share or not author or self._is_customer_side(author):
            self._add_listeners(values, author)
        return values

    def _prepare_portal_answer(self, values):
        """Give what is posted on the customer's page its author and its readers."""
        comment = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")
        if (
            values.get("subtype_xmlid") != "mail.mt_comment"
            and values.get("subtype_id") != comment
        ):
            return
        author = self.env["res.partner"].browse(
            values.get("author_id") or self.env.user.partner_id.id
        )
        if author.is_public and not values.get("author_id"):
            # The controller has checked the link, and posts with sudo.
            values["author_id"] = False
            values["email_from"] = formataddr(
                (self.partner_name or "", self.partner_email or "")
            )
            author = author.browse()
        if not author or author.partner_share:
            self._add_listeners(values, author)

    def _is_note(self, message):
        """Return whether what answers this message is for colleagues only."""
        return (
            bool(message.subtype_id.internal)
            and message.message_type != "auto_comment"
            and message.subtype_id != self._creation_subtype()
        )

    def _get_correspondents(self, message):
        """Return the partners and the address that a colleague answers to who answers
        this message from their own mail program: whoever wrote it, or got it."""
        self.ensure_one()
        company = self.company_id.partner_id
        by_itself = message.message_type == "auto_comment"
        author = message.author_id.filtered("active") - company
        if author.partner_share and not by_itself:
            return author, False
        if (
            not author
            and not by_itself
            and message.message_type in ("email", "comment")
        ):
            return author, message.email_from
        told = message.partner_ids.filtered(lambda p: p.partner_share and p.active)
        address = message.outgoing_email_to
        if not told and not address and by_itself:
            told = self.partner_id
            address = False if told else self.partner_email
        return told | author, address

    def _add_listeners(self, values, author):
        """Tell the team of a message that nobody of it would hear of.

        :param dict values: those of ``message_post``, changed in place
        :param author: whoever wrote it
        """
        self.ensure_one()
        if self.env.context.get("helpdesk_automatic_mail") == "machine":
            return
        # sudo: who works on the ticket; the customer or the gateway writes.
        ticket = self.sudo()
        told = ticket.env["res.partner"].browse(values.get("partner_ids") or ())
        subtype = values.get("subtype_id") or self.env[
            "ir.model.data"
        ]._xmlid_to_res_id("mail.mt_comment")
        told |= ticket.message_follower_ids.filtered(
            lambda follower: subtype in follower.subtype_ids.ids
        ).partner_id
        if not (told - author).user_ids.filtered(lambda u: u.active and not u.share):
            told = ticket.env["res.partner"].browse(values.get("partner_ids") or ())
            told |= ticket.team_id._get_listeners() - author
            values["partner_ids"] = told.ids

    def _check_heard(self, message):
        """Tell a colleague by mail when nobody got what they answered by mail."""
        self.ensure_one()
        # sudo: who was told, whoever wrote.
        message = message.sudo()
        author = message.author_id
        told = (
            "notified_partner_ids",
            "outgoing_email_to",
            "incoming_email_to",
            "incoming_email_cc",
        )
        if (
            not author
            or author.partner_share
            or self.env.context.get("helpdesk_automatic_mail")
            or any(message[name] for name in told)
        ):
            return
        self.env["mail.thread"].message_notify(
            partner_ids=author.ids,
            subject=self.env._("Ticket #%s: your reply was not sent", self.ticket_ref),
            body=self.env._(
                "Your emailed reply was kept as an internal note on %(ticket)s and "
                "was not sent to anybody. To answer the customer, write on the "
                "ticket, or reply to an email from the customer.",
                ticket=self._get_html_link(),
            ),
            email_layout_xmlid="mail.mail_notification_light",
        )

    @api.readonly
    def get_newer_answers(self, message_id):
        """Return what others wrote in this ticket after a message, oldest first: a list
        of ``author`` and ``preview``, for who is about to answer.

        :param message_id: the id of the newest message that the user has seen
        :raises AccessError: when the ticket isn't the user's to read
        :raises UserError: when it is no number of a message
        """
        check_one(self)
        self.check_access("read")
        if not isinstance(message_id, int):
            raise UserError(self.env._("Give the last message that you have read."))
        message_id = read_integer(message_id)
        messages = self.env["mail.message"].search(
            Domain("model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("id", ">", message_id)
            & Domain("message_type", "in", ("comment", "email"))
            & Domain("subtype_id", "=", self.env.ref("mail.mt_comment").id)
            & Domain("author_id", "!=", self.env.user.partner_id.id),
            order="id",
            limit=10,
        )
        return [
            {
                "author": message._get_helpdesk_author_name(),
                "preview": message.preview or "",
            }
            for message in messages
        ]

    def _take_answer(self, message):
        """Bring a ticket back to life that its customer answers to (T18, T22)."""
        self.ensure_one()
        # sudo: whoever answers to their ticket may not write it.
        ticket, message = self.sudo(), message.sudo()
        if (
            message.message_type not in ("comment", "email")
            or message.subtype_id != self.env.ref("mail.mt_comment")
            or self.env.context.get("helpdesk_automatic_mail") == "machine"
            or not self._is_customer_side(
                message.author_id, email_normalize(message.email_from)
            )
        ):
            return
        if ticket._wants_follow_up():
            ticket._begin_follow_up(message)
            return
        if ticket.is_automatic_mail:
            ticket.is_automatic_mail = False
        if not ticket.active and not ticket.merged_into_id:
            ticket.active = True
        if ticket.close_date and ticket.team_id.reopen_on_reply:
            ticket._reopen(message.author_id)
