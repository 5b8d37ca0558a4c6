from odoo.tests import HttpCase, tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundTour(HttpCase, HelpdeskRefundCommon):
    """In a browser, as an agent with rights to Helpdesk and Invoicing only."""

    def _tour(self, name, login="after_sales_billing_agent"):
        url = f"/odoo/helpdesk-tickets/{self.ticket_a.id}"
        self.start_tour(url, name, login=login)
        self.env.invalidate_all()

    def test_s18_s33_s39_reverse(self):
        self._tour("helpdesk_refund_reverse")
        note = self.ticket_a.credit_note_ids
        self.assertRecordValues(
            note,
            [
                {
                    "state": "posted",
                    "amount_total": 400,
                    "create_uid": self.billing_agent.id,
                    "ref": f"Reversal of: {self.invoice_a.name}, "
                    f"Helpdesk Ticket #{self.ticket_a.ticket_ref}",
                }
            ],
        )
        self.assertEqual(self.invoice_a.reversal_move_ids, note)

    def test_x11_one_of_two_lines_with_a_fee(self):
        self._tour("helpdesk_refund_line_with_fee")
        note = self.ticket_a.credit_note_ids
        self.assertEqual(note.amount_total, 45)
        self.assertEqual(note.invoice_line_ids.mapped("price_subtotal"), [50, -5])
        # The accountant, who has nothing to do with tickets, posts it.
        accountant = self._new_user(
            "after_sales_accountant", "account.group_account_invoice"
        )
        note.with_user(accountant).action_post()
        # The customer reads it, in the ticket and as a document.
        customer = self._new_user(
            "refund_customer", "base.group_portal", partner_id=self.contact_a1.id
        )
        acts = self.ticket_a.with_user(customer).portal_timeline()
        [act] = [act for act in acts if note.name in act["title"]]
        self.assertIn("45.00", act["detail"])
        self.env.flush_all()
        self.authenticate(customer.login, customer.login)
        page = self.url_open(f"/my/invoices/{note.id}").text
        self.assertIn(note.name, page)
        self.assertIn("45.00", page)

    def test_s36_s38_reverse_and_create_invoice(self):
        self._tour("helpdesk_refund_modify")
        self.assertEqual(self.ticket_a.credit_note_ids.state, "posted")
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        new = self.order_a.invoice_ids.filtered(lambda move: move.state == "draft")
        self.assertEqual(new.amount_total, 400)

    def test_t29_agent_without_invoicing_sees_no_button(self):
        self._refund()
        self._tour("helpdesk_refund_without_invoicing", "after_sales_agent")

    def test_t12_credit_note_is_not_printed_for_others(self):
        """The report addresses answer nobody who may not read the credit note."""
        self._new_user(
            "after_sales_refund_portal",
            "base.group_portal",
            partner_id=self.customer_b.id,
        )
        note = self._refund()
        note.action_post()
        for login in ("after_sales_refund_portal", "after_sales_agent"):
            self.authenticate(login, login)
            for kind in ("html", "pdf"):
                response = self.url_open(
                    f"/report/{kind}/account.report_invoice/{note.id}"
                )
                self.assertIn(response.status_code, (403, 404), f"{login} {kind}")
                self.assertNotIn(note.name, response.text)
            response = self.url_open(f"/my/invoices/{note.id}")
            self.assertNotIn(note.name, response.text)


@tagged("post_install", "-at_install")
class TestRefundPhoneTour(HttpCase, HelpdeskRefundCommon):
    browser_size = "375x667"
    touch_enabled = True

    def test_x6_purchases_on_a_phone(self):
        """Its buttons and links are there, beside no table."""
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_refund_phone",
            login="after_sales_billing_agent",
        )
        # Of the line that was pressed, not of the whole invoice.
        self.assertEqual(self.ticket_a.credit_note_ids.amount_total, 200)
