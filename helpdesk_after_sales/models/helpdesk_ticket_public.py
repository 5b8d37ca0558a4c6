from base64 import b64decode

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, formataddr, plaintext2html
from odoo.tools.mimetypes import guess_mimetype

from ..tools.files import name_file
from ..tools.reading import read_integer

PHOTOS = ("image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf")


class HelpdeskTicket(models.Model):
    """The public form of visitors; what limits and cleans that any customer sends."""

    _inherit = "helpdesk.ticket"

    request_origin = fields.Char(
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_system",
        help="Technical: where a visitor sent this ticket from, as a hash, so that "
        "nobody sends too many.",
    )

    @api.model
    def _create_visitor_ticket(self, team, values, photos, key, origin):
        """Create a ticket of a visitor; returns it under ``sudo()``.

        Nobody has proved that the address is theirs: no contact is chosen by it, and
        the acknowledgement is limited as that of a mail (T23).

        :param team: one with a public form, under ``sudo()``
        :param values: ``name``, ``partner_name``, ``partner_email`` and
            ``description``, as they were typed
        :param origin: a text that stands for the network address of the visitor
        """
        # sudo: the team has opened its form to everybody.
        tickets = self.env["helpdesk.ticket"].sudo().with_company(team.company_id)
        values = {
            name: self._clean_portal_text(values.get(name), limit, line=limit == 250)
            for name, limit in (
                ("name", 250),
                ("partner_name", 250),
                ("partner_email", 250),
                ("description", 20000),
            )
        }
        values["description"] = plaintext2html(values["description"])
        if not values["name"]:
            raise UserError(self.env._("Enter a subject."))
        values["partner_email"] = email_normalize(values["partner_email"])
        if not values["partner_email"]:
            raise UserError(self.env._("Enter your email address."))
        files = self._check_photos(photos)
        tickets._lock_after_sales(team)
        key = self._clean_portal_text(key, 64)
        if key and (known := tickets.search([("request_key", "=", key)], limit=1)):
            return known
        self._check_visitor_limits(origin, values["partner_email"])
        ticket = tickets.with_context(helpdesk_from_mail=True).create(
            {
                "team_id": team.id,
                "request_key": key,
                "request_origin": origin,
            }
            | values
        )
        if files:
            ticket.message_post(
                attachments=files,
                author_id=False,
                email_from=formataddr((ticket.partner_name, ticket.partner_email)),
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
        return ticket

    @api.model
    def _check_visitor_limits(self, origin, email):
        """Refuse more tickets of visitors within an hour than people need (T23).

        :param origin: see :meth:`_create_visitor_ticket`; its first word stands for the
            wider network, if there are two
        """
        network = origin.split()[0]
        visitors = Domain("request_origin", "!=", False)
        nearby = visitors & Domain("request_origin", "=like", f"{network}%")
        of_email = visitors & Domain("partner_email", "=", email)
        for domain, parameter, default in (
            (Domain("request_origin", "=", origin), "tickets_per_origin", 10),
            (nearby, "tickets_per_network", 40),
            (of_email, "tickets_per_address", 5),
        ):
            self._check_portal_limit(domain, parameter, default)
        total = self._get_portal_limit("tickets_of_visitors", 200)
        if self._count_recent(visitors) >= total:
            # Many write at once, or somebody wants to close the form for all others:
            # who comes from a network that has sent nothing gets through, up to the
            # limit of what the database should take.
            self._refuse_many(nearby, 1)
            self._refuse_many(visitors, 5 * total)

    @api.model
    def _check_portal_limit(
        self,
        domain,
        parameter="tickets_per_customer",
        default=20,
        model="helpdesk.ticket",
    ):
        """Refuse more new tickets, or lines, within an hour than a person needs."""
        self._refuse_many(domain, self._get_portal_limit(parameter, default), model)

    @api.model
    def _refuse_many(self, domain, limit, model="helpdesk.ticket"):
        if self._count_recent(domain, model) >= limit:
            raise UserError(
                self.env._(
                    "You have sent too many requests. Please try again in an hour."
                )
            )

    @api.model
    def _get_portal_limit(self, parameter, default):
        """Return a limit that an administrator may have set."""
        # sudo: a number is all that is asked.
        parameters = self.env["ir.config_parameter"].sudo()
        value = parameters.get_param(f"helpdesk_after_sales.{parameter}")
        return read_integer(value, default=default)

    @api.model
    def _count_recent(self, domain, model="helpdesk.ticket"):
        """Return how many records of the last hour there are."""
        since = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        # sudo: a number is all that is asked.
        records = self.env[model].sudo().with_context(active_test=False)
        return records.search_count(Domain("create_date", ">=", since) & domain)

    @api.model
    def _check_photos(self, photos):
        """Return ``[(name, content)]`` of photos that may be kept."""
        if not isinstance(photos, list | tuple) or len(photos) > 10:
            raise UserError(self.env._("Add at most 10 photos."))
        files = []
        for photo in photos:
            try:
                name, content = photo
                content = b64decode(content, validate=True)
            except (TypeError, ValueError):
                content = name = None
            if not content or not isinstance(name, str):
                raise UserError(self.env._("A photo could not be read."))
            if len(content) > 10 * 1024 * 1024:
                raise UserError(self.env._("A photo can be 10 MB at most."))
            if guess_mimetype(content) not in PHOTOS:
                raise UserError(
                    self.env._("Photos are JPEG, PNG, GIF, WebP or PDF files.")
                )
            name = self._clean_portal_text(name, 200, line=True)
            files.append((name_file(name, content), content))
        return files

    @api.model
    def _clean_portal_text(self, text, limit, line=False):
        """Return what was typed, as PostgreSQL can store it (T27).

        :param line: as one line, without spaces at its ends
        """
        text = str(text or "").replace("\0", "")
        text = text.encode("utf-8", "replace").decode()
        return (" ".join(text.split()) if line else text)[:limit]
