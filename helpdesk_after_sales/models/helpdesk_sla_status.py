from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_datetime

from ..tools.sla_clock import Clock


class HelpdeskSlaStatus(models.Model):
    """How far one promise of one ticket is. The conversation and the stages of the
    ticket keep it; nobody writes it. Each round of a *next answer* is a row."""

    _name = "helpdesk.sla.status"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Ticket SLA Status"
    _order = "deadline ASC NULLS LAST, id"
    _rec_name = "sla_id"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket", required=True, index=True, ondelete="cascade"
    )
    sla_id = fields.Many2one(
        comodel_name="helpdesk.sla",
        string="Policy",
        required=True,
        index=True,
        ondelete="cascade",
    )
    sla_stage_id = fields.Many2one(related="sla_id.stage_id", string="Target Stage")
    target_type = fields.Selection(related="sla_id.target_type")
    time = fields.Float(
        string="Within", help="Working hours, as promised for this ticket."
    )
    deadline = fields.Datetime(help="Empty while the clock doesn't run.")
    warn_date = fields.Datetime(string="Warn On")
    warned = fields.Boolean()
    running_since = fields.Datetime()
    consumed_hours = fields.Float(
        help="Working hours until the clock was last stopped or resumed."
    )
    reached_datetime = fields.Datetime(string="Reached On")
    exceeded_hours = fields.Float(
        help="Working hours past the deadline when it was reached; negative if it "
        "was reached early.",
    )
    status = fields.Selection(
        selection=[
            ("failed", "Failed"),
            ("reached", "Reached"),
            ("ongoing", "Ongoing"),
        ],
        compute="_compute_status",
        search="_search_status",
    )
    color = fields.Integer(compute="_compute_status", export_string_translation=False)

    _warn_idx = models.Index("(warn_date) WHERE warn_date IS NOT NULL")
    # What the overview counts of the last days.
    _reached_idx = models.Index("(reached_datetime) WHERE reached_datetime IS NOT NULL")
    _ongoing_idx = models.Index("(deadline) WHERE reached_datetime IS NULL")

    @api.depends("deadline", "reached_datetime", "exceeded_hours", "consumed_hours")
    def _compute_status(self):
        now = fields.Datetime.now()
        colors = {"failed": 1, "reached": 10, "ongoing": 4}
        for status in self:
            late = status.exceeded_hours > 0
            if not status.reached_datetime:
                late = status.consumed_hours >= status.time or (
                    status.deadline and status.deadline < now
                )
            status.status = (
                "failed"
                if late
                else "reached"
                if status.reached_datetime
                else "ongoing"
            )
            paused = status.status == "ongoing" and not status.deadline
            status.color = 0 if paused else colors[status.status]

    def _search_status(self, operator, value):
        if operator != "in":
            return NotImplemented
        reached = Domain("reached_datetime", "!=", False)
        late = (reached & Domain("exceeded_hours", ">", 0)) | (
            ~reached
            & (
                Domain("deadline", "<", fields.Datetime.now())
                | Domain.custom(
                    to_sql=lambda model, alias, query: SQL(
                        "%s >= %s",
                        model._field_to_sql(alias, "consumed_hours", query),
                        model._field_to_sql(alias, "time", query),
                    ),
                    predicate=lambda status: status.consumed_hours >= status.time,
                )
            )
        )
        domains = {
            "failed": late,
            "reached": reached & ~late,
            "ongoing": ~reached & ~late,
        }
        return Domain.OR(domains[name] for name in value if name in domains)

    @api.depends("sla_id", "reached_datetime", "deadline")
    def _compute_display_name(self):
        for status in self:
            name = status.sla_id.name or ""
            if not status.reached_datetime and not status.deadline:
                name = self.env._("%(policy)s (paused)", policy=name)
            status.display_name = name

    def _get_clock(self, policy, calendar):
        """Return the clock of this promise, to go on with."""
        self.ensure_one()
        return Clock(policy, calendar, {name: self[name] for name in Clock.FIELDS})

    def _set_clock(self, clock):
        """Keep what has changed."""
        vals = {
            name: value for name, value in clock.values.items() if self[name] != value
        }
        if vals:
            self.write(vals)
        return bool(vals)

    def _end(self):
        """Stop the clocks of promises that tickets don't have any longer. What was
        missed was missed. Called with sudo."""
        missed = self.filtered(lambda status: status.status == "failed")
        now = fields.Datetime.now()
        for status in missed.filtered("running_since"):
            calendar = status.ticket_id.team_id.resource_calendar_id
            worked = calendar._helpdesk_count(status.running_since, now)
            status.write(
                {
                    "consumed_hours": status.consumed_hours + worked,
                    "running_since": False,
                    "deadline": False,
                    "warn_date": False,
                }
            )
        tickets = self.ticket_id
        (self - missed).unlink()
        tickets._show_sla()

    # -- Warnings ------------------------------------------------------------

    @api.model
    def _cron_warn(self):
        """Tell whoever is responsible, or the team, of deadlines that are near."""
        done = self._warn_due()
        left = self.search_count(
            Domain("warn_date", "<=", fields.Datetime.now())
            & Domain("reached_datetime", "=", False)
        )
        self.env["ir.cron"]._commit_progress(done, remaining=left)

    @api.model
    def _warn_due(self, limit=200):
        """Warn of the deadlines that are nearest; returns how many they were."""
        due = self.search(
            Domain("warn_date", "<=", fields.Datetime.now())
            & Domain("reached_datetime", "=", False)
            & Domain("warned", "=", False),
            order="warn_date",
            limit=limit,
        ).try_lock_for_update(allow_referencing=True)
        due.write({"warned": True, "warn_date": False})
        for status in due:
            status._warn()
        return len(due)

    def _warn(self):
        self.ensure_one()
        ticket = self.ticket_id
        told = ticket.user_id.partner_id or ticket.team_id._get_listeners()
        for partner in told:
            # In the words and the zone of whoever reads it.
            own = ticket.with_context(lang=partner.lang)
            own.message_notify(
                partner_ids=partner.ids,
                subject=own.env._("Ticket #%s: a deadline is near", ticket.ticket_ref),
                body=own.env._(
                    "%(policy)s: by %(moment)s.",
                    policy=self.with_env(own.env).sla_id.name,
                    moment=format_datetime(own.env, self.deadline, tz=partner.tz),
                ),
                email_layout_xmlid="mail.mail_notification_light",
            )
