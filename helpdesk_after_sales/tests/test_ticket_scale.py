import threading
from unittest.mock import patch

from odoo import fields
from odoo.fields import Domain
from odoo.models import BaseModel
from odoo.tests import tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestTicketScale(HelpdeskAfterSalesCommon):
    """Review 15: what helpdesk_ticket_scale.py rests on in Odoo. When one of these
    fails, Odoo has changed: the screens still work, and are slow with many tickets."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tickets = cls.env["helpdesk.ticket"].with_user(cls.agent)
        cls.hidden = cls.team.copy(
            {"name": "Hidden", "privacy_visibility": "invited_internal"}
        )
        cls.hidden.member_ids = cls.other_agent

    def _queries(self, function):
        """Return the SQL that a function causes."""
        self.env.flush_all()
        self.env.invalidate_all()
        found = []
        thread = threading.current_thread()
        thread.query_hooks = [
            lambda _cr, query, params, _start, _delay: found.append(f"{query} {params}")
        ]
        try:
            function()
            self.env.flush_all()
        finally:
            del thread.query_hooks
        return found

    def test_groups_of_a_stage_are_sorted_after_they_were_counted(self):
        self.assertTrue(hasattr(BaseModel, "_read_group_orderby"))
        self._ticket()
        for group in ("stage_id", "team_id"):
            query = next(
                sql
                for sql in self._queries(
                    lambda group=group: self.tickets._read_group(
                        [], [group], ["__count"], order=group
                    )
                )
                if 'GROUP BY "helpdesk_ticket"' in sql
            )
            self.assertIn("array_position", query)
            self.assertNotIn("LEFT JOIN", query)
        other = self.env["helpdesk.stage"].create(
            {"name": "First", "sequence": -5, "team_ids": self.team.ids}
        )
        self._ticket(stage_id=other.id)
        for order in ("stage_id", "stage_id desc"):
            groups = self.tickets._read_group([], ["stage_id"], order=order)
            stages = [stage.id for (stage,) in groups]
            wanted = self.env["helpdesk.stage"].browse(stages).sorted().ids
            self.assertEqual(stages, wanted[:: -1 if "desc" in order else 1])

    def test_counting_asks_for_the_teams_first(self):
        teams = type(self.env["helpdesk.team"])
        asked = []
        search = teams._search_user_sees_tickets

        def listen(self, operator, value):
            asked.append(self.env.context.get("helpdesk_counting"))
            return search(self, operator, value)

        with patch.object(teams, "_search_user_sees_tickets", listen):
            self.tickets._read_group([], ["stage_id"], ["__count"])
            self.tickets._read_group([], ["partner_id"], ["__count"])
            self.tickets.search([])
        self.assertTrue(asked[0])
        self.assertFalse(any(asked[1:]), asked)

    def test_who_follows_a_ticket_is_asked_last(self):
        """The order of the names in the rule is that of the conditions in SQL."""
        self.assertFalse(
            self._ticket(team_id=self.hidden.id)
            .with_user(self.agent)
            .has_access("read")
        )
        code = self.tickets._search([]).select().code
        places = [
            code.index('"helpdesk_ticket"."team_id"'),
            code.index('"helpdesk_ticket"."user_id"'),
            # Before that it says who follows the team.
            code.rindex("mail_followers"),
        ]
        self.assertEqual(places, sorted(places), code)
        self.assertNotIn("JOIN", code)

    def test_stale_tickets_are_conditions_not_ids(self):
        self.assertEqual(
            self.tickets._fields["is_rotting"].search, "_search_is_rotting"
        )
        self.team.stage_ids.rotting_threshold_days = 2
        stale = self._ticket()
        fresh = self._ticket()
        stale.date_last_stage_update = fields.Datetime.subtract(
            fields.Datetime.now(), days=5
        )
        self.env.flush_all()
        found = self.tickets.search([("is_rotting", "=", True)])
        self.assertEqual(found & (stale | fresh), stale)
        mixin = self.env.registry["mail.tracking.duration.mixin"]
        self.assertTrue(hasattr(mixin, "_search_is_rotting"))
        domain = self.tickets._search_is_rotting("in", [True])
        self.assertNotIn("id", {leaf.field_expr for leaf in domain.iter_conditions()})

    def test_a_new_ticket_is_written_once(self):
        queries = self._queries(lambda: self._ticket(self.customer_b))
        changes = [sql for sql in queries if 'UPDATE "helpdesk_ticket"' in sql]
        self.assertFalse(changes)

    def test_the_bar_of_the_kanban_leaves_out_what_has_no_colour(self):
        """Odoo's client fills up the column by what the bar doesn't count."""
        self._ticket(kanban_state="blocked")
        self._ticket()
        bar = {"field": "kanban_state", "colors": {"blocked": "danger"}}
        counted = self.tickets.read_progress_bar(
            Domain("team_id", "=", self.team.id), "stage_id", bar
        )
        self.assertEqual([*counted.values()], [{"blocked": 1}])

    def test_postgresql_analyzes_the_teams(self):
        self.env.cr.execute(
            "SELECT reloptions FROM pg_class WHERE relname = 'helpdesk_team'"
        )
        self.assertIn("autovacuum_analyze_threshold=1", self.env.cr.fetchone()[0])

    def test_the_figures_of_all_teams_are_one_query(self):
        teams = self.team | self.hidden
        queries = self._queries(lambda: teams.mapped("open_ticket_count"))
        self.assertEqual(sum("UNION ALL" in sql for sql in queries), 1, queries)
