"""Gift cards and credit notes share what is left to refund: needs both addons."""

import pytest
from cards import make_gift_card_program

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestGiftCardRefund(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not {"helpdesk.coupon.wizard", "account.move.reversal"} <= set(cls.env) or (
            "helpdesk_ticket_id" not in cls.env["account.move.reversal"]
        ):
            pytest.skip("helpdesk_coupon and helpdesk_refund are not both installed")
        cls.agent = new_test_user(
            cls.env,
            "gift_agent",
            groups="helpdesk_after_sales.group_helpdesk_user,"
            "account.group_account_invoice",
        )
        customer = cls.env["res.partner"].create({"name": "Gift customer"})
        team = cls.env["helpdesk.team"].create(
            {"name": "Gifts", "use_coupons": True, "use_credit_notes": True}
        )
        team.use_gift_cards = True
        cls.ticket = cls.env["helpdesk.ticket"].create(
            {"name": "Lamp", "team_id": team.id, "partner_id": customer.id}
        )
        cls.program = make_gift_card_program(cls.env)
        cls.tax = cls.env["account.tax"].create(
            {"name": "Gift 25%", "amount": 25, "type_tax_use": "sale"}
        )
        cls.invoice = cls.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": customer.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Lamp",
                            "price_unit": 80.0,
                            "tax_ids": [Command.set(cls.tax.ids)],
                        }
                    )
                ],
            }
        )
        cls.invoice.action_post()
        cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=cls.invoice.ids
        ).create({}).action_create_payments()

    def _gift(self, amount):
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create(
                {
                    "helpdesk_ticket_id": self.ticket.id,
                    "program_type": "gift_card",
                    "program_id": self.program.id,
                    "invoice_id": self.invoice.id,
                    "amount": amount,
                }
            )
        )
        wizard.action_send_by_email()
        return wizard.coupon_id.sudo()

    def _refund(self, button="refund_moves"):
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.agent)
            .create(
                {
                    "helpdesk_ticket_id": self.ticket.id,
                    "move_ids": [Command.set(self.invoice.ids)],
                }
            )
        )
        getattr(wizard, button)()
        return self.ticket.credit_note_ids.sorted("id")[-1:]

    def test_x1_credit_note_holds_what_no_gift_card_gave(self):
        card = self._gift(30)
        sentence = self.invoice.with_user(self.agent)._get_partial_notice()
        self.assertIn("with a gift card by", sentence)
        self.assertNotIn(card.code, sentence, "a code is as good as money")
        note = self._refund()
        self.assertEqual(note.amount_total, 70)
        self.assertEqual(self.invoice.amount_left_to_refund, 0)
        note.action_post()
        with self.assertRaises(UserError):
            self._gift(1)

    def test_f4_what_was_given_instead_is_taken_off_once(self):
        """money F4: the second draft of 115.00 holds all that is left."""
        self.invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.ticket.partner_id.id,
                "invoice_line_ids": [
                    Command.create({"name": name, "price_unit": price, "tax_ids": []})
                    for name, price in (("A", 50.0), ("B", 65.0))
                ],
            }
        )
        self.invoice.action_post()
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice.ids
        ).create({}).action_create_payments()
        self._gift(10)
        first = self._refund()
        self.assertEqual(first.amount_total, 105)
        first.invoice_line_ids.filtered(lambda line: line.name == "B").unlink()
        self.assertEqual(first.amount_total, 40)
        first.action_post()
        second = self._refund()
        self.assertEqual(second.amount_total, 65)
        second.action_post()
        self.assertEqual(self.invoice.amount_left_to_refund, 0)

    def test_x1_reverse_and_create_invoice_after_a_gift_card(self):
        self._gift(30)
        self._refund("modify_moves")
        notes = self.ticket.credit_note_ids.filtered(
            lambda move: move.move_type == "out_refund"
        )
        self.assertEqual(notes.state, "posted")
        self.assertEqual(notes.amount_total, 70)

    def test_x1_nothing_left_names_the_gift_card(self):
        card = self._gift(100)
        with self.assertRaisesRegex(
            UserError, "already been credited in full.*gift card by"
        ):
            self._refund()
        card._withdraw_from_helpdesk("Money after all")
        self.assertEqual(self._refund().amount_total, 100)

    def test_x1_draft_that_was_raised_names_the_gift_card(self):
        note = self._refund()
        note.invoice_line_ids.price_unit = 40
        self._gift(50)
        note.invoice_line_ids.price_unit = 60
        with self.assertRaisesRegex(UserError, "gift card by"):
            note.action_post()
