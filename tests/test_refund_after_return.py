"""Refund proposes what was returned, where both services are installed (issue 5).

The two addons don't know each other: the base passes it on.
"""

import pytest

from odoo.exceptions import UserError
from odoo.tests import Form, TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class TestRefundAfterReturn(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if (
            "helpdesk.return.wizard" not in cls.env.registry
            or "helpdesk_returned_only" not in cls.env["account.move.reversal"]
        ):
            pytest.skip("helpdesk_refund and helpdesk_return are not both installed")
        cls.user = new_test_user(
            cls.env,
            "refund_after_return",
            groups="helpdesk_after_sales.group_helpdesk_user,"
            "account.group_account_invoice",
        )
        cls.customer = cls.env["res.partner"].create({"name": "Alder"})
        cls.lamp, cls.desk = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "consu",
                    "list_price": price,
                    "invoice_policy": "order",
                    "taxes_id": False,
                }
                for name, price in (("Lamp", 50), ("Desk", 200))
            ]
        )
        cls.order = cls._sell((cls.lamp, 3), (cls.desk, 1))
        cls.invoice = cls.order.invoice_ids
        cls.ticket = cls.env["helpdesk.ticket"].create(
            {
                "name": "Lamp",
                "team_id": cls.env["helpdesk.team"]
                .create(
                    {
                        "name": "Team",
                        "use_credit_notes": True,
                        "use_product_returns": True,
                    }
                )
                .id,
                "partner_id": cls.customer.id,
                "sale_order_id": cls.order.id,
            }
        )

    @classmethod
    def _sell(cls, *lines):
        order = cls.env["sale.order"].create(
            {
                "partner_id": cls.customer.id,
                "order_line": [
                    (0, 0, {"product_id": product.id, "product_uom_qty": quantity})
                    for product, quantity in lines
                ],
            }
        )
        order.action_confirm()
        for move in order.picking_ids.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        order.picking_ids.with_context(skip_sms=True).button_validate()
        order._create_invoices().action_post()
        return order

    def _return(self, quantities, exchange=False):
        action = self.ticket.with_user(self.user).action_return()
        wizards = self.env["helpdesk.return.wizard"].with_user(self.user)
        wizard = wizards.with_context(**action["context"]).create({})
        for line in wizard.line_ids:
            line.quantity = quantities.get(line.product_id, 0)
        wizard.action_exchange() if exchange else wizard.action_return()
        return wizard.sudo().made_picking_ids

    def _form(self):
        action = self.ticket.with_user(self.user).action_refund()
        wizards = self.env["account.move.reversal"].with_user(self.user)
        view = self.env.ref("helpdesk_refund.account_move_reversal_view_form")
        return Form(wizards.with_context(**action["context"]), view=view)

    def _lines(self, note):
        return {
            line.product_id: line.quantity
            for line in note.invoice_line_ids
            if line.display_type == "product"
        }

    def _refund(self, form=None):
        wizard = (form or self._form()).save()
        wizard.refund_moves()
        return wizard.new_move_ids.sudo()

    def test_without_a_return_the_whole_invoice_is_proposed(self):
        form = self._form()
        self.assertFalse(form.helpdesk_returned_found)
        self.assertFalse(form.helpdesk_notice)
        self.assertEqual(self._refund(form).amount_total, 350)

    def test_what_was_returned_is_proposed_and_can_be_changed(self):
        self._return({self.lamp: 2})
        form = self._form()
        self.assertIn("2 Lamp", form.helpdesk_notice)
        note = self._refund(form)
        self.assertEqual(self._lines(note), {self.lamp: 2})
        self.assertEqual(note.amount_total, 100)
        with Form(note) as draft, draft.invoice_line_ids.edit(0) as line:
            line.quantity = 1
        self.assertEqual(note.amount_total, 50)

    def test_f14_what_is_on_its_way_is_not_called_returned(self):
        """money F14"""
        picking = self._return({self.lamp: 2})
        line = self.order.order_line[0]
        wizard = self._form().save()
        returned, coming = wizard._get_returned_quantities()
        self.assertEqual((returned[line], coming[line]), (2, 2))
        before = wizard.helpdesk_notice
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking.with_context(skip_sms=True, skip_backorder=True).button_validate()
        wizard = self._form().save()
        _returned, coming = wizard._get_returned_quantities()
        self.assertEqual(coming[line], 1)
        self.assertNotEqual(wizard.helpdesk_notice, before)

    def test_unticked_all_that_is_left(self):
        self._return({self.lamp: 2})
        form = self._form()
        form.helpdesk_returned_only = False
        self.assertEqual(self._refund(form).amount_total, 350)

    def test_reverse_and_create_invoice_is_of_the_whole(self):
        self._return({self.lamp: 2})
        wizard = self._form().save()
        wizard.modify_moves()
        self.assertEqual(self.invoice.reversal_move_ids.amount_total, 350)

    def test_each_return_once(self):
        """What a credit note of the ticket holds isn't proposed once more."""
        self._return({self.lamp: 1})
        self.assertEqual(self._lines(self._refund()), {self.lamp: 1})
        self._return({self.lamp: 1, self.desk: 1})
        self.assertEqual(self._lines(self._refund()), {self.lamp: 1, self.desk: 1})
        form = self._form()
        self.assertFalse(form.helpdesk_returned_found)
        self.assertEqual(self._lines(self._refund(form)), {self.lamp: 1})

    def test_cancelled_and_exchanged_goods_are_not_paid_back(self):
        self._return({self.lamp: 2}).action_cancel()
        self._return({self.desk: 1}, exchange=True)
        self.assertFalse(self._form().helpdesk_returned_found)

    def test_two_invoices(self):
        """The invoice of what came back is chosen; one without is refused."""
        self.ticket.sale_order_id = False
        other = self._sell((self.desk, 2)).invoice_ids
        self.ticket.sale_order_id = self.order
        self._return({self.lamp: 1})
        self.ticket.sale_order_id = False
        form = self._form()
        self.assertEqual(form.move_ids[:], self.invoice)
        form.move_ids.add(other)
        wizard = form.save()
        with self.assertRaisesRegex(UserError, f"Nothing of {other.name} was returned"):
            wizard.refund_moves()
        self.assertFalse(self.ticket.credit_note_ids)

    def test_f1_what_was_credited_elsewhere(self):
        """money F1: of five, three came back; the order's own note, one of the invoice,
        or one of another ticket has credited them, or some."""
        self.lamp.invoice_policy = "delivery"
        self.ticket.sale_order_id = False
        for elsewhere in (
            self._credit_order,
            self._credit_natively,
            self._credit_there,
        ):
            for quantity in (3, 1):
                with self.subTest(elsewhere=elsewhere.__name__, quantity=quantity):
                    order = self._sell((self.lamp, 5))
                    self.ticket = self.ticket.copy({"sale_order_id": order.id})
                    picking = self._return({self.lamp: 3})
                    picking.move_ids.picked = True
                    picking.with_context(skip_sms=True).button_validate()
                    note = elsewhere(order, quantity)
                    self.assertEqual(note.amount_total, 50 * quantity)
                    self.env.invalidate_all()
                    form = self._form()
                    self.assertEqual(form.helpdesk_returned_found, quantity == 1)
                    if quantity == 1:
                        self.assertEqual(
                            self._lines(self._refund(form)), {self.lamp: 2}
                        )

    def _credit_order(self, order, quantity):
        note = order._create_invoices(final=True)
        note.invoice_line_ids.quantity = quantity
        note.action_post()
        return note

    def _credit_natively(self, order, quantity):
        invoice = order.invoice_ids
        wizards = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=invoice.ids
        )
        wizard = wizards.create({"journal_id": invoice.journal_id.id})
        wizard.refund_moves()
        wizard.new_move_ids.invoice_line_ids.quantity = quantity
        wizard.new_move_ids.action_post()
        return wizard.new_move_ids

    def _credit_there(self, order, quantity):
        here, self.ticket = self.ticket, self.ticket.copy({"sale_order_id": order.id})
        wizard = self._form().save()
        wizard.helpdesk_line_ids.quantity = quantity
        wizard.refund_moves()
        self.ticket = here
        return wizard.new_move_ids.sudo()

    def test_f8_goods_that_were_given_before_the_return(self):
        """money F8: natively, of five two; later the other three come back."""
        order = self._sell((self.lamp, 5))
        self.ticket.sale_order_id = order
        note = self._credit_natively(order, 2)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET create_date = create_date - interval '1 day' "
            "WHERE id = %s",
            [note.id],
        )
        self.env.invalidate_all()
        self._return({self.lamp: 3})
        self.assertEqual(self._lines(self._refund()), {self.lamp: 3})

    def test_s36_what_came_back_before_the_invoice_was_replaced(self):
        """The new invoice asks for what the customer has, or for all of it again."""
        self.lamp.invoice_policy = "delivery"
        for quantity, credited in ((3, 2), (1, 0)):
            with self.subTest(quantity=quantity):
                order = self._sell((self.lamp, 3))
                self.ticket = self.ticket.copy({"sale_order_id": order.id})
                picking = self._return({self.lamp: 2})
                picking.move_ids.picked = True
                picking.with_context(skip_sms=True).button_validate()
                wizard = self._form().save()
                wizard.modify_moves()
                new = wizard.new_move_ids.sudo()
                new.invoice_line_ids.quantity = quantity
                new.action_post()
                self.env.invalidate_all()
                form = self._form()
                self.assertEqual(form.move_ids[:], new)
                self.assertEqual(form.helpdesk_returned_found, bool(credited))
                if credited:
                    note = self._refund(form)
                    self.assertEqual(self._lines(note), {self.lamp: credited})
                    note.action_post()
                    self.assertFalse(order.order_line.qty_to_invoice)
