from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundWizard(HelpdeskRefundCommon):
    def test_s18_s19_button_opens_a_popup_titled_refund(self):
        action = self.ticket_a.with_user(self.billing_agent).action_refund()
        self.assertEqual(action["name"], "Refund")
        self.assertEqual(action["target"], "new")

    def test_s20_s24_s27_popup_is_filled_from_the_ticket(self):
        wizard = self._wizard()
        self.assertEqual(wizard.helpdesk_sale_order_id, self.order_a)
        self.assertEqual(wizard.move_ids, self.invoice_a)
        self.assertEqual(wizard.journal_id, self.invoice_a.journal_id)
        self.assertEqual(wizard.reason, f"Helpdesk Ticket #{self.ticket_a.ticket_ref}")

    def test_s33_s35_reverse_makes_a_draft_credit_note(self):
        note = self._refund()
        self.assertRecordValues(
            note,
            [
                {
                    "move_type": "out_refund",
                    "state": "draft",
                    "amount_total": 400.0,
                    "reversed_entry_id": self.invoice_a.id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "company_id": self.company.id,
                }
            ],
        )

    def test_s36_s38_reverse_and_create_invoice(self):
        self.invoice_a.button_draft()
        self.invoice_a.invoice_line_ids = [
            Command.create({"display_type": "line_section", "name": "Furniture"}),
            Command.create({"display_type": "line_note", "name": "Handle with care"}),
        ]
        self.invoice_a.action_post()
        wizard = self._wizard()
        action = wizard.modify_moves()
        new = self.env["account.move"].browse(action["res_id"])
        self.assertRecordValues(
            new, [{"move_type": "out_invoice", "state": "draft", "amount_total": 400}]
        )
        self.assertEqual(
            new.invoice_line_ids.mapped("display_type"),
            self.invoice_a.invoice_line_ids.mapped("display_type"),
        )
        note = self.ticket_a.credit_note_ids
        self.assertEqual(note.state, "posted")
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertFalse(new.helpdesk_ticket_id)

    def test_x1_second_full_refund_is_refused_with_the_first_one_named(self):
        note = self._refund()
        with self.assertRaisesRegex(UserError, "credited in full already"):
            self._wizard(invoices=self.invoice_a).refund_moves()
        self.assertEqual(self.invoice_a.reversal_move_ids, note)

    def test_x1_t3_second_partial_refund_holds_what_is_left(self):
        note = self._refund()
        lamps = note.invoice_line_ids.filtered(
            lambda line: line.product_id == self.lamp
        )
        desks = note.invoice_line_ids - lamps
        note.invoice_line_ids = [
            Command.update(lamps.id, {"quantity": 1}),
            Command.delete(desks.id),
        ]
        note.action_post()
        self.assertEqual(self.invoice_a.amount_left_to_refund, 350)
        rest = self._refund(invoices=self.invoice_a)
        self.assertEqual(rest.amount_total, 350)
        self.assertEqual(
            {line.product_id: line.quantity for line in rest.invoice_line_ids},
            {self.lamp: 3, self.desk: 1},
        )
        self.assertEqual(self.invoice_a.amount_left_to_refund, 0)

    def test_x1_modify_after_a_partial_refund(self):
        note = self._refund()
        note.invoice_line_ids[0].quantity = 1
        note.invoice_line_ids[1].unlink()
        note.action_post()
        self._wizard(invoices=self.invoice_a).modify_moves()
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertEqual(note.payment_state, "paid")

    def test_x1_posting_a_raised_draft_is_refused(self):
        note = self._refund()
        note.invoice_line_ids[0].quantity += 1
        with self.assertRaisesRegex(UserError, "passes what is left"):
            note.action_post()

    def test_s31_s32_future_date_auto_posts(self):
        future = fields.Date.add(fields.Date.today(), days=3)
        note = self._refund(date=future)
        self.assertEqual(note.auto_post, "at_date")

    def test_t2_second_click_opens_what_exists(self):
        wizard = self._wizard()
        first = wizard.refund_moves()
        second = wizard.refund_moves()
        self.assertEqual(first["res_id"], second["res_id"])

    def test_s2_agent_without_invoicing_is_refused(self):
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.agent).action_refund()
