from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import (
    email_normalize,
    email_normalize_all,
    formataddr,
    hmac,
    parse_contact_from_email,
)

# What customers may say in an answer.
ANSWER = ("body", "attachments", "attachment_ids", "parent_id")


class HelpdeskTicket(models.Model):
    """Answers: who they come from, whom they reach, how they are marked."""

    _inherit = "helpdesk.ticket"

    def _get_mail_sender(self):
        """Return who automatic mail of this ticket comes from: its team."""
        self.ensure_one()
        # sudo: customers' tickets are read by the gateway and the portal.
        team = self.sudo().team_id
        if team.alias_email:
            return formataddr((team.name, team.alias_email))
        return team.company_id.email_formatted

    def _message_log_batch(self, *args, **kwargs):
        # Notes go to nobody: no address need be looked up for them.
        ticket = self.with_context(helpdesk_note=True)
        return super(HelpdeskTicket, ticket)._message_log_batch(*args, **kwargs)

    def _message_compute_author(self, author_id=None, email_from=None):
        """What an agent writes comes from the address of the team, in their name."""
        author_id, sender = super()._message_compute_author(author_id, email_from)
        user = self.env.user
        if (
            len(self) == 1
            and not self.env.context.get("helpdesk_note")
            and user._is_internal()
            and author_id == user.partner_id.id
            and email_from in (None, user.partner_id.email_formatted)
        ):
            # sudo: whoever may write here may not see the team.
            address = self.sudo().team_id.alias_email
            sender = formataddr((user.name, address)) if address else sender
        return author_id, sender

    def _notify_get_reply_to(self, default=None, author_id=False):
        """Answers go to the address of the team."""
        addresses = {}
        # sudo: reads addresses; whoever posts may not see the team.
        for team, tickets in self.sudo().grouped("team_id").items():
            # As Odoo does for the team itself, without looking for its alias.
            address = team.alias_email or team.company_id.catchall_email
            # A stranger has no contact: Odoo would name itself.
            name = author_id or team.company_id.partner_id.id
            addresses |= dict.fromkeys(
                tickets.ids,
                team._notify_get_reply_to_formatted_email(address, name)
                if address
                else default,
            )
        return addresses

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        values = super()._notify_by_email_prepare_rendering_context(
            message, *args, **kwargs
        )
        if message.message_type == "auto_comment":
            # The layout would show the whole subject of whoever wrote (T23).
            values["record_name"] = self.env._("Ticket #%s", self.ticket_ref)
            values["subtitles"] = [values["record_name"]]
        return values

    def _notify_by_email_get_base_mail_values(
        self, message, recipients_data, additional_values=None
    ):
        """Mark what we send, so that others don't answer to it by themselves, and we
        know it when it comes back (T18, T19)."""
        values = dict(additional_values or {})
        values["headers"] = dict(
            values.get("headers") or {}, **self._get_mail_marks(message)
        )
        return super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=values
        )

    @api.model
    def _get_mail_marks(self, message=None):
        marks = {
            "X-Helpdesk-Origin": self._get_mail_origin(),
            "X-Auto-Response-Suppress": "OOF",
        }
        if message and message.message_type not in ("comment", "email"):
            marks["X-Auto-Response-Suppress"] = "All"
            marks["Auto-Submitted"] = (
                "auto-replied"
                if message.message_type == "auto_comment"
                else "auto-generated"
            )
        return marks

    @api.model
    def _get_mail_origin(self):
        """Return what only mail of this database carries."""
        env = self.env(su=True)
        return hmac(env, "helpdesk.ticket-mail", "origin")

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        if not self:
            return groups
        # sudo: the visibility of the team, and who the customer is.
        ticket = self.sudo()
        if ticket.team_id.privacy_visibility != "portal":
            for name, _match, data in groups:
                if name in ("portal", "portal_customer"):
                    data["has_button_access"] = False
            return groups
        # Others who follow get the answers; the page is the customer's.
        customer = ticket.commercial_partner_id
        others = ticket.message_partner_ids.filtered(
            lambda partner: partner.commercial_partner_id != customer
        ).ids
        groups.insert(
            0,
            (
                "helpdesk_follower",
                lambda pdata: pdata["type"] == "portal" and pdata["id"] in others,
                {"active": True, "has_button_access": False},
            ),
        )
        return groups

    def _message_get_suggested_recipients_batch(self, **kwargs):
        """Propose the customer's side and colleagues, not everybody who wrote: a mail
        can name any message of ours in its references (T22). Who answers one message
        of somebody else chooses to: that goes to them, and not to the customer."""
        suggested = super()._message_get_suggested_recipients_batch(**kwargs)
        asked = kwargs.get("additional_partners") or self.env["res.partner"]
        reply_to = kwargs.get("reply_message") or self.env["mail.message"]
        for ticket in self:
            outsiders = ticket._get_outsiders(reply_to)
            kept = {}
            for info in suggested[ticket.id]:
                partner = self.env["res.partner"].browse(info["partner_id"] or ())
                email = email_normalize(info["email"])
                if (
                    ticket._is_outsider(partner, email, outsiders)
                    if outsiders
                    else ticket._is_trusted(partner, email)
                    or partner in asked
                    or kwargs.get("primary_email")
                ):
                    # Core tells "Ada <ada@…>" and "ada@…" apart.
                    kept.setdefault(partner.id or email, info)
            known = {
                info["email"] for key, info in kept.items() if key != info["email"]
            }
            suggested[ticket.id] = [
                info
                for key, info in kept.items()
                if info["partner_id"] or key not in known
            ]
        return suggested

    def _get_outsiders(self, message):
        """Return partners and addresses of a message that neither the customer's side
        nor a colleague wrote: those whom Reply All answers to, or ``None``."""
        self.ensure_one()
        # sudo: who wrote a message that the user answers to.
        message = message.sudo()
        author = message.author_id
        email = email_normalize(message.email_from)
        if not message or self._is_trusted(author, email):
            return None
        addresses = email_normalize_all(
            f"{email}, {message.incoming_email_to or ''}, "
            f"{message.incoming_email_cc or ''}"
        )
        return author | message.partner_ids, addresses

    def _is_outsider(self, partner, email, outsiders):
        partners, addresses = outsiders
        # sudo: only whether it's a colleague, who is told as a follower.
        colleague = partner.sudo().user_ids.filtered(lambda user: not user.share)
        return not colleague and (partner in partners or email in addresses)

    # -- Contacts of those who wrote -----------------------------------------

    def _get_customer_information(self):
        """Name the contact that is made of an unknown sender as the sender did."""
        information = super()._get_customer_information()
        for ticket in self.filtered(lambda t: t.partner_email and not t.partner_id):
            if email := email_normalize(ticket.partner_email):
                information.setdefault(email, {}).update(
                    {
                        "name": ticket.partner_name or email,
                        "phone": ticket.partner_phone,
                    }
                )
        for ticket in self:
            for email, raw in ticket._mail_cc_sanitized_raw_dict(
                ticket.sudo().email_cc  # sudo: names of people, for their contacts
            ).items():
                name = parse_contact_from_email(raw)[0]
                information.setdefault(email, {}).setdefault("name", name or email)
        return information

    def _make_contacts(self, emails):
        """Make contacts of people who wrote in this ticket, or are in copy, so that the
        agent who works on it can answer them.

        :param emails: addresses as the client gives them
        :return: the contacts of those addresses
        :raises AccessError: when the ticket isn't the user's to work on
        """
        self.ensure_one()
        found = self._partner_find_from_emails_single(emails, no_create=True)
        known = set(found.mapped("email_normalized"))
        unknown = [raw for raw in emails if email_normalize(raw) not in known]
        if not unknown:
            return found
        self.check_access("write")
        # sudo: the addresses in the conversation; the user may work on this ticket, as
        # was just checked.
        ticket = self.sudo()
        parts = [ticket.partner_email, ticket.email_cc]
        for message in ticket.message_ids:
            parts += [
                message.email_from,
                message.incoming_email_to,
                message.incoming_email_cc,
            ]
        wrote = set(email_normalize_all(", ".join(filter(None, parts))))
        theirs = [raw for raw in unknown if email_normalize(raw) in wrote]
        # sudo: contacts of exactly these people, whom core would make, too.
        return found | ticket._partner_find_from_emails_single(theirs).sudo(False)

    def _link_new_contact(self, message):
        """Make the contact of the unknown sender the customer once they are answered,
        as CRM does."""
        # sudo: whoever answers may write to these people.
        ticket, message = self.sudo(), message.sudo()
        email = email_normalize(ticket.partner_email)
        if not email or ticket.partner_id or message.message_type != "comment":
            return
        contact = message.partner_ids.filtered(
            lambda partner: (
                partner.email_normalized == email
                and partner.company_id.id in (False, ticket.company_id.id)
            )
        )[:1]
        if contact:
            ticket.partner_id = contact

    def _is_trusted(self, partner, email):
        """Return whether answers may go to a partner or address by themselves."""
        # sudo: only whether it's a colleague.
        colleague = partner.sudo().user_ids.filtered(lambda user: not user.share)
        return bool(colleague) or self._is_customer_side(partner, email)

    def message_post(self, **kwargs):
        """Post a message. What a customer posts through the API is an answer in their
        own name that everybody reads (T14, T22)."""
        if not self.env.su and self.env.user.share:
            self._check_customer_answer(kwargs)
            self._check_portal_post(kwargs)
            self.check_access("read")
            # sudo: the customer may read, and so answer to the ticket, as was just
            # checked; the files are new ones, or those that they have uploaded. What
            # is written in a merged ticket reaches the one that is kept.
            ticket = self.sudo()._get_merge_target()
            values = {name: kwargs[name] for name in ANSWER if name in kwargs} | {
                "author_id": self.env.user.partner_id.id,
                "message_type": "comment",
                "subtype_xmlid": "mail.mt_comment",
            }
            ticket._prepare_portal_answer(values)
            return super(HelpdeskTicket, ticket).message_post(**values)
        mailed = (
            self.env.su
            and kwargs.get("message_type") == "email"
            and kwargs.get("subtype_id") != self._creation_subtype().id
        )
        if mailed:
            kwargs = self._prepare_mail_reply(kwargs)
        elif self.env.su and kwargs.get("message_type") == "comment":
            if (target := self._get_merge_target()) != self:
                return target.message_post(**kwargs)
            self._prepare_portal_answer(kwargs)
        # The web client may post with sudo, as the user who is logged in.
        if not mailed and self.env.user._is_internal() and self._is_aside(kwargs):
            kwargs = kwargs | {"is_internal": True}
        message = super().message_post(**kwargs)
        if mailed:
            self._check_heard(message)
        return message

    def _is_aside(self, values):
        """Return whether a message is for others than the customer only: a carrier, a
        supplier. The page of the customer doesn't show it.

        :param dict values: those of ``message_post``
        """
        comment = self.env["ir.model.data"]._xmlid_to_res_id("mail.mt_comment")
        if len(self) != 1 or (
            values.get("subtype_xmlid") != "mail.mt_comment"
            and values.get("subtype_id") != comment
        ):
            return False
        # sudo: whom a message is for; nothing of them is shown.
        ticket = self.sudo()
        people = ticket.env["res.partner"].browse(values.get("partner_ids") or ())
        if people.browse(values.get("author_id") or ()).partner_share:
            return False
        others = people.filtered("partner_share")
        addresses = email_normalize_all(values.get("outgoing_email_to") or "")
        if not (others or addresses) or not (ticket.partner_id or ticket.partner_email):
            return False
        addresses += email_normalize_all(
            f"{values.get('incoming_email_to') or ''}, "
            f"{values.get('incoming_email_cc') or ''}"
        )
        nobody = people.browse()
        # The customer who follows gets it anyway.
        return not any(
            ticket._is_customer_side(partner, partner.email_normalized)
            for partner in others | ticket.message_partner_ids
        ) and not any(ticket._is_customer_side(nobody, email) for email in addresses)

    def _check_customer_answer(self, values):
        """Refuse a customer's message that says more than a text and files.

        :raises AccessError: which names what it says
        """
        same = {"message_type": "comment", "subtype_xmlid": "mail.mt_comment"}
        for name, value in values.items():
            if value and name not in ANSWER and value != same.get(name):
                raise AccessError(
                    self.env._(
                        "Customers answer with a text and files only (not: %(name)s).",
                        name=name,
                    )
                )

    def _message_post_after_hook(self, message, msg_values):
        result = super()._message_post_after_hook(message, msg_values)
        # sudo: whoever answers to their ticket may not write it.
        ticket, message = self.sudo(), message.sudo()
        if (
            message.message_type == "email"
            and message.subtype_id == self._creation_subtype()
            and not ticket.description
        ):
            # With its pictures: the message has been given its files by now.
            ticket.description = message.body
        else:
            self._take_answer(message)
        if self.env.user._is_internal():
            self._link_new_contact(message)
        return result
