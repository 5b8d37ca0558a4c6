from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize


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

    _partner_name_idx = models.Index(
        "USING gin (partner_name gin_trgm_ops) WHERE partner_name IS NOT NULL"
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
        # Contacts by the name of their company, too. More than these is no answer.
        partners = (
            self.env["res.partner"]
            .with_context(active_test=False)
            .search(Domain("complete_name", operator, value), limit=1000)
        )
        domain = (
            Domain("display_name", operator, value)
            | Domain("partner_name", operator, value)
            | Domain("partner_email", operator, value)
        )
        digits = value.strip() if isinstance(value, str) else ""
        if sum(char.isdigit() for char in digits) >= 4:
            domain |= Domain("partner_phone", operator, digits)
        return domain | Domain("partner_id", "in", partners.ids)

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
                        "%(team)s has no stage for closed tickets: make one first.",
                        team=team.sudo().name,
                    )
                )
            tickets.filtered(lambda t: not t.close_date).stage_id = closed.id
        return True
