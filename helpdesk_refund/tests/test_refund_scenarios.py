from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundScenarios(HelpdeskRefundCommon):
    """From order to refund, as shops meet it."""

    def _lines(self, move):
        return {
            (line.product_id, line.quantity, line.price_subtotal)
            for line in move.invoice_line_ids
            if line.display_type == "product"
        }

    def _bare_invoice(self, partner, *lines, **values):
        """Return a posted invoice without an order."""
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": partner.id,
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

    def _pay(self, invoice, amount):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({"amount": amount}).action_create_payments()

    def test_s15_unpaid_invoice_is_settled_by_its_credit_note(self):
        self._wizard().modify_moves()
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertFalse(self.invoice_a.amount_residual)

    def test_s15_paid_invoice(self):
        self._pay(self.invoice_a, 400)
        note = self._refund()
        note.action_post()
        self.assertEqual(note.amount_residual, 400, "the customer has it coming")

    def test_s16_partly_paid_invoice_adjusts_the_amount_due(self):
        self._pay(self.invoice_a, 150)
        note = self._refund()
        note.invoice_line_ids = [
            Command.delete(line.id)
            for line in note.invoice_line_ids
            if line.product_id == self.desk
        ]
        note.action_post()
        self.assertEqual(note.amount_total, 200)
        self.assertEqual(self.invoice_a.amount_residual, 50)

    def test_s24_several_invoices_of_one_company(self):
        order = self._sell(self.contact_a2, (self.desk, 2))
        second = self._invoice(order)
        self.ticket_a.sale_order_id = False
        invoices = self.invoice_a + second
        partial = self._refund(invoices=second)
        partial.invoice_line_ids.quantity = 1
        notes = self._refund(invoices=invoices)
        self.assertEqual(set(notes.mapped("amount_total")), {400.0, 200.0})
        self.assertEqual(notes.reversed_entry_id, invoices)
        self.assertEqual(self.ticket_a.credit_notes_count, 3)

    def test_s31_s32_future_date_is_posted_by_odoos_cron(self):
        future = fields.Date.today() + timedelta(days=3)
        note = self._refund(date=future)
        self.assertRecordValues(note, [{"state": "draft", "auto_post": "at_date"}])
        cron = self.env["account.move"].with_context(cron_id=None)
        with freeze_time(future + timedelta(days=1)):
            self.env["account.move"].browse(note.id)
            moves = cron.search([("id", "=", note.id)])
            moves._post()
        self.assertEqual(note.state, "posted")
        self.assertIn("was posted", self.ticket_a.message_ids[0].body)

    def test_s39_third_refund_of_a_ticket(self):
        ticket = self.ticket_a.with_user(self.billing_agent)
        self.assertFalse(ticket.credit_notes_count)
        first = self._refund()
        first.invoice_line_ids = [
            Command.update(line.id, {"quantity": 1})
            if line.product_id == self.lamp
            else Command.delete(line.id)
            for line in first.invoice_line_ids
        ]
        self.assertEqual(
            ticket.action_view_credit_notes()["res_id"], first.id, "one opens directly"
        )
        self.assertEqual(ticket.draft_credit_notes_count, 1)
        first.action_post()
        ticket.invalidate_recordset()
        self.assertEqual(ticket.draft_credit_notes_count, 0)
        second = self._refund(invoices=self.invoice_a)
        second.invoice_line_ids[0].quantity = 1
        second.invoice_line_ids[1].unlink()
        third = self._refund(invoices=self.invoice_a)
        ticket.invalidate_recordset()
        self.assertEqual(ticket.credit_notes_count, 3)
        action = ticket.action_view_credit_notes()
        found = self.env["account.move"].search(action["domain"])
        self.assertEqual(found, first + second + third)
        self.assertEqual(self._lines(third), {(self.lamp, 2, 100), (self.desk, 1, 200)})

    def test_ticket_without_order_or_product(self):
        ticket = self._ticket(self.customer_a)
        note = self._refund(ticket=ticket, invoices=self.invoice_a)
        self.assertEqual(note.helpdesk_ticket_id, ticket)

    def test_order_without_lines_is_explained(self):
        empty = self.env["sale.order"].create({"partner_id": self.contact_a1.id})
        empty.action_confirm()
        self.ticket_a.sale_order_id = empty
        self.assertIn("fits the order", self._form().helpdesk_notice)
        wizard = self._wizard_by_rpc()
        with self.assertRaisesRegex(UserError, "fits the order"):
            wizard.refund_moves()

    def test_s25_customer_without_invoice_is_explained(self):
        ticket = self._ticket(self.customer_b)
        self.assertIn("has no posted invoice", self._form(ticket).helpdesk_notice)
        wizard = self._wizard_by_rpc(ticket)
        with self.assertRaisesRegex(UserError, "has no posted invoice"):
            wizard.refund_moves()

    def test_s17_draft_invoice_can_not_be_refunded(self):
        draft = self._invoice(self._sell(self.contact_a1, (self.lamp, 1)), post=False)
        wizard = self._wizard()
        wizard.move_ids = draft
        with self.assertRaisesRegex(UserError, "not a posted customer invoice"):
            wizard.refund_moves()
        self.assertFalse(draft.reversal_move_ids)

    def test_s17_cancelled_invoice_and_vendor_bill(self):
        wizard = self._wizard()
        self.invoice_a.button_draft()
        self.invoice_a.button_cancel()
        bill = self.init_invoice(
            "in_invoice", partner=self.customer_a, amounts=[10], post=True
        )
        for move in (self.invoice_a, bill):
            wizard.move_ids = move
            with self.assertRaisesRegex(UserError, "not a posted customer invoice"):
                wizard.refund_moves()

    def test_s21_invoice_of_another_customer(self):
        foreign = self._invoice(self._sell(self.customer_b, (self.lamp, 1)))
        wizard = self._wizard()
        wizard.helpdesk_sale_order_id = False
        wizard.move_ids = foreign
        with self.assertRaisesRegex(UserError, "not an invoice of Alder"):
            wizard.refund_moves()
        self.assertFalse(foreign.reversal_move_ids)

    def test_s22_product_that_is_not_on_the_invoice(self):
        wizard = self._wizard(invoices=self.invoice_a)
        wizard.helpdesk_product_id = self.phone
        with self.assertRaisesRegex(UserError, "for what was chosen above"):
            wizard.refund_moves()

    def test_s23_lot_narrows_the_invoices(self):
        orders = [
            self._sell(self.contact_a1, (self.phone, 1), serials=serial)
            for serial in self.serials[:2]
        ]
        invoices = [self._invoice(order) for order in orders]
        ticket = self._ticket(
            self.contact_a1, product_id=self.phone.id, lot_id=self.serials[1].id
        )
        wizard = self._wizard(ticket=ticket)
        self.assertEqual(wizard.helpdesk_lot_id, self.serials[1])
        self.assertEqual(wizard.move_ids, invoices[1], "the only one that fits")
        wizard.move_ids = invoices[0]
        with self.assertRaises(UserError):
            wizard.refund_moves()

    def test_s28_s30_journal_can_be_changed_within_its_type(self):
        sales = self.invoice_a.journal_id.copy({"code": "SAL2"})
        note = self._refund(journal_id=sales)
        self.assertEqual(note.journal_id, sales)
        wizard = self._wizard(invoices=self.invoice_a)
        with self.assertRaises(UserError):
            wizard.journal_id = self.company_data["default_journal_purchase"]

    def test_s29_journal_follows_the_chosen_invoice(self):
        other = self.invoice_a.journal_id.copy({"code": "SAL3"})
        second = self._bare_invoice(
            self.contact_a1,
            {"product_id": self.lamp.id, "price_unit": 10},
            journal_id=other.id,
        )
        self.ticket_a.sale_order_id = False
        wizard = self._wizard(invoices=second)
        self.assertEqual(wizard.journal_id, other)

    def test_s32_date_is_required(self):
        wizard = self._wizard()
        wizard.date = False
        with self.assertRaisesRegex(UserError, "reversal date"):
            wizard.refund_moves()

    def test_foreign_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2016-01-01", 2.0)])
        invoice = self._bare_invoice(
            self.customer_b,
            {"product_id": self.lamp.id, "quantity": 3, "price_unit": 30},
            currency_id=currency.id,
        )
        ticket = self._ticket(self.customer_b)
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.quantity = 1
        note.action_post()
        self.assertEqual(note.currency_id, currency)
        self.assertEqual(invoice.amount_left_to_refund, 60, "in its own currency")
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(rest.amount_total, 60)

    def test_line_without_product_discount_and_taxes_in_the_price(self):
        tax = self.env["account.tax"].create(
            {
                "name": "21 % included",
                "amount": 21,
                "price_include_override": "tax_included",
            }
        )
        invoice = self._bare_invoice(
            self.customer_b,
            {"name": "By hand", "quantity": 2, "price_unit": 33.33},
            {
                "product_id": self.lamp.id,
                "quantity": 3,
                "price_unit": 49.99,
                "discount": 15,
                "tax_ids": [Command.set(tax.ids)],
            },
        )
        ticket = self._ticket(self.customer_b)
        part = self._refund(ticket=ticket, invoices=invoice)
        by_hand, lamps = part.invoice_line_ids
        by_hand.quantity = 1
        lamps.quantity = 1
        part.action_post()
        rest = self._refund(ticket=ticket, invoices=invoice)
        rest.action_post()
        self.assertEqual(rest.invoice_line_ids.mapped("quantity"), [1, 2])
        self.assertAlmostEqual(
            part.amount_total + rest.amount_total, invoice.amount_total, delta=0.011
        )

    def test_cash_rounding_is_refunded_in_full(self):
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
        invoice = self._bare_invoice(
            self.customer_b,
            {"product_id": self.lamp.id, "price_unit": 9.98},
            invoice_cash_rounding_id=rounding.id,
        )
        self.assertEqual(invoice.amount_total, 10)
        note = self._refund(ticket=self._ticket(self.customer_b), invoices=invoice)
        note.action_post()
        self.assertEqual(note.amount_total, 10)
        self.assertEqual(invoice.amount_left_to_refund, 0)

    def test_down_payment(self):
        order = self._sell(self.customer_b, (self.desk, 2), deliver=False)
        self.env["sale.advance.payment.inv"].create(
            {
                "advance_payment_method": "percentage",
                "amount": 25,
                "sale_order_ids": [Command.set(order.ids)],
            }
        ).create_invoices()
        down_payment = order.invoice_ids
        down_payment.action_post()
        final = order._create_invoices(final=True)
        final.action_post()
        self.assertEqual(final.amount_total, 300)
        ticket = self._ticket(self.customer_b, sale_order_id=order.id)
        note = self._refund(ticket=ticket, invoices=final)
        self.assertEqual(note.amount_total, 300)
        note.action_post()
        self.assertEqual(final.amount_left_to_refund, 0)
        self.assertEqual(down_payment.amount_left_to_refund, 100)

    def test_same_product_on_two_lines_without_order(self):
        invoice = self._bare_invoice(
            self.customer_b,
            {"product_id": self.lamp.id, "quantity": 2, "price_unit": 50},
            {"product_id": self.lamp.id, "quantity": 3, "price_unit": 50},
        )
        ticket = self._ticket(self.customer_b)
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids[1].unlink()
        note.invoice_line_ids.quantity = 4
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(sum(rest.invoice_line_ids.mapped("quantity")), 1)
        self.assertEqual(invoice.amount_left_to_refund, 0)

    def test_other_unit_of_measure(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        invoice = self._bare_invoice(
            self.customer_b,
            {
                "product_id": self.lamp.id,
                "quantity": 2,
                "price_unit": 600,
                "product_uom_id": dozen.id,
            },
        )
        ticket = self._ticket(self.customer_b)
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.write(
            {
                "product_uom_id": self.env.ref("uom.product_uom_unit").id,
                "quantity": 6,
                "price_unit": 50,
            }
        )
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(rest.invoice_line_ids.quantity, 1.5)
        self.assertEqual(rest.amount_total, 900)

    def test_t3_price_lowered_instead_of_the_quantity(self):
        """All quantities are credited, an amount is left: it is offered as a price."""
        note = self._refund()
        for line in note.invoice_line_ids:
            line.price_unit /= 4
        note.action_post()
        self.assertEqual(self.invoice_a.amount_left_to_refund, 300)
        rest = self._refund(invoices=self.invoice_a)
        self.assertEqual(rest.amount_total, 300)

    def test_t3_total_less_one_and_then_any(self):
        note = self._refund()
        note.invoice_line_ids = [
            *(Command.delete(line.id) for line in note.invoice_line_ids[1:]),
            Command.update(
                note.invoice_line_ids[0].id, {"quantity": 1, "price_unit": 399}
            ),
        ]
        note.action_post()
        rest = self._refund(invoices=self.invoice_a)
        self.assertEqual(rest.amount_total, 1)
        rest.invoice_line_ids[0].price_unit += 1
        with self.assertRaisesRegex(UserError, r"exceeds what is left.* by \$.1\.00"):
            rest.action_post()
        rest.invoice_line_ids[0].price_unit -= 1
        rest.action_post()
        with self.assertRaisesRegex(UserError, "credited in full"):
            self._wizard(invoices=self.invoice_a).refund_moves()

    def test_x1_t3_credit_note_outside_of_the_ticket_counts(self):
        native = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=self.invoice_a.ids)
            .create({"journal_id": self.invoice_a.journal_id.id})
        )
        native.refund_moves()
        self.assertIn(native.new_move_ids, self.invoice_a._get_credit_notes())
        wizard = self._wizard(invoices=self.invoice_a)
        self.assertIn("credited in full", wizard.helpdesk_notice)
        with self.assertRaisesRegex(UserError, "credited in full"):
            wizard.refund_moves()

    def test_x1_cancelled_credit_note_gives_the_amount_back(self):
        note = self._refund()
        note.button_cancel()
        self.assertIn("was cancelled", self.ticket_a.message_ids[0].body)
        again = self._refund(invoices=self.invoice_a)
        self.assertEqual(again.amount_total, 400)

    def test_x1_deleted_draft_gives_the_amount_back(self):
        self._refund().unlink()
        self.assertIn("was deleted", self.ticket_a.message_ids[0].body)
        self.assertEqual(self._refund(invoices=self.invoice_a).amount_total, 400)

    def test_x1_native_credit_notes_behave_as_in_odoo(self):
        for _round in range(2):
            native = (
                self.env["account.move.reversal"]
                .with_context(
                    active_model="account.move", active_ids=self.invoice_a.ids
                )
                .create({"journal_id": self.invoice_a.journal_id.id})
            )
            native.refund_moves()
            native.new_move_ids.action_post()
        self.assertEqual(self.invoice_a.amount_left_to_refund, -400)

    def test_s33_both_sides_tell_of_the_refund(self):
        note = self._refund()
        told = note.message_ids.filtered(
            lambda message: f"#{self.ticket_a.ticket_ref}" in message.body
        )
        self.assertEqual(told.author_id, self.billing_agent.partner_id)
        self.assertIn("Credit note", self.ticket_a.message_ids[0].body)
        action = note.with_user(self.billing_agent).action_view_helpdesk_ticket()
        self.assertEqual(action["res_id"], self.ticket_a.id)

    def test_s34_a_part_is_refunded_by_changing_the_draft(self):
        note = self._refund()
        note.with_user(self.billing_agent).invoice_line_ids[0].quantity = 1
        note.with_user(self.billing_agent).action_post()
        self.assertEqual(self.invoice_a.amount_left_to_refund, 150)

    def test_s26_s27_reason_can_be_changed(self):
        note = self._refund(reason="Shade is cracked")
        self.assertIn("Shade is cracked", note.ref)

    def test_x5_mandatory_reason(self):
        self.team.require_reason = True
        reason = self.env.ref("helpdesk_after_sales.reason_damaged")
        wizard = self._wizard(helpdesk_reason_id=reason)
        wizard.helpdesk_reason_id = False
        with self.assertRaisesRegex(UserError, "requires a reason"):
            wizard.refund_moves()
        wizard.helpdesk_reason_id = reason
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.helpdesk_reason_id, reason)

    def test_posting_other_entries_costs_nothing_more(self):
        """Documents without a ticket ask the database nothing for our sake."""
        invoice = self._invoice(self._sell(self.customer_b, (self.lamp, 1)), post=False)
        with self.assertQueryCount(0):
            refunds = invoice.filtered(
                lambda move: move.helpdesk_ticket_id and move.move_type == "out_refund"
            )
            refunds._check_within_invoice()
            self.env["account.move"]._after_sales_tell_ticket({})

    def test_what_is_left_costs_the_same_for_any_number_of_invoices(self):
        invoices = self.invoice_a
        for _number in range(6):
            invoices += self._invoice(self._sell(self.contact_a1, (self.lamp, 1)))

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.mapped("amount_left_to_refund")
            return self.cr.sql_log_count - before

        count(invoices)
        self.assertEqual(count(invoices[:2]), count(invoices))

    def test_closing_tells_of_draft_credit_notes(self):
        note = self._refund()
        ticket = self.ticket_a.with_user(self.agent)
        solved = self.team.stage_ids.filtered("fold")[0]
        spec = {"stage_id": {}}
        result = ticket.onchange({"stage_id": solved.id}, ["stage_id"], spec)
        self.assertIn("Credit note", result["warning"]["message"])
        note.action_post()
        result = ticket.onchange({"stage_id": solved.id}, ["stage_id"], spec)
        self.assertFalse(result.get("warning"))
