from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common_pdf import HostilePdfMixin

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundPdf(HostilePdfMixin, HelpdeskRefundCommon):
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
