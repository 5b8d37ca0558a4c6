from odoo.tests import HttpCase, tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponTour(HelpdeskCouponCommon, HttpCase):
    def test_tour_agent_sends_a_coupon(self):
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_coupon_send",
            login=self.agent.login,
        )
        coupon = self.ticket_a.coupon_ids
        self.assertEqual(coupon.partner_id, self.contact_a1)
        message = self.ticket_a.message_ids.filtered("notified_partner_ids")[0]
        self.assertEqual(message.notified_partner_ids, self.contact_a1)
        self.assertIn(coupon.code, message.body)

    def test_tour_agent_shares_a_coupon(self):
        if "coupon.share" not in self.env:
            self.skipTest("needs website_sale_loyalty")
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_coupon_share",
            login=self.agent.login,
        )
        self.assertEqual(len(self.ticket_a.coupon_ids), 1)
