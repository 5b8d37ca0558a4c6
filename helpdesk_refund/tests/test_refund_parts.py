from odoo import Command, fields
from odoo.exceptions import UserError
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

    def test_x19_down_payment_of_which_a_part_was_credited(self):
        """The final invoice takes off what is left of it, and nothing of one that was
        credited in full."""
        for amounts, due in (((51.75,), 460 - 86.25), ((51.75, 86.25), 460), ((), 322)):
            with self.subTest(amounts=amounts):
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
                ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
                for amount in amounts:
                    wizard = self._wizard(ticket, invoices=advance)
                    wizard.helpdesk_line_ids.amount = amount
                    wizard.refund_moves()
                    wizard.new_move_ids.action_post()
                self._deliver(order.picking_ids)
                self.env.invalidate_all()
                final = order._create_invoices(final=True)
                self.assertEqual(final.amount_total, due)
                final.action_post()
                self.env.invalidate_all()
                self.assertFalse(any(order.order_line.mapped("qty_to_invoice")))

    # -- Variants ------------------------------------------------------------

    def test_f1_of_a_dozen(self):
        """In the unit of the order, while returns are in that of the product."""
        dozen = self.env.ref("uom.product_uom_dozen")
        line = {"product_id": self.kettle.id, "product_uom_id": dozen.id}
        order = self._sell(self.contact_a1, order_line=[Command.create(line)])
        invoice = self._invoice(order)
        native = self._credit_natively(order, (self.kettle, 5))
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        self.env.invalidate_all()
        note = self._refund(ticket=ticket, invoices=invoice)
        self.assertAlmostEqual(
            native.amount_total + note.amount_total, invoice.amount_total
        )
        note.action_post()

    def test_f1_a_credit_note_that_was_reversed_again(self):
        """What was reversed again is owed with the document that did it."""
        note = self._refund()
        note.action_post()
        natively = self.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=note.ids
        )
        wizard = natively.create({"journal_id": note.journal_id.id})
        wizard.refund_moves()
        again = wizard.new_move_ids
        again.action_post()
        self.assertEqual(self._left(self.invoice_a, again), [0, 400])
        lines = self.order_a.order_line
        self.assertFalse(any(lines.mapped("qty_to_invoice")))
        self.assertEqual(self._form().move_ids[:], again)
        self._refund().action_post()
        self.env.invalidate_all()
        self.assertFalse(any(lines.mapped("qty_to_invoice")))

    def test_f1_cancelled_done_again_and_set_back(self):
        ticket = self._sold((self.kettle, 3))
        [invoice] = ticket.sale_order_id.invoice_ids
        note = self._refund(ticket=ticket)
        note.invoice_line_ids[0].quantity = 1
        note.action_post()
        note.button_draft()
        note.button_cancel()
        self.assertEqual(self._left(invoice), [138])
        self._refund(ticket=ticket).action_post()
        note.button_draft()
        with self.assertRaisesRegex(UserError, invoice.name):
            note.action_post()

    def test_f5_one_that_was_typed_by_hand(self):
        kettle = {"product_id": self.kettle.id, "quantity": 2, "price_unit": 40}
        invoice, ticket = self._bill(kettle, kettle)
        wizard = self._wizard(ticket=ticket, invoices=invoice)
        wizard.helpdesk_line_ids[0].quantity = 1
        wizard.helpdesk_line_ids[1].quantity = 0
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        typed = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": self.customer_b.id,
                "invoice_date": fields.Date.today(),
                "reversed_entry_id": invoice.id,
                "invoice_line_ids": [
                    Command.create(
                        {"name": "Sorry", "price_unit": 15, "tax_ids": False}
                    )
                ],
            }
        )
        typed.action_post()
        self.env.invalidate_all()
        wizard = self._wizard(ticket=ticket, invoices=invoice)
        self.assertEqual(wizard.helpdesk_line_ids.mapped("quantity"), [1, 2])
        self.assertEqual(wizard.helpdesk_total, 105)
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        self.assertFalse(invoice.amount_residual)

    # -- F9 ------------------------------------------------------------------

    def test_f9_ticket_of_who_was_billed(self):
        order = self._sell(
            self.contact_a1, (self.kettle, 2), partner_invoice_id=self.customer_b.id
        )
        invoice = self._invoice(order)
        ticket = self._ticket(self.customer_b)
        form = self._form(ticket)
        self.assertEqual(form.move_ids[:], invoice)
        self.assertFalse(form.helpdesk_notice)
        note = self._refund(ticket=ticket)
        note.action_post()
        buyer = self._ticket(self.contact_a1, sale_order_id=order.id)
        self.assertIn(note.name, self._form(buyer).helpdesk_notice)

    def test_f9_contact_who_has_another_employer_since(self):
        order = self._sell(self.contact_a1, (self.kettle, 2))
        invoice = self._invoice(order)
        self.contact_a1.parent_id = self.env["res.partner"].create(
            {"name": "New employer", "is_company": True}
        )
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        self.kettle.active = False
        note = self._refund(ticket=ticket)
        self.assertEqual((note.reversed_entry_id, note.amount_total), (invoice, 92))
        note.action_post()

    def test_t4_a_part_of_less_than_a_cent(self):
        """One screw of 1,000 for 3.00: a note of nothing couldn't be posted."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.contact_a1.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Screw",
                            "quantity": 1000,
                            "price_unit": 0.003,
                            "tax_ids": [Command.clear()],
                        }
                    )
                ],
            }
        )
        invoice.action_post()
        ticket = self._ticket(self.contact_a1)
        wizard = self._wizard(ticket, invoices=invoice)
        wizard.helpdesk_line_ids.quantity = 1
        with self.assertRaisesRegex(UserError, "Choose more"):
            wizard.refund_moves()
        wizard = self._wizard(ticket, invoices=invoice)
        wizard.helpdesk_line_ids.quantity = 100
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.amount_total, 0.3)

    def test_f6_cash_rounded_up_in_parts(self):
        """The last note takes the cents of taxes and cash, as the pop-up has said."""
        values = {"name": "Up", "rounding": 0.05, "rounding_method": "UP"}
        values["strategy"] = "add_invoice_line"
        values["profit_account_id"] = self.company_data["default_account_revenue"].id
        values["loss_account_id"] = self.company_data["default_account_expense"].id
        taxes = self.env["account.tax"].create(
            [{"name": f"{rate}%", "amount": rate} for rate in (21, 6)]
        )
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.contact_a1.id,
                "invoice_date": fields.Date.today(),
                "invoice_cash_rounding_id": self.env["account.cash.rounding"]
                .create(values)
                .id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": tax.name,
                            "quantity": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.set(tax.ids)],
                        }
                    )
                    for tax, quantity, price in zip(
                        taxes, (3, 2), (3.33, 1.11), strict=True
                    )
                ],
            }
        )
        invoice.action_post()
        ticket = self._ticket(self.contact_a1)
        notes = self.env["account.move"]
        for amount in (5.25, 5.25, 3.95):
            wizard = self._wizard(ticket, invoices=invoice)
            for line in wizard.helpdesk_line_ids:
                line.quantity = min(line.quantity, 1)
            self.assertEqual(wizard.helpdesk_total, amount)
            wizard.refund_moves()
            wizard.new_move_ids.action_post()
            self.assertEqual(wizard.new_move_ids.amount_total, amount)
            notes += wizard.new_move_ids
        self.assertEqual(self._left(invoice), [0])
        for tax in taxes:
            of_tax = (invoice | notes).line_ids.filtered(
                lambda line, tax=tax: line.tax_line_id == tax
            )
            self.assertAlmostEqual(sum(of_tax.mapped("balance")), 0)

    # -- Taxes come out even, by rate ----------------------------------------

    def _credit_in_steps(self, lines, *steps):
        """Bill ``(quantity, price, tax)``, credit it in ``steps``, then the rest."""
        invoice, ticket = self._bill(
            *(
                {
                    "name": f"Line {number}",
                    "quantity": quantity,
                    "price_unit": price,
                    "tax_ids": [Command.set(tax.ids if tax else [])],
                }
                for number, (quantity, price, tax) in enumerate(lines)
            )
        )
        for step in (*steps, None, None):
            if invoice._get_refund_refusal():
                break
            wizard = self._wizard(ticket, invoices=invoice)
            if step:
                step(wizard)
            shown = wizard.helpdesk_total
            wizard.refund_moves()
            wizard.new_move_ids.action_post()
            self.assertAlmostEqual(wizard.new_move_ids.amount_total, shown)
            self.env.invalidate_all()
        self.assertFalse(invoice.amount_left_to_refund)
        self.assertFalse(invoice.amount_residual)
        sums = {}
        for move in invoice + invoice._get_credit_notes():
            for row in move.line_ids.filtered(lambda li: li.display_type == "tax"):
                rate = row.tax_line_id
                sums[rate] = sums.get(rate, 0.0) + row.balance
            for row in move._get_refund_lines():
                for tax in row.tax_ids:
                    sums["base", tax] = sums.get(("base", tax), 0.0) + row.balance
        for rate, amount in sums.items():
            self.assertAlmostEqual(amount, 0, msg=f"{rate}")
        return invoice._get_credit_notes()

    def _halve(self, wizard):
        """Credit the first line for half of what it came to."""
        line = wizard.helpdesk_line_ids[0]
        line.amount = wizard.currency_id.round(line.amount / 2)

    def _give_all(self, wizard):
        wizard.helpdesk_amount = wizard.helpdesk_total

    def test_x11_lowered_twice_beside_a_negative_line(self):
        """The second one passes what is left: it takes all lines, not a lump sum
        without a tax."""
        low = self.env["account.tax"].create({"name": "6 %", "amount": 6})
        for lines in (
            [(5, 20, self.tax), (-2, 20, self.tax)],
            [(1, 100, self.tax), (1, -60, None)],
            [(5, 20, self.tax), (-3, 20, low)],
        ):
            with self.subTest(lines=lines):
                self._credit_in_steps(lines, self._halve, self._halve)

    def test_x11_an_amount_of_all_that_is_left(self):
        """Nothing can be credited later: then the taxes are those of the invoice."""
        lines = [(1, 100, self.tax), (2, 30, None), (1, -60, None)]
        notes = self._credit_in_steps(lines, self._halve, self._give_all)
        self.assertEqual(len(notes), 2)
        notes = self._credit_in_steps(lines, self._give_all)
        self.assertEqual(len(notes), 1)
