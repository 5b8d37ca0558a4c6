from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundLines(HelpdeskRefundCommon):
    """X11: lines, amounts, fees and the total in the pop-up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax_15 = cls.env["account.tax"].create({"name": "15 %", "amount": 15})
        cls.tax_5 = cls.env["account.tax"].create({"name": "5 %", "amount": 5})
        cls.ticket_b = cls._ticket(cls.customer_b)

    def _bill(self, *lines):
        """Return a posted invoice of customer B of ``(name, quantity, price, tax)``."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_b.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": name,
                            "quantity": quantity,
                            "price_unit": price,
                            "tax_ids": [Command.set(tax.ids)],
                        }
                    )
                    for name, quantity, price, tax in lines
                ],
            }
        )
        invoice.action_post()
        return invoice

    def _open(self, invoice):
        form = self._form(self.ticket_b)
        form.move_ids = invoice
        return form

    def _enter(self, form, **quantities):
        for index in range(len(form.helpdesk_line_ids)):
            with form.helpdesk_line_ids.edit(index) as line:
                if line.name in quantities:
                    line.quantity = quantities[line.name]

    def _reverse(self, form):
        """Return the note, whose total the pop-up has shown."""
        shown = form.helpdesk_total
        wizard = form.save()
        wizard.refund_moves()
        note = wizard.new_move_ids
        self.assertEqual(note.currency_id.compare_amounts(shown, note.amount_total), 0)
        return note

    def _lines(self, move):
        return [
            (line.name, line.quantity, line.price_subtotal)
            for line in move.invoice_line_ids
            if line.display_type == "product"
        ]

    # -- Lines ---------------------------------------------------------------

    def test_x11_lines_show_what_is_left_and_default_to_it(self):
        invoice = self._bill(
            ("Lamp", 3, 10, self.tax_15),
            ("Oven", 1, 200, self.tax_15),
        )
        form = self._open(invoice)
        rows = form.helpdesk_line_ids._records
        self.assertEqual([row["quantity_invoiced"] for row in rows], [3, 1])
        self.assertEqual([row["quantity"] for row in rows], [3, 1])
        self.assertEqual([row["amount"] for row in rows], [34.5, 230])
        self.assertEqual(form.helpdesk_total, 264.5)
        self._enter(form, Lamp=1, Oven=0)
        self.assertEqual(form.helpdesk_total, 11.5)
        note = self._reverse(form)
        self.assertEqual(self._lines(note), [("Lamp", 1, 10)])
        note.action_post()
        form = self._open(invoice)
        rows = form.helpdesk_line_ids._records
        self.assertEqual([row["quantity_left"] for row in rows], [2, 1])
        self.assertEqual([row["amount_left"] for row in rows], [23, 230])
        self._reverse(form).action_post()
        self.assertEqual(invoice.amount_residual, 0)

    def test_x11_take_none_and_all(self):
        invoice = self._bill(
            ("Lamp", 3, 10, self.tax_15),
            ("Oven", 1, 200, self.tax_15),
        )
        form = self._open(invoice)
        form.helpdesk_take = "none"
        self.assertEqual(
            [row["quantity"] for row in form.helpdesk_line_ids._records], [0, 0]
        )
        self.assertFalse(form.helpdesk_total)
        self.assertIn(invoice.name, form.helpdesk_choice_refusal)
        wizard = form.save()
        with self.assertRaises(UserError):
            wizard.refund_moves()
        self.assertFalse(self.ticket_b.credit_note_ids)
        wizard.helpdesk_take = "all"
        self.assertEqual(wizard.helpdesk_total, 264.5)

    def test_t18_what_the_ticket_is_about(self):
        """money T18: the tab's Refund takes its line."""
        self.ticket_a.product_id = self.lamp
        form = self._form(self.ticket_a)
        self.assertEqual(form.helpdesk_total, self.invoice_a.amount_total)
        form.helpdesk_take = "ticket"
        lamps = self.invoice_a.invoice_line_ids.filtered(
            lambda line: line.product_id == self.lamp
        )
        self.assertEqual(form.helpdesk_total, lamps.price_total)
        note = self._reverse(form)
        self.assertEqual(note.invoice_line_ids.product_id, self.lamp)

    def test_x31_what_is_noted_on_the_ticket_is_proposed(self):
        line = self.order_a.order_line[0]
        self.ticket_a.line_ids.unlink()
        self.env["helpdesk.ticket.line"].create(
            {
                "ticket_id": self.ticket_a.id,
                "sale_line_id": line.id,
                "product_id": line.product_id.id,
                "quantity": 2,
            }
        )
        form = self._form()
        self.assertEqual(form.helpdesk_take, "ticket")
        note = self._reverse(form)
        self.assertEqual(self._lines(note)[0][1:], (2, 2 * line.price_unit))
        self.assertEqual(len(self._lines(note)), 1)

    def test_x11_a_line_by_amount(self):
        invoice = self._bill(("Lamp", 3, 10, self.tax_15))
        form = self._open(invoice)
        with form.helpdesk_line_ids.edit(0) as line:
            line.quantity = 1
            line.amount = 5.01
        self.assertEqual(form.helpdesk_total, 5.01)
        note = self._reverse(form)
        self.assertEqual(note.invoice_line_ids.quantity, 1)
        note.action_post()
        # Its price was lowered: all three are still there to be credited.
        form = self._open(invoice)
        self.assertEqual(form.helpdesk_line_ids._records[0]["quantity_left"], 3)
        self.assertEqual(form.helpdesk_total, 29.49)
        self._reverse(form).action_post()
        self.assertEqual(invoice.amount_residual, 0)

    def test_x11_discount_of_the_order_goes_with_the_goods(self):
        invoice = self._bill(
            ("Lamp", 4, 10, self.tax_15),
            ("Discount", 1, -8, self.tax_15),
        )
        form = self._open(invoice)
        self.assertEqual(len(form.helpdesk_line_ids), 1)
        self._enter(form, Lamp=1)
        self.assertEqual(form.helpdesk_total, 9.2)
        self.assertAlmostEqual(form.helpdesk_discount, -2.3)
        self._reverse(form)

    # -- Amount and fee ------------------------------------------------------

    def test_x11_an_amount_is_spread_over_the_lines(self):
        invoice = self._bill(
            ("Lamp", 3, 33.33, self.tax_15),
            ("Book", 1, 19.99, self.tax_5),
        )
        form = self._open(invoice)
        form.helpdesk_amount = 10
        self.assertEqual(form.helpdesk_total, 10)
        note = self._reverse(form)
        self.assertEqual(note.amount_total, 10)
        self.assertEqual(note.invoice_line_ids.tax_ids, self.tax_15 + self.tax_5)
        for line in note.invoice_line_ids:
            rate = 1 + line.tax_ids.amount / 100
            self.assertAlmostEqual(line.price_subtotal * rate, line.price_total, 1)
        note.action_post()
        form = self._open(invoice)
        self.assertEqual(
            [row["quantity_left"] for row in form.helpdesk_line_ids._records], [3, 1]
        )
        self._reverse(form).action_post()
        self.assertEqual(invoice.amount_residual, 0)

    def test_x19_an_amount_leaves_the_order_alone(self):
        form = self._form(self.ticket_a)
        form.helpdesk_amount = 50
        note = self._reverse(form)
        note.action_post()
        lines = self.order_a.order_line
        self.assertEqual(lines.mapped("qty_invoiced"), [4, 1])
        self.assertFalse(any(lines.mapped("qty_to_invoice")))

    def test_x11_fee_with_the_taxes_of_the_goods(self):
        invoice = self._bill(
            ("Lamp", 3, 100, self.tax_15),
            ("Book", 1, 100, self.tax_5),
        )
        form = self._open(invoice)
        form.helpdesk_fee_percent = 10
        self.assertEqual(form.helpdesk_fee, 45)
        self.assertEqual(form.helpdesk_total, 405)
        note = self._reverse(form)
        fees = note.invoice_line_ids.filtered(lambda line: line.price_subtotal < 0)
        self.assertEqual(fees.mapped("price_subtotal"), [-30, -10])
        note.action_post()
        self.assertEqual(invoice.amount_left_to_refund, 45)

    def test_x11_fee_product_and_taxes_of_the_company(self):
        fee = self.env["product.product"].create(
            {
                "name": "Fee",
                "type": "service",
                "taxes_id": [Command.set(self.tax_5.ids)],
            }
        )
        self.company.helpdesk_fee_product_id = fee
        invoice = self._bill(("Lamp", 3, 100, self.tax_15))
        form = self._open(invoice)
        self._enter(form, Lamp=1)
        form.helpdesk_fee = 21
        self.assertEqual(form.helpdesk_total, 94)
        note = self._reverse(form)
        line = note.invoice_line_ids.filtered("product_id")
        self.assertEqual((line.product_id, line.tax_ids), (fee, self.tax_5))
        self.assertEqual((line.price_subtotal, line.price_total), (-20, -21))
        note.action_post()

    def test_x11_fee_is_proposed_by_the_reason(self):
        reason = self.env["helpdesk.after.sales.reason"].create(
            {
                "name": "Does not please",
                "fee_percent": 20,
                "services": [
                    Command.set(
                        self.env["helpdesk.after.sales.service"]
                        .search([("switch", "=", "use_credit_notes")])
                        .ids
                    )
                ],
            }
        )
        invoice = self._bill(("Lamp", 3, 100, self.tax_15))
        form = self._open(invoice)
        form.helpdesk_reason_id = reason
        self.assertEqual((form.helpdesk_fee, form.helpdesk_total), (69, 276))
        self._enter(form, Lamp=1)
        self.assertEqual((form.helpdesk_fee, form.helpdesk_total), (23, 92))
        form.helpdesk_fee_percent = 0
        self.assertEqual((form.helpdesk_fee, form.helpdesk_total), (0, 115))

    def test_s36_reverse_and_create_invoice_is_of_the_whole(self):
        invoice = self._bill(("Lamp", 3, 100, self.tax_15))
        form = self._open(invoice)
        self._enter(form, Lamp=1)
        form.helpdesk_fee = 5
        wizard = form.save()
        with self.assertRaises(UserError):
            wizard.modify_moves()
        wizard.helpdesk_fee = 0
        wizard.modify_moves()
        self.assertEqual(invoice.reversal_move_ids.amount_total, 345)

    def test_x11_two_invoices_share_amount_and_fee(self):
        invoices = self._bill(("Lamp", 1, 100, self.tax_15)) + self._bill(
            ("Book", 2, 100, self.tax_5)
        )
        form = self._open(invoices[0])
        form.move_ids.add(invoices[1])
        form.helpdesk_fee = 32.5
        wizard = form.save()
        self.assertEqual(wizard.helpdesk_total, 292.5)
        wizard.refund_moves()
        self.assertEqual(
            sorted(wizard.new_move_ids.mapped("amount_total")), [103.5, 189]
        )

    def test_x11_any_number_of_lines_takes_as_many_queries(self):
        invoices = [
            self._bill(*[(f"Lamp {i}", 2, 10 + i, self.tax_15) for i in range(number)])
            for number in (3, 3, 30)
        ]
        counts = []
        for invoice in invoices:
            form = self._form(self.ticket_b)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            form.move_ids = invoice
            with form.helpdesk_line_ids.edit(0) as line:
                line.quantity = 1
            counts.append(self.cr.sql_log_count - before)
            self._reverse(form)
        # The first one fills caches; a few more are of others, none of a line.
        self.assertLess(counts[2], counts[1] + 5)

    # -- What is refused -----------------------------------------------------

    def test_t4_bad_input_makes_nothing(self):
        """money T1 to T4: one sentence each."""
        invoice = self._bill(("Lamp", 3, 10, self.tax_15), ("Oven", 1, 9, self.tax_5))
        other = self._bill(("Lamp", 3, 10, self.tax_15))
        values = {"move_ids": [Command.set(invoice.ids)]}
        for line in (
            {"quantity": 4},
            {"quantity": -1},
            {"quantity": 1.00001},
            {"quantity": float("nan")},
            {"quantity": float("inf")},
            {"quantity": 1e308},
            {"amount": 35},
            {"amount": -1},
            {"amount": 1.001},
            {"amount": 0},
            {"amount": float("nan")},
            {"move_line_id": other.invoice_line_ids.id},
            {"move_line_id": invoice.invoice_line_ids[1].id},
            {"quantity": "three"},
        ):
            with self.subTest(line=line), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    wizard = self._wizard_by_rpc(self.ticket_b, **values)
                    wizard.helpdesk_line_ids[0].write(line)
                    wizard.refund_moves()
        for entry in (
            {"helpdesk_amount": -1},
            {"helpdesk_amount": 1.001},
            {"helpdesk_amount": 100},
            {"helpdesk_amount": float("nan")},
            {"helpdesk_amount": 1e308},
            {"helpdesk_fee": -1},
            {"helpdesk_fee": 43.95},
            {"helpdesk_fee": float("inf")},
            {"helpdesk_fee_percent": 100},
            {"helpdesk_fee_percent": -5},
            {"helpdesk_fee_percent": float("nan")},
        ):
            with self.subTest(entry=entry), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    self._wizard_by_rpc(self.ticket_b, **values, **entry).refund_moves()
        self.assertFalse(self.ticket_b.credit_note_ids)

    def test_t3_what_was_credited_meanwhile(self):
        invoice = self._bill(("Lamp", 3, 10, self.tax_15))
        wizard = self._open(invoice).save()
        form = self._open(invoice)
        self._enter(form, Lamp=1)
        self._reverse(form)
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "Lamp"):
            wizard.refund_moves()

    def test_lines_tell_nothing_of_others(self):
        """rights C1: a line that the user can't read isn't named."""
        company = self.env["res.company"].create({"name": "Elsewhere"})
        account = self.env["account.account"].create(
            {"name": "Secret", "code": "999999", "company_ids": company.ids}
        )
        journal = self.env["account.journal"].create(
            {
                "name": "Secret",
                "code": "SEC",
                "type": "general",
                "company_id": company.id,
            }
        )
        move = self.env["account.move"].create(
            {
                "journal_id": journal.id,
                "line_ids": [
                    Command.create({"name": "Secret", "account_id": account.id})
                ],
            }
        )
        wizard = self._wizard_by_rpc(
            self.ticket_b,
            move_ids=[Command.set(self._bill(("Lamp", 3, 10, self.tax_15)).ids)],
        )
        self.assertNotIn(move.company_id, self.billing_agent.company_ids)
        lines = self.env["helpdesk.refund.line"].with_user(self.billing_agent)
        lines = lines.with_context(
            allowed_company_ids=self.billing_agent.company_ids.ids
        )
        values = {"wizard_id": wizard.id, "move_line_id": move.line_ids[:1].id}
        with self.assertRaises(AccessError):
            lines.create(values)
        with self.assertRaises(AccessError):
            wizard.helpdesk_line_ids.write({"move_line_id": values["move_line_id"]})
        with self.assertRaises(AccessError):
            lines.onchange(values, ["move_line_id"], {"move_line_id": {}})
