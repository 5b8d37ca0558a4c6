from datetime import timedelta
from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import BEGIN, END, HelpdeskFsmCommon, drawn_signature

DAY = timedelta(days=1)
FORM = "helpdesk_fsm.project_task_view_form_fsm"


@tagged("post_install", "-at_install")
class TestFsmPlanning(HelpdeskFsmCommon):
    """Visits as planners, technicians and customers see them (goods.md, B3 to C16)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact_a1.tz = "UTC"
        cls.colleague = cls._new_user(
            "fsm_colleague", "base.group_user", name="Colin Colleague"
        )

    def _send_notices(self):
        # The scheduled action commits after each visit; a test must not.
        with patch.object(self.env.registry["ir.cron"], "_commit_progress"):
            self.env["project.task"]._cron_send_visit_notices()

    def _project(self, *stages):
        """Return a field service project of these ``(name, folded)`` stages."""
        return self.env["project.project"].create(
            {
                "name": "Own Project",
                "is_fsm": True,
                "company_id": self.company.id,
                "type_ids": [
                    Command.create({"name": name, "fold": fold, "sequence": index})
                    for index, (name, fold) in enumerate(stages)
                ],
            }
        )

    # -- B3: assignees -------------------------------------------------------

    def test_b3_who_cannot_work_on_it_is_named_before_and_after(self):
        wizard = self._wizard(user_ids=self.technician)
        self.assertFalse(wizard.planning_notice)
        wizard = self._wizard(user_ids=self.technician | self.colleague)
        self.assertIn(self.colleague.name, wizard.planning_notice)
        self.assertNotIn(self.technician.name, wizard.planning_notice)
        wizard.action_create_task()
        task = wizard.sudo().task_id
        with self.assertRaises(AccessError), self.cr.savepoint():
            task.with_user(self.colleague).action_fsm_start()
        self.assertIn(self.colleague.name, task.fsm_planning_notice)
        self.assertTrue(
            task.message_ids.filtered(lambda m: self.colleague.name in str(m.body))
        )

    def test_b3_the_administrator_is_told_once(self):
        self._plan(user_ids=self.colleague)
        task = self._plan(user_ids=self.technician)
        task.with_user(self.project_manager).user_ids |= self.colleague
        activity = self.colleague.partner_id.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertTrue(activity.user_id.has_group("base.group_erp_manager"))
        self.assertIn(self.colleague.name, str(activity.note))
        self.assertTrue(activity.with_user(activity.user_id).has_access("read"))
        self.colleague.group_ids |= self.env.ref("helpdesk_fsm.group_fsm_user")
        task.with_user(self.colleague).action_fsm_start()
        task.invalidate_recordset(["fsm_planning_notice"])
        self.assertFalse(task.fsm_planning_notice)

    # -- B4: recurring visits ------------------------------------------------

    def _repeat(self, task, unit="month", **vals):
        task.write(
            {"recurring_task": True, "repeat_interval": 1, "repeat_unit": unit} | vals
        )
        task.with_user(self.technician)._fsm_validate()
        return task.recurrence_id.task_ids - task

    def test_b4_the_next_visit_is_planned_whole(self):
        task = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        task.helpdesk_reason_id = self.env["helpdesk.after.sales.reason"].create(
            {"name": "Yearly check"}
        )
        self._send_notices()
        again = self._repeat(task)
        month = relativedelta(months=1)
        self.assertEqual(len(again), 1)
        self.assertEqual(
            (again.planned_date_begin, again.date_deadline),
            (BEGIN + month, END + month),
        )
        self.assertEqual(again.helpdesk_ticket_id, self.ticket_a)
        self.assertEqual(again.helpdesk_reason_id, task.helpdesk_reason_id)
        self.assertEqual(again.user_ids, self.technician)
        self.assertEqual(again.worksheet_template_id, self.template)
        self.assertEqual(
            again.stage_id, self.env.ref("helpdesk_fsm.project_task_type_planned")
        )
        self.assertFalse(again.fsm_done or again.worksheet_signed_on)
        self.assertEqual(self.ticket_a.fsm_task_count, 2)
        self._send_notices()
        self.assertEqual(again.fsm_told_begin, BEGIN + month)
        self.assertTrue(again.message_ids.attachment_ids.filtered("raw"))

    def test_b4_the_last_days_of_a_month_keep_the_length(self):
        begin = fields.Datetime.to_datetime("2030-01-30 22:00:00")
        task = self._plan(
            planned_date_begin=begin, date_deadline=begin + timedelta(hours=4)
        )
        again = self._repeat(task)
        self.assertEqual(
            again.date_deadline - again.planned_date_begin, timedelta(hours=4)
        )

    def test_b4_tasks_that_are_no_visits_stay_as_project_has_them(self):
        project = self.env["project.project"].create({"name": "Normal"})
        task = self.env["project.task"].create(
            {
                "name": "Plain",
                "project_id": project.id,
                "date_deadline": END,
                "planned_date_begin": BEGIN,
                "recurring_task": True,
                "repeat_unit": "week",
            }
        )
        task.state = "1_done"
        again = task.recurrence_id.task_ids - task
        self.assertFalse(again.planned_date_begin)
        self.assertEqual(again.date_deadline, END + timedelta(weeks=1))

    # -- B5: moving a visit --------------------------------------------------

    def test_b5_a_visit_that_is_moved_keeps_its_length(self):
        task = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        with Form(task.with_user(self.project_manager), view=FORM) as form:
            form.planned_date_begin = BEGIN + 7 * DAY
            self.assertEqual(form.date_deadline, END + 7 * DAY)
            form.planned_date_begin = BEGIN - DAY
            self.assertEqual(form.date_deadline, END - DAY)
            form.date_deadline = END - DAY + timedelta(hours=1)
            form.planned_date_begin = BEGIN
            self.assertEqual(form.date_deadline, END + timedelta(hours=1))
        self.assertEqual(task.date_deadline, END + timedelta(hours=1))

    def test_b5_a_visit_without_an_end_gets_one(self):
        task = self._plan()
        with Form(task.with_user(self.project_manager), view=FORM) as form:
            form.planned_date_begin = BEGIN
        self.assertEqual(task.date_deadline, BEGIN + timedelta(hours=1))

    # -- C6: closing a ticket ------------------------------------------------

    def test_c6_closing_a_ticket_warns_of_planned_visits(self):
        task = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        ticket = self.ticket_a.with_user(self.agent)
        self.assertIn(task.name, " ".join(ticket._get_open_after_sales_documents()))
        for state in ("1_canceled", "1_done"):
            task.state = state
            self.assertFalse(ticket._get_open_after_sales_documents())

    # -- C7: the stage of what is done ---------------------------------------

    def test_c7_done_is_never_cancelled(self):
        for stages, done, cancelled in (
            (
                [("To do", 0), ("Doing", 0), ("Done", 0), ("Cancelled", 1)],
                "Done",
                "Cancelled",
            ),
            ([("To do", 0), ("Canceled", 1), ("done ", 1)], "done ", "Canceled"),
            ([("To do", 0), ("Cancelled", 1)], "To do", "Cancelled"),
            ([("To do", 0), ("Finished", 1)], "Finished", "To do"),
            ([("To do", 0), ("Billed", 1), ("Given up", 1)], "Billed", "Given up"),
            ([("To do", 0), ("Billed", 1), ("Cancelled", 1)], "Billed", "Cancelled"),
            ([("To do", 0), ("Done", 0)], "Done", "To do"),
        ):
            with self.subTest(stages=stages):
                project = self._project(*stages)
                first, other = (
                    self.env["project.task"].create(
                        {
                            "name": "Visit",
                            "project_id": project.id,
                            "stage_id": project.type_ids.sorted()[0].id,
                            "user_ids": [Command.set(self.technician.ids)],
                        }
                    )
                    for _time in range(2)
                )
                first.with_user(self.technician)._fsm_validate()
                self.assertEqual((first.stage_id.name, first.state), (done, "1_done"))
                first.with_user(self.technician).action_fsm_reopen()
                self.assertEqual(first.stage_id.name, "To do")
                other.with_user(self.technician).action_fsm_cancel()
                self.assertEqual(
                    (other.stage_id.name, other.state), (cancelled, "1_canceled")
                )

    # -- C10: the end of the work --------------------------------------------

    def test_c10_signing_ends_the_work(self):
        task = self._plan()
        self._fill(task)
        task.with_user(self.technician).action_fsm_start()
        self._sign(task)
        self.assertTrue(task.fsm_work_ended_on)
        self.assertTrue(all(task._get_worksheet_content()["worked"]))

    def test_c10_an_end_that_was_set_stays(self):
        task = self._plan()
        self._fill(task)
        ended = fields.Datetime.now() - timedelta(hours=1)
        task.write(
            {
                "fsm_work_started_on": ended - timedelta(hours=1),
                "fsm_work_ended_on": ended,
            }
        )
        self._sign(task)
        self.assertEqual(task.fsm_work_ended_on, ended)

    def test_c10_who_signs_by_the_link_signs_the_end_of_that_day(self):
        task = self._plan()
        self._fill(task)
        task.fsm_work_started_on = fields.Datetime.now() - timedelta(days=2)
        task.worksheet_shared_on = fields.Datetime.now() - timedelta(days=1)
        task._sign_worksheet("Ada Alder", drawn_signature())
        self.assertEqual(task.fsm_work_ended_on, task.worksheet_shared_on)

    def test_c10_what_is_to_be_signed_again_is_not_done(self):
        task = self._plan()
        self._fill(task)
        self._sign(task)
        task.with_user(self.technician).action_fsm_validate()
        self.assertTrue(task.fsm_done)
        task.with_user(self.technician)._reopen_worksheet("Wrong hours")
        self.assertFalse(task.fsm_done)
        self.assertEqual(task.state, "01_in_progress")
        self._sign(task)
        task.with_user(self.technician).action_fsm_validate()
        self.assertTrue(task.fsm_done)

    # -- C16: V03, V11, V12, W23 ---------------------------------------------

    def test_v03_a_customer_without_an_address_is_told_by_people(self):
        self.contact_a1.email = False
        wizard = self._wizard(planned_date_begin=BEGIN, date_deadline=END)
        self.assertIn(self.contact_a1.name, wizard.planning_notice)
        wizard.action_create_task()
        task = wizard.sudo().task_id
        before = task.message_ids | self.ticket_a.message_ids
        self._send_notices()
        self.assertFalse(task.fsm_told_begin, "nobody was told")
        self.assertFalse(task.fsm_notice_pending)
        said = (task.message_ids | self.ticket_a.message_ids) - before
        self.assertEqual(set(said.mapped("model")), {task._name, "helpdesk.ticket"})
        self.contact_a1.email = "ada@example.com"
        task.planned_date_begin = BEGIN + timedelta(minutes=5)
        self._send_notices()
        self.assertEqual(task.fsm_told_begin, task.planned_date_begin)

    def test_v11_an_end_without_a_start_is_refused(self):
        wizard = self._wizard(date_deadline=END)
        self.assertTrue(wizard.planning_notice)
        with self.assertRaises(UserError):
            wizard.action_create_task()
        task = self._plan()
        task.date_deadline = END
        self.assertTrue(task.fsm_planning_notice)

    def test_v12_a_time_that_has_passed_is_said(self):
        begin = fields.Datetime.to_datetime("2020-05-06 08:00:00")
        wizard = self._wizard(planned_date_begin=begin)
        self.assertTrue(wizard.planning_notice)
        wizard = self._wizard(planned_date_begin=BEGIN)
        self.assertFalse(wizard.planning_notice)

    def test_w23_a_visit_of_two_days_is_named_whole(self):
        task = self._plan(planned_date_begin=BEGIN, date_deadline=END + DAY)
        self._send_notices()
        message = task.message_ids.filtered("partner_ids")
        for text in (message.subject, str(message.body)):
            self.assertIn("10:00", text)
            self.assertIn("8:00", text)
        self.assertIn(
            "10:00",
            self.ticket_a.with_context(tz="UTC")._get_timeline()[-1]["promised"],
        )
        other = self._plan(planned_date_begin=BEGIN, date_deadline=END)
        self._send_notices()
        self.assertNotIn("10:00", other.message_ids.filtered("partner_ids").subject)

    # -- Parts used (issue 17 D) ---------------------------------------------

    def _use(self, task, *parts, user=None, **values):
        """Take ``(product, quantity, number)`` as the technician; returns the order."""
        user = user or self.technician
        action = task.with_user(user).action_fsm_parts()
        form = Form(
            self.env[action["res_model"]]
            .with_user(user)
            .with_context(**action["context"])
        )
        for name, value in values.items():
            setattr(form, name, value)
        for product, quantity, number in parts:
            with form.line_ids.new() as line:
                line.product_id = product
                line.quantity = quantity
                if number:
                    line.lot_name = number
        wizard = form.save()
        wizard.action_take()
        wizard.action_take()  # T2: once more changes nothing
        return self.env["sale.order"].search([("helpdesk_task_id", "=", task.id)])

    def _held(self, product, location=None, **values):
        return sum(
            self.env["stock.quant"]
            .search(
                [
                    ("product_id", "=", product.id),
                    ("location_id", "=", (location or self.van).id),
                    *((name, "=", value.id) for name, value in values.items()),
                ]
            )
            .mapped("quantity")
        )

    def _park_van(self):
        self.van = self.env["stock.location"].create(
            {"name": "Van", "location_id": self.warehouse.view_location_id.id}
        )
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.lamp, self.van, 3)
        quants._update_available_quantity(
            self.phone, self.van, 1, lot_id=self.serials[0]
        )
        quants._update_available_quantity(
            self.phone, self.warehouse.lot_stock_id, -1, lot_id=self.serials[0]
        )
        return self._plan(planned_date_begin=BEGIN, date_deadline=END)

    def test_parts_leave_the_van_and_stand_on_a_quotation(self):
        task = self._park_van()
        order = self._use(
            task,
            (self.lamp, 2, None),
            (self.phone, 1, self.serials[0].name),
            location_id=self.van,
        )
        self.assertEqual((order.state, order.partner_id), ("draft", self.contact_a1))
        self.assertEqual(order.order_line.mapped("qty_delivered"), [2, 1])
        self.assertEqual(order.amount_total, 500)
        self.assertEqual(self._held(self.lamp), 1)
        self.assertEqual(self._held(self.phone), 0)
        customers = order.picking_ids.location_dest_id
        self.assertEqual(self._held(self.phone, customers, lot_id=self.serials[0]), 1)
        self.assertEqual(order.picking_ids.state, "done")
        # The customer accepts: nothing more is delivered, all is invoiced.
        order.action_confirm()
        self.assertEqual(len(order.picking_ids), 1)
        self.assertEqual(order.order_line.mapped("qty_to_invoice"), [2, 1])
        # Agents and technicians read what was used, and not the order.
        for user in self.agent, self.technician:
            self.assertIn(order.name, task.with_user(user).fsm_parts)
        self.assertIn(order.name, self.ticket_a.message_ids[0].body)
        with self.assertRaises(AccessError):
            task.with_user(self.technician).action_view_fsm_quotations()

    def test_parts_of_the_second_press_stand_on_the_same_quotation(self):
        task = self._park_van()
        order = self._use(task, (self.lamp, 1, None), location_id=self.van)
        again = self._use(task, (self.lamp, 1, None), location_id=self.van, free=True)
        self.assertEqual(order, again)
        self.assertEqual(order.order_line.mapped("price_unit"), [50, 0])
        order.state = "sent"
        both = self._use(task, (self.lamp, 1, None), location_id=self.van)
        self.assertEqual(len(both), 2, "what the customer has read stays as it is")
        order.action_confirm()
        self.assertEqual(order.order_line.mapped("qty_delivered"), [1, 1])

    def test_parts_that_inventory_does_not_know(self):
        task = self._park_van()
        with self.assertRaises(UserError):
            self._use(task, (self.phone, 1, self.serials[1].name), location_id=self.van)
        for number in (None, "SN-NONE"):
            with self.assertRaises(UserError), self.cr.savepoint():
                self._use_by_rpc(task, self.phone, 1, number)
        for quantity in (-1, 1e12):
            with self.assertRaises(UserError), self.cr.savepoint():
                self._use_by_rpc(task, self.lamp, quantity)
        with self.assertRaises(UserError), self.cr.savepoint():
            self._use_by_rpc(task, self.service, 1)
        self.assertEqual(self._held(self.lamp), 3, "nothing half done")
        self.assertFalse(task.fsm_parts)
        # As a delivery of Inventory does, and it is said before.
        wizard = self._parts_by_rpc(task, self.lamp, 5)
        self.assertIn("holds 3", wizard.notice)
        wizard.action_take()
        self.assertEqual(self._held(self.lamp), -2)

    def _use_by_rpc(self, *args):
        self._parts_by_rpc(*args).action_take()

    def _parts_by_rpc(self, task, product, quantity, number=False):
        return (
            self.env["fsm.task.parts"]
            .with_user(self.technician)
            .create(
                {
                    "task_id": task.id,
                    "location_id": self.van.id,
                    "line_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "quantity": quantity,
                                "lot_name": number,
                            }
                        )
                    ],
                }
            )
        )

    def test_parts_only_by_who_works_on_the_visit(self):
        task = self._park_van()
        for user in self.agent, self.other_technician, self.employee:
            with self.assertRaises(AccessError):
                task.with_user(user).action_fsm_parts()
        company, _project = self._other_company()
        foreign = self.env["stock.location"].search(
            [("company_id", "=", company.id), ("usage", "=", "internal")], limit=1
        )
        wizard = (
            self.env["fsm.task.parts"]
            .with_user(self.technician)
            .create({"task_id": task.id})
        )
        self.assertEqual(wizard.location_id, self.warehouse.lot_stock_id)
        wizard.sudo().location_id = foreign
        with self.assertRaises(UserError):
            wizard.action_take()
        task.action_fsm_cancel()
        with self.assertRaises(UserError):
            task.with_user(self.technician).action_fsm_parts()
