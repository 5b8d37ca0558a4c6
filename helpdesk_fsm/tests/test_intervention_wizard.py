import threading
from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import BEGIN, END, HelpdeskFsmCommon


@tagged("post_install", "-at_install")
class TestInterventionWizard(HelpdeskFsmCommon):
    def test_x10_rule_for_visits(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Nobody goes there", "verdict": "refuse"})
        wizard = self._wizard()
        self.assertIn("Nobody goes there", wizard.helpdesk_rule_notice)
        with (
            self.assertRaisesRegex(UserError, "Nobody goes"),
            self.cr.savepoint(),
        ):
            wizard.action_create_task()

    def test_x10_asked_and_approved_as_it_was_filled_in(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Ask first", "verdict": "ask"})
        wizard = self._wizard()
        wizard.action_create_and_view_task()
        self.assertFalse(wizard.task_id)
        self.ticket_a.approval_ids.with_user(self.manager).action_approve()
        task = self.env["project.task"].search(
            [("helpdesk_ticket_id", "=", self.ticket_a.id)]
        )
        self.assertEqual(task.name, wizard.name)

    def test_s102_s103_a_project_is_made_when_the_service_is_first_switched_on(self):
        self.assertTrue(self.project.is_fsm)
        self.assertTrue(self.project.allow_worksheets)
        self.assertEqual(self.project.company_id, self.company)
        self.assertEqual(self.project.privacy_visibility, "followers")
        self.assertTrue(self.project.type_ids.filtered("fold"))

    def test_s103_the_next_team_of_the_company_takes_the_same_project(self):
        team = self.env["helpdesk.team"].create({"name": "Second", "use_fsm": True})
        self.assertEqual(team.fsm_project_id, self.project)

    def test_s103_each_company_gets_its_own_project(self):
        company = self.env["res.company"].create({"name": "Other Shop"})
        team = self.env["helpdesk.team"].create(
            {"name": "Theirs", "company_id": company.id, "use_fsm": True}
        )
        self.assertEqual(team.fsm_project_id.company_id, company)
        self.assertNotEqual(team.fsm_project_id, self.project)

    def test_s103_a_helpdesk_manager_without_project_rights_switches_it_on(self):
        team = self.env["helpdesk.team"].create({"name": "Plain"})
        with Form(team.with_user(self.manager)) as form:
            form.use_fsm = True
        self.assertEqual(team.fsm_project_id, self.project)

    def test_s103_the_project_of_another_company_is_refused(self):
        _company, project = self._other_company()
        with self.assertRaises(UserError):
            self.team.fsm_project_id = project

    def test_s104_s105_button_opens_a_popup_with_the_title(self):
        action = self.ticket_a.with_user(self.agent).action_plan_intervention()
        self.assertEqual(action["name"], "Create a Field Service task")
        self.assertEqual(action["target"], "new")

    def test_s106_s107_s109_s112_popup_is_filled_from_ticket_team_and_project(self):
        wizard = self._wizard()
        self.assertEqual(wizard.name, self.ticket_a.name)
        self.assertEqual(wizard.project_id, self.project)
        self.assertEqual(wizard.worksheet_template_id, self.template)
        self.assertEqual(wizard.partner_id, self.contact_a1)
        self.assertIn("Alder Street 1", wizard.partner_address)

    def test_s107_s108_s112_another_project_brings_its_template(self):
        other = self.template.copy()
        project = self.project.copy(
            {"name": "Second", "worksheet_template_id": other.id}
        )
        wizard = self._wizard(project_id=project)
        self.assertEqual(wizard.worksheet_template_id, other)

    def test_s113_the_template_can_be_replaced_or_left_out(self):
        other = self.template.copy()
        task = self._plan(worksheet_template_id=other)
        self.assertEqual(task.worksheet_template_id, other)
        task = self._plan(worksheet_template_id=self.env["fsm.worksheet.template"])
        self.assertFalse(task.worksheet_template_id)

    def test_s114_no_template_where_worksheets_are_off(self):
        self.project.allow_worksheets = False
        form = Form(self._wizard())
        self.assertFalse(form.worksheet_template_id)
        self.assertTrue(form._get_modifier("worksheet_template_id", "invisible"))
        # Through RPC as well.
        wizard = self._wizard()
        wizard.worksheet_template_id = self.template
        wizard.action_create_task()
        self.assertFalse(wizard.sudo().task_id.worksheet_template_id)

    def test_s100_s115_create_task_stays_on_the_ticket(self):
        wizard = self._wizard(
            name="Look at the motor",
            user_ids=self.technician,
            planned_date_begin=BEGIN,
            date_deadline=END,
        )
        action = wizard.action_create_task()
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertRecordValues(
            wizard.sudo().task_id,
            [
                {
                    "name": "Look at the motor",
                    "project_id": self.project.id,
                    "partner_id": self.contact_a1.id,
                    "user_ids": self.technician.ids,
                    "planned_date_begin": BEGIN,
                    "date_deadline": END,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "company_id": self.company.id,
                    "is_fsm": True,
                }
            ],
        )
        self.assertEqual(
            wizard.sudo().task_id.stage_id,
            self.env.ref("helpdesk_fsm.project_task_type_planned"),
        )

    def test_s116_create_and_view_opens_the_task_for_the_agent(self):
        action = self._wizard().action_create_and_view_task()
        task = self.env[action["res_model"]].browse(action["res_id"])
        form = Form(task.with_user(self.agent), view=action["views"][0][0])
        self.assertEqual(form.name, self.ticket_a.name)

    def test_s117_smart_button_opens_one_or_lists_several(self):
        self.assertEqual(self.ticket_a.fsm_task_count, 0)
        task = self._plan()
        ticket = self.ticket_a.with_user(self.agent)
        ticket.invalidate_recordset()
        self.assertEqual(ticket.fsm_task_count, 1)
        self.assertEqual(ticket.action_view_fsm_tasks()["res_id"], task.id)
        second = self._plan()
        ticket.invalidate_recordset()
        self.assertEqual(ticket.fsm_task_count, 2)
        action = ticket.action_view_fsm_tasks()
        found = self.env["project.task"].with_user(self.agent).search(action["domain"])
        self.assertEqual(found, task + second)

    def test_s117_counter_queries_do_not_grow_with_tickets(self):
        tickets = self.env["helpdesk.ticket"].concat(
            *(self._ticket(self.contact_a1) for _number in range(12))
        )
        counts = []
        for records in (tickets[:1], tickets):
            self.env.invalidate_all()
            start = self.cr.sql_log_count
            records.mapped("fsm_task_count")
            counts.append(self.cr.sql_log_count - start)
        self.assertEqual(*counts)

    def test_both_chatters_tell_of_the_task(self):
        task = self._plan()
        self.assertIn("Field service task", self.ticket_a.message_ids[0].body)
        self.assertTrue(
            task.message_ids.filtered(lambda m: self.ticket_a.ticket_ref in m.body)
        )

    def test_the_lines_of_both_chatters_are_written_once(self):
        """With what ``_message_log`` stores for one of them alone."""
        wizard = self._wizard()
        statements = []
        thread = threading.current_thread()
        thread.query_hooks = [
            lambda _cr, query, _params, _start, _delay: statements.append(str(query))
        ]
        try:
            wizard.action_create_task()
            self.env.flush_all()
        finally:
            del thread.query_hooks
        # Odoo's "Task Created", that of the task, and that of the ticket.
        inserts = [s for s in statements if s.startswith('INSERT INTO "mail_message" ')]
        self.assertEqual(len(inserts), 3)
        task = wizard.sudo().task_id
        fields = [
            *("author_id", "email_from", "reply_to", "message_type", "subtype_id"),
            *("is_internal", "model", "res_id", "create_uid", "record_alias_domain_id"),
            *("record_company_id", "partner_ids", "attachment_ids", "subject"),
            *("email_add_signature", "parent_id", "notification_ids"),
        ]
        for record, sentence in (
            (task, "Made on the helpdesk ticket"),
            (self.ticket_a, "was created"),
        ):
            found = record.message_ids.filtered(
                lambda m, s=sentence: (
                    s in m.body and m.subtype_id == self.env.ref("mail.mt_note")
                )
            )
            alone = record.with_user(self.agent).sudo()._message_log(body=found.body)
            self.assertEqual(
                found.read([*fields, "body"], load=None)[0] | {"id": 0},
                alone.read([*fields, "body"], load=None)[0] | {"id": 0},
            )
            self.assertNotEqual(found.message_id, alone.message_id)

    def test_without_a_date_the_task_begins_where_odoo_begins_it(self):
        folded = self.env["project.task.type"].create(
            {"name": "Folded", "fold": True, "sequence": -5}
        )
        last, first = self.env["project.task.type"].create(
            [{"name": "Last", "sequence": -3}, {"name": "First", "sequence": -4}]
        )
        for stages in (folded + last + first, folded, folded.browse()):
            self.project.type_ids = stages
            stage = self._plan().stage_id
            self.assertEqual(stage, first if first in stages else stages)
            native = self.env["project.task"].create(
                {"name": "Native", "project_id": self.project.id}
            )
            self.assertEqual(stage, native.stage_id)

    def test_s115_without_the_planned_stage_a_visit_begins_as_others(self):
        planned = self.env.ref("helpdesk_fsm.project_task_type_planned")
        self.project.type_ids -= planned
        task = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        self.assertEqual(task.stage_id, self.project.type_ids.sorted("fold")[0])
        planned.unlink()
        self.assertTrue(self._plan(planned_date_begin=BEGIN, date_deadline=END))

    def test_t2_a_second_click_opens_the_first_task(self):
        wizard = self._wizard()
        wizard.action_create_task()
        action = wizard.action_create_task()
        self.assertEqual(action["res_id"], wizard.sudo().task_id.id)
        self.assertEqual(self.ticket_a.fsm_task_count, 1)

    def test_default_ticket_does_not_leak(self):
        before = self.env["project.task"].search_count([])
        self._plan()
        self.assertEqual(self.env["project.task"].search_count([]), before + 1)

    def test_overlap_warns_and_never_blocks(self):
        self._plan(planned_date_begin=BEGIN, date_deadline=END)
        wizard = self._wizard(
            user_ids=self.technician,
            planned_date_begin=BEGIN + timedelta(minutes=30),
            date_deadline=END,
        )
        self.assertIn("Tina Tech", wizard.overlap_notice)
        # What the colleague does there isn't told.
        self.assertNotIn(self.ticket_a.name, wizard.overlap_notice)
        wizard.action_create_task()
        self.assertTrue(wizard.sudo().task_id)
        free = self._wizard(
            user_ids=self.technician,
            planned_date_begin=END,
            date_deadline=END + timedelta(hours=1),
        )
        self.assertFalse(free.overlap_notice)

    def test_overlap_of_a_visit_whose_end_nobody_planned(self):
        """Such a visit takes an hour, whichever of the two it is."""
        self._plan(planned_date_begin=BEGIN, date_deadline=END).date_deadline = False
        for minutes, busy in ((59, True), (60, False), (-30, True), (-60, False)):
            notice = self.env["project.task"]._describe_overlaps(
                self.technician, BEGIN + timedelta(minutes=minutes), False
            )
            with self.subTest(minutes=minutes):
                self.assertEqual(bool(notice), busy)

    def test_end_follows_the_start(self):
        wizard = self._wizard(planned_date_begin=BEGIN)
        self.assertEqual(wizard.date_deadline, BEGIN + timedelta(hours=1))

    # -- Bad input -----------------------------------------------------------

    def _assert_refused(self, sentence, **values):
        wizard = self._wizard()
        # What the pop-up of an agent doesn't offer is refused there already.
        wizard.sudo().write(values)
        with self.assertRaisesRegex(UserError, sentence):
            wizard.action_create_task()
        self.assertFalse(wizard.task_id)

    def test_end_before_start_is_refused(self):
        self._assert_refused(
            "end before it starts", planned_date_begin=END, date_deadline=BEGIN
        )

    def test_project_of_another_company_is_refused(self):
        _company, project = self._other_company()
        self._assert_refused("another company", project_id=project.id)

    def test_a_project_that_is_no_field_service_is_refused(self):
        project = self.env["project.project"].create({"name": "Secret plans"})
        self._assert_refused("not an active field service", project_id=project.id)

    def test_archived_template_is_refused(self):
        template = self.template.copy()
        template.active = False
        self._assert_refused("archived", worksheet_template_id=template.id)

    def test_foreign_customer_is_refused(self):
        self._assert_refused("Choose Alder", partner_id=self.customer_b.id)

    def test_foreign_or_portal_assignees_are_refused(self):
        portal = self._new_user("after_sales_portal_x", "base.group_portal")
        self._assert_refused("can't be sent", user_ids=[Command.set(portal.ids)])

    def test_an_assignee_who_has_left_is_refused(self):
        self.other_technician.active = False
        people = self.technician + self.other_technician
        self._assert_refused("can't be sent", user_ids=[Command.set(people.ids)])

    def test_blank_title_is_refused(self):
        self._assert_refused("title", name="   ")

    def test_no_project_is_refused_with_what_to_do(self):
        self.team.fsm_project_id = False
        wizard = self.env["helpdesk.intervention.wizard"].with_user(self.agent)
        wizard = wizard.create({"helpdesk_ticket_id": self.ticket_a.id})
        with self.assertRaisesRegex(UserError, "Choose a field service project"):
            wizard.action_create_task()

    def test_rpc_creates_with_the_ticket_alone(self):
        wizard = self.env["helpdesk.intervention.wizard"].with_user(self.agent)
        wizard = wizard.create({"helpdesk_ticket_id": self.ticket_a.id})
        self.assertEqual(wizard.name, self.ticket_a.name)
        self.assertEqual(wizard.project_id, self.project)
        self.assertEqual(wizard.worksheet_template_id, self.template)
        wizard.action_create_task()
        self.assertEqual(wizard.sudo().task_id.partner_id, self.contact_a1)

    def test_rpc_with_a_start_alone_has_an_end(self):
        """A calendar shows no visit without one."""
        wizard = (
            self.env["helpdesk.intervention.wizard"]
            .with_user(self.agent)
            .create(
                {"helpdesk_ticket_id": self.ticket_a.id, "planned_date_begin": BEGIN}
            )
        )
        wizard.action_create_task()
        self.assertEqual(
            wizard.sudo().task_id.date_deadline, BEGIN + timedelta(hours=1)
        )

    def test_s2_without_customer_or_service_no_popup(self):
        ticket = self._ticket()
        with self.assertRaisesRegex(UserError, "customer"):
            ticket.with_user(self.agent).action_plan_intervention()
        self.team.use_fsm = False
        with self.assertRaisesRegex(UserError, "switched off"):
            self.ticket_a.with_user(self.agent).action_plan_intervention()

    def test_t29_rights_are_checked_when_the_button_is_pressed(self):
        wizard = self._wizard()
        self.team.privacy_visibility = "invited_internal"
        self.team.member_ids = [Command.set(self.other_agent.ids)]
        self.ticket_a.message_unsubscribe(self.agent.partner_id.ids)
        with self.assertRaises(AccessError):
            wizard.action_create_task()
        self.assertFalse(wizard.sudo().task_id)

    def test_t29_employees_and_technicians_do_not_plan(self):
        for user in (self.employee, self.technician, self.project_user):
            with self.assertRaises(AccessError):
                self.ticket_a.with_user(user).action_plan_intervention()
            with self.assertRaises(AccessError):
                self.env["helpdesk.intervention.wizard"].with_user(user).create(
                    {"helpdesk_ticket_id": self.ticket_a.id}
                )
