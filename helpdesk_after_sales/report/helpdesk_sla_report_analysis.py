from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

OF_TICKET = (
    "active",
    "close_date",
    "commercial_partner_id",
    "company_id",
    "create_date",
    "name",
    "partner_id",
    "priority",
    "stage_id",
    "team_id",
    "user_id",
)
OF_STATUS = ("deadline", "exceeded_hours", "reached_datetime", "sla_id", "ticket_id")


class HelpdeskSlaReportAnalysis(models.Model):
    """Promises as figures: how many were kept, missed, or are still open (X27, X28).

    A row is a promise of a ticket that the user sees; each round of *next answers* is
    one. Without a promise a ticket has no row.
    """

    _name = "helpdesk.sla.report.analysis"
    _description = "SLA Status Analysis"
    _auto = False
    _order = "create_date DESC, id DESC"
    _rec_name = "name"

    ticket_id = fields.Many2one("helpdesk.ticket", readonly=True)
    name = fields.Char(string="Subject", readonly=True)
    active = fields.Boolean(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    team_id = fields.Many2one("helpdesk.team", readonly=True)
    user_id = fields.Many2one("res.users", string="Assigned to", readonly=True)
    stage_id = fields.Many2one("helpdesk.stage", readonly=True)
    priority = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.ticket"]._fields["priority"].selection
        ),
        readonly=True,
    )
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    commercial_partner_id = fields.Many2one(
        "res.partner", string="Commercial Entity", readonly=True
    )
    create_date = fields.Datetime(string="Created On", readonly=True)
    close_date = fields.Datetime(string="Closed On", readonly=True)
    sla_id = fields.Many2one("helpdesk.sla", string="Policy", readonly=True)
    target_type = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.sla"]._fields["target_type"].selection
        ),
        string="Target",
        readonly=True,
    )
    deadline = fields.Datetime(readonly=True)
    reached_datetime = fields.Datetime(string="Reached On", readonly=True)
    exceeded_hours = fields.Float(
        string="Hours After the Deadline",
        aggregator="avg",
        readonly=True,
        help="Working hours; negative if it was reached early.",
    )
    status = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.sla.status"]._fields["status"].selection
        ),
        readonly=True,
    )
    successful_sla_rate = fields.Float(
        string="Reached (%)", aggregator="avg", readonly=True
    )
    failed_sla_rate = fields.Float(string="Failed (%)", aggregator="avg", readonly=True)
    ongoing_sla_rate = fields.Float(
        string="Ongoing (%)", aggregator="avg", readonly=True
    )

    _depends = {
        "helpdesk.ticket": [*OF_TICKET],
        "helpdesk.sla.status": [*OF_STATUS, "consumed_hours", "time"],
        "helpdesk.sla": ["target_type"],
    }

    @property
    def _table_query(self):
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        query = tickets._search(Domain.TRUE)
        status = query.join(
            query.table, "id", "helpdesk_sla_status", "ticket_id", "status"
        )
        policy = query.join(status, "sla_id", "helpdesk_sla", "id", "policy")
        return query.select(
            *(
                SQL("%s AS %s", sql, SQL.identifier(name))
                for name, sql in self._get_columns(query.table, status, policy).items()
            )
        )

    def _get_columns(self, table, status, policy):
        """Return ``{field: SQL}``. Extend it for further columns."""
        columns = {"id": SQL.identifier(status, "id")}
        columns |= {name: SQL.identifier(table, name) for name in OF_TICKET}
        columns |= {name: SQL.identifier(status, name) for name in OF_STATUS}
        columns["target_type"] = SQL.identifier(policy, "target_type")
        # As ``helpdesk.sla.status`` computes it.
        columns["status"] = SQL(
            "CASE WHEN %(late)s THEN 'failed' WHEN %(reached)s IS NOT NULL "
            "THEN 'reached' ELSE 'ongoing' END",
            late=SQL(
                "CASE WHEN %(reached)s IS NOT NULL THEN %(exceeded)s > 0 "
                "ELSE %(consumed)s >= %(time)s OR COALESCE(%(deadline)s < %(now)s, "
                "false) END",
                reached=columns["reached_datetime"],
                exceeded=columns["exceeded_hours"],
                consumed=SQL(
                    "COALESCE(%s, 0)", SQL.identifier(status, "consumed_hours")
                ),
                time=SQL.identifier(status, "time"),
                deadline=columns["deadline"],
                now=fields.Datetime.now(),
            ),
            reached=columns["reached_datetime"],
        )
        for name, value in (
            ("successful_sla_rate", "reached"),
            ("failed_sla_rate", "failed"),
            ("ongoing_sla_rate", "ongoing"),
        ):
            columns[name] = SQL(
                "CASE WHEN %s = %s THEN 100.0 ELSE 0.0 END", columns["status"], value
            )
        # What wasn't reached is neither early nor late.
        columns["exceeded_hours"] = SQL(
            "CASE WHEN %s IS NOT NULL THEN COALESCE(%s, 0) END",
            columns["reached_datetime"],
            columns["exceeded_hours"],
        )
        return columns

    def action_open_ticket(self):
        """Return the action for the ticket of this row."""
        self.ensure_one()
        self.check_access("read")
        return self.ticket_id._get_records_action()
