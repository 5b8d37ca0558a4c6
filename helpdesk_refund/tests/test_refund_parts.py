from odoo import Command
from odoo.tests import tagged

from .test_refund_cases import RefundCases


@tagged("post_install", "-at_install")
class TestRefundParts(RefundCases):
    """Credit notes without a link that lead to several invoices (money F1)."""

    def _in_parts(self, *parts):
        """Return ``(ticket, invoices)`` of kettles delivered and invoiced in parts."""
        order = self._sell(self.contact_a1, (self.kettle, sum(parts)), deliver=False)
        invoices = self.env["account.move"]
        for part in parts:
            picking = order.picking_ids.filtered(lambda p: p.state == "assigned")
            if not picking:
                order.picking_ids.action_assign()
                picking = order.picking_ids.filtered(lambda p: p.state != "done")
            picking.move_ids.write({"quantity": part, "picked": True})
            result = picking.with_context(skip_sms=True).button_validate()
            if isinstance(result, dict):
                self.env[result["res_model"]].with_context(**result["context"]).create(
                    {}
                ).process()
            invoices += self._invoice(order)
        return self._ticket(self.contact_a1, sale_order_id=order.id), invoices

    def _credit_natively(self, order, *lines):
        self._come_back(order, *lines)
        note = order._create_invoices(final=True)
        self.assertEqual(note.move_type, "out_refund")
        self.assertFalse(note.reversed_entry_id)
        note.action_post()
        return note

    def _credit_order(self, orders, quantity):
        """Return a note of kettles as the orders make it, for returns that Inventory
        made by itself."""
        orders.order_line.write({"qty_delivered_method": "manual"})
        for order in orders:
            order.order_line[0].qty_delivered -= quantity
        note = orders._create_invoices(final=True)
        note.action_post()
        return note

    def _left(self, *invoices):
        self.env.invalidate_all()
        return [invoice.amount_left_to_refund for invoice in invoices]

    def test_f1_a_note_over_two_invoices_of_an_order(self):
        ticket, (first, second) = self._in_parts(2, 3)
        order = ticket.sale_order_id
        self.assertEqual(self._left(first, second), [92, 138])
        native = self._credit_order(order, 4)
        self.assertEqual(native.amount_total, 184)
        self.assertEqual(self._left(first, second), [0, 46])
        for invoice, amount in ((first, "92.00"), (second, "92.00")):
            self.assertIn(native.name, invoice._get_given_back_sentence())
            self.assertIn(amount, invoice._get_given_back_sentence())
        form = self._form(ticket)
        self.assertEqual(form.move_ids[:], second)
        note = self._refund(ticket=ticket)
        self.assertEqual(self._goods(note)[0][1:], (1, 40))
        note.action_post()
        self.assertEqual(note.amount_total, 46)
        self.assertEqual(self._left(first, second), [0, 0])
        line = order.order_line
        balance = line._get_after_sales_balance()[line]
        self.assertEqual((balance["credited"], balance["left_to_refund"]), (5, 0))

    def test_f1_the_ticket_first_then_the_order(self):
        ticket, (first, second) = self._in_parts(2, 3)
        note = self._refund(ticket=ticket, invoices=first)
        note.action_post()
        self._credit_order(ticket.sale_order_id, 5)
        self.assertEqual(self._left(first, second), [0, 0])

    def test_f1_two_notes_of_the_order_one_after_the_other(self):
        ticket, (first, second) = self._in_parts(2, 3)
        self._credit_order(ticket.sale_order_id, 1)
        self.assertEqual(self._left(first, second), [46, 138])
        self._credit_order(ticket.sale_order_id, 2)
        self.assertEqual(self._left(first, second), [0, 92])
        rest = self._refund(ticket=ticket, invoices=second)
        self.assertEqual((rest.amount_tax, rest.amount_total), (12, 92))
        rest.action_post()

    def test_f1_one_note_of_two_orders(self):
        tickets = [self._sold((self.kettle, 3)), self._sold((self.kettle, 2))]
        orders = tickets[0].sale_order_id + tickets[1].sale_order_id
        first, second = (order.invoice_ids for order in orders)
        native = self._credit_order(orders, 1)
        self.assertEqual(len(native), 1)
        self.assertEqual(self._left(first, second), [92, 46])
        for ticket in tickets:
            self.assertIn(native.name, self._form(ticket).helpdesk_notice)

    def test_f1_after_a_replaced_invoice(self):
        ticket = self._sold((self.kettle, 3))
        wizard = self._wizard(ticket=ticket)
        wizard.modify_moves()
        new = wizard.new_move_ids
        new.action_post()
        self._credit_order(ticket.sale_order_id, 2)
        self.assertEqual(self._left(new), [46])
        self.assertEqual(self._form(ticket).move_ids[:], new)

    def test_f1_down_payment_and_what_came_back(self):
        order = self._sell(self.contact_a1, (self.kettle, 10), deliver=False)
        self.env["sale.advance.payment.inv"].create(
            {
                "advance_payment_method": "percentage",
                "amount": 30,
                "sale_order_ids": [Command.set(order.ids)],
            }
        ).create_invoices()
        advance = order.invoice_ids
        advance.action_post()
        self._deliver(order.picking_ids)
        final = order._create_invoices(final=True)
        final.action_post()
        native = self._credit_natively(order, (self.kettle, 5))
        self.assertEqual(native.amount_total, 230)
        self.assertEqual(self._left(advance, final), [138, 92])
