import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize

# As people type a phone number, and what is compared.
PHONE = re.compile(r"[\d\s()+./-]+")
DIGITS = r"regexp_replace(%s, '\D', '', 'g')"


class HelpdeskTicket(models.Model):
    """Finding tickets, and what is done with many of them at once."""

    _inherit = "helpdesk.ticket"

    # Odoo's privacy lookup looks for people in a field of this name.
    email_normalized = fields.Char(
        compute="_compute_email_normalized",
        store=True,
        precompute=True,
        groups="base.group_user",
    )
    search_words = fields.Char(
        string="Ticket or Customer",
        store=False,
        search="_search_search_words",
        groups="base.group_user",
        export_string_translation=False,
        help="Technical: what is typed finds subject, number, customer and address.",
    )
    color = fields.Integer(aggregator=None)
    rating_last_value = fields.Float(aggregator=None)

    _partner_phone_idx = models.Index(
        f"USING gin (({DIGITS % 'partner_phone'}) gin_trgm_ops) "
        "WHERE partner_phone IS NOT NULL"
    )

    @api.depends("partner_email")
    def _compute_email_normalized(self):
        for ticket in self:
            ticket.email_normalized = email_normalize(ticket.partner_email)

    @api.model
    def _search_search_words(self, operator, value):
        """Return conditions that an index answers each."""
        if operator not in ("ilike", "like", "=", "=ilike") or not value:
            return NotImplemented
        value = str(value)
        # Contacts by the name of their company, too.
        contacts = Domain("complete_name", operator, value)
        domain = (
            Domain("display_name", operator, value)
            | Domain("partner_name", operator, value)
            | Domain("partner_email", operator, value)
        )
        if "@" in value:
            contacts |= Domain("email", operator, value)
        if PHONE.fullmatch(value) and len(digits := self._get_digits(value)) >= 4:
            contacts |= self._get_phone_domain("phone", digits)
            domain |= self._get_phone_domain("partner_phone", digits)
        # More than these is no answer.
        partners = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(contacts, limit=1000)
        )
        return domain | Domain("partner_id", "in", partners.ids)

    @api.model
    def _get_digits(self, number):
        """Return the digits of a phone number, without the zeros that stand for a
        country or for being in it."""
        return re.sub(r"\D", "", number).lstrip("0")

    @api.model
    def _get_phone_domain(self, name, digits):
        """Return the domain of records whose phone number has these digits, however
        both are spaced."""
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                DIGITS + " LIKE %s",
                model._field_to_sql(alias, name, query),
                f"%{digits}%",
            )
        )

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        description = super().fields_get(allfields, attributes)
        for name in description.keys() & self._get_technical_fields():
            # Nobody groups by them: the menu need not offer it.
            if "groupable" in description[name]:
                description[name]["groupable"] = False
        return description

    @api.model
    def _get_technical_fields(self):
        """Return the names of fields that mean nothing to people."""
        return {
            "access_token",
            "acknowledge_date",
            "color",
            "email_cc",
            "email_normalized",
            "is_automatic_mail",
            "merged_into_id",
            "message_main_attachment_id",
            "ticket_ref",
            *(name for name in self._fields if name.startswith("use_")),
        }

    def export_data(self, fields_to_export):
        """Export tickets, as Odoo does. Agents may export what the list shows them,
        also without the right to export everything they see anywhere (F24)."""
        user = self.env.user
        columns = isinstance(fields_to_export, list) and all(
            isinstance(name, str) and name != "id" and "/" not in name
            for name in fields_to_export
        )
        if (
            not columns
            or user.has_group("base.group_allow_export")
            or not user.has_group("helpdesk_after_sales.group_helpdesk_user")
        ):
            return super().export_data(fields_to_export)
        return {"datas": self._export_rows([[name] for name in fields_to_export])}

    def action_close(self):
        """Put these tickets into the first closed stage of their team; ``True``.

        :raises AccessError: when one of them isn't the user's to work on
        :raises UserError: when a team has no closed stage
        """
        self.check_access("write")
        for team, tickets in self.grouped("team_id").items():
            # sudo: whoever works on a ticket may not see its team.
            closed = team.sudo().stage_ids.filtered("fold")[:1]
            if not closed:
                raise UserError(
                    self.env._(
                        "%(team)s has no stage for closed tickets: create one first.",
                        team=team.sudo().name,
                    )
                )
            tickets.filtered(lambda t: not t.close_date).stage_id = closed.id
        return True
