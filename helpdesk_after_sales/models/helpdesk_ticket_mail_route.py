import re

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import email_normalize, email_split, plaintext2html

from ..tools.forwarded import find_forwarded, strip_prefix, to_text

NUMBER = re.compile(r"#\s?([\w/.\-]{1,32})")


class HelpdeskTicket(models.Model):
    """Which ticket, and whose, a mail is that answers none of our messages: by a number
    in its subject, by the part behind the plus of an address, by what was forwarded."""

    _inherit = "helpdesk.ticket"

    # -- Plus-addresses ------------------------------------------------------

    @api.model
    def _read_plus_addresses(self, message_dict):
        """Let ``care+anything@…`` be ``care@…``, in place, where that is the address
        of a team and the other one is nobody's."""
        plus = {
            address.lower()
            for name in ("recipients", "to")
            for address in email_split(message_dict.get(name) or "")[:100]
            if "+" in address.partition("@")[0]
        }
        if not plus:
            return
        plain = {address: re.sub(r"\+[^@]*@", "@", address) for address in plus}
        # sudo: aliases are not for the users of the gateway to read.
        aliases = self.env["mail.alias"].sudo()
        aliases = aliases.search(
            Domain("alias_full_name", "in", [*plain, *plain.values()])
        )
        known = set(aliases.mapped("alias_full_name"))
        ours = {
            alias.alias_full_name
            for alias in aliases
            if alias.alias_model_id.model == self._name
        }
        for address, base in plain.items():
            if address in known or base not in ours:
                continue
            for name in ("recipients", "to"):
                message_dict[name] = re.sub(
                    rf"(?<![\w.+-]){re.escape(address)}",
                    base,
                    message_dict.get(name) or "",
                    flags=re.IGNORECASE,
                )

    # -- Numbers in subjects -------------------------------------------------

    @api.model
    def _read_numbers(self, message_dict):
        """Return what may be numbers of tickets in the subject of a mail."""
        found = NUMBER.findall((message_dict.get("subject") or "")[:500])
        return [*{number.rstrip(".-/") for number in found}][:10]

    @api.model
    def _find_by_number(self, message_dict, values):
        """Return the ticket that the subject of a mail names by its number, if the
        sender belongs to it.

        Numbers are easily guessed: who is neither the customer, nor in copy, nor
        follows, begins a ticket of their own. Colleagues do so, too: whoever forged
        one would write to the customer in our name (T22).
        """
        numbers = self._read_numbers(message_dict)
        if not numbers:
            return self.browse()
        # sudo: the gateway acts for the team, whoever wrote.
        team = self.env["helpdesk.team"].sudo().browse(values.get("team_id") or ())
        company = team.company_id or self.env.company
        # sudo: as above; who doesn't belong to a ticket isn't let in below.
        tickets = self.sudo().with_context(active_test=False)
        tickets = tickets.search(
            Domain("company_id", "=", company.id) & Domain("ticket_ref", "in", numbers),
            order="id desc",
            limit=10,
        )
        email = email_normalize(message_dict["email_from"])
        author = tickets[:1]._find_author(message_dict)
        # sudo: only whether it's a colleague.
        if not email or author.sudo().user_ids.filtered(lambda user: not user.share):
            return self.browse()
        return tickets.filtered(
            lambda ticket: (
                ticket._get_merge_target()._is_customer_side(author, email)
                or (author and author in ticket.message_partner_ids)
            )
        )[:1]

    def _find_author(self, message_dict):
        """Return the contact who wrote a mail, for one ticket or none."""
        author = self.env["res.partner"].browse(message_dict.get("author_id") or ())
        if author or not self:
            return author
        email = email_normalize(message_dict["email_from"])
        return self._partner_find_from_emails_single([email], no_create=True)

    # -- Forwarded -----------------------------------------------------------

    @api.model
    def _take_forwarded(self, message, message_dict, values):
        """Return the values of a new ticket, with the customer whose mail a colleague
        has forwarded. What the colleague wrote above it stays among the messages, which
        the customer doesn't see."""
        user = self._mail_find_user_for_gateway(message_dict["email_from"])
        if not user or not user._is_internal():
            return values
        team = self.env["helpdesk.team"].browse(values.get("team_id") or ())
        company = team.sudo().company_id  # sudo: whose contacts are asked for
        found = self._find_forwarded(message, message_dict, company)
        if not found:
            return values
        name, address, words = found
        partner = self._find_contact(address, company)
        subject = strip_prefix(message_dict.get("subject"))
        given = {
            "partner_id": partner.id,
            "partner_name": partner.name or name,
            "partner_email": address,
            "description": plaintext2html(words),
        }
        if subject:
            given["name"] = " ".join(subject.split())[:250].rstrip()
        return given | values

    @api.model
    def _find_forwarded(self, message, message_dict, company):
        def is_ours(address):
            # sudo: aliases and users are not for the users of the gateway to read.
            env = self.sudo().env
            return bool(
                self._mail_find_user_for_gateway(address).filtered(
                    lambda user: user._is_internal()
                )
                or env["mail.alias.domain"]._find_aliases([address])
                or address == email_normalize(company.email)
            )

        for part in message.walk():
            if part.get_content_type() != "message/rfc822" or not part.is_multipart():
                continue
            # The first one that colleagues haven't written themselves.
            inner = part.get_payload(0)
            address = email_normalize(str(inner.get("From") or ""))
            if address and not is_ours(address):
                text = inner.get_body(("plain", "html"))
                words = to_text(
                    plaintext2html(text.get_content())
                    if text and text.get_content_subtype() == "plain"
                    else text.get_content()
                    if text
                    else ""
                )
                name = str(inner["From"]).partition("<")[0].strip(' "')
                return name or address, address, words.strip()
        return find_forwarded(
            message_dict.get("subject"), to_text(message_dict.get("body")), is_ours
        )
