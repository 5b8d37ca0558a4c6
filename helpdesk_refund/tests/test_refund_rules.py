from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundRules(HelpdeskRefundCommon):
    """X10: what a rule refuses is given in no other way either."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["helpdesk.after.sales.rule"]
        cls.rules.search([]).active = False
        cls.small, cls.rest = cls.rules.create(
            [
                {
                    "name": "Up to 100",
                    "amount_max": 100,
                    "verdict": "allow",
                    "sequence": 1,
                },
                {
                    "name": "More",
                    "verdict": "refuse",
                    "message": "That is too much.",
                    "sequence": 2,
                },
            ]
        )

    def _give(self, amount, **kwargs):
        note = self._refund(helpdesk_amount=amount, invoices=self.invoice_a, **kwargs)
        self.assertEqual(note.amount_total, amount)
        return note

    def _assert_refused(self, method, *args, **kwargs):
        with self.assertRaisesRegex(UserError, "That is too much"), self.cr.savepoint():
            method(*args, **kwargs)

    def test_x10_popup_says_what_the_rule_does(self):
        form = self._form()
        form.move_ids = self.invoice_a
        self.assertIn(self.rest.name, form.helpdesk_rule_notice)
        form.helpdesk_amount = 60
        self.assertIn(self.small.name, form.helpdesk_rule_notice)

    def test_x10_amount_left_empty(self):
        self._assert_refused(self._refund, invoices=self.invoice_a)
        wizard = self._wizard_by_rpc(move_ids=[Command.set(self.invoice_a.ids)])
        self._assert_refused(wizard.refund_moves)
        self._assert_refused(wizard.modify_moves)

    def test_x10_two_halves_second_ticket_team_and_colleague(self):
        self._give(60)
        self._assert_refused(self._give, 60)
        other_team = self.team.copy({"name": "Another team"})
        other_team.member_ids += self.billing_agent
        colleague = self._new_user(
            "after_sales_billing_colleague",
            "helpdesk_after_sales.group_helpdesk_user,account.group_account_invoice",
        )
        other_team.member_ids += colleague
        second = self._ticket(
            self.contact_a2, team_id=other_team.id, sale_order_id=self.order_a.id
        )
        self._assert_refused(self._give, 60, ticket=second)
        self._assert_refused(self._give, 60, ticket=second, user=colleague)
        self.assertTrue(self._give(40, ticket=second, user=colleague))

    def test_x10_customer_of_the_ticket_is_changed_in_between(self):
        self._give(60)
        order = self._sell(self.customer_b, (self.desk, 1))
        self.ticket_a.write(
            {"partner_id": self.customer_b.id, "sale_order_id": order.id}
        )
        second = self._ticket(self.contact_a2, sale_order_id=self.order_a.id)
        self._assert_refused(self._give, 60, ticket=second)

    def test_x10_date_of_the_credit_note_is_changed(self):
        self.small.amount_days = 30
        note = self._give(60)
        note.write({"invoice_date": "2020-01-01", "date": "2020-01-01"})
        second = self._ticket(self.contact_a2, sale_order_id=self.order_a.id)
        self._assert_refused(self._give, 60, ticket=second)
        self.assertGreater(note.create_date, fields.Datetime.to_datetime("2021-01-01"))

    def test_x10_draft_is_raised_before_it_is_posted(self):
        note = self._give(60)
        line = note.invoice_line_ids.filtered("price_total")[:1]
        line.price_unit += 50
        self._assert_refused(note.action_post)
        line.price_unit -= 55
        note.action_post()
        self.assertEqual(note.state, "posted")

    def test_x10_made_in_the_application_on_a_ticket(self):
        values = {
            "move_type": "out_refund",
            "partner_id": self.customer_a.id,
            "invoice_line_ids": [
                Command.create({"product_id": self.desk.id, "price_unit": 200.0})
            ],
        }
        notes = self.env["account.move"].with_user(self.billing_agent)
        self._assert_refused(
            notes.create, values | {"helpdesk_ticket_id": self.ticket_a.id}
        )
        note = notes.create(values)
        self._assert_refused(note.write, {"helpdesk_ticket_id": self.ticket_a.id})
        note.action_post()  # without a ticket as in Odoo

    def test_x10_cancelled_ones_do_not_count(self):
        self._give(60).button_cancel()
        self.assertTrue(self._give(60))

    def test_x10_what_rules_would_have_said_about_last_year(self):
        (self.small | self.rest).active = False
        first, second = self._give(80), self._give(90)
        (self.small | self.rest).active = True
        rows = self.env["helpdesk.after.sales.rule.review"].with_user(self.manager)
        with self.assertRaises(AccessError):
            self.rules.with_user(self.agent).action_review()
        self.env.cr.execute(
            "UPDATE account_move SET create_date = create_date - interval '1 day' "
            "WHERE id = %s",
            [first.id],
        )
        first.invalidate_recordset()
        action = self.rules.with_user(self.manager).action_review()
        found = rows.search(action["domain"]).filtered(
            lambda row: row.ticket_id == self.ticket_a
        )
        self.assertEqual(
            {row.amount: row.verdict for row in found}, {80: "allow", 90: "refuse"}
        )
        self.assertTrue(second)

    def test_x10_fee_is_proposed_and_held(self):
        self.rest.write({"verdict": "allow", "fee_percent": 10})
        form = self._form()
        form.move_ids = self.invoice_a
        self.assertEqual(form.helpdesk_fee_percent, 10)
        wizard = form.save()
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.amount_total, 360)
        note = wizard.new_move_ids
        fee = note.invoice_line_ids.filtered(lambda line: line.price_total < 0)
        fee.price_unit = 0
        with self.assertRaisesRegex(UserError, self.rest.name), self.cr.savepoint():
            note.action_post()

    def test_x10_fee_can_not_be_emptied(self):
        self.rest.write({"verdict": "allow", "fee_percent": 10})
        form = self._form()
        form.move_ids = self.invoice_a
        form.helpdesk_fee_percent = 0
        form.helpdesk_fee = 0
        wizard = form.save()
        with self.assertRaisesRegex(UserError, self.rest.name), self.cr.savepoint():
            wizard.refund_moves()
        wizard.helpdesk_amount = 361
        with self.assertRaisesRegex(UserError, self.rest.name), self.cr.savepoint():
            wizard.refund_moves()
        wizard.helpdesk_amount = 360
        wizard.refund_moves()


@tagged("post_install", "-at_install")
class TestRefundApprovals(HelpdeskRefundCommon):
    """X10: a rule that asks lets nothing through before a colleague agrees."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["helpdesk.after.sales.rule"]
        cls.rules.search([]).active = False
        cls.rule = cls.rules.create({"name": "Second pair of eyes", "verdict": "ask"})
        manager = "helpdesk_after_sales.group_helpdesk_manager"
        cls.chief, cls.other_chief = cls._new_users(
            {
                f"after_sales_chief_{number}": f"{manager},"
                "account.group_account_invoice"
                for number in (1, 2)
            }
        )
        cls.rule.approver_ids = cls.chief | cls.other_chief

    def _ask(self, amount=60, user=None):
        """Press Reverse; returns the approval."""
        wizard = self._wizard(
            user=user, invoices=self.invoice_a, helpdesk_amount=amount
        )
        action = wizard.refund_moves()
        self.assertEqual(action["tag"], "display_notification")
        self.assertFalse(wizard.new_move_ids)
        self.assertFalse(self.ticket_a.credit_note_ids)
        return self.ticket_a.approval_ids.search(
            [("ticket_id", "=", self.ticket_a.id)], limit=1
        )

    def _approve(self, approval, user=None):
        return approval.with_user(user or self.chief).action_approve()

    def test_x10_asked_and_made_by_who_approves(self):
        approval = self._ask()
        self.assertRecordValues(
            approval,
            [
                {
                    "state": "asked",
                    "amount": 60,
                    "user_id": self.billing_agent.id,
                    "rule_id": self.rule.id,
                }
            ],
        )
        asked = self.ticket_a.activity_ids.filtered("helpdesk_approval_id")
        self.assertEqual(asked.user_id, self.chief | self.other_chief)
        self.assertIn(
            approval.what, self.ticket_a.with_user(self.agent).approval_notice
        )
        self.assertTrue(approval.with_user(self.chief).can_answer)
        self.assertFalse(approval.with_user(self.billing_agent).can_answer)
        self._approve(approval)
        note = self.ticket_a.credit_note_ids
        self.assertEqual((note.amount_total, note.create_uid), (60, self.chief))
        self.assertEqual(
            (note.helpdesk_approval_id, approval.state), (approval, "approved")
        )
        said = " ".join(note.message_ids.mapped("body"))
        self.assertIn(self.billing_agent.name, said)
        self.assertIn(self.chief.name, said)
        self.assertFalse(asked.exists())
        note.with_user(self.billing_agent).action_post()
        self.assertEqual(note.state, "posted")
        with self.assertRaises(UserError), self.cr.savepoint():
            self._approve(approval, self.other_chief)

    def test_x10_who_asked_does_not_approve(self):
        approval = self._ask(user=self.chief)
        self.assertEqual(
            self.ticket_a.activity_ids.filtered("helpdesk_approval_id").user_id,
            self.other_chief,
        )
        for user in (self.chief, self.manager, self.agent, self.billing_agent):
            with (
                self.subTest(user=user.login),
                self.assertRaises(AccessError),
                self.cr.savepoint(),
            ):
                self._approve(approval, user)
            with self.assertRaises(AccessError), self.cr.savepoint():
                approval.with_user(user).action_decline()
        for values in ({"state": "approving"}, {"user_id": self.agent.id}):
            with self.assertRaises(AccessError), self.cr.savepoint():
                approval.with_user(self.chief).write(values)

    def test_x10_declined_with_a_reason(self):
        approval = self._ask()
        action = approval.with_user(self.chief).action_decline()
        self.env[action["res_model"]].with_user(self.chief).with_context(
            **action["context"]
        ).create({"reason": "Offer a repair first"}).action_decline()
        self.assertEqual(
            (approval.state, approval.approver_id), ("declined", self.chief)
        )
        told = self.ticket_a.activity_ids.filtered(
            lambda activity: activity.user_id == self.billing_agent
        )
        self.assertIn("Offer a repair first", told.note)
        self.assertFalse(self.ticket_a.credit_note_ids)

    def test_x10_asked_once_and_taken_back(self):
        approval = self._ask()
        self.assertEqual(self._ask(), approval)
        self.assertEqual(len(self.ticket_a.approval_ids), 1)
        with self.assertRaises(AccessError), self.cr.savepoint():
            approval.with_user(self.agent).action_cancel()
        approval.with_user(self.billing_agent).action_cancel()
        with self.assertRaises(UserError), self.cr.savepoint():
            self._approve(approval)
        self.assertEqual(approval.state, "cancelled")

    def test_x10_not_possible_any_more(self):
        approval = self._ask(400)
        self.rule.active = False
        self._refund(invoices=self.invoice_a)
        with self.assertRaises(UserError), self.cr.savepoint():
            self._approve(approval)
        self.assertEqual(approval.state, "asked")
        refuse = self.rules.create({"name": "No more", "verdict": "refuse"})
        self.ticket_a.credit_note_ids.button_cancel()
        with self.assertRaisesRegex(UserError, refuse.name), self.cr.savepoint():
            self._approve(approval)

    def test_x10_draft_raised_after_it_was_approved(self):
        self._approve(self._ask())
        note = self.ticket_a.credit_note_ids
        line = note.invoice_line_ids.filtered("price_total")[:1]
        line.price_unit += 30
        self.assertTrue(note.helpdesk_needs_approval)
        with self.assertRaisesRegex(UserError, self.rule.name), self.cr.savepoint():
            note.with_user(self.billing_agent).action_post()
        note.with_user(self.billing_agent).action_helpdesk_ask_approval()
        again = self.ticket_a.approval_ids.filtered(lambda a: a.state == "asked")
        line.price_unit += 30
        with self.assertRaises(UserError), self.cr.savepoint():
            self._approve(again)
        line.price_unit -= 30
        self._approve(again, self.other_chief)
        self.assertEqual(note.state, "posted")

    def test_x10_nobody_left_to_approve(self):
        approvals = self.env.registry["helpdesk.after.sales.approval"]
        wizard = self._wizard(invoices=self.invoice_a)
        nobody = self.env["res.users"]
        with (
            patch.object(approvals, "_get_approvers", lambda _approval: nobody),
            self.assertRaises(UserError),
            self.cr.savepoint(),
        ):
            wizard.refund_moves()
        self.assertFalse(self.ticket_a.approval_ids)
        (self.chief | self.other_chief).active = False
        self.manager.group_ids += self.env.ref("account.group_account_invoice")
        approvers = self._ask()._get_approvers()
        self.assertIn(self.manager, approvers)
        self.assertFalse(approvers & (self.chief | self.other_chief | self.agent))
