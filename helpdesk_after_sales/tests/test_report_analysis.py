from datetime import datetime, timedelta

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import AGENT
from .test_conversation import HelpdeskConversationCommon

# A Monday, 8:00, in a shop that works from 8 to 16.
MONDAY = datetime.fromisoformat("2026-03-02 08:00:00")


@tagged("post_install", "-at_install")
class TestReportAnalysis(HelpdeskConversationCommon):
    """How long tickets take, and how promises are kept (X27)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls.env["resource.calendar"].create(
            {
                "name": "Shop",
                "tz": "UTC",
                "company_id": cls.company.id,
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": str(day),
                            "dayofweek": str(day),
                            "hour_from": 8,
                            "hour_to": 16,
                        }
                    )
                    for day in range(5)
                ],
            }
        )
        cls.team.write({"use_sla": True, "resource_calendar_id": cls.calendar.id})
        cls.new, cls.progress, cls.hold, cls.solved, _cancelled = cls.team.stage_ids

    def _at(self, hours):
        """Act so many hours after Monday, 8:00."""
        return self.mock_datetime_and_now(MONDAY + timedelta(hours=hours))

    def _begin_at(self, hours=0, **values):
        with self._at(hours):
            return self._ticket(
                self.customer_b, user_id=False, last_word="customer", **values
            )

    def _say_at(self, hours, ticket, user=None):
        """Let ``user`` answer, or else the customer."""
        author = user.partner_id if user else ticket.partner_id
        with self._at(hours), self.mock_mail_gateway():
            ticket.with_user(user or self.env.user).message_post(
                body="Words",
                message_type="comment" if user else "email",
                subtype_xmlid="mail.mt_comment",
                author_id=author.id,
                email_from=author.email_formatted,
            )

    def _report(self, model="ticket", user=None):
        user = user or self.agent
        report = self.env[f"helpdesk.{model}.report.analysis"].with_user(user)
        report = report.with_context(allowed_company_ids=user.company_ids.ids)
        self.env.flush_all()
        report.invalidate_model()
        return report

    def _figures(self, groupby, *measures, user=None, model="ticket", team=None):
        return self._report(model, user)._read_group(
            [("team_id", "=", (team or self.team).id)], groupby, measures
        )

    # -- Facts ---------------------------------------------------------------

    def test_x27_hours_are_those_of_the_team_when_it_happened(self):
        ticket = self._begin_at(0)
        self._say_at(0, ticket)
        with self._at(1):
            ticket.with_user(self.agent).user_id = self.agent
        self._say_at(26, ticket, self.agent)  # on Tuesday at 10:00
        with self._at(98):  # on Friday at 10:00
            ticket.with_user(self.agent).stage_id = self.solved
        facts = [
            ticket.assign_hours,
            ticket.first_response_hours,
            ticket.total_response_hours,
            ticket.close_hours,
        ]
        self.assertEqual(facts, [1, 10, 10, 34])

        # Neither another calendar nor another team changes what was.
        self.calendar.attendance_ids.unlink()
        self.team.resource_calendar_id = False
        other = self.env["helpdesk.team"].create({"name": "Others"})
        ticket.write({"team_id": other.id, "user_id": self.other_agent.id})
        self.env.flush_all()
        self.assertEqual(
            facts,
            [
                ticket.assign_hours,
                ticket.first_response_hours,
                ticket.total_response_hours,
                ticket.close_hours,
            ],
        )

    def test_x27_answers_and_reopenings_are_counted(self):
        ticket = self._begin_at(0, stage_id=self.progress.id)
        for hours, user in (
            (0, None),
            (1, None),  # still waits since the first
            (2, self.agent),
            (3, self.agent),  # nobody waits any more
            (4, None),
            (7, self.other_agent),
        ):
            self._say_at(hours, ticket, user)
        self.assertEqual(ticket.answered_customer_message_count, 2)
        self.assertEqual(ticket.total_response_hours, 5)
        self.assertEqual(ticket.first_response_date, MONDAY + timedelta(hours=2))
        for stage in (self.solved, self.progress, self.solved):
            with self._at(8):
                ticket.stage_id = stage
        self.assertEqual(ticket.reopen_count, 1)
        ticket.stage_id = self.progress
        self.assertEqual((ticket.reopen_count, ticket.close_hours), (2, 0))

    def test_x27_notes_and_automatic_mail_are_no_answers(self):
        ticket = self._begin_at(0)
        with self._at(1):
            ticket.with_user(self.agent).message_post(
                body="To ourselves", subtype_xmlid="mail.mt_note"
            )
            ticket._message_log(body="Done by itself")
        self.assertFalse(ticket.first_response_date)

    def test_x27_nobody_writes_what_is_counted(self):
        ticket = self._ticket(self.customer_b)
        for name in (
            "assign_hours",
            "first_response_hours",
            "close_hours",
            "total_response_hours",
            "answered_customer_message_count",
            "first_response_date",
            "reopen_count",
        ):
            value = "2026-03-02" if name.endswith("date") else 1
            with self.subTest(name), self.assertRaises(AccessError):
                ticket.with_user(self.manager).write({name: value})

    # -- Figures -------------------------------------------------------------

    def test_x27_averages_are_right_in_every_group(self):
        """What isn't over has no duration; answers are averaged by answer."""
        quick, slow, waiting = (self._begin_at(0) for _number in range(3))
        for ticket, answers in ((quick, (1,)), (slow, (3, 2, 2))):
            now = 0
            for hours in answers:
                self._say_at(now, ticket)
                now += hours
                self._say_at(now, ticket, self.agent)
        with self._at(6):
            quick.stage_id = self.solved
        self.assertEqual(
            self._figures([], "__count", "close_hours:avg", "avg_response_hours:avg"),
            [(3, 6, 2)],
        )
        by_ticket = dict(self._figures(["name"], "first_response_hours:avg"))
        self.assertEqual(len(by_ticket), 1)
        by_customer = self._figures(
            ["commercial_partner_id"], "first_response_hours:avg"
        )
        self.assertEqual(by_customer, [(self.customer_b, 2)])
        row = self._report().browse(waiting.id)
        self.assertEqual((row.close_hours, row.avg_response_hours), (0, 0))
        self.assertEqual(
            self._report().browse(slow.id).action_open_ticket()["res_id"], slow.id
        )

    def test_x27_promises_reached_failed_and_ongoing(self):
        self.env["helpdesk.sla"].create(
            {
                "name": "Answer in 4",
                "team_id": self.team.id,
                "target_type": "first_answer",
                "time": 4,
            }
        )
        kept, late, missed = (self._begin_at(0) for _number in range(3))
        self._say_at(1, kept, self.agent)
        self._say_at(6, late, self.agent)
        with self._at(1):
            open_ticket = self._begin_at(1)
        with self._at(4.5):  # the first ones are late, the last one isn't
            report = self._report("sla")
            rows = {row.ticket_id: row for row in report.search([])}
            for ticket, status in (
                (kept, "reached"),
                (late, "failed"),
                (missed, "failed"),
                (open_ticket, "ongoing"),
            ):
                with self.subTest(status):
                    self.assertEqual(rows[ticket].status, status)
                    # It says what the ticket itself says.
                    ticket.sla_status_ids.invalidate_recordset()
                    self.assertEqual(ticket.sla_status_ids.status, status)
            self.assertEqual(
                self._figures(
                    ["team_id"],
                    "successful_sla_rate:avg",
                    "failed_sla_rate:avg",
                    "ongoing_sla_rate:avg",
                    "exceeded_hours:avg",
                    model="sla",
                ),
                [(self.team, 25, 50, 25, -0.5)],
            )

    # -- Rights --------------------------------------------------------------

    def test_x27_agents_see_figures_of_tickets_that_they_see(self):
        private = self.env["helpdesk.team"].create(
            {"name": "Private", "privacy_visibility": "invited_internal"}
        )
        ticket = self._ticket(self.customer_b, team_id=private.id)
        self.env["helpdesk.sla"].create(
            {"name": "Soon", "team_id": private.id, "stage_id": self.solved.id}
            | {"time": 1}
        )
        private.use_sla = True
        ticket.sudo()._begin_sla_later()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        outsider = self._new_user(
            "report_outsider",
            AGENT,
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        for model in ("ticket", "sla"):
            for user, seen in (
                (self.agent, 0),
                (outsider, 0),
                (self.manager, 1),
            ):
                with self.subTest(model=model, user=user.login):
                    rows = self._report(model, user).search(
                        [("team_id", "=", private.id)]
                    )
                    self.assertEqual(len(rows), seen)
            for user in (self.employee, self.seller):
                with self.subTest(model=model, user=user.login):
                    with self.assertRaises(AccessError):
                        self._report(model, user).search([])
        ticket.message_subscribe(self.agent.partner_id.ids)
        self.assertEqual(
            self._figures([], "__count", user=self.agent, team=private), [(1,)]
        )

    def test_x27_spam_and_archived_tickets_are_left_out(self):
        ticket = self._ticket(self.customer_b)
        self.assertIn(ticket.id, self._report().search([]).ids)
        ticket.active = False
        self.assertNotIn(ticket.id, self._report().search([]).ids)

    def test_x27_digest_tells_agents_what_the_desk_did(self):
        digest = self.env.ref("digest.digest_digest_default").sudo()
        self.assertTrue(digest.kpi_helpdesk_tickets_opened)
        self.assertTrue(digest.kpi_helpdesk_tickets_closed)
        before = digest._compute_kpis(self.company, self.agent)
        ticket = self._ticket(self.customer_b, stage_id=self.solved.id)
        ticket.close_date -= timedelta(hours=1)
        after = digest._compute_kpis(self.company, self.agent)
        names = ["kpi_helpdesk_tickets_opened", "kpi_helpdesk_tickets_closed"]
        for name in names:
            old, new = (
                next(kpi for kpi in kpis if kpi["kpi_name"] == name)
                for kpis in (before, after)
            )
            column = next(key for key in new if key.endswith("col1"))
            with self.subTest(name):
                self.assertEqual(
                    int(new[column]["value"]), int(old[column]["value"]) + 1
                )
        # What failures cost is told to who may see costs.
        self.assertTrue(digest.kpi_helpdesk_failure_cost)
        cost = "kpi_helpdesk_failure_cost"
        for user, seen in ((self.manager, True), (self.agent, False)):
            kpis = digest._compute_kpis(self.company, user)
            self.assertEqual(cost in {kpi["kpi_name"] for kpi in kpis}, seen)
        told = digest._compute_kpis(self.company, self.employee)
        self.assertFalse({kpi["kpi_name"] for kpi in told} & {*names})
