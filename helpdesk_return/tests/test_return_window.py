from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnWindow(HelpdeskReturnCommon):
    """X21: how long something can be returned, said before anything is pressed."""

    def _late(self, **days):
        return freeze_time(fields.Datetime.add(fields.Datetime.now(), **days))

    def _only_lamp(self, form=None):
        form = form or self._form()
        return self._fill(form, {self.lamp: 1}).save()

    def test_x21_within_the_days(self):
        self.lamp.write({"helpdesk_return_policy": "days", "helpdesk_return_days": 14})
        with self._late(days=14):
            form = self._form()
            self.assertFalse(form.window_notice)
            self._only_lamp(form).action_return()

    def test_x21_late_is_said_and_needs_a_reason(self):
        self.lamp.write({"helpdesk_return_policy": "days", "helpdesk_return_days": 14})
        with self._late(days=16):
            form = self._form()
            self.assertIn(self.lamp.display_name, form.window_notice)
            self.assertNotIn(self.phone.display_name, form.window_notice)
            proposed = {line.product_id: line for line in form.save().line_ids}
            self.assertEqual(proposed[self.lamp].quantity, 0)
            self.assertTrue(proposed[self.lamp].refusal)
            self.assertEqual(proposed[self.phone].quantity, 2)
            wizard = self._only_lamp()
            with self.assertRaisesRegex(UserError, "Enter why"):
                wizard.action_return()
            wizard.window_reason = "Goodwill"
            wizard.action_return()
        said = self.ticket_a.message_ids.mapped("body")
        self.assertTrue([body for body in said if "Goodwill" in body])

    def test_x21_only_managers_where_the_team_says_so(self):
        self.team.return_window_managers = True
        self.lamp.helpdesk_return_policy = "never"
        wizard = self._only_lamp()
        wizard.window_reason = "Goodwill"
        with self.assertRaisesRegex(UserError, "administrators"):
            wizard.action_return()
        wizard = self._only_lamp(self._form(user=self.manager))
        wizard.window_reason = "Goodwill"
        self.assertTrue(wizard.action_return())

    def test_x10_asked_and_approved_as_it_was_filled_in(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Ask first", "verdict": "ask"})
        form = self._fill(self._form(), {self.lamp: 2, self.phone: 1}, self.serials[:1])
        wizard = form.save()
        wizard.action_return()
        self.assertFalse(wizard.made_picking_ids)
        approval = self.ticket_a.approval_ids
        self.assertEqual((approval.state, approval.amount), ("asked", 500))
        approval.with_user(self.manager).action_approve()
        back = self.ticket_a.return_ids
        moves = back.move_ids.grouped("product_id")
        self.assertEqual(moves[self.lamp].product_uom_qty, 2)
        self.assertEqual(moves[self.phone].product_uom_qty, 1)
        self.assertEqual(moves[self.phone].move_line_ids.lot_id, self.serials[0])
        self.assertEqual(back.helpdesk_approval_id, approval)

    def test_x21_category_and_what_the_product_says_itself(self):
        parent = self.env["product.category"].create(
            {"name": "Hygiene", "helpdesk_return_policy": "never"}
        )
        child = parent.create({"name": "Soap", "parent_id": parent.id})
        self.lamp.categ_id = child
        self.assertTrue(self._form().window_notice)
        self.lamp.helpdesk_return_policy = "always"
        self.assertFalse(self._form().window_notice)
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertFalse(parent.with_company(other).helpdesk_return_policy)

    def test_x21_customer_is_told_before_asking(self):
        line = self.order_a.order_line[0].sudo()
        ticket = self.ticket_a.sudo()
        left, refusal = ticket._get_request_left("use_product_returns", line)
        self.assertEqual((left, refusal), (3, False))
        self.lamp.write({"helpdesk_return_policy": "days", "helpdesk_return_days": 14})
        with self._late(days=20):
            left, refusal = ticket._get_request_left("use_product_returns", line)
        self.assertEqual(left, 0)
        self.assertTrue(refusal)

    def test_x10_rule_counts_from_the_delivery_that_comes_back(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create(
            [
                {"name": "Soon", "days_since_delivery": 30, "sequence": 1},
                {"name": "Too late", "verdict": "refuse", "sequence": 2},
            ]
        )
        with self._late(days=20):
            form = self._form()
            self.assertIn("Soon", form.helpdesk_rule_notice)
            self._only_lamp(form).action_return()
        with self._late(days=40):
            wizard = self._only_lamp()
            self.assertTrue(wizard.helpdesk_rule_refuses)
            with self.assertRaisesRegex(UserError, "Too late"), self.cr.savepoint():
                wizard.action_return()
            with self.assertRaisesRegex(UserError, "Too late"), self.cr.savepoint():
                wizard.action_exchange()
            native = self.env["stock.return.picking"].create(
                {
                    "picking_id": self.delivery_a.id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                }
            )
            native.product_return_moves[0].quantity = 1
            with self.assertRaisesRegex(UserError, "Too late"), self.cr.savepoint():
                native._create_return()
            native.helpdesk_ticket_id = False
            self.assertTrue(native._create_return(), "as in Odoo without a ticket")


@tagged("post_install", "-at_install")
class TestReturnExpiry(HelpdeskReturnCommon):
    """X25: a return that never comes ends by itself, with a mail before."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contact_a1.email = "anna@example.com"

    def setUp(self):
        super().setUp()
        self.back = self._return({self.lamp: 2})
        self.team.write({"return_expiry_days": 14, "return_reminder_days": 3})

    def _run(self, days):
        moment = fields.Datetime.add(self.back.create_date, days=days)
        pickings = self.env["stock.picking"]
        with freeze_time(moment):
            for expired, act in (
                (True, "_expire_returns"),
                (False, "_remind_of_returns"),
            ):
                late = pickings._get_late_returns(self.team, expired, pickings)
                getattr(late, act)()
                self.env.flush_all()
        self.env.invalidate_all()

    def test_x25_reminded_then_ended(self):
        self._run(10)
        self.assertFalse(self.back.helpdesk_reminded_on)
        mails = len(self.ticket_a.message_ids)
        self._run(11)
        self.assertTrue(self.back.helpdesk_reminded_on)
        reminder = self.ticket_a.message_ids[0]
        self.assertEqual(len(self.ticket_a.message_ids), mails + 1)
        self.assertIn(self.back.name, reminder.body)
        self.assertIn(self.contact_a1, reminder.partner_ids)
        self._run(13)
        self.assertEqual(len(self.ticket_a.message_ids), mails + 1, "once")
        self.assertNotEqual(self.back.state, "cancel")
        self._run(14)
        self.assertEqual(self.back.state, "cancel")
        line = self.order_a.order_line[0]
        balance = line._get_after_sales_balance()[line]
        self.assertEqual(balance["left_to_return"], 3)

    def test_x25_late_reminder_keeps_its_promise(self):
        self._run(30)
        self.assertNotEqual(self.back.state, "cancel")
        self._run(32)
        self.assertNotEqual(self.back.state, "cancel")
        self._run(33)
        self.assertEqual(self.back.state, "cancel")

    def test_x25_steps_end_with_it(self):
        step = self.env["helpdesk.after.sales.step"]._plan(
            self.ticket_a, "replacement", self.back
        )
        self.team.return_reminder_days = 0
        self._run(15)
        self.assertEqual(step.state, "cancelled")

    def test_x25_what_was_begun_and_other_teams_stay(self):
        self.team.return_reminder_days = 0
        self.back.move_ids.picked = True
        self._run(15)
        self.assertNotEqual(self.back.state, "cancel", "the warehouse has begun")
        self.back.move_ids.picked = False
        other = self.team.copy({"name": "Other"})
        self.ticket_a.team_id = other
        self._run(15)
        self.assertNotEqual(self.back.state, "cancel")

    # -- Replacement now, goods later (X18) ----------------------------------

    def _exchange(self):
        """Return the return of an exchange whose replacement was delivered."""
        self.back.action_cancel()
        pickings = self._return({self.lamp: 1}, exchange=True)
        self.back = pickings.filtered("return_id")
        self._deliver(pickings - self.back)
        self.team.return_reminder_days = 0

    def test_x18_replaced_and_never_came_back_is_told(self):
        self._exchange()
        self._run(15)
        self.assertEqual(self.back.state, "cancel")
        activity = self.ticket_a.activity_ids
        self.assertIn(self.lamp.display_name, activity.note)
        self.assertFalse(self.order_a.invoice_ids)

    def test_x18_replaced_and_never_came_back_is_invoiced(self):
        invoice = self.order_a._create_invoices()
        invoice.action_post()
        self.team.exchange_unreturned = "invoice"
        self._exchange()
        self._run(15)
        draft = self.order_a.invoice_ids - invoice
        self.assertEqual(draft.state, "draft")
        self.assertEqual(draft.invoice_line_ids.product_id, self.lamp)
        self.assertEqual(draft.invoice_line_ids.quantity, 1)
        self.assertFalse(self.ticket_a.activity_ids)
        open_ones = self.order_a.picking_ids.filtered(
            lambda picking: picking.state not in ("done", "cancel")
        )
        self.assertFalse(open_ones, "nothing is sent once more")

    def test_x18_without_a_replacement_nothing_is_owed(self):
        self.team.return_reminder_days = 0
        self._run(15)
        self.assertFalse(self.ticket_a.activity_ids)
