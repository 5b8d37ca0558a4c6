from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, freeze_time, tagged

from .common import BEGIN, END, HelpdeskFsmCommon


@tagged("post_install", "-at_install")
class TestFsmVisit(HelpdeskFsmCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact_a1.tz = "Europe/Brussels"
        cls.task = cls._plan(planned_date_begin=BEGIN, date_deadline=END)

    def _notices(self):
        """Let the scheduled action run; return the messages to customers it made."""
        before = self.task.message_ids
        # The scheduled action commits after each visit; a test must not.
        with patch.object(self.env.registry["ir.cron"], "_commit_progress"):
            self.env["project.task"]._cron_send_visit_notices()
        return (self.task.message_ids - before).filtered("partner_ids")

    def _ics(self, message):
        return message.attachment_ids.raw.decode().replace("\r\n ", "")

    def test_invitation_goes_to_the_customer_a_moment_later(self):
        self.assertTrue(self.task.fsm_notice_pending)
        message = self._notices()
        self.assertEqual(message.partner_ids, self.contact_a1)
        # 08:00 UTC is 10:00 in Brussels in May.
        self.assertIn("10:00", message.body)
        self.assertIn("Tina", message.body)
        self.assertNotIn("Tina Tech", message.body)
        self.assertEqual(message.attachment_ids.mimetype, "text/calendar")
        ics = self._ics(message)
        self.assertIn("METHOD:REQUEST", ics)
        self.assertIn("DTSTART:20300506T080000Z", ics)
        self.assertIn("DTEND:20300506T100000Z", ics)
        self.assertIn("SEQUENCE:1", ics)
        self.assertIn("LOCATION:Alder Street 1\\,", ics)
        self.assertFalse(self._notices())

    def test_ics_lines_are_folded_and_text_cannot_break_out(self):
        self.task.name = "Größe; a,b\\\r\nBEGIN:VALARM " + "ü" * 100
        raw = self._notices().attachment_ids.raw
        lines = raw.decode().split("\r\n")
        self.assertTrue(all(len(line.encode()) <= 75 for line in lines))
        self.assertNotIn("BEGIN:VALARM", [line[:12] for line in lines])
        self.assertEqual(lines.count("BEGIN:VEVENT"), 1)

    def test_moving_thrice_sends_one_change_of_the_same_event(self):
        first = self._ics(self._notices())
        for hours in (1, 2, 3):
            self.task.write(
                {
                    "planned_date_begin": BEGIN + timedelta(hours=hours),
                    "date_deadline": END + timedelta(hours=hours),
                }
            )
        message = self._notices()
        self.assertEqual(len(message), 1)
        self.assertIn("moved", message.subject)
        ics = self._ics(message)
        self.assertIn("DTSTART:20300506T110000Z", ics)
        self.assertIn("SEQUENCE:2", ics)

        def uid(text):
            return next(line for line in text.split("\r\n") if line[:3] == "UID")

        self.assertEqual(uid(first), uid(ics))
        self.assertIn("moved", self.ticket_a.message_ids[0].body)

    def test_assignees_follow_and_read_the_change(self):
        self.assertIn(self.technician.partner_id, self.task.message_partner_ids)
        self._notices()
        self.task.planned_date_begin = BEGIN + timedelta(minutes=30)
        message = self._notices()
        self.assertIn(
            self.technician.partner_id, message.notification_ids.res_partner_id
        )

    def test_moved_there_and_back_sends_nothing(self):
        self._notices()
        self.task.planned_date_begin = BEGIN + timedelta(minutes=5)
        self.task.planned_date_begin = BEGIN
        self.assertFalse(self._notices())

    def test_cancelled_archived_and_deplanned_visits_are_taken_back(self):
        for vals in (
            {"state": "1_canceled"},
            {"active": False},
            {"planned_date_begin": False},
        ):
            task = self.task = self._plan(planned_date_begin=BEGIN, date_deadline=END)
            self._notices()
            task.write(vals)
            message = self._notices()
            self.assertEqual(message.partner_ids, self.contact_a1)
            ics = self._ics(message)
            self.assertIn("METHOD:CANCEL", ics)
            self.assertIn("STATUS:CANCELLED", ics)
            self.assertNotIn("/my/visits/", message.body)

    def test_another_customer_is_invited_and_the_former_one_told(self):
        self._notices()
        token = self.task.fsm_access_token
        self.task.partner_id = self.contact_a2
        messages = self._notices()
        self.assertEqual(
            {
                message.partner_ids: "cancelled" in message.subject
                for message in messages
            },
            {self.contact_a1: True, self.contact_a2: False},
        )
        self.assertNotEqual(self.task.fsm_access_token, token)

    def test_past_visits_and_those_without_dates_tell_nobody(self):
        now = fields.Datetime.now()
        self.task = self._plan(
            planned_date_begin=now - timedelta(hours=3),
            date_deadline=now - timedelta(hours=2),
        )
        self.assertFalse(self._notices())
        self.task = self._plan()
        self.assertFalse(self.task.fsm_notice_pending)

    def test_tasks_of_other_projects_stay_as_they_are(self):
        project = self.env["project.project"].create({"name": "Normal"})
        task = self.env["project.task"].create(
            {
                "name": "Plain",
                "project_id": project.id,
                "partner_id": self.contact_a1.id,
                "date_deadline": END,
            }
        )
        self.assertFalse(task.is_fsm)
        self.assertFalse(task.fsm_notice_pending)
        self.assertFalse(task.worksheet_template_id)
        self.assertFalse(task.get_formview_id())

    def test_end_before_start_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "before it starts"):
            self.task.date_deadline = BEGIN - timedelta(hours=1)

    def test_overlap_is_shown_on_the_task(self):
        self.assertFalse(self.task.fsm_overlap_notice)
        other = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        self.assertIn("Tina Tech", other.with_user(self.technician).fsm_overlap_notice)

    def test_project_manager_plans_without_a_ticket(self):
        with Form(
            self.env["project.task"]
            .with_user(self.project_manager)
            .with_context(default_project_id=self.project.id),
            view="helpdesk_fsm.project_task_view_form_fsm",
        ) as form:
            form.name = "Yearly check"
            form.partner_id = self.contact_a1
        self.assertEqual(form.record.worksheet_template_id, self.template)
        self.assertFalse(form.record.helpdesk_ticket_id)

    def test_views_of_the_menus_open(self):
        for user in (self.technician, self.project_user):
            for xmlid in ("my", "all", "planning"):
                action = self.env.ref(f"helpdesk_fsm.project_task_action_fsm_{xmlid}")
                self.env["project.task"].with_user(user).get_views(action.views)

    def test_project_form_shows_the_settings(self):
        with Form(
            self.project.with_user(self.project_manager), view="project.edit_project"
        ) as form:
            form.allow_worksheets = False
        self.assertFalse(self.project.allow_worksheets)

    def test_x7_timeline(self):
        customer = self._new_user(
            "fsm_timeline", "base.group_portal", partner_id=self.contact_a1.id
        )
        mine = self.ticket_a.with_user(customer)
        act = mine.portal_timeline()[-1]
        self.assertIn(self.task.name, act["title"])
        self.assertEqual(act["state"], "Planned")
        self.assertIn("We will visit you on", act["promised"])
        self.assertEqual(act["url"], f"/my/visits/{self.task.id}", "without its key")
        self.task._fsm_validate()
        act = mine.portal_timeline()[-1]
        self.assertEqual((act["state"], act["promised"]), ("Done", False))
        self.assertIn(
            self.task.name, self.ticket_a.with_user(self.agent).get_timeline()
        )

    # -- Answer of the customer, reminder, free times (issue 17 D) ---------------

    def test_customer_asks_for_another_time(self):
        self.task._answer_visit("other", "  Thursday after 3 pm ")
        self.assertEqual(
            (self.task.fsm_answer, self.task.fsm_wish),
            ("other", "Thursday after 3 pm"),
        )
        activity = self.task.activity_ids
        self.assertEqual(activity.user_id, self.technician)
        self.assertIn("Thursday", activity.note)
        self.assertIn("Thursday", str(self.ticket_a.message_ids.mapped("body")))
        # Twice the same is one answer.
        self.task._answer_visit("other", "Thursday after 3 pm")
        self.assertEqual(len(self.task.activity_ids), 1)
        # A new time is one that nobody has answered to.
        self.task.with_user(self.technician).planned_date_begin = BEGIN + timedelta(
            hours=1
        )
        self.assertFalse(self.task.fsm_answer)
        self.task._answer_visit("confirmed", "ignored")
        self.assertEqual(
            (self.task.fsm_answer, self.task.fsm_wish), ("confirmed", False)
        )

    def test_only_a_visit_that_is_to_come_is_answered_to(self):
        with self.assertRaises(UserError):
            self.task._answer_visit("maybe")
        self.task.fsm_work_started_on = BEGIN
        with self.assertRaises(UserError):
            self.task._answer_visit("confirmed")
        self.task.write(
            {
                "fsm_work_started_on": False,
                "planned_date_begin": "2020-05-06 08:00:00",
                "date_deadline": "2020-05-06 09:00:00",
            }
        )
        with self.assertRaises(UserError):
            self.task._answer_visit("confirmed")
        with self.assertRaises(AccessError):
            self.task.with_user(self.technician).fsm_answer = "confirmed"

    def _remind(self):
        before = self.task.message_ids
        with patch.object(self.env.registry["ir.cron"], "_commit_progress"):
            self.env["project.task"]._cron_remind_of_visits()
        return (self.task.message_ids - before).filtered("partner_ids")

    def test_customer_is_reminded_once_the_day_before(self):
        now = fields.Datetime.now().replace(microsecond=0)
        self.task.write(
            {
                "planned_date_begin": now + timedelta(hours=40),
                "date_deadline": now + timedelta(hours=41),
            }
        )
        self.assertFalse(self._remind(), "not told of it yet")
        self._notices()
        self.assertFalse(self._remind(), "too early")
        with freeze_time(now + timedelta(hours=20)):
            message = self._remind()
            self.assertEqual(message.partner_ids, self.contact_a1)
            self.assertFalse(self._remind())
        # Who was told just now isn't reminded of the same.
        self.task.planned_date_begin = now + timedelta(hours=10)
        self._notices()
        self.assertFalse(self._remind())

    def test_free_times_of_the_technicians_are_shown(self):
        calendar = self.company.resource_calendar_id
        calendar.tz = "UTC"
        begin = BEGIN.replace(hour=5)  # a Monday
        with freeze_time(begin):
            (start, end), *_rest = self.env["project.task"]._get_free_times(
                self.technician, self.company, begin, timedelta(hours=1)
            )
            self.assertEqual((start, end), (END, BEGIN.replace(hour=12)))
            (start, _end), *_rest = self.env["project.task"]._get_free_times(
                self.other_technician, self.company, begin, timedelta(hours=1)
            )
            self.assertEqual(start, BEGIN)
            wizard = self._wizard(user_ids=self.technician)
            self.assertIn("10:00", wizard.free_times)
        self.assertFalse(self._wizard().free_times)
