"""Coupons and gift cards follow the refund of their order (issue 16 D): needs both
addons, which don't know each other."""

import pytest

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestCardRefund(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not {"helpdesk.coupon.wizard", "helpdesk.refund.line"} <= set(cls.env):
            pytest.skip("helpdesk_coupon and helpdesk_refund are not both installed")
        cls.agent = new_test_user(
            cls.env,
            "card_agent",
            groups="helpdesk_after_sales.group_helpdesk_user,"
            "account.group_account_invoice",
        )
        cls.customer = cls.env["res.partner"].create({"name": "Card customer"})
        team = cls.env["helpdesk.team"].create(
            {"name": "Cards", "use_coupons": True, "use_credit_notes": True}
        )
        cls.ticket = cls.env["helpdesk.ticket"].create(
            {"name": "Lamp", "team_id": team.id, "partner_id": cls.customer.id}
        )
        cls.lamp, cls.card_product = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "service",
                    "list_price": 50,
                    "invoice_policy": "order",
                    "taxes_id": False,
                }
                for name in ("Lamp", "Gift Card of 50")
            ]
        )
        cls.gift_program = cls._program(
            "gift_card",
            {"discount_mode": "per_point", "discount": 1, "required_points": 1},
            trigger="auto",
            applies_on="future",
        )
        cls.coupon_program = cls._program(
            "coupons", {"discount": 10, "required_points": 1}
        )

    @classmethod
    def _program(cls, program_type, reward, **values):
        return cls.env["loyalty.program"].create(
            {
                "name": program_type,
                "program_type": program_type,
                "rule_ids": [Command.clear()],
                "reward_ids": [Command.clear(), Command.create(reward)],
            }
            | values
        )

    def _sell(self, *lines, card=False):
        """Return the posted invoice of an order that ``card`` was used on."""
        order = self.env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity}
                    )
                    for product, quantity in lines
                ],
            }
        )
        if card:
            status = order._try_apply_code(card.code)
            self.assertNotIn("error", status)
            for coupon, rewards in status.items():
                order._apply_program_reward(rewards[:1], coupon)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        return invoice

    def _card(self, program, points):
        return self.env["loyalty.card"].create(
            {"program_id": program.id, "points": points, "partner_id": False}
        )

    def _wizard(self, invoice):
        wizards = self.env["account.move.reversal"].with_user(self.agent)
        return wizards.create(
            {
                "helpdesk_ticket_id": self.ticket.id,
                "move_ids": [Command.set(invoice.ids)],
            }
        )

    def _refund(self, invoice, quantity=None):
        wizard = self._wizard(invoice)
        if quantity is not None:
            wizard.helpdesk_line_ids.quantity = quantity
        wizard.refund_moves()
        note = wizard.new_move_ids
        note.action_post()
        return note

    def test_what_a_gift_card_paid_goes_back_on_it(self):
        card = self._card(self.gift_program, 40)
        invoice = self._sell((self.lamp, 2), card=card)
        self.assertEqual((card.points, invoice.amount_total), (0, 60))
        self.assertIn("40.00", self._wizard(invoice).helpdesk_notice)
        note = self._refund(invoice, 1)
        self.assertEqual((card.points, note.amount_total), (20, 30))
        # What the customer reads: issue 16 E.
        told = note._get_settlement_sentences()
        self.assertEqual(sum("20.00" in sentence for sentence in told), 1)
        self.assertFalse(any(card.code in sentence for sentence in told))
        note.button_draft()
        self.assertEqual(card.points, 0)
        note.action_post()
        self._refund(invoice)
        self.assertEqual(card.points, 40)
        self.assertEqual(invoice.amount_left_to_refund, 0)

    def test_what_was_spent_since_is_not_taken_back(self):
        card = self._card(self.gift_program, 40)
        note = self._refund(self._sell((self.lamp, 2), card=card))
        self.assertEqual(card.points, 40)
        card.points = 5
        with self.assertRaises(UserError):
            note.button_draft()
        self.assertEqual(note.state, "posted")

    def test_a_coupon_comes_back_where_its_program_says_so(self):
        coupon = self._card(self.coupon_program, 1)
        invoice = self._sell((self.lamp, 2), card=coupon)
        self.assertEqual((coupon.points, invoice.amount_total), (0, 90))
        note = self._refund(invoice)
        self.assertEqual(coupon.points, 0)
        note.button_draft()
        self.coupon_program.helpdesk_give_back = True
        note.action_post()
        self.assertEqual(coupon.points, 1)
        note.button_draft()
        self.assertEqual(coupon.points, 0)

    def test_a_gift_card_that_is_refunded_buys_nothing(self):
        self.gift_program.write(
            {
                "trigger_product_ids": [Command.set(self.card_product.ids)],
                "rule_ids": [
                    Command.create(
                        {
                            "reward_point_amount": 1,
                            "reward_point_mode": "money",
                            "reward_point_split": True,
                            "product_ids": [Command.set(self.card_product.ids)],
                        }
                    )
                ],
            }
        )
        invoice = self._sell((self.card_product, 2))
        order = invoice.invoice_line_ids.sale_line_ids.order_id
        cards = self.env["loyalty.card"].search([("order_id", "=", order.id)])
        if len(cards) < 2:
            cards = self.env["loyalty.card"].create(
                [
                    {
                        "program_id": self.gift_program.id,
                        "points": 50,
                        "order_id": order.id,
                    }
                ]
                * 2
            )
        self.assertEqual(sum(cards.mapped("points")), 100)
        note = self._refund(invoice, 1)
        self.assertEqual(sorted(cards.mapped("points")), [0, 50])
        note.button_draft()
        self.assertEqual(sorted(cards.mapped("points")), [50, 50])
        note.action_post()
        cards.filtered("points").points = 20
        with self.assertRaises(UserError):
            self._refund(invoice)

    # -- Variants ------------------------------------------------------------

    def test_a_replaced_invoice_leaves_the_card_alone(self):
        """The new invoice is paid with the card as the former one was."""
        card = self._card(self.gift_program, 40)
        invoice = self._sell((self.lamp, 2), card=card)
        wizard = self._wizard(invoice)
        wizard.modify_moves()
        new = wizard.new_move_ids.sudo()
        self.assertEqual((card.points, new.amount_total), (0, 60))
        new.action_post()
        invoice.reversal_move_ids.button_draft()
        self.assertEqual(card.points, 0)
        self._refund(new)
        self.assertEqual(card.points, 40)

    def test_a_card_gets_back_no_more_than_it_paid(self):
        card = self._card(self.gift_program, 40)
        invoice = self._sell((self.lamp, 2), card=card)
        wizard = self._wizard(invoice)
        wizard.helpdesk_line_ids.quantity = 1
        wizard.refund_moves()
        note = wizard.new_move_ids.sudo()
        note.invoice_line_ids.filtered(lambda li: li.price_unit < 0).price_unit = -49
        note.action_post()
        self.assertEqual((card.points, note.amount_total), (40, 1))
        self._refund(invoice)
        self.assertEqual(card.points, 40)

    def test_an_order_that_is_cancelled_after_its_refund(self):
        """Odoo gives the card back what it paid, too: once is enough."""
        card = self._card(self.gift_program, 40)
        invoice = self._sell((self.lamp, 2), card=card)
        order = invoice.invoice_line_ids.sale_line_ids.order_id
        note = self._refund(invoice, 1)
        self.assertEqual(card.points, 20)
        order._action_cancel()
        self.assertEqual(card.points, 40)
        note.button_draft()
        self.assertEqual(card.points, 40)

    def test_a_coupon_with_a_line_for_each_tax(self):
        """It comes back with the last of them, not with the one that has its points."""
        self.coupon_program.helpdesk_give_back = True
        tax = self.env["account.tax"].create({"name": "15 %", "amount": 15})
        other = self.env["product.product"].create(
            {
                "name": "Taxed",
                "type": "service",
                "list_price": 50,
                "invoice_policy": "order",
                "taxes_id": [Command.set(tax.ids)],
            }
        )
        for first in (0, 1):
            with self.subTest(first=first):
                coupon = self._card(self.coupon_program, 1)
                invoice = self._sell((self.lamp, 1), (other, 1), card=coupon)
                discounts = invoice.invoice_line_ids.filtered(
                    lambda line: line.price_subtotal < 0
                )
                self.assertEqual(len(discounts), 2)
                wizard = self._wizard(invoice)
                wizard.helpdesk_line_ids[first].quantity = 0
                wizard.refund_moves()
                wizard.new_move_ids.sudo().action_post()
                self.assertEqual(coupon.points, 0)
                self._refund(invoice)
                self.assertEqual(coupon.points, 1)
                self.assertFalse(invoice.amount_left_to_refund)

    def test_an_ewallet_is_paid_back_and_taken_from(self):
        program = self._program(
            "ewallet",
            {"discount_mode": "per_point", "discount": 1, "required_points": 1},
            trigger="auto",
            applies_on="future",
            trigger_product_ids=[Command.set(self.card_product.ids)],
        )
        wallet = self._card(program, 40)
        wallet.partner_id = self.customer
        invoice = self._sell((self.lamp, 2))
        order = invoice.invoice_line_ids.sale_line_ids.order_id
        order = order.copy()
        order._apply_program_reward(program.reward_ids, wallet)
        order.action_confirm()
        invoice = order._create_invoices()
        invoice.action_post()
        self.assertEqual((wallet.points, invoice.amount_total), (0, 60))
        self.assertNotIn("gift card", self._wizard(invoice).helpdesk_notice)
        self._refund(invoice)
        self.assertEqual(wallet.points, 40)

    def test_a_card_that_expired_since_is_said(self):
        card = self._card(self.gift_program, 40)
        invoice = self._sell((self.lamp, 2), card=card)
        before = self._wizard(invoice).helpdesk_notice
        card.expiration_date = "2020-01-01"
        self.env.invalidate_all()
        self.assertNotEqual(self._wizard(invoice).helpdesk_notice, before)
