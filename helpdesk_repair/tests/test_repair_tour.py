from odoo.tests import HttpCase, tagged

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairTour(HttpCase, HelpdeskRepairCommon):
    """With rights to Helpdesk only."""

    def _tour(self, name):
        url = f"/odoo/helpdesk-tickets/{self.ticket_a.id}"
        self.start_tour(url, name, login="after_sales_agent")
        self.env.invalidate_all()

    def test_s98_s99_maker_opens_the_repair_in_a_browser(self):
        """Button, form, smart button, chatter link."""
        self._tour("helpdesk_repair_confirm")
        self.assertEqual(self.ticket_a.repair_ids.state, "confirmed")
        self.assertEqual(self.ticket_a.repair_ids.move_ids.product_id, self.screen)

    def test_s92_s96_quotation_in_a_browser(self):
        self._tour("helpdesk_repair_quotation")
        repair = self.ticket_a.repair_ids
        self.assertEqual(repair.tag_ids.name, "Cracked")
        self.assertEqual(repair.sale_order_id.order_line.product_id, self.screen)

    def test_x8_warranty_in_a_browser(self):
        self.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        self.phone.product_tmpl_id.action_begin_past_warranties()
        self._tour("helpdesk_repair_warranty")
        self.assertFalse(self.ticket_a.repair_ids.under_warranty)
        self.assertEqual(self.ticket_a.repair_ids.state, "confirmed")

    def test_x15_give_back_in_a_browser(self):
        repair = self._repaired(self._send_back(self.serials[0]))
        self._tour("helpdesk_repair_give_back")
        self.assertEqual(repair.helpdesk_delivery_id.move_ids.lot_ids, self.serials[0])

    def test_s98_t12_print_and_files_over_http(self):
        """The maker prints the repair; who may not see the ticket doesn't, nor does a
        customer, alone or with others."""
        repair = self._confirm(self._form().save())
        other = self.env["repair.order"].create({"product_id": self.lamp.id})
        self._new_user(
            "after_sales_repair_customer",
            "base.group_portal",
            partner_id=self.contact_a1.id,
        )
        report = "/report/pdf/repair.report_repairorder2"
        self.authenticate("after_sales_agent", "after_sales_agent")
        # In tests Odoo answers with the page that would be printed.
        self.assertIn(repair.name, self.url_open(f"{report}/{repair.id}").text)
        mixed = self.url_open(f"{report}/{repair.id},{other.id}").text
        self.assertNotIn(repair.name, mixed)
        self.team.write(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [(6, 0, self.agent.ids)],
            }
        )
        for login in ("after_sales_other_agent", "after_sales_repair_customer"):
            with self.subTest(login=login):
                self.authenticate(login, login)
                for kind in ("pdf", "html"):
                    address = report.replace("pdf", kind)
                    response = self.url_open(f"{address}/{repair.id}")
                    self.assertNotIn(repair.name, response.text)


@tagged("post_install", "-at_install")
class TestRepairPhoneTour(HttpCase, HelpdeskRepairCommon):
    browser_size = "375x667"
    touch_enabled = True

    def test_s79_repair_on_a_phone(self):
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_repair_phone",
            login="after_sales_agent",
        )
        self.assertEqual(self.ticket_a.repair_ids.state, "confirmed")
