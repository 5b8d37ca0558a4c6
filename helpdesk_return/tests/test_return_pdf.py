from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common_pdf import HostilePdfMixin

from .test_return_request import ReturnRequestCommon


@tagged("post_install", "-at_install")
class TestReturnPdf(HostilePdfMixin, ReturnRequestCommon):
    def test_t25_slip_of_a_request_with_hostile_words(self):
        reason = self.env["helpdesk.after.sales.reason"].search(
            [("services.switch", "=", "use_product_returns")], limit=1
        )
        reason.name = self._hostile("reason")
        self.lamp.name = self._hostile("product")
        self.contact_a1.name = self._hostile("customer")
        self.warehouse.partner_id.name = self._hostile("warehouse")
        self.order_a.name = self._hostile("order")
        ticket = self._ask(1, reason_id=reason.id, description=self._hostile("text"))
        wizard = self._approve(ticket).save()
        wizard.action_return()
        ticket.return_ids.note = self._hostile("note")
        self._assert_harmless_pdf(
            "helpdesk_return.report_return_slip",
            ticket.return_ids,
            ["reason", "product", "customer", "warehouse", "order"],
        )
