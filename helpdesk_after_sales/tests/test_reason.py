from odoo.tests import Form, tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestReason(HelpdeskAfterSalesCommon):
    def test_x5_reasons_are_listed_by_service(self):
        domain = [("services.switch", "=", "use_product_repairs")]
        reasons = self.env["helpdesk.after.sales.reason"].with_user(self.agent)
        wear = self.env.ref("helpdesk_after_sales.reason_wear")
        not_wanted = self.env.ref("helpdesk_after_sales.reason_not_wanted")
        self.assertIn(wear, reasons.search(domain))
        self.assertNotIn(not_wanted, reasons.search(domain))

    def test_x5_manager_edits_the_list(self):
        form = Form(self.env["helpdesk.after.sales.reason"].with_user(self.manager))
        form.name = "Noise"
        service = self.env.ref("helpdesk_after_sales.service_fsm")
        form.services.add(service)
        self.assertEqual(form.save().services, service)

    def test_x5_reasons_of_another_company_are_not_offered(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        reason = self.env.ref("helpdesk_after_sales.reason_wear")
        reason.company_id = other
        self.assertNotIn(
            reason,
            self.env["helpdesk.after.sales.reason"].with_user(self.agent).search([]),
        )
