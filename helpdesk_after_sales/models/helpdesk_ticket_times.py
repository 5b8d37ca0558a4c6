from odoo import api, fields, models

# Each duration, and the moment at which it is counted.
TIMES = {
    "assign_hours": "assign_date",
    "first_response_hours": "first_response_date",
    "close_hours": "close_date",
}


class HelpdeskTicket(models.Model):
    """How long it took: facts, counted when they happen, in the hours of work that the
    team had then (X27). Names are those of Odoo's own Helpdesk."""

    _inherit = "helpdesk.ticket"

    first_response_date = fields.Datetime(
        string="First Answered On",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="When the customer got our first answer. Automatic emails don't count.",
    )
    assign_hours = fields.Float(
        string="Hours to Assign",
        compute="_compute_assign_hours",
        store=True,
        precompute=True,
        server_only=True,
        copy=False,
        aggregator="avg",
        groups="base.group_user",
        help="Working hours from the creation until the ticket was first assigned.",
    )
    first_response_hours = fields.Float(
        string="Hours to First Answer",
        compute="_compute_first_response_hours",
        store=True,
        precompute=True,
        server_only=True,
        copy=False,
        aggregator="avg",
        groups="base.group_user",
        help="Working hours from the creation until our first answer.",
    )
    close_hours = fields.Float(
        string="Hours to Close",
        compute="_compute_close_hours",
        store=True,
        precompute=True,
        server_only=True,
        copy=False,
        aggregator="avg",
        groups="base.group_user",
        help="Working hours from the creation until the ticket was last closed.",
    )
    answered_customer_message_count = fields.Integer(
        string="Answers",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="How often a waiting customer got an answer. Several messages in a row "
        "count as one.",
    )
    total_response_hours = fields.Float(
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="Working hours that the customer waited for all answers in total.",
    )
    reopen_count = fields.Integer(
        string="Reopened",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="How often the ticket was reopened after it was closed.",
    )

    # What the overview counts of the last days.
    _first_response_idx = models.Index(
        "(first_response_date) INCLUDE (team_id, user_id, company_id) "
        "WHERE first_response_date IS NOT NULL AND active IS TRUE"
    )

    # What happened isn't counted anew when the calendar or the team changes.
    @api.depends("assign_date")
    def _compute_assign_hours(self):
        self._count_hours("assign_hours")

    @api.depends("first_response_date")
    def _compute_first_response_hours(self):
        self._count_hours("first_response_hours")

    @api.depends("close_date")
    def _compute_close_hours(self):
        self._count_hours("close_hours")

    def _count_hours(self, name):
        """Set one of the durations to the hours of work since the creation."""
        for ticket in self:
            moment = ticket[TIMES[name]]
            ticket[name] = (
                ticket._get_hours_since(ticket.create_date, moment)
                if moment and ticket.create_date
                else 0.0
            )

    def _get_hours_since(self, start, stop):
        """Return the hours of work of the team between two moments."""
        self.ensure_one()
        if stop <= start:
            return 0.0
        # sudo: the hours in which the team works, for a figure of the ticket.
        calendar = self.sudo().team_id.resource_calendar_id
        return calendar._helpdesk_count(start, stop)

    def _begin_stage(self, vals):
        reopened = self.filtered(lambda t: t.close_date and not t.stage_id.fold)
        result = super()._begin_stage(vals)
        for ticket in reopened:
            ticket.reopen_count += 1
        return result

    def _prepare_our_turn(self, author):
        vals = super()._prepare_our_turn(author)
        now = fields.Datetime.now()
        if not self.first_response_date:
            vals["first_response_date"] = now
        if self.waiting_since:
            vals |= {
                "answered_customer_message_count": (
                    self.answered_customer_message_count + 1
                ),
                "total_response_hours": self.total_response_hours
                + self._get_hours_since(self.waiting_since, now),
            }
        return vals
