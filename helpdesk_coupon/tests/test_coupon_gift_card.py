import re

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponGiftCard(HelpdeskCouponCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_gift_cards = True
        cls.gift_program = cls._program(
            "Gift cards",
            "gift_card",
            reward={"discount_mode": "per_point", "discount": 1},
            rule_ids=[Command.clear()],
        )
        cls.order_a = cls._sell(cls.contact_a1, (cls.lamp, 2))
        cls.invoice_a = cls.order_a._create_invoices()
        cls.invoice_a.action_post()
        cls._pay(cls.invoice_a)

    def _gift_card(self, **values):
        return self._generate_coupon(program_type="gift_card", **values)

    def _gift_card_wizard(self, ticket):
        """Return the pop-up as RPC makes it: the form wants an invoice first."""
        return (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create(
                {
                    "helpdesk_ticket_id": ticket.id,
                    "program_type": "gift_card",
                    "amount": 1,
                }
            )
        )

    def test_x10_rules_count_codes_over_tickets(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create(
            [
                {"name": "Little", "amount_max": 50, "sequence": 1},
                {"name": "Too much", "verdict": "refuse", "sequence": 2},
            ]
        )
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            self._gift_card(amount=60)
        self._gift_card(amount=30)
        second = self._ticket(self.contact_a2)
        wizard = self._wizard(ticket=second, program_type="gift_card", amount=30)
        self.assertTrue(wizard.helpdesk_rule_refuses)
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            wizard.action_send_by_email()
        # Ten percent of whatever is no small amount.
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            self._generate_coupon(ticket=second)
        card = self.env["loyalty.card"].create(
            {"program_id": self.gift_program.id, "points": 60}
        )
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            card.helpdesk_ticket_id = second

    def test_x10_asked_and_approved_as_it_was_filled_in(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Ask first", "verdict": "ask"})
        wizard = self._wizard(program_type="gift_card", amount=30)
        wizard.action_send_by_email()
        self.assertFalse(wizard.coupon_id or self.ticket_a.coupon_ids)
        self.assertEqual(self.ticket_a.approval_ids.amount, 30)
        self.ticket_a.approval_ids.with_user(self.manager).action_approve()
        self.assertEqual(self.ticket_a.coupon_ids.points, 30)
        self.assertEqual(self.ticket_a.coupon_ids.helpdesk_invoice_id, self.invoice_a)

    def test_gift_card_takes_what_is_left_of_the_invoice(self):
        wizard = self._wizard(program_type="gift_card")
        self.assertEqual(wizard.program_id, self.gift_program)
        self.assertEqual(wizard.invoice_id, self.invoice_a)
        self.assertEqual(wizard.amount, 100)
        card = self._gift_card(amount=30)
        self.assertRecordValues(
            card,
            [
                {
                    "points": 30,
                    "helpdesk_value": 30,
                    "helpdesk_invoice_id": self.invoice_a.id,
                    "partner_id": self.contact_a1.id,
                }
            ],
        )
        self.assertEqual(self.invoice_a.amount_left_to_refund, 70)

    def test_never_more_than_what_is_left(self):
        self._gift_card(amount=30)
        with self.assertRaisesRegex(UserError, "70.00 is left"):
            self._gift_card(amount=70.01)
        self._gift_card(amount=70)
        self.assertEqual(self.invoice_a.amount_left_to_refund, 0)
        with self.assertRaises(UserError):
            self._gift_card(amount=1)

    def test_credit_notes_count(self):
        self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=self.invoice_a.ids
        ).create({"journal_id": self.invoice_a.journal_id.id}).refund_moves()
        with self.assertRaises(UserError):
            self._gift_card(amount=1)

    def test_withdrawn_card_gives_the_money_back(self):
        card = self._gift_card(amount=30)
        card.with_user(self.agent)._withdraw_from_helpdesk("Refunded instead")
        self.assertEqual(self.invoice_a.amount_left_to_refund, 100)

    def test_t4_odd_amounts_are_refused(self):
        for amount in (0, -5, float("nan"), 1e308, 0.001):
            wizard = (
                self.env["helpdesk.coupon.wizard"]
                .with_user(self.agent)
                .create(
                    {
                        "helpdesk_ticket_id": self.ticket_a.id,
                        "program_type": "gift_card",
                        "program_id": self.gift_program.id,
                        "invoice_id": self.invoice_a.id,
                        "amount": 1,
                    }
                )
            )
            with self.subTest(amount=amount), self.assertRaises(UserError):
                wizard.amount = amount
                wizard.action_send_by_email()
        self.assertFalse(self.gift_program.coupon_ids)

    def test_foreign_invoice_is_refused_and_not_told(self):
        order = self._sell(self.customer_b, (self.desk, 1))
        foreign = order._create_invoices()
        foreign.action_post()
        self._pay(foreign)
        draft = self._sell(self.contact_a1, (self.desk, 1))._create_invoices()
        for invoice in (foreign, draft):
            wizard = self._wizard(program_type="gift_card")
            with self.assertRaises(AccessError):
                wizard.invoice_id = invoice
            # Who could have: what is left of it isn't told, and it buys nothing.
            wizard.sudo().invoice_id = invoice
            self.assertEqual(wizard.amount_left, 0)
            wizard.amount = 1
            with self.assertRaisesRegex(UserError, "posted invoice"):
                wizard.action_send_by_email()

    def test_order_that_is_not_invoiced_says_so(self):
        """What is left is that of posted invoices, as for Refund: of an order without
        one it is nothing, whether it was paid online or not."""
        order = self._sell(self.contact_a1, (self.desk, 2))
        self.ticket_a.sale_order_id = order
        methods = self.env["payment.method"].with_context(active_test=False)
        transaction = self.env["payment.transaction"].create(
            {
                "provider_id": self.env["payment.provider"].search([], limit=1).id,
                "payment_method_id": methods.search([], limit=1).id,
                "amount": order.amount_total,
                "currency_id": order.currency_id.id,
                "partner_id": order.partner_id.id,
                "sale_order_ids": [Command.set(order.ids)],
                "state": "done",
            }
        )
        self.assertEqual(order.amount_paid, transaction.amount)
        sentence = f"Nothing of {order.name} has been invoiced yet"
        draft = self.env["account.move"]
        for invoiced in ("nothing", "a draft"):
            with self.subTest(invoiced=invoiced):
                wizard = self._gift_card_wizard(self.ticket_a)
                self.assertIn(sentence, wizard.notice)
                self.assertFalse(wizard.invoice_id)
                with self.assertRaisesRegex(UserError, sentence):
                    wizard.action_send_by_email()
            draft = draft or order._create_invoices()
        # Invoiced in part: what of that is left.
        draft.invoice_line_ids.quantity = 1
        draft.action_post()
        self._pay(draft)
        wizard = self._wizard(program_type="gift_card")
        self.assertFalse(wizard.notice)
        self.assertEqual(wizard.invoice_id, draft)
        self.assertEqual(wizard.amount, draft.amount_total)
        self.assertLess(wizard.amount, order.amount_total)

    def test_t7_order_that_is_billed_to_somebody_else(self):
        """money F9, T7: it is invoiced, and the buyer gets the card."""
        order = self._sell(
            self.contact_a1, (self.lamp, 1), partner_invoice_id=self.customer_b.id
        )
        invoice = order._create_invoices()
        invoice.action_post()
        self._pay(invoice)
        self.ticket_a.sale_order_id = order
        wizard = self._wizard(program_type="gift_card")
        self.assertFalse(wizard.notice)
        self.assertEqual((wizard.invoice_id, wizard.amount), (invoice, 50))
        wizard.action_send_by_email()
        self.assertEqual(wizard.coupon_id.sudo().partner_id, self.contact_a1)
        self.assertFalse(invoice.amount_left_to_refund)

    def test_customer_without_an_invoice_reads_so(self):
        ticket = self._ticket(self.customer_b)
        wizard = self._gift_card_wizard(ticket)
        self.assertIn("has no posted invoice", wizard.notice)
        with self.assertRaisesRegex(UserError, "has no posted invoice"):
            wizard.action_send_by_email()

    def test_team_must_allow_it(self):
        self.team.use_gift_cards = False
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create(
                {
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "program_type": "gift_card",
                }
            )
        )
        with self.assertRaisesRegex(UserError, "gives no gift cards"):
            wizard.action_send_by_email()

    def test_x10_value_limit_holds_for_gift_cards(self):
        self.team.coupon_limit_value = 20
        with self.assertRaisesRegex(UserError, re.escape(self.manager.name)):
            self._gift_card(amount=30)
        self.assertTrue(self._gift_card(amount=30, user=self.manager))

    def test_gift_card_pays_part_by_part(self):
        card = self._gift_card(amount=30)
        order = self._order(self.contact_a1, quantity=1)
        self._apply(order, card)
        order.action_confirm()
        self.assertEqual(order.amount_total, 20)
        self.assertEqual(card.coupon_state, "used")
        self.assertEqual(
            self.invoice_a.amount_left_to_refund, 70, "the value given counts"
        )

    def test_t12_nothing_instead_of_money_that_was_not_paid(self):
        """rights hole 11c: the invoice stays due, and the card could be spent."""
        self.ticket_a.sale_order_id = self._sell(self.contact_a1, (self.lamp, 4))
        invoice = self.ticket_a.sale_order_id._create_invoices()
        invoice.action_post()
        wizard = self._wizard(program_type="gift_card")
        self.assertEqual(
            (wizard.invoice_id, wizard.amount_due, wizard.amount), (invoice, 200, 0)
        )
        for amount in (0, 1, 200):
            with (
                self.subTest(amount=amount),
                self.assertRaisesRegex(UserError, r"\$.200\.00 of .* is still due"),
            ):
                self._gift_card(amount=amount)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"amount": 150}).action_create_payments()
        with self.assertRaisesRegex(UserError, "is still due"):
            self._gift_card(amount=151)
        self.assertEqual(self._gift_card(amount=150).points, 150)

    def test_c4_a_card_that_buys_nothing_is_not_given(self):
        """money C4: Odoo takes no gift card below the points of its reward."""
        with self.assertRaises(UserError):
            self._gift_card(amount=0.5)
        self.assertFalse(self.gift_program.coupon_ids)
        self.assertEqual(self._gift_card(amount=1).coupon_state, "valid")

    def test_t6_credited_in_full_names_the_credit_note(self):
        wizard = self._wizard(program_type="gift_card")
        reversal = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice_a.ids)
            .create({"journal_id": self.invoice_a.journal_id.id})
        )
        reversal.refund_moves()
        reversal.new_move_ids.action_post()
        with self.assertRaisesRegex(UserError, reversal.new_move_ids.name):
            wizard.action_send_by_email()

    def test_f11_an_expired_card_gives_its_money_back(self):
        card = self._gift_card(amount=30)
        card.expiration_date = fields.Date.subtract(fields.Date.today(), days=1)
        self.assertEqual(card.coupon_state, "expired")
        self.assertEqual(self.invoice_a.amount_left_to_refund, 70)
        self._withdraw(card)
        self.assertEqual(self.invoice_a.amount_left_to_refund, 100)

    def test_f11_the_rest_of_a_card_can_be_withdrawn(self):
        card = self._gift_card(amount=80)
        order = self._order(self.contact_a1, quantity=1)
        self._apply(order, card)
        order.action_confirm()
        self.assertEqual(card.points, 30)
        self._withdraw(card)
        self.assertEqual(self.invoice_a.amount_left_to_refund, 50)

    def test_f11_an_expired_card_can_be_extended(self):
        """money F11: by the agent, in the days of its program."""
        card = self._gift_card(amount=30)
        today = fields.Date.today()
        card.expiration_date = fields.Date.subtract(today, days=1)
        action = card.with_user(self.agent).action_helpdesk_extend()
        wizards = self.env[action["res_model"]].with_user(self.agent)
        wizard = wizards.with_context(**action["context"]).create({})
        self.assertGreater(wizard.valid_until, today)
        end = fields.Date.add(today, days=10)
        card.program_id.date_to = end
        wizard.valid_until = fields.Date.add(end, days=1)
        with self.assertRaises(UserError):
            wizard.action_extend()
        wizard.valid_until = fields.Date.subtract(today, days=1)
        with self.assertRaises(UserError):
            wizard.action_extend()
        self.assertEqual(card.coupon_state, "expired")
        wizard.valid_until = False
        wizard.action_extend()
        self.assertEqual((card.expiration_date, card.coupon_state), (end, "valid"))
        self.assertEqual(self.invoice_a.amount_left_to_refund, 70)
        self._withdraw(card)
        with self.assertRaises(UserError):
            wizard.action_extend()
        self.assertEqual(card.coupon_state, "withdrawn")

    def test_f11_a_card_of_a_program_that_ended_is_not_extended(self):
        card = self._gift_card(amount=30)
        day = fields.Date.subtract(fields.Date.today(), days=1)
        card.program_id.date_to = card.expiration_date = day
        with self.assertRaises(UserError):
            card.with_user(self.agent).action_helpdesk_extend()
        with self.assertRaises(AccessError):
            card.with_user(self.employee).action_helpdesk_extend()
        self._withdraw(card)

    def _withdraw(self, card):
        action = card.with_user(self.agent).action_helpdesk_withdraw()
        self.env[action["res_model"]].with_user(self.agent).with_context(
            **action["context"]
        ).create({"reason": "Not used"}).action_withdraw()

    def test_t10_a_gift_card_is_called_that(self):
        card = self._gift_card(amount=30)
        title = card.sudo()._prepare_timeline_values()["title"]
        self.assertIn(card._after_sales_kind(), title)
        self.assertNotIn("Coupon", title)
