from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..models.helpdesk_ticket_times import TIMES


class HelpdeskTicketReportAnalysis(models.Model):
    """Tickets as figures: how many, and how long they took (X27).

    A row is a ticket that the user sees: the query is the ORM's own, with the rules of
    tickets, and nothing is stored twice.
    """

    _name = "helpdesk.ticket.report.analysis"
    _description = "Tickets Analysis"
    _auto = False
    _order = "create_date DESC, id DESC"
    _rec_name = "name"

    name = fields.Char(string="Subject", readonly=True)
    ticket_ref = fields.Char(string="Number", readonly=True)
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
    product_id = fields.Many2one("product.product", readonly=True)
    create_date = fields.Datetime(string="Created On", readonly=True)
    assign_date = fields.Datetime(string="First Assigned", readonly=True)
    first_response_date = fields.Datetime(string="First Answered On", readonly=True)
    close_date = fields.Datetime(string="Closed On", readonly=True)
    assign_hours = fields.Float(
        string="Hours to Assign", aggregator="avg", readonly=True
    )
    first_response_hours = fields.Float(
        string="Hours to First Answer", aggregator="avg", readonly=True
    )
    close_hours = fields.Float(string="Hours to Close", aggregator="avg", readonly=True)
    answered_customer_message_count = fields.Integer(string="Answers", readonly=True)
    total_response_hours = fields.Float(
        string="Hours Waited for Answers", readonly=True
    )
    avg_response_hours = fields.Float(
        string="Hours per Answer",
        aggregator="avg",
        readonly=True,
        help="Working hours that customers waited, on average per answer.",
    )
    reopen_count = fields.Integer(string="Reopened", readonly=True)
    rating_last_value = fields.Float(
        string="Rating (1-5)", aggregator="avg", readonly=True
    )

    _depends = {
        "helpdesk.ticket": [
            "active",
            "answered_customer_message_count",
            "assign_date",
            "assign_hours",
            "close_date",
            "close_hours",
            "commercial_partner_id",
            "company_id",
            "create_date",
            "first_response_date",
            "first_response_hours",
            "name",
            "partner_id",
            "priority",
            "product_id",
            "rating_last_value",
            "reopen_count",
            "stage_id",
            "team_id",
            "ticket_ref",
            "total_response_hours",
            "user_id",
        ]
    }

    @property
    def _table_query(self):
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        query = tickets._search(Domain.TRUE)
        return query.select(
            *(
                SQL("%s AS %s", sql, SQL.identifier(name))
                for name, sql in self._get_columns(query.table).items()
            )
        )

    def _get_columns(self, table):
        """Return ``{field: SQL}``. Extend it for further columns of tickets."""
        columns = {
            name: SQL.identifier(table, name)
            for name in ("id", *self._depends["helpdesk.ticket"])
        }
        # What hasn't happened has no duration: averages leave it out.
        for name, date in TIMES.items():
            columns[name] = SQL(
                "CASE WHEN %s IS NOT NULL THEN COALESCE(%s, 0) END",
                columns[date],
                columns[name],
            )
        # Not rated is 0.
        columns["rating_last_value"] = SQL(
            "NULLIF(%s, 0)", columns["rating_last_value"]
        )
        columns["avg_response_hours"] = SQL(
            "%s / NULLIF(%s, 0)",
            columns["total_response_hours"],
            columns["answered_customer_message_count"],
        )
        return columns

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec != "avg_response_hours:avg":
            return super()._read_group_select(aggregate_spec, query)
        # By answer, in whatever group: no average of averages.
        return SQL(
            "SUM(%s) / NULLIF(SUM(%s), 0)",
            self._field_to_sql(self._table, "total_response_hours", query),
            self._field_to_sql(self._table, "answered_customer_message_count", query),
        )

    def action_open_ticket(self):
        """Return the action for the ticket of this row."""
        self.ensure_one()
        self.check_access("read")
        return self.env["helpdesk.ticket"].browse(self.id)._get_records_action()
