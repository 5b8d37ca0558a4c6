from odoo import Command
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

    def _prepare_shop(self):
        if "coupon.share" not in self.env:
            self.skipTest("needs website_sale_loyalty")
        self.lamp.website_published = True
        self.product_url = self.lamp.product_tmpl_id.website_url

    def test_s61_tour_visitor_follows_the_link(self):
        self._prepare_shop()
        coupon = self._generate_coupon()
        self.start_tour(
            f"/coupon/{coupon.code}?r={self.product_url}",
            "helpdesk_coupon_visitor",
            login=None,
        )
        cart = self.env["sale.order"].search([("website_id", "!=", False)], limit=1)
        self.assertEqual(cart.order_line.coupon_id, coupon)

    def test_t6_tour_customer_uses_it_twice_and_is_refused(self):
        self._prepare_shop()
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, coupon)
        order.action_confirm()
        self._new_user("coupon_a", "base.group_portal", partner_id=self.contact_a2.id)
        self.env["sale.order"].create(
            {
                "partner_id": self.contact_a2.id,
                "website_id": self.env["website"].search([], limit=1).id,
                "order_line": [Command.create({"product_id": self.lamp.id})],
            }
        )
        self.start_tour(
            f"/coupon/{coupon.code}?r=/shop/cart",
            "helpdesk_coupon_used_twice",
            login="coupon_a",
        )
