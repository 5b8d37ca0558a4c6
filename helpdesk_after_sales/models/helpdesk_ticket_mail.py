import logging

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import (
    SQL,
    email_normalize,
    email_normalize_all,
    formataddr,
    parse_contact_from_email,
)

from ..tools.html import drop_components

_logger = logging.getLogger(__name__)


class HelpdeskTicket(models.Model):
    """Mails of customers become tickets, and tickets answer by mail."""

    _inherit = "helpdesk.ticket"

    def _creation_subtype(self):
        # Its id is cached: env.ref() would ask for each ticket whether it exists.
        subtype_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.mt_ticket_new"
        )
        return self.env["mail.message.subtype"].browse(subtype_id)

    def _track_subtype(self, init_values):
        if "stage_id" in init_values:
            return self.env.ref("helpdesk_after_sales.mt_ticket_stage")
        return super()._track_subtype(init_values)

    def write(self, vals):
        # Fields are computed after the write, when the former customer is forgotten.
        senders = (
            {
                ticket: ticket.partner_email
                for ticket in self
                if ticket.partner_email and not ticket.partner_id
            }
            if vals.get("partner_id") and "partner_email" not in vals
            else {}
        )
        result = super().write(vals)
        for ticket, address in senders.items():
            if ticket.partner_email != address:
                ticket.partner_email = address
            ticket._complete_contact()
        return result

    def _complete_contact(self):
        """Give a contact without an address the one that they wrote from."""
        self.ensure_one()
        # sudo: the address of a ticket that the user works on, for the contact whom
        # they chose as its customer; nobody logs in with it.
        partner = self.sudo().partner_id
        if not partner.email and not partner.with_context(active_test=False).user_ids:
            partner.email = self.partner_email

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Make a ticket of a mail: its sender becomes the customer if known,
        else name and address are kept."""
        self._clean_mail(msg_dict)
        values = dict(custom_values or {})
        team = self.env["helpdesk.team"].browse(values.get("team_id")) or (
            self._default_team_id()
        )
        # sudo: the gateway acts for the team, whoever wrote; only its company is read.
        company = team.sudo().company_id
        self = self.with_company(company).with_context(helpdesk_from_mail=True)
        name, address = parse_contact_from_email(msg_dict.get("email_from") or "")
        partner = self._find_mail_customer(msg_dict, address, company)
        subject = " ".join((msg_dict.get("subject") or "").split())
        values = {
            # The message keeps what is longer than a title.
            "name": subject[:250].rstrip() or self.env._("No subject"),
            "team_id": team.id,
            "partner_id": partner.id,
            "partner_name": partner.name or name or address,
            "is_automatic_mail": (
                self.env.context.get("helpdesk_automatic_mail") == "machine"
            ),
        } | values
        if spam := self._is_blocked(
            email_normalize(msg_dict.get("email_from")), company
        ):
            values |= self._prepare_spam_vals()
        # Where answers go, see _take_reply_to: core overwrites it with the sender.
        address = values.pop("partner_email", None) or address
        ticket = super().message_new(
            dict(msg_dict, email_from=address or msg_dict.get("email_from")), values
        )
        if spam:
            # Who follows the team hears nothing of it.
            ticket.message_follower_ids.unlink()
        else:
            ticket._follow_carbon_copy(msg_dict)
        return ticket

    def _follow_carbon_copy(self, msg_dict):
        """Let the people whom a mail has in copy follow, if the team wants.

        Those without a contact stay in ``email_cc``; the answer form proposes them.
        """
        if not self.team_id.follow_carbon_copy:
            return
        # Nobody writes to more people than that by hand (T26).
        addresses = email_normalize_all(msg_dict.get("cc") or "")[:50]
        if addresses:
            people = self._partner_find_from_emails(
                {self: addresses},
                filter_found=lambda partner: (
                    partner.company_id.id in (False, self.company_id.id)
                ),
                no_create=True,
            )
            self.message_subscribe(partner_ids=people[self.id].ids)

    @api.model
    def _clean_mail(self, msg_dict):
        """Take out what PostgreSQL can't store (T27). The gateway goes on with this
        dictionary, so it's changed in place."""
        for key, value in msg_dict.items():
            if isinstance(value, str) and "\0" in value:
                msg_dict[key] = type(value)(value.replace("\0", ""))
        msg_dict["body"] = drop_components(msg_dict.get("body"))

    @api.model
    def _find_mail_customer(self, msg_dict, address, company):
        """Return the contact of a sender whom the company of the team may use."""
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if not author.company_id or author.company_id == company:
            return author
        return self._find_contact(address, company)

    @api.model
    def _find_contact(self, address, company):
        """Return the contact with an address whom a company may use."""
        return self.env["res.partner"].search(
            Domain("email_normalized", "=", address)
            & Domain("company_id", "in", (False, company.id)),
            order="company_id, id",
            limit=1,
        )

    def message_update(self, msg_dict, update_vals=None):
        self._clean_mail(msg_dict)
        # Whoever knows a Message-ID can write as anybody: a reply adds nobody to the
        # conversation but the customer's people and colleagues. The message names the
        # others, and Reply All reaches them.
        copies = ", ".join(
            raw
            for email, raw in self._mail_cc_sanitized_raw_dict(
                msg_dict.get("cc")
            ).items()
            if self._is_trusted(
                self._partner_find_from_emails_single([email], no_create=True), email
            )
        )
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if not self._is_trusted(author, email_normalize(msg_dict.get("email_from"))):
            copies = ""
        msg_dict = dict(msg_dict, cc=copies)
        self._follow_carbon_copy(msg_dict)
        return super().message_update(msg_dict, update_vals)

    @api.model
    def _filter_mail_routes(self, message, message_dict, routes):
        """Return the routes of a mail without those that would make a second ticket of
        it, or feed a loop (T19, T20, T24)."""
        ours = [route for route in routes if route[0] == self._name]
        if not ours:
            return routes
        others = [route for route in routes if route[0] != self._name]
        reason = self._get_mail_refusal(message, message_dict)
        if reason:
            _logger.info(
                "Ignored mail from %s to %s with Message-Id %s: %s",
                message_dict["email_from"],
                message_dict["to"],
                message_dict["message_id"],
                reason,
            )
            return others
        if not others:
            self._read_lost_characters(message, message_dict)
            self._take_author_from_reply_to(message, message_dict, ours)
        conversations = self.env["helpdesk.ticket.conversation"]
        if conversation := conversations._find_for_mail(
            message_dict, self._get_teams_of_routes(ours).company_id
        ):
            return [
                *others,
                (conversation._name, conversation.id, {}, ours[0][3], None),
            ]
        first_of_team = {}
        for model, ticket_id, values, user_id, alias in ours:
            if ticket_id:
                # sudo: where the messages of a merged ticket went; the mail goes along.
                ticket_id = self.sudo().browse(ticket_id)._get_merge_target().id
            elif named := self._find_by_number(message_dict, values or {}):
                ticket_id = named._get_merge_target().id
            else:
                values = self._take_forwarded(message, message_dict, values or {})
                values = self._take_reply_to(message, message_dict, values)
            key = ticket_id or (values or {}).get("team_id")
            route = (model, ticket_id, values, user_id, alias)
            first_of_team.setdefault((bool(ticket_id), key), route)
        return others + list(first_of_team.values())

    # -- Reply-To ------------------------------------------------------------

    @api.model
    def _get_reply_to(self, message, message_dict):
        """Return name and address that a mail asks to answer to, if that is another
        one than its sender's, and none of ours."""
        header = str(message.get("Reply-To") or "")
        addresses = email_normalize_all(header)
        if len(addresses) != 1 or addresses[0] == email_normalize(
            message_dict["email_from"]
        ):
            return None
        # sudo: aliases are not for the users of the gateway to read.
        if self.env["mail.alias.domain"].sudo()._find_aliases(addresses):
            return None
        name = parse_contact_from_email(header)[0]
        if not name or name == addresses[0]:
            name = parse_contact_from_email(message_dict["email_from"])[0]
        return name or addresses[0], addresses[0]

    @api.model
    def _take_reply_to(self, message, message_dict, values):
        """Return the values of a new ticket, with the address that its unknown sender
        wants answers at. It is proved as little as a sender is, and makes nobody the
        customer: only senders whom the team lists speak for others."""
        if message.get("List-Id") or self.env["res.partner"].search_count(
            [("email_normalized", "=", email_normalize(message_dict["email_from"]))],
            limit=1,
        ):
            return values
        reply_to = self._get_reply_to(message, message_dict)
        if not reply_to:
            return values
        name, address = reply_to
        return {"partner_name": name, "partner_email": address} | values

    @api.model
    def _take_author_from_reply_to(self, message, message_dict, routes):
        """Let whoever a contact form, a marketplace or a group speaks for be the sender
        of the mail, in place: authors, limits and notices follow from it."""
        teams = self._get_teams_of_routes(routes)
        if teams and all(team._is_relay(message_dict["email_from"]) for team in teams):
            if reply_to := self._get_reply_to(message, message_dict):
                message_dict["email_from"] = message_dict["from"] = formataddr(reply_to)
                # Core has looked for the sender, and looks again.
                message_dict["author_id"] = False

    @api.model
    def _get_teams_of_routes(self, routes):
        """Return the teams that a mail goes to, under ``sudo()``."""
        # sudo: the settings of teams decide how their mail is taken.
        tickets, teams = self.sudo(), self.env["helpdesk.team"].sudo()
        for model, ticket_id, values, _user_id, _alias in routes:
            if model == self._name and ticket_id:
                teams |= tickets.browse(ticket_id).team_id
            elif model == self._name:
                teams |= teams.browse((values or {}).get("team_id") or ())
        return teams

    # -- Refused -------------------------------------------------------------

    @api.model
    def _get_mail_refusal(self, message, message_dict):
        if message.get("X-Helpdesk-Origin", "").strip() == self._get_mail_origin():
            return "it is our own, and came back"
        sender = email_normalize(message_dict["email_from"])
        # sudo: aliases are not for the users of the gateway to read.
        alias = sender and self.env["mail.alias"].sudo().search(
            [("alias_full_name", "=", sender)], limit=1
        )
        # Other applications have aliases that people share as a mailbox, too.
        if alias and (
            alias.alias_model_id.model == self._name
            or self.env["mail.thread"]._get_mail_kind(message)
        ):
            return "its sender is an alias of ours"
        # Two workers may have got the same mail. The second one waits here for the
        # first, and then asks with a cursor that sees what the first has committed.
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                message_dict["message_id"],
            )
        )
        with self.env.registry.cursor() as cursor:
            cursor.execute(
                SQL(
                    "SELECT 1 FROM mail_message WHERE message_id = %s LIMIT 1",
                    message_dict["message_id"],
                )
            )
            return "another worker has processed it" if cursor.rowcount else ""
