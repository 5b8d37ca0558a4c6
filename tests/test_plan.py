"""What follows when a return has arrived (X18). The addons don't know each other."""

import pytest

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestPlan(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        services = dict(cls.env["helpdesk.after.sales.step"]._get_choices())
        if not {"refund_draft", "gift_card", "replacement"} <= set(services):
            pytest.skip("not all services are installed")
        cls.accountant = cls._new_user(
            "plan_accountant",
            "helpdesk_after_sales.group_helpdesk_user,account.group_account_invoice",
        )
        cls.team.write(
            {
                "use_product_returns": True,
                "use_credit_notes": True,
                "use_coupons": True,
                "use_gift_cards": True,
                "member_ids": [Command.set((cls.agent | cls.accountant).ids)],
            }
        )
        cls.order = cls._sell(cls.contact_a1, (cls.lamp, 4))
        cls.invoice = cls.order._create_invoices()
        cls.invoice.action_post()
        cls.ticket = cls._ticket(
            cls.contact_a1, sale_order_id=cls.order.id, user_id=cls.agent.id
        )

    def _return(self, settlement, quantity=2, user=None):
        """Return a return with a plan, made from the ticket."""
        user = user or self.accountant
        action = self.ticket.with_user(user).action_return()
        wizard = (
            self.env["helpdesk.return.wizard"]
            .with_user(user)
            .with_context(**action["context"])
            .create({"settlement": settlement})
        )
        wizard.line_ids.quantity = quantity
        wizard.action_return()
        return wizard.sudo().made_picking_ids

    def _process(self, picking, *parts):
        wizard = (
            self.env["helpdesk.return.process"]
            .with_user(self.stock_user)
            .create({"picking_id": picking.id})
        )
        move = wizard.line_ids.move_id[:1]
        wizard.line_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "move_id": move.id,
                        "quantity": quantity,
                        "condition": condition,
                        "disposition_id": self.env.ref(
                            f"helpdesk_return.disposition_{kind}"
                        ).id,
                    }
                )
                for quantity, condition, kind in parts
            ),
        ]
        wizard.action_process()

    def _validate(self, picking):
        picking.with_user(self.stock_user).with_context(skip_sms=True).button_validate()
        self.assertEqual(picking.state, "done")

    def _steps(self):
        return [(step.service, step.state) for step in self.ticket.step_ids]

    # -- Refund --------------------------------------------------------------

    def test_x18_refund_of_what_was_accepted(self):
        picking = self._return("refund_draft", 3)
        self.assertEqual(self._steps(), [("refund_draft", "waiting")])
        promised = self.ticket._get_timeline(customer=True)
        self.assertIn(self.ticket.step_ids._describe(), [a["title"] for a in promised])
        self._process(
            picking,
            (1, "sound", "restock"),
            (1, "wrong", "customer"),
            (1, "missing", "missing"),
        )
        self.assertEqual(self._steps(), [("refund_draft", "done")])
        note = self.ticket.credit_note_ids
        self.assertEqual((note.state, note.create_uid), ("draft", self.accountant))
        self.assertEqual(note.invoice_line_ids.quantity, 1)
        # Decided anew while it is a draft: the draft follows.
        self._process(picking, (2, "sound", "restock"))
        note = self.ticket.credit_note_ids
        self.assertEqual(note.invoice_line_ids.quantity, 2)
        self.assertEqual(self._steps(), [("refund_draft", "done")])

    def test_x18_posted_and_the_rest_later(self):
        picking = self._return("refund_post", 3)
        self._process(picking, (2, "sound", "restock"))
        note = self.ticket.credit_note_ids
        self.assertEqual(note.state, "posted")
        self.assertEqual(note.invoice_line_ids.quantity, 2)
        self.assertEqual(
            self._steps(), [("refund_post", "done"), ("refund_post", "waiting")]
        )
        self._validate(picking.backorder_ids)
        self.assertEqual(
            sum(self.ticket.credit_note_ids.invoice_line_ids.mapped("quantity")), 3
        )

    def test_x18_money_by_who_may(self):
        """An agent plans; who may make invoices is asked, and nothing is made."""
        picking = self._return("refund_post", user=self.agent)
        self._validate(picking)
        self.assertEqual(self._steps(), [("refund_post", "ready")])
        self.assertFalse(self.ticket.credit_note_ids)
        asked = self.ticket.activity_ids.user_id
        self.assertTrue(asked.has_group("account.group_account_invoice"))

    def test_x18_a_plan_that_fails_never_stops_the_warehouse(self):
        picking = self._return("refund_post")
        self.invoice._reverse_moves([{}], cancel=True)  # its money is gone
        self._validate(picking)
        step = self.ticket.step_ids
        self.assertEqual(step.state, "failed")
        self.assertTrue(step.reason)
        self.assertEqual(self.ticket.activity_ids.user_id, self.agent)
        self.assertEqual(self.order.order_line.qty_delivered, 2)

    def test_x18_who_planned_it_has_left(self):
        picking = self._return("refund_post")
        self.accountant.group_ids = [
            Command.unlink(self.env.ref("account.group_account_invoice").id)
        ]
        self._validate(picking)
        self.assertFalse(self.ticket.credit_note_ids)
        self.assertIn(self.ticket.step_ids.state, ("ready", "failed"))

    # -- Others --------------------------------------------------------------

    def test_x18_replacement(self):
        picking = self._return("replacement", user=self.agent)
        self._process(picking, (1, "damaged", "scrap"), (1, "wrong", "customer"))
        step = self.ticket.step_ids
        self.assertEqual(step.state, "done")
        sent = self.env["stock.picking"].browse(step.made_id)
        self.assertEqual(sent.move_ids.mapped("product_uom_qty"), [1])
        self.assertEqual(sent.helpdesk_ticket_id, self.ticket)
        self.assertEqual(sent.location_dest_id.usage, "customer")
        self.assertEqual(
            self.ticket.sudo()._get_returned_purchases(), {self.order.order_line: 0}
        )

    def test_x18_gift_card(self):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create({})._create_payments()
        self.env["loyalty.program"].create(
            {
                "name": "Gift Cards",
                "program_type": "gift_card",
                "applies_on": "future",
                "trigger": "auto",
                "reward_ids": [
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount_mode": "per_point",
                            "discount": 1,
                        }
                    )
                ],
            }
        )
        picking = self._return("gift_card", user=self.agent)
        self._validate(picking)
        step = self.ticket.step_ids
        self.assertEqual(step.state, "done", step.reason)
        self.assertEqual(self.ticket.coupon_ids.points, 100)

    def test_x18_nothing_accepted_nothing_follows(self):
        picking = self._return("refund_post")
        self._process(picking, (2, "wrong", "customer"))
        self.assertEqual(self._steps(), [("refund_post", "cancelled")])
        self.assertFalse(self.ticket.credit_note_ids)

    def test_x18_a_return_that_never_comes(self):
        picking = self._return("refund_post")
        picking.with_user(self.stock_user).action_cancel()
        self.assertEqual(self._steps(), [("refund_post", "cancelled")])
        other = self._return("refund_post")
        self._process(other, (2, "missing", "missing"))
        self.assertEqual(self._steps()[1:], [("refund_post", "cancelled")])

    def test_x18_cancelled_by_an_agent(self):
        picking = self._return("refund_post")
        step = self.ticket.step_ids
        for user in (self.stock_user, self.employee):
            with self.assertRaises(AccessError):
                step.with_user(user).action_cancel()
        step.with_user(self.agent).action_cancel()
        self._validate(picking)
        self.assertFalse(self.ticket.credit_note_ids)
        with self.assertRaises(UserError):
            step.with_user(self.agent).action_cancel()

    def test_x18_what_the_team_does_not_do_is_not_planned(self):
        self.team.use_gift_cards = False
        with self.assertRaises(UserError):
            self._return("gift_card")
        self.assertFalse(self.ticket.return_ids)

    def test_x18_choices_are_what_the_team_does(self):
        action = self.ticket.with_user(self.agent).action_return()
        wizards = self.env["helpdesk.return.wizard"].with_user(self.agent)
        wizards = wizards.with_context(**action["context"])
        self.team.use_gift_cards = False
        self.assertEqual(
            set(wizards.create({}).settlement_choices),
            {"refund_draft", "refund_post", "replacement"},
        )
        self.team.write({"use_gift_cards": True, "use_credit_notes": False})
        self.assertEqual(
            set(wizards.create({}).settlement_choices), {"gift_card", "replacement"}
        )

    def test_x18_plan_of_a_ticket_that_is_merged(self):
        picking = self._return("refund_draft")
        target = self._ticket(self.contact_a1, user_id=self.agent.id)
        self.ticket.with_user(self.agent)._merge_into(target.with_user(self.agent))
        step = target.step_ids
        self.assertEqual(step.state, "waiting")
        self._process(picking, (2, "sound", "restock"))
        self.assertEqual(step.state, "done")
        self.assertEqual(target.credit_note_ids.ids, [step.made_id])

    def test_x10_step_waits_for_an_approval(self):
        self.env["helpdesk.after.sales.rule"].search([]).active = False
        rule = self.env["helpdesk.after.sales.rule"].create(
            {
                "name": "Second pair of eyes",
                "verdict": "ask",
                "services": self.env.ref("helpdesk_after_sales.service_refund").ids,
            }
        )
        self.manager.group_ids += self.env.ref("account.group_account_invoice")
        self._deliver(self._return("refund_post"))
        step = self.ticket.step_ids
        self.assertEqual(step.state, "ready")
        approval = self.ticket.approval_ids
        self.assertEqual((approval.amount, approval.rule_id), (100, rule))
        with self.assertRaises(AccessError), self.cr.savepoint():
            approval.with_user(self.accountant).action_approve()
        approval.with_user(self.manager).action_approve()
        note = self.ticket.credit_note_ids
        self.assertEqual((note.state, note.amount_total), ("posted", 100))
        self.assertEqual((step.state, step.made_id), ("done", note.id))
        declined = self._return("refund_post", 1)
        self._deliver(declined)
        waiting = self.ticket.approval_ids.filtered(lambda a: a.state == "asked")
        waiting.with_user(self.manager)._decline("Not again")
        self.assertEqual((self.ticket.step_ids - step).mapped("state"), ["failed"])

    def test_x10_plan_promises_nothing_that_a_rule_refuses(self):
        self.env["helpdesk.after.sales.rule"].search([]).active = False
        self.env["helpdesk.after.sales.rule"].create(
            {
                "name": "No money",
                "verdict": "refuse",
                "services": self.env.ref("helpdesk_after_sales.service_refund").ids,
            }
        )
        with self.assertRaisesRegex(UserError, "No money"), self.cr.savepoint():
            self._return("refund_post")
        self.assertTrue(self._return("gift_card"))
