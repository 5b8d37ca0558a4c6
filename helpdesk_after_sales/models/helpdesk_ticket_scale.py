"""All that bends the ORM for speed, with its reasons.

An agent's list, kanban and counters take as long with a million tickets as with a
hundred (spec/scale.md). Odoo alone reads every ticket for some of them: each piece here
says what it saves, and ``tests/test_ticket_scale.py`` fails when Odoo changes beneath
it. Without this file everything works, slowly.
"""

from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools.sla_clock import Clock


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    # What is new has no rating: else each new ticket would be written once more.
    rating_last_value = fields.Float(default=0)

    # Lists, columns, counters and the rules of agents are answered from these indexes
    # alone, without reading tickets: they hold what the rules and the groups ask for.
    # tests/plans shows how; tests/bench_screens.py measures it.
    _default_order_idx = models.Index(
        "(priority DESC, id DESC) INCLUDE (team_id, user_id, company_id, close_date) "
        "WHERE active IS TRUE"
    )
    _stage_idx = models.Index(
        "(stage_id, priority DESC, id DESC) INCLUDE "
        "(team_id, user_id, company_id) WHERE active IS TRUE"
    )
    _open_idx = models.Index(
        "(priority DESC, id DESC) INCLUDE (team_id, stage_id, user_id, company_id, "
        "create_date, date_last_stage_update) "
        "WHERE close_date IS NULL AND active IS TRUE"
    )
    _partner_idx = models.Index(
        "(partner_id, priority DESC, id DESC) INCLUDE "
        "(team_id, user_id, company_id, active) WHERE partner_id IS NOT NULL"
    )
    _customer_open_idx = models.Index(
        "(commercial_partner_id, id DESC) WHERE close_date IS NULL AND active IS TRUE"
    )
    _customer_idx = models.Index(
        "(commercial_partner_id, id DESC) INCLUDE "
        "(team_id, user_id, company_id, active) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    # The portal's list, by change of stage and by contact, of who has thousands.
    _customer_update_idx = models.Index(
        "(commercial_partner_id, date_last_stage_update DESC, id DESC) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    _customer_contact_idx = models.Index(
        "(commercial_partner_id, partner_name, id DESC) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    _kanban_state_idx = models.Index(
        "(kanban_state, priority DESC, id DESC) INCLUDE "
        "(stage_id, team_id, user_id, company_id, close_date) "
        "WHERE kanban_state <> 'normal' AND active IS TRUE"
    )
    _closed_idx = models.Index(
        "(team_id, close_date) INCLUDE (user_id, company_id, id) "
        "WHERE close_date IS NOT NULL AND active IS TRUE"
    )

    # -- Search --------------------------------------------------------------

    def _get_rotting_depends_fields(self):
        return [*super()._get_rotting_depends_fields(), "close_date"]

    def _get_rotting_domain(self):
        # What is closed goes stale no more; the open ones have an index.
        return super()._get_rotting_domain() & Domain("close_date", "=", False)

    @api.model
    def _search_is_rotting(self, operator, value):
        """Return conditions that the index of open tickets answers; Odoo lists the ids
        of all stale tickets first."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        # sudo: how long tickets may stay in a stage, as in Odoo.
        parameters = self.env["ir.config_parameter"].sudo()
        stages = self.env["helpdesk.stage"].sudo().with_context(active_test=False)
        months = int(parameters.get_param("crm.lead.rot.max.months", 12))
        now = self.env.cr.now()
        stale = Domain.OR(
            Domain("stage_id", "in", group.ids)
            & Domain("date_last_stage_update", "<=", now - timedelta(days=days))
            for days, group in stages.search([("rotting_threshold_days", "!=", 0)])
            .grouped("rotting_threshold_days")
            .items()
        )
        return (
            stale
            & Domain("date_last_stage_update", ">", now - relativedelta(months=months))
            & self._get_rotting_domain()
        )

    @api.model
    def _search_user_follows(self, operator, value):
        """Return a condition that comes after all others of a record rule: who follows
        thousands of tickets pays for them only where nothing else decides."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        # sudo: which tickets the user follows, nothing of the followers.
        followers = self.env["mail.followers"].sudo()
        followed = followers._search(
            Domain("res_model", "=", self._name)
            & Domain("partner_id", "=", self.env.user.partner_id.id)
        ).subselect("res_id")
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN %s", model._field_to_sql(alias, "id", query), followed
            )
        )

    # -- Counting ------------------------------------------------------------

    @api.readonly
    @api.model
    def read_progress_bar(self, domain, group_by, progress_bar):
        """Return the number of tickets in each state of each column, as Odoo does.

        Only of the states that have a colour, which an index of its own answers: nearly
        all others are in progress, and the client counts them itself.
        """
        if progress_bar.get("field") == "kanban_state":
            shown = list(progress_bar.get("colors") or ())
            domain = Domain(domain) & Domain("kanban_state", "in", shown)
        return super().read_progress_bar(domain, group_by, progress_bar)

    def _read_group(self, domain, groupby=(), *args, **kwargs):
        # Counting a million tickets pays for asking for the teams first, counting those
        # of some customers or orders doesn't.
        few = {"commercial_partner_id", "partner_id", "sale_order_id"}
        counting = self.with_context(helpdesk_counting=few.isdisjoint(groupby))
        return super(HelpdeskTicket, counting)._read_group(
            domain, groupby, *args, **kwargs
        )

    def _read_group_orderby(self, order, groupby_terms, query):
        """Sort the groups of a stage or team when they have been counted. Odoo joins
        them to every ticket for that, which costs as much as counting."""
        directions = {"": SQL("ASC"), "asc": SQL("ASC"), "desc": SQL("DESC")}
        terms = []
        for part in order.split(",") if order else [""]:
            name, _space, direction = part.strip().partition(" ")
            direction = directions.get(direction.strip().lower())
            if name in ("stage_id", "team_id") and name in groupby_terms and direction:
                # sudo: their order only; the groups are those of the user's tickets.
                others = self.env[self._fields[name].comodel_name].sudo()
                ranked = others.with_context(active_test=False)._search(
                    Domain.TRUE, order=others._order
                )
                term = SQL(
                    "array_position(ARRAY(%s), %s) %s",
                    ranked.select(),
                    groupby_terms[name],
                    direction,
                )
            else:
                term = super()._read_group_orderby(part, groupby_terms, query)
            terms.append(term)
        return SQL(", ").join(filter(None, terms))


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    @api.private
    def init(self):
        """Let PostgreSQL know how many teams there are. It analyzes a table by itself
        from 50 changes on: until then it takes the teams that customers see for a few
        out of hundreds, and reads all tickets of a customer to show the newest."""
        self.env.cr.execute(
            "ALTER TABLE helpdesk_team SET (autovacuum_analyze_threshold = 1)"
        )
        return super().init()

    @api.model
    def _search_user_sees_tickets(self, operator, value):
        """Return a domain of ids, which leads to tickets without a join: where many
        are counted the ids themselves, which are compared faster, else a subquery."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        user = self.env.user
        # sudo: see _compute_user_sees_tickets.
        query = (
            self.sudo()
            .with_context(active_test=False)
            ._search(
                Domain("privacy_visibility", "!=", "invited_internal")
                | Domain("member_ids", "in", user.ids)
                | Domain("message_partner_ids", "in", user.partner_id.ids)
            )
        )
        counting = self.env.context.get("helpdesk_counting")
        return Domain("id", "in", query.get_result_ids() if counting else query)

    def _compute_ticket_counts(self):
        """Count for all teams by one query; each part of it reads an index."""
        # sudo: whoever sees a team sees its tickets, see the record rules of both.
        tickets = self.env["helpdesk.ticket"].sudo()
        teams = Domain("team_id", "in", self.ids)
        team = SQL.identifier("helpdesk_ticket", "team_id")
        still_open = tickets._search(teams & Domain("close_date", "=", False))
        closed = tickets._search(teams & Domain("close_date", ">=", "today -7d"))
        late = tickets._search(teams & Domain("sla_deadline", "<", "now"))
        still_open.groupby = closed.groupby = late.groupby = team
        zeros = [SQL("0")] * 4
        counts = {
            team_id: numbers
            for team_id, *numbers in self.env.execute_query(
                SQL(
                    """
                    SELECT team_id, SUM(open), SUM(unassigned), SUM(urgent),
                           SUM(closed), SUM(late)
                      FROM (%(still_open)s UNION ALL %(closed)s UNION ALL %(late)s)
                        AS counts
                     GROUP BY team_id
                    """,
                    still_open=still_open.select(
                        SQL("%s AS team_id", team),
                        SQL("COUNT(*) AS open"),
                        SQL("COUNT(*) FILTER (WHERE user_id IS NULL) AS unassigned"),
                        SQL("COUNT(*) FILTER (WHERE priority = '3') AS urgent"),
                        SQL("0 AS closed"),
                        SQL("0 AS late"),
                    ),
                    closed=closed.select(team, *zeros[:3], SQL("COUNT(*)"), zeros[0]),
                    late=late.select(team, *zeros, SQL("COUNT(*)")),
                )
            )
        }
        for record in self:
            (
                record.open_ticket_count,
                record.unassigned_ticket_count,
                record.urgent_ticket_count,
                record.closed_ticket_count,
                record.late_ticket_count,
            ) = map(int, counts.get(record._origin.id, (0, 0, 0, 0, 0)))


class HelpdeskSlaStatus(models.Model):
    _inherit = "helpdesk.sla.status"

    @api.model
    def search_fetch(self, domain, field_names=None, offset=0, limit=None, order=None):
        """Read the few rows of a ticket at once: each answer needs all of them, and
        Odoo reads the ids of a one2many first, then the rows by a second query."""
        if field_names and list(field_names) == ["ticket_id"]:
            field_names = [*Clock.FIELDS, "sla_id", "ticket_id"]
        return super().search_fetch(domain, field_names, offset, limit, order)
