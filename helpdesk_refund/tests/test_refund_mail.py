from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common_pdf import HostilePdfMixin

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundMail(HostilePdfMixin, HelpdeskRefundCommon):
    """Issue 16 E: what the customer is told and reads, and what is paid out."""

    def _pay(self, move):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()

    def test_posting_sends_the_note_when_the_team_says_so(self):
        note = self._refund()
        note.action_post()
        self.assertFalse(note.sending_data)
        note.button_draft()
        template = self.env.ref("helpdesk_refund.mail_template_refund")
        self.team.refund_template_id = template
        note.action_post()
        self.assertTrue(note.sending_data)
        send = self.env["account.move.send"].with_user(self.billing_agent)
        self.assertEqual(send._get_default_mail_template_id(note), template)
        # A credit note without a ticket is sent as ever.
        native = self.env["account.move"].browse(note.id).copy()
        self.assertNotEqual(send._get_default_mail_template_id(native), template)

    def test_the_message_is_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("helpdesk_refund.mail_template_refund")
        template.with_context(lang="fr_FR").subject = "Votre avoir"
        self.invoice_a.partner_id.lang = "fr_FR"
        self.team.refund_template_id = template
        note = self._refund()
        note.action_post()
        send = self.env["account.move.send"]
        lang = send._get_default_mail_lang(note, template)
        subject = send._get_default_mail_subject(note, template, lang)
        self.assertEqual(subject, "Votre avoir")
        body = send._get_default_mail_body(note, template, lang)
        self.assertIn(note.name, body)
        self.assertIn(self.ticket_a.ticket_ref, body)

    def test_what_becomes_of_the_money(self):
        note = self._refund()
        note.action_post()
        # Not paid yet: less is due.
        self.assertEqual(len(note._get_settlement_sentences()), 1)
        self.assertIn(self.invoice_a.name, note._get_settlement_sentences()[0])
        order = self._sell(self.contact_a1, (self.lamp, 1))
        invoice = self._invoice(order)
        self._pay(invoice)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        note = self._refund(ticket=ticket)
        note.action_post()
        paid_out = note._get_settlement_sentences()
        self.assertEqual(len(paid_out), 1)
        self.assertNotIn(invoice.name, paid_out[0])
        self.team.refund_settlement = "credit"
        self.assertNotEqual(note._get_settlement_sentences(), paid_out)

    def test_paid_out_from_the_ticket(self):
        self._pay(self.invoice_a)
        ticket = self.ticket_a.with_user(self.billing_agent)
        self.assertFalse(ticket.refunds_to_pay)
        with self.assertRaises(UserError):
            ticket.action_pay_refunds()
        note = self._refund()
        note.action_post()
        ticket.invalidate_recordset()
        self.assertTrue(ticket.refunds_to_pay)
        action = ticket.action_pay_refunds()
        self.assertEqual(action["res_model"], "account.payment.register")
        self.env["account.payment.register"].with_user(self.billing_agent).with_context(
            **action["context"]
        ).create({}).action_create_payments()
        self.assertEqual(note.amount_residual, 0)
        ticket.invalidate_recordset()
        self.assertFalse(ticket.refunds_to_pay)
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.agent).action_pay_refunds()

    def test_t25_credit_note_with_hostile_words(self):
        """Odoo's own report, of what a customer and an agent wrote."""
        self.contact_a1.name = self._hostile("customer")
        self.invoice_a.invoice_line_ids[0].name = self._hostile("line")
        self.ticket_a.name = self._hostile("subject")
        note = self._refund(reason=self._hostile("reason"))
        note.action_post()
        self._assert_harmless_pdf(
            "account.account_invoices", note, ["customer", "line"], breaks=False
        )
