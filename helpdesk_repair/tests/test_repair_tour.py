from odoo.tests import HttpCase, tagged

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairTour(HttpCase, HelpdeskRepairCommon):
    def test_s98_s99_maker_opens_the_repair_in_a_browser(self):
        """With rights to Helpdesk only: button, form, smart button, chatter link."""
        url = f"/odoo/helpdesk-tickets/{self.ticket_a.id}"
        self.start_tour(url, "helpdesk_repair_confirm", login="after_sales_agent")
        self.env.invalidate_all()
        self.assertEqual(self.ticket_a.repair_ids.state, "confirmed")
        self.assertEqual(self.ticket_a.repair_ids.move_ids.product_id, self.screen)
