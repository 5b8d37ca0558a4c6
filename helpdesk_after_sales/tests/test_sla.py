from datetime import datetime, timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from .test_conversation import HelpdeskConversationCommon

# A Monday, and 8:00 in Brussels in the winter.
MONDAY = datetime.fromisoformat("2026-03-02 07:00:00")
HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestSla(HelpdeskConversationCommon):
    """Promises of a team: clocks, pauses, deadlines (X28, facts B4)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.calendar = cls.env["resource.calendar"].create(
            {
                "name": "Shop",
                "tz": "Europe/Brussels",
                "company_id": cls.company.id,
                # With an hour for lunch.
                "attendance_ids": [Command.clear()]
                + [
                    Command.create(
                        {
                            "name": f"{day} {begin}",
                            "dayofweek": str(day),
                            "hour_from": begin,
                            "hour_to": end,
                        }
                    )
                    for day in range(5)
                    for begin, end in ((8, 12), (13, 17))
                ],
            }
        )
        cls.team.write({"use_sla": True, "resource_calendar_id": cls.calendar.id})
        cls.new, cls.progress, cls.hold, cls.solved, _cancelled = cls.team.stage_ids

    def _policy(self, target="stage", hours=8, **values):
        if target == "stage":
            values = {"stage_id": self.solved.id} | values
        return self.env["helpdesk.sla"].create(
            {
                "name": f"{target} in {hours}",
                "team_id": self.team.id,
                "target_type": target,
                "time": hours,
            }
            | values
        )

    def _at(self, hours=0, **more):
        """Act so many hours after Monday, 8:00 in Brussels."""
        return self.mock_datetime_and_now(MONDAY + timedelta(hours=hours, **more))

    def _local(self, moment):
        """Return a moment as the shop's clock shows it: ``"Mon 9:00"``."""
        local = fields.Datetime.context_timestamp(
            self.team.with_context(tz="Europe/Brussels"), moment
        )
        return local.strftime("%a %H:%M")

    def _state(self, ticket):
        ticket.env.invalidate_all()
        return ticket.sla_status_ids.mapped("status")

    # -- Working hours -------------------------------------------------------

    def test_x28_hours_of_work(self):
        """Lunch, night, weekend, leaves, and the clock being put forward"""
        self.env["resource.calendar.leaves"].create(
            {
                "name": "Carnival",
                "calendar_id": self.calendar.id,
                "company_id": self.company.id,
                "date_from": "2026-03-10 00:00:00",
                "date_to": "2026-03-10 22:00:00",
            }
        )
        for after, hours, deadline in (
            (0, 4, "Mon 12:00"),
            (0, 5, "Mon 14:00"),
            (4.5, 1, "Mon 14:00"),  # at lunch
            (15, 1, "Tue 09:00"),  # at night
            (4 * 24 + 8, 2, "Mon 09:00"),  # an hour before the weekend
            (7 * 24 + 8, 2, "Wed 09:00"),  # before a day off
            (25 * 24 + 8, 2, "Mon 09:00"),  # clocks go forward in that night
        ):
            start = MONDAY + timedelta(hours=after)
            planned = self.calendar._helpdesk_plan(hours, start)
            with self.subTest(after=after, hours=hours):
                self.assertEqual(self._local(planned), deadline)
                self.assertAlmostEqual(
                    self.calendar._helpdesk_count(start, planned), hours
                )
        # Odoo's own says the same.
        start = MONDAY + timedelta(hours=15)
        self.assertEqual(
            self.calendar._helpdesk_plan(33, start),
            self.calendar.plan_hours(33, start, compute_leaves=True),
        )

    def test_x28_calendar_changes_are_seen(self):
        self.assertEqual(
            self._local(self.calendar._helpdesk_plan(1, MONDAY)), "Mon 09:00"
        )
        leave = self.env["resource.calendar.leaves"].create(
            {
                "name": "Inventory",
                "calendar_id": self.calendar.id,
                "company_id": self.company.id,
                "date_from": MONDAY - HOUR,
                "date_to": MONDAY + 12 * HOUR,
            }
        )
        plan = self.calendar._helpdesk_plan
        self.assertEqual(self._local(plan(1, MONDAY)), "Tue 09:00")
        leave.unlink()
        self.assertEqual(self._local(plan(1, MONDAY)), "Mon 09:00")
        self.calendar.attendance_ids[0].hour_from = 9
        self.assertEqual(self._local(plan(1, MONDAY)), "Mon 10:00")

    def test_x28_without_working_hours_the_clock_goes_round(self):
        self._policy(hours=24)
        self.calendar.attendance_ids.unlink()
        for calendar in (self.calendar, self.calendar.browse()):
            self.team.resource_calendar_id = calendar
            with self._at():
                ticket = self._ticket(self.customer_b)
            self.assertEqual(ticket.sla_deadline, MONDAY + 24 * HOUR)
            self.assertEqual(calendar._helpdesk_count(MONDAY, MONDAY + HOUR), 1)

    # -- Which policies ------------------------------------------------------

    def test_x28_policies_of_a_ticket(self):
        tag = self.env["helpdesk.tag"].create({"name": "VIP"})
        everybody = self._policy()
        urgent = self._policy(hours=2, priority="3")
        tagged_ones = self._policy(hours=3, tag_ids=tag.ids)
        alder = self._policy(hours=4, partner_ids=self.customer_a.ids)
        self._policy(hours=1, team_id=self.other_team.id)
        for values, policies in (
            ({}, everybody),
            ({"priority": "3"}, everybody | urgent),
            ({"tag_ids": tag.ids}, everybody | tagged_ones),
            ({"partner_id": self.contact_a1.id}, everybody | alder),
        ):
            with self._at():
                ticket = self._ticket(**values)
            self.assertEqual(ticket.sla_ids, policies)
            shortest = min(policies.mapped("time"))
            self.assertEqual(
                ticket.sla_deadline, self.calendar._helpdesk_plan(shortest, MONDAY)
            )
        self.assertIn(ticket, ticket.search([("sla_ids", "in", alder.ids)]))
        self.team.use_sla = False
        self.assertFalse(self._ticket().sla_status_ids)

    def test_x28_priority_up_and_down_again(self):
        """Time that was used stays used"""
        self._policy(hours=8, priority="0")
        urgent = self._policy(hours=4, priority="3")
        with self._at():
            ticket = self._ticket(self.customer_b)
            self.env.cr.flush()
        with self._at(2):
            ticket.priority = "3"
        self.assertEqual(ticket.sla_ids, urgent)
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 12:00")
        with self._at(3):
            ticket.priority = "0"
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 17:00")
        with self._at(6):
            ticket.priority = "3"
        self.assertEqual(self._state(ticket), ["failed"])

    # -- Reaching a stage ----------------------------------------------------

    def test_x28_reached_and_reached_late(self):
        self._policy(hours=4)
        with self._at():
            ticket, late = self._ticket(), self._ticket()
        with self._at(3):
            self.assertEqual(self._state(ticket), ["ongoing"])
            ticket.stage_id = self.solved
            self.assertEqual(self._state(ticket), ["reached"])
        self.assertFalse(ticket.sla_deadline)
        self.assertTrue(ticket.sla_reached and ticket.sla_success)
        self.assertAlmostEqual(ticket.sla_status_ids.exceeded_hours, -1)
        with self._at(24):
            self.assertEqual(self._state(late), ["failed"])
            found = late.search([("sla_fail", "=", True)])
            self.assertEqual(found & (ticket | late), late)
            late.stage_id = self.solved
        self.assertTrue(late.sla_reached_late and late.sla_fail)
        self.assertAlmostEqual(late.sla_status_ids.exceeded_hours, 4)
        # Red for ever, also when it's opened and solved again.
        late.stage_id = self.progress
        late.stage_id = self.solved
        self.assertEqual(self._state(late), ["failed"])
        self.assertIn(ticket, late.search([("sla_success", "=", True)]))

    def test_x28_several_policies_show_the_next_deadline(self):
        self._policy(hours=2, stage_id=self.progress.id)
        self._policy(hours=8)
        with self._at():
            ticket = self._ticket()
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 10:00")
        with self._at(1):
            ticket.stage_id = self.progress
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 17:00")

    def test_x28_excluded_stage(self):
        """Also one that takes longer than the deadline"""
        self._policy(hours=4, exclude_stage_ids=self.hold.ids)
        with self._at():
            ticket = self._ticket()
        with self._at(1):
            ticket.stage_id = self.hold
        self.assertFalse(ticket.sla_deadline)
        with self._at(8 * 24):
            self.assertEqual(self._state(ticket), ["ongoing"])
            ticket.stage_id = self.progress
        self.assertEqual(self._local(ticket.sla_deadline), "Tue 11:00")

    def test_x28_opened_again_after_a_month(self):
        """The time while it was solved isn't counted; it isn't late at once"""
        self._policy(hours=8)
        with self._at():
            ticket = self._ticket(self.customer_b)
        with self._at(2):
            ticket.stage_id = self.solved
        with self._at(28 * 24):
            ticket.with_user(self.agent).stage_id = self.progress
            self.assertEqual(self._state(ticket), ["ongoing"])
            self.assertAlmostEqual(ticket.sla_deadline_hours, 6)
        # 9:00 in the summer
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 16:00")

    def test_x28_archived_is_not_late(self):
        self._policy(hours=4)
        with self._at():
            ticket = self._ticket()
        with self._at(1):
            ticket.active = False
        self.assertFalse(ticket.sla_deadline)
        with self._at(24):
            ticket.active = True
        self.assertEqual(self._local(ticket.sla_deadline), "Tue 11:00")

    def test_x28_policy_without_stage_is_refused(self):
        with self.assertRaises(ValidationError):
            self._policy(stage_id=False)
        with Form(self.env["helpdesk.sla"].with_user(self.manager)) as form:
            form.name = "Solved"
            form.team_id = self.team
            form.stage_id = self.solved
            form.time = 8
        self.assertEqual(form.record.company_id, self.company)

    # -- Answers -------------------------------------------------------------

    def test_x28_first_and_next_answers(self):
        first = self._policy("first_answer", hours=4)
        following = self._policy("next_answer", hours=2)
        with self._at():
            ticket = self._begin()
        self.assertEqual(ticket.sla_ids, first)
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 12:00")
        with self._at(1):
            # A note, and the machine of somebody, are no answers.
            ticket.with_user(self.agent).message_post(body="Who takes it?")
            self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 12:00")
        with self._at(2):
            self._answer(ticket)
        self.assertEqual(self._state(ticket), ["reached"])
        self.assertFalse(ticket.sla_deadline)
        for number, (asked, answered) in enumerate(((3, 4), (24, 30)), start=1):
            with self._at(asked):
                self._answers(self._first(ticket), "berta@birch.example.com")
                self._answers(self._first(ticket), "berta@birch.example.com")
            rounds = ticket.sla_status_ids.filtered(lambda s: s.sla_id == following)
            self.assertEqual(len(rounds), number, "one for all that they wrote")
            with self._at(answered):
                self._answer(ticket)
        self.assertEqual(rounds.sorted("id").mapped("status"), ["reached", "failed"])

    def test_x28_stage_waits_while_the_customer_has_the_word(self):
        self._policy(hours=8)
        self._policy(hours=8, wait_for_customer=False)
        with self._at():
            ticket = self._begin()
        waiting, strict = ticket.sla_status_ids.sorted("id")
        with self._at(2):
            self._answer(ticket)
        self.assertFalse(waiting.deadline)
        self.assertIn("paused", waiting.display_name)
        self.assertEqual(self._local(strict.deadline), "Mon 17:00")
        with self._at(24):
            self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertEqual(self._local(waiting.deadline), "Tue 15:00")

    # -- History -------------------------------------------------------------

    def test_x28_policy_added_later(self):
        """For open tickets only where asked, and by what has happened to them"""
        with self._at():
            ticket, closed, waiting = self._begin(), self._begin(), self._begin()
        with self._at(2):
            self._answer(ticket)
            self.env.cr.flush()
        with self._at(4):
            self._close(closed)
        with self._at(24):
            self._answers(self._first(ticket), "berta@birch.example.com")
            ticket.stage_id = self.hold
            self.env.cr.flush()
        with self._at(25):
            ticket.stage_id = self.progress
            self.env.cr.flush()
        with self._at(26):
            solve = self._policy(hours=8, exclude_stage_ids=self.hold.ids)
            first = self._policy("first_answer", hours=4)
            following = self._policy("next_answer", hours=4)
            policies = (solve | first | following).with_user(self.manager)
            self.assertFalse((ticket | waiting | closed).sla_status_ids)
            with self.assertRaises(AccessError):
                policies.with_user(self.agent).action_apply_to_open()
            policies.action_apply_to_open()
            policies.action_apply_to_open()
        self.assertFalse(closed.sla_status_ids)
        status = {row.sla_id: row for row in ticket.sla_status_ids}
        self.assertEqual(len(ticket.sla_status_ids), 3)
        # Two hours on Monday, one on Tuesday; on hold since 8:00 until 9:00.
        self.assertEqual(self._local(status[solve].deadline), "Tue 16:00")
        self.assertEqual(status[first].reached_datetime, MONDAY + 2 * HOUR)
        self.assertEqual(self._local(status[following].deadline), "Tue 12:00")
        self.assertEqual(waiting.sla_ids, solve | first)
        with self._at(26):
            self.assertEqual(set(self._state(waiting)), {"failed"})

    def test_x28_history_and_going_along_agree(self):
        """What is read from the messages is what the clocks would have said"""
        tag = self.env["helpdesk.tag"].create({"name": "Later"})
        live = self._policy(hours=9, exclude_stage_ids=self.hold.ids)
        later = live.copy({"tag_ids": tag.ids})
        with self._at():
            ticket = self._begin()
        for hours, act in (
            (1, lambda: ticket.write({"stage_id": self.hold.id})),
            (3, lambda: ticket.write({"stage_id": self.progress.id})),
            (5.5, lambda: self._answer(ticket)),
            (26, lambda: self._answers(self._first(ticket), self.customer_b.email)),
            (30, lambda: ticket.write({"tag_ids": tag.ids})),
        ):
            with self._at(hours):
                act()
                self.env.cr.flush()
        status = {row.sla_id: row for row in ticket.sla_status_ids}
        self.assertEqual(status[live].deadline, status[later].deadline)

    def test_x28_policy_changes_and_archiving(self):
        policy = self._policy(hours=4)
        with self._at():
            ticket, late = self._ticket(), self._ticket()
        policy.time = 1
        self.assertEqual(self._local(ticket.sla_deadline), "Mon 12:00")
        with self._at(1):
            policy.active = False
        self.assertFalse(ticket.sla_status_ids | late.sla_status_ids)
        self.assertFalse(ticket.sla_deadline)

    # -- Merging, importing --------------------------------------------------

    def test_x28_merged_the_earlier_promise_counts(self):
        self._policy(hours=4)
        with self._at():
            old = self._ticket(self.customer_b)
        with self._at(2):
            kept = self._ticket(self.customer_b)
        with self._at(3):
            old._merge_into(kept)
        self.assertEqual(self._local(kept.sla_deadline), "Mon 12:00")
        self.assertEqual(len(kept.sla_status_ids), 1)
        self.assertFalse(old.sla_deadline)

    # -- Seen by -------------------------------------------------------------

    def test_x28_agents_find_what_is_late(self):
        self._policy(hours=4)
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        with self._at():
            ticket = self._ticket()
        view = self.env.ref("helpdesk_after_sales.helpdesk_ticket_view_search").arch
        self.assertIn('name="late"', view)
        late = [("sla_deadline", "<", "now")]
        today = [("sla_deadline", ">=", "now"), ("sla_deadline", "<", "today +1d")]
        for hours, is_late, is_today in ((1, False, True), (5, True, False)):
            with self._at(hours):
                self.assertEqual(ticket in tickets.search(late), is_late)
                self.assertEqual(ticket in tickets.search(today), is_today)
                self.team.invalidate_recordset()
                self.assertEqual(
                    self.team.with_user(self.agent).late_ticket_count, is_late
                )

    def test_x30_next_ticket(self):
        """After closing comes what is due first, of the agent's own and nobody's"""
        self._policy(hours=4)
        self._policy(hours=1, priority="3")
        with self._at():
            ticket, plain, urgent = self._ticket(), self._ticket(), self._ticket()
            self._ticket(user_id=self.other_agent.id, priority="3")
            self._ticket(team_id=self.other_team.id, priority="3")
            self.hold.waits_for_customer = True
            self._ticket(priority="3", stage_id=self.hold.id)
            urgent.priority = "3"
        mine = (ticket | plain | urgent).with_user(self.agent)
        mine.user_id = self.agent
        action = mine[0].action_close_and_next()
        self.assertTrue(ticket.close_date)
        self.assertEqual((action["res_id"], action["target"]), (urgent.id, "main"))
        self.assertEqual(mine[2].action_close_and_next()["res_id"], plain.id)
        self.assertFalse(mine[1].action_close_and_next().get("res_id"))

    def test_x28_rights(self):
        hidden = self.team.copy(
            {"privacy_visibility": "invited_internal", "use_sla": True}
        )
        hidden.member_ids = self.other_agent
        policies = self._policy() | self._policy(
            team_id=hidden.id, stage_id=hidden.stage_ids[0].id
        )
        here, there = self._ticket(), self._ticket(team_id=hidden.id)
        seen = policies.with_user(self.agent).search([("id", "in", policies.ids)])
        self.assertEqual(seen, policies[0].with_user(self.agent))
        own = here.with_user(self.agent).sla_status_ids
        self.assertTrue(own.mapped("status"))
        with self.assertRaises(AccessError):
            there.sla_status_ids.with_user(self.agent).read(["deadline"])
        for record, vals in (
            (own, {"deadline": False}),
            (here.with_user(self.manager), {"sla_deadline": False}),
            (here.with_user(self.manager), {"sla_reached": True}),
            (policies[0].with_user(self.agent), {"time": 1}),
        ):
            with self.assertRaises(AccessError):
                record.write(vals)

    def test_x28_customers_read_what_is_promised(self):
        self.customer_b.tz = "Europe/Brussels"
        self._policy(hours=8)
        with self._at():
            ticket = self._begin()
            self.assertFalse(ticket._describe_pending_answer())
        policy = self._policy("first_answer", hours=4, promised=True)
        solve = self._policy(hours=16, promised=True)
        with self._at():
            ticket = self._begin()
            self.assertIn("12:00", ticket._describe_pending_answer())
            self.assertIn("Europe/Brussels", ticket._describe_promised_answer())
        with self._at(1):
            self._answer(ticket)
        self.assertEqual(ticket._describe_pending_answer(), "Waiting for your answer")
        with self._at(2):
            self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertIn(self.solved.name, ticket._describe_pending_answer())
        self.assertEqual(self.team.answer_hours, 4)
        self.team.answer_hours = 6
        self.assertEqual(policy.time, 6)
        self.team.answer_hours = 0
        self.assertFalse(policy.exists())
        self.assertTrue(solve.exists())

    def test_x28_warned_before(self):
        self._policy(hours=4, warning_hours=1)
        with self._at():
            ticket = self._begin()
        warn = self.env["helpdesk.sla.status"]._warn_due
        for hours, told in ((2, 0), (3.1, 1), (3.2, 0)):
            with self._at(hours), self.mock_mail_gateway():
                warn()
                self.env.cr.flush()
            self.assertEqual(len(self._sent_to(self.agent.email)), told)
        self.assertFalse(self._sent_to(ticket.partner_email))

    # -- What it costs -------------------------------------------------------

    def test_x28_costs_of_creating_and_answering(self):
        """A fixed small number of queries more, whatever the number of tickets"""
        values = {"name": "Lamp", "team_id": self.team.id}

        def count(function):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            function()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        def measure():
            create = self.env["helpdesk.ticket"].create
            answered = create(values)
            self.env.flush_all()
            self.env.invalidate_all()
            answered.mapped("stage_id.name")
            return (
                count(lambda: answered.write({"last_word": "us"})),
                count(lambda: create([values])),
                count(lambda: create([values] * 20)),
            )

        measure()
        without = measure()
        self._policy(hours=8)
        self._policy("first_answer", hours=4)
        self._policy("next_answer", hours=4)
        measure()
        extra = [now - then for now, then in zip(measure(), without, strict=True)]
        self.assertLessEqual(extra[0], 3, "the rows, and two kinds of change")
        self.assertLessEqual(extra[1], 1)
        self.assertLessEqual(extra[2], 1)
