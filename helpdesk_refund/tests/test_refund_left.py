from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundLeft(HelpdeskRefundCommon):
    """X1: never more than was invoiced, and always all of it, whatever was done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax_excluded, cls.tax_included = cls.env["account.tax"].create(
            [
                {"name": f"21 % {mode}", "amount": 21, "price_include_override": mode}
                for mode in ("tax_excluded", "tax_included")
            ]
        )
        cls.ticket_b = cls._ticket(cls.customer_b)

    def _bill(self, *lines, **values):
        """Return a posted invoice of customer B."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_b.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create({"tax_ids": [Command.clear()]} | line)
                    for line in lines
                ],
            }
            | values
        )
        invoice.action_post()
        return invoice

    def _credit(self, invoice):
        return self._refund(ticket=self.ticket_b, invoices=invoice)

    def _lines(self, move):
        return [
            (line.name, line.quantity, line.price_subtotal)
            for line in move.invoice_line_ids
            if line.display_type == "product"
        ]

    def _assert_used_up(self, invoice):
        self.assertEqual(invoice.amount_left_to_refund, 0)
        with self.assertRaisesRegex(UserError, "already been credited in full"):
            self._wizard_by_rpc(
                self.ticket_b, move_ids=[Command.set(invoice.ids)]
            ).refund_moves()

    def test_x1_compensation_without_a_line_of_the_invoice(self):
        """A credit note of an amount instead of lines takes away from the rest."""
        invoice = self._bill(
            {
                "name": "Chair",
                "quantity": 4,
                "price_unit": 100,
                "tax_ids": [Command.set(self.tax_excluded.ids)],
            }
        )
        note = self._credit(invoice)
        note.invoice_line_ids = [
            Command.clear(),
            Command.create(
                {
                    "name": "For the scratch",
                    "price_unit": 50,
                    "tax_ids": [Command.set(self.tax_excluded.ids)],
                }
            ),
        ]
        note.action_post()
        rest = self._credit(invoice)
        self.assertEqual(rest.amount_untaxed, 350)
        self.assertEqual(self._lines(rest)[0], ("Chair", 4, 400))
        self.assertIn("For the scratch", rest.invoice_line_ids[1].name)
        rest.action_post()
        self._assert_used_up(invoice)

    def test_x1_fee_that_was_kept_back_is_offered_last(self):
        invoice = self._bill({"name": "Chair", "quantity": 4, "price_unit": 100})
        note = self._credit(invoice)
        note.invoice_line_ids = [
            Command.create({"name": "Restocking", "price_unit": -30, "tax_ids": False})
        ]
        note.action_post()
        self.assertEqual(invoice.amount_left_to_refund, 30)
        fee = self._credit(invoice)
        self.assertEqual([line[1:] for line in self._lines(fee)], [(-1, 30)])
        fee.action_post()
        self._assert_used_up(invoice)

    def test_x1_fee_is_not_given_back_while_lines_are_left(self):
        invoice = self._bill({"name": "Chair", "quantity": 4, "price_unit": 100})
        note = self._credit(invoice)
        note.invoice_line_ids = [
            Command.update(note.invoice_line_ids.id, {"quantity": 1}),
            Command.create({"name": "Restocking", "price_unit": -30, "tax_ids": False}),
        ]
        self.assertEqual(self._lines(self._credit(invoice)), [("Chair", 3, 300)])
        self.assertEqual(invoice.amount_left_to_refund, 30)

    def test_x1_price_raised_on_a_part(self):
        """One of three for 200 instead of 100: the others are worth 50 each."""
        invoice = self._bill({"name": "Chair", "quantity": 3, "price_unit": 100})
        note = self._credit(invoice)
        note.invoice_line_ids.write({"quantity": 1, "price_unit": 200})
        note.action_post()
        self.assertEqual(self._lines(self._credit(invoice)), [("Chair", 2, 100)])
        self.assertEqual(invoice.amount_left_to_refund, 0)

    def test_x1_quantity_and_price_lowered(self):
        """A draft of one for 25 instead of four for 100 each: all the rest is proposed,
        each of the others for what it cost."""
        invoice = self._bill(
            {
                "product_id": self.lamp.id,
                "name": "Chair",
                "quantity": 4,
                "price_unit": 125,
                "discount": 20,
                "tax_ids": [Command.set(self.tax_excluded.ids)],
            }
        )
        note = self._credit(invoice)
        note.invoice_line_ids.write({"quantity": 1, "price_unit": 31.25})
        self.assertEqual(note.amount_untaxed, 25)
        rest = self._credit(invoice)
        self.assertEqual(self._lines(rest), [("Chair", 3, 300), ("Chair", 1, 75)])
        self.assertEqual(rest.invoice_line_ids.product_id, self.lamp)
        (note + rest).action_post()
        self._assert_used_up(invoice)

    def test_x1_price_raised_beyond_its_line(self):
        invoice = self._bill(
            {"name": "Chair", "price_unit": 100}, {"name": "Table", "price_unit": 300}
        )
        note = self._credit(invoice)
        note.invoice_line_ids[1].unlink()
        note.invoice_line_ids.price_unit = 150
        note.action_post()
        rest = self._credit(invoice)
        self.assertEqual(
            self._lines(rest), [("Table", 1, 300), ("Already credited: Chair", -1, -50)]
        )
        rest.action_post()
        self._assert_used_up(invoice)

    def test_x1_price_lowered_does_not_count_the_order_twice(self):
        note = self._refund()
        for line in note.invoice_line_ids:
            line.price_unit /= 2
        note.action_post()
        lines = self.order_a.order_line
        # Nothing came back: the customer isn't asked for the money again (X19).
        self.assertEqual(lines.mapped("qty_invoiced"), [4, 1])
        rest = self._refund(invoices=self.invoice_a)
        rest.action_post()
        self.assertEqual(lines.mapped("qty_invoiced"), [4, 1])
        self.assertEqual(self.invoice_a.amount_left_to_refund, 0)

    def test_x1_cents_of_taxes_are_taken_off_in_the_end(self):
        """21 % on 0.99: four times 0.21, but 0.83 on all four."""
        invoice = self._bill(
            {
                "name": "Screw",
                "quantity": 4,
                "price_unit": 0.99,
                "tax_ids": [Command.set(self.tax_excluded.ids)],
            }
        )
        self.assertEqual(invoice.amount_total, 4.79)
        for _number in range(3):
            note = self._credit(invoice)
            note.invoice_line_ids.quantity = 1
            note.action_post()
            self.assertEqual(note.amount_total, 1.20)
        last = self._credit(invoice)
        last.action_post()
        self.assertEqual(last.amount_total, 1.19)
        self.assertEqual(last.amount_tax, 0.20)
        self.assertEqual(self._lines(last), [("Screw", 1, 0.99)])
        self._assert_used_up(invoice)
        self.assertFalse(invoice.amount_residual)

    def test_x1_cents_of_cash_rounding_are_taken_off_in_the_end(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "0.05",
                "rounding": 0.05,
                "strategy": "add_invoice_line",
                "rounding_method": "HALF-UP",
                "profit_account_id": self.company_data["default_account_revenue"].id,
                "loss_account_id": self.company_data["default_account_expense"].id,
            }
        )
        invoice = self._bill(
            {"name": "Screw", "quantity": 3, "price_unit": 3.33},
            invoice_cash_rounding_id=rounding.id,
        )
        self.assertEqual(invoice.amount_total, 10)
        for _number in range(2):
            note = self._credit(invoice)
            note.invoice_line_ids.filtered(
                lambda line: line.display_type == "product"
            ).quantity = 1
            note.action_post()
            self.assertEqual(note.amount_total, 3.35)
        last = self._credit(invoice)
        last.action_post()
        self.assertEqual(last.amount_total, 3.30)
        self._assert_used_up(invoice)

    def test_x1_a_raised_draft_is_not_taken_for_rounding(self):
        invoice = self._bill({"name": "Screw", "price_unit": 1.00})
        note = self._credit(invoice)
        note.invoice_line_ids.price_unit = 1.01
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            note.action_post()
        note.invoice_line_ids.price_unit = 0.5
        rest = self._credit(invoice)
        rest.invoice_line_ids.price_unit = 0.6
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            rest.action_post()

    def test_x1_taxes_included_and_discount_price_lowered(self):
        invoice = self._bill(
            {
                "product_id": self.lamp.id,
                "quantity": 3,
                "price_unit": 49.99,
                "discount": 15,
                "tax_ids": [Command.set(self.tax_included.ids)],
            }
        )
        self.assertEqual(invoice.amount_total, 127.47)
        note = self._credit(invoice)
        note.invoice_line_ids.price_unit = 20
        note.action_post()
        self.assertEqual(note.amount_total, 51)
        rest = self._credit(invoice)
        rest.action_post()
        self.assertAlmostEqual(
            note.amount_total + rest.amount_total, 127.47, delta=0.011
        )
        self.assertGreaterEqual(
            invoice.currency_id.compare_amounts(invoice.amount_left_to_refund, 0), 0
        )

    def test_x1_invoice_of_nothing(self):
        invoice = self._bill({"name": "Gift", "price_unit": 0})
        with self.assertRaisesRegex(UserError, "nothing to refund"):
            self._credit(invoice)

    def test_x1_gift_beside_what_was_paid(self):
        invoice = self._bill(
            {"name": "Gift", "price_unit": 0, "quantity": 2},
            {"name": "Chair", "price_unit": 100},
        )
        note = self._credit(invoice)
        note.invoice_line_ids[0].quantity = 1
        note.invoice_line_ids[1].price_unit = 40
        rest = self._credit(invoice)
        self.assertEqual(self._lines(rest), [("Gift", 1, 0), ("Chair", 1, 60)])

    def test_x1_sections_and_notes_stay_with_the_rest(self):
        invoice = self._bill(
            {"name": "Chair", "quantity": 2, "price_unit": 100},
            {"display_type": "line_section", "name": "Furniture"},
            {"display_type": "line_note", "name": "Handle with care"},
        )
        self._credit(invoice).invoice_line_ids[0].quantity = 1
        rest = self._credit(invoice)
        self.assertEqual(
            rest.invoice_line_ids.mapped("display_type"),
            ["product", "line_section", "line_note"],
        )

    def test_x1_popup_shows_what_is_credited_already(self):
        note = self._credit(
            invoice := self._bill({"name": "Chair", "quantity": 2, "price_unit": 100})
        )
        note.invoice_line_ids.quantity = 1
        form = self._form(self.ticket_b)
        self.assertEqual(form.helpdesk_chosen_move_ids[:], invoice)
        self.assertRegex(
            form.helpdesk_notice,
            r"\$.100\.00 of \$.200\.00 is left .*"
            r"\$.100\.00 with a draft by after_sales_billing_agent",
        )

    def test_x1_three_partly_credited_invoices_at_once(self):
        invoices = self.env["account.move"]
        for price in (10, 20, 30):
            invoices += self._bill(
                {"name": "Chair", "quantity": 3, "price_unit": price}
            )
        for invoice in invoices[:2]:
            self._credit(invoice).invoice_line_ids.quantity = 1
        notes = self._credit(invoices)
        self.assertEqual(sorted(notes.mapped("amount_total")), [20, 40, 90])
        with self.assertRaisesRegex(UserError, "INV/.* already been credited in full"):
            self._credit(invoices[:2])

    def test_t3_credit_note_in_another_currency_counts(self):
        euro = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        invoice = self._bill({"name": "Chair", "quantity": 4, "price_unit": 100})
        note = self._credit(invoice)
        note.currency_id = euro
        note.invoice_line_ids.write({"quantity": 1, "price_unit": 200})
        note.action_post()
        self.assertEqual(invoice.amount_left_to_refund, 300)
        self.assertEqual(self._lines(self._credit(invoice)), [("Chair", 3, 300)])

    def test_t4_senseless_numbers_in_the_draft_are_not_posted(self):
        note = self._refund()
        line = note.invoice_line_ids[0]
        for field, value in (
            ("quantity", -10),
            ("quantity", 1e12),
            ("price_unit", -1000),
            ("price_unit", 1e12),
        ):
            with self.subTest(field=field, value=value), self.assertRaises(UserError):
                line[field] = value
                note.action_post()
            self.assertEqual(note.state, "draft")
            self.assertEqual(note.amount_total, 400)

    def test_modify_of_a_partly_credited_invoice_replaces_the_rest(self):
        invoice = self._bill({"name": "Chair", "quantity": 4, "price_unit": 100})
        note = self._credit(invoice)
        note.invoice_line_ids.quantity = 1
        note.action_post()
        wizard = self._wizard(ticket=self.ticket_b, invoices=invoice)
        wizard.modify_moves()
        self.assertEqual(self._lines(wizard.new_move_ids), [("Chair", 3, 300)])
        self.assertEqual(invoice.payment_state, "reversed")
        self.assertEqual(note.payment_state, "paid")
        self._assert_used_up(invoice)

    def test_modify_after_an_amount_comes_to_what_is_credited(self):
        """S36: per piece 0.50 is due, which the amount before left alone."""
        eco = self.env["account.tax"].create(
            {
                "name": "Eco",
                "amount": 0.5,
                "amount_type": "fixed",
                "include_base_amount": True,
                "sequence": 0,
            }
        )
        invoice = self._bill(
            {
                "name": "Chair",
                "quantity": 7,
                "price_unit": 3.33,
                "tax_ids": [Command.set((eco + self.tax_excluded).ids)],
            },
            {
                "name": "Table",
                "price_unit": 9.99,
                "tax_ids": [Command.set(self.tax_excluded.ids)],
            },
        )
        wizard = self._wizard(ticket=self.ticket_b, invoices=invoice)
        wizard.helpdesk_amount = 14.6
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        wizard = self._wizard(ticket=self.ticket_b, invoices=invoice)
        wizard.modify_moves()
        new = wizard.new_move_ids
        note = invoice.reversal_move_ids.sorted("id")[-1:]
        self.assertEqual(new.amount_total, note.amount_total)
        self.assertEqual(new.amount_tax, note.amount_tax)
        new.action_post()
        self.assertEqual(new.amount_total, note.amount_total)

    def test_modify_of_a_paid_invoice_gives_the_payment_back(self):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.invoice_a.ids
        ).create({}).action_create_payments()
        payment = self.invoice_a.matched_payment_ids
        wizard = self._wizard()
        wizard.modify_moves()
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertEqual(wizard.new_move_ids.amount_total, 400)
        self.assertFalse(payment.is_reconciled, "it is there for the new invoice")

    def test_modify_at_a_future_date_leaves_the_invoice_until_then(self):
        part = self._refund()
        part.invoice_line_ids[1].unlink()
        part.action_post()
        date = fields.Date.add(fields.Date.today(), days=5)
        wizard = self._wizard(invoices=self.invoice_a, date=date)
        wizard.modify_moves()
        note = self.ticket_a.credit_note_ids - part
        self.assertRecordValues(note, [{"state": "draft", "auto_post": "at_date"}])
        self.assertEqual(self.invoice_a.amount_residual, 200)
        self.assertEqual(part.payment_state, "paid")
        self.assertEqual(wizard.new_move_ids.state, "draft")

    def test_kit_of_mrp(self):
        if "mrp.bom" not in self.env:
            self.skipTest("mrp is not installed")
        kit = self.env["product.product"].create(
            {"name": "Set", "list_price": 300, "taxes_id": False}
        )
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": self.lamp.id, "product_qty": 2}),
                    Command.create({"product_id": self.desk.id, "product_qty": 1}),
                ],
            }
        )
        order = self._sell(self.customer_b, (kit, 2))
        invoice = self._invoice(order)
        ticket = self._ticket(self.customer_b, product_id=self.lamp.id)
        note = self._refund(ticket=ticket)
        self.assertEqual(note.reversed_entry_id, invoice, "found by a component")
        note.invoice_line_ids.quantity = 1
        note.action_post()
        rest = self._refund(ticket=ticket)
        self.assertEqual(rest.amount_total, 300)
