import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import (
    SQL,
    email_normalize,
    email_normalize_all,
    format_datetime,
    formataddr,
    hmac,
    parse_contact_from_email,
)

from .helpdesk_ticket_portal import REOPENED

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

    def _track_post_template_finalize(self):
        # The stage of a new ticket is computed, which core doesn't count as a change.
        self.env.cr.precommit.data.setdefault(
            f"mail.tracking.create.{self._name}.{self.id}", []
        ).append("stage_id")
        return super()._track_post_template_finalize()

    def _track_template(self, changes):
        templates = super()._track_template(changes)
        ticket = self[:1]
        template = ticket.stage_id.template_id
        if (
            "stage_id" not in changes
            or not template
            or ticket.id in self.env.cr.precommit.data.get(REOPENED, ())
        ):
            return templates
        if self.env.context.get("helpdesk_from_mail"):
            if not ticket._may_acknowledge():
                return templates
            # sudo: the time is kept by the gateway, nobody writes it.
            ticket.sudo().acknowledge_date = self.env.cr.now()
        if ticket.partner_id:
            values = {
                "auto_delete_keep_log": False,
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "email_layout_xmlid": "mail.mail_notification_light",
            }
            if not self.env.user._is_internal() or self.env.su:
                # The gateway acts as whoever wrote: it's the shop that answers.
                # sudo: the company's and the template's sender; the stage chose it.
                values["author_id"] = ticket.sudo().company_id.partner_id.id
                values["email_from"] = (
                    template.sudo()._render_field("email_from", ticket.ids)[ticket.id]
                    or ticket._get_mail_sender()
                )
            templates["stage_id"] = (template, values)
        elif ticket.partner_email:
            ticket._post_template_to_address(template)
        return templates

    def _post_template_to_address(self, template, subtype_xmlid="mail.mt_comment"):
        """Send a template to the address of a ticket that has no contact.

        Core would make a contact of every address that a mail comes from.
        """
        # sudo: called where a stage or the gateway sends its template, which Odoo too
        # reads and sends as the system; it goes to the address of the ticket only.
        values = template.sudo()._generate_template(
            self.ids, ("subject", "body_html", "email_from")
        )[self.id]
        self.sudo().message_post(
            subject=values["subject"],
            body=values["body_html"],
            email_from=values.get("email_from") or None,
            author_id=self.sudo().company_id.partner_id.id,
            message_type="auto_comment",
            subtype_xmlid=subtype_xmlid,
            outgoing_email_to=self.partner_email,
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _may_acknowledge(self):
        """Return whether the sender of the mail may get an answer by itself.

        Not for automatic mail (RFC 3834), and not more often than a person would
        need: whoever forges a sender must not send mail through the shop (T23).
        """
        self.ensure_one()
        if self.env.context.get("helpdesk_automatic_mail"):
            return False
        # sudo: counts all tickets of the sender, and reads the limits; none is shown.
        tickets = self.sudo().with_context(active_test=False)
        parameter = self.env["ir.config_parameter"].sudo().get_param
        since = fields.Datetime.subtract(
            self.env.cr.now(), minutes=int(parameter("mail.gateway.loop.minutes", 120))
        )
        recent = Domain("acknowledge_date", ">=", since) & Domain("id", "!=", self.id)
        limits = [
            (
                recent & Domain("partner_email", "=", self.partner_email),
                "helpdesk_after_sales.acknowledge_per_address",
                5,
            )
        ]
        if not self.partner_id:
            limits.append(
                (
                    recent & Domain("partner_id", "=", False),
                    "helpdesk_after_sales.acknowledge_unknown",
                    100,
                )
            )
        return all(
            tickets.search_count(domain) < int(parameter(key, default))
            for domain, key, default in limits
        )

    def _acknowledged_subject(self):
        """Return the subject as it may stand in an automatic answer: one short line,
        so that nobody sends their own texts through it (T23)."""
        self.ensure_one()
        line = " ".join((self.name or "").split())
        return f"{line[:60]}…" if len(line) > 60 else line

    def _describe_promised_answer(self):
        """Return until when the customer gets a first answer, as they read it, by the
        hours that the team promises, or ``False``."""
        self.ensure_one()
        # sudo: the promise of the team, and the time zone of the customer.
        ticket = self.sudo()
        hours = ticket.team_id.answer_hours
        if hours <= 0:
            return False
        return format_datetime(
            self.env,
            self.create_date + timedelta(hours=hours),
            tz=ticket.partner_id.tz or ticket.company_id.partner_id.tz,
            dt_format="short",
        )

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
            addresses |= dict.fromkeys(
                tickets.ids,
                team._notify_get_reply_to_formatted_email(address, author_id)
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
        # sudo: only the visibility of the team.
        if self and self.sudo().team_id.privacy_visibility != "portal":
            for name, _match, data in groups:
                if name in ("portal", "portal_customer"):
                    data["has_button_access"] = False
        return groups

    def _message_get_suggested_recipients_batch(self, **kwargs):
        """Propose the customer's side and colleagues, not everybody who wrote: a mail
        can name any message of ours in its references (T22)."""
        suggested = super()._message_get_suggested_recipients_batch(**kwargs)
        asked = kwargs.get("additional_partners") or self.env["res.partner"]
        for ticket in self:
            suggested[ticket.id] = [
                info
                for info in suggested[ticket.id]
                if ticket._is_trusted(
                    self.env["res.partner"].browse(info["partner_id"] or ()),
                    email_normalize(info["email"]),
                )
                or info["partner_id"] in asked.ids
                or kwargs.get("primary_email")
            ]
        return suggested

    def _is_trusted(self, partner, email):
        """Return whether answers may go to a partner or address by themselves."""
        # sudo: only whether it's a colleague.
        colleague = partner.sudo().user_ids.filtered(lambda user: not user.share)
        return bool(colleague) or self._is_customer_side(partner, email)

    def message_post(self, **kwargs):
        """Post a message. What a customer posts through the API is an answer in their
        own name that everybody reads (T14, T22)."""
        if not self.env.su and self.env.user.share:
            answer = {"body", "attachments", "attachment_ids", "parent_id"}
            same = {
                "message_type": ("comment",),
                "subtype_xmlid": ("mail.mt_comment",),
            }
            for name, value in kwargs.items():
                if value and name not in answer and value not in same.get(name, ()):
                    raise AccessError(
                        self.env._(
                            "Customers answer with a text and files only (not: "
                            "%(name)s).",
                            name=name,
                        )
                    )
            kwargs = {name: kwargs[name] for name in answer & kwargs.keys()} | {
                name: value for name, [value] in same.items()
            }
            self.check_access("read")
            # sudo: the customer may read, and so answer to the ticket, as was just
            # checked; the files are new ones, or those that they have uploaded.
            return super(HelpdeskTicket, self.sudo()).message_post(
                author_id=self.env.user.partner_id.id, **kwargs
            )
        return super().message_post(**kwargs)

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
        elif (
            ticket.close_date
            and message.message_type in ("comment", "email")
            and message.subtype_id == self.env.ref("mail.mt_comment")
            and (not message.author_id or message.author_id.partner_share)
            and ticket.team_id.reopen_on_reply
            and not self.env.context.get("helpdesk_automatic_mail")
        ):
            ticket._reopen(message.author_id)
        return result

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
            "name": subject[:250] or self.env._("No subject"),
            "team_id": team.id,
            "partner_id": partner.id,
            "partner_name": partner.name or name or address,
            "is_automatic_mail": bool(self.env.context.get("helpdesk_automatic_mail")),
        } | values
        ticket = super().message_new(
            dict(msg_dict, email_from=address or msg_dict.get("email_from")), values
        )
        ticket._follow_carbon_copy(msg_dict)
        return ticket

    def _follow_carbon_copy(self, msg_dict):
        """Let the people whom a trusted mail has in copy follow, if the team wants.

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

    @api.model
    def _find_mail_customer(self, msg_dict, address, company):
        """Return the contact of a sender whom the company of the team may use."""
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if not author.company_id or author.company_id == company:
            return author
        return author.search(
            [
                ("email_normalized", "=", address),
                ("company_id", "in", (False, company.id)),
            ],
            order="company_id, id",
            limit=1,
        )

    def message_update(self, msg_dict, update_vals=None):
        self._clean_mail(msg_dict)
        # Only the customer's side and colleagues add people to the conversation.
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if self._is_trusted(author, email_normalize(msg_dict.get("email_from"))):
            self._follow_carbon_copy(msg_dict)
        else:
            msg_dict = dict(msg_dict, cc="")
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
        first_of_team = {}
        for route in ours:
            key = route[1] or (route[2] or {}).get("team_id")
            first_of_team.setdefault((bool(route[1]), key), route)
        return others + list(first_of_team.values())

    @api.model
    def _get_mail_refusal(self, message, message_dict):
        if message.get("X-Helpdesk-Origin", "").strip() == self._get_mail_origin():
            return "it is our own, and came back"
        sender = email_normalize(message_dict["email_from"])
        # sudo: aliases are not for the users of the gateway to read.
        if sender and self.env["mail.alias"].sudo().search_count(
            [("alias_full_name", "=", sender)], limit=1
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
