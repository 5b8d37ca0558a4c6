from odoo import Command
from odoo.tests import HttpCase, tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponPortal(HelpdeskCouponCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._new_user("coupon_a", "base.group_portal", partner_id=cls.contact_a2.id)
        cls._new_user("coupon_b", "base.group_portal", partner_id=cls.customer_b.id)

    def test_x2_customer_sees_the_codes_of_the_own_company_only(self):
        valid, withdrawn = self._generate_coupon(), self._generate_coupon()
        withdrawn.with_user(self.agent)._withdraw_from_helpdesk("Mistake")
        native = self.env["loyalty.card"].create(
            {"program_id": self.program.id, "partner_id": self.contact_a2.id}
        )
        self.env.flush_all()
        self.authenticate("coupon_a", "coupon_a")
        page = self.url_open("/my/coupons").text
        self.assertIn(valid.code, page)
        self.assertIn("10% on your order", page)
        self.assertNotIn(withdrawn.code, page)
        self.assertNotIn(native.code, page)
        self.authenticate("coupon_b", "coupon_b")
        page = self.url_open("/my/coupons").text
        self.assertNotIn(valid.code, page)
        self.assertIn("You have no coupons", page)

    def test_x2_home_of_the_portal_counts_them(self):
        self._generate_coupon()
        self.env.flush_all()
        self.authenticate("coupon_a", "coupon_a")
        counters = self.make_jsonrpc_request(
            "/my/counters", {"counters": ["helpdesk_coupon_count"]}
        )
        self.assertEqual(counters["helpdesk_coupon_count"], 1)
        self.assertIn("/my/coupons", self.url_open("/my/home").text)

    def test_stranger_is_asked_to_sign_in(self):
        self.authenticate(None, None)
        response = self.url_open("/my/coupons", allow_redirects=False)
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])

    def test_x7_timeline(self):
        valid, withdrawn = self._generate_coupon(), self._generate_coupon()
        withdrawn.with_user(self.agent)._withdraw_from_helpdesk("Secret mistake")
        ticket = valid.helpdesk_ticket_id
        customer = self.env["res.users"].search([("login", "=", "coupon_a")])
        acts = {
            act["title"]: act for act in ticket.with_user(customer).portal_timeline()
        }
        act = acts[f"Coupon {valid.code}"]
        self.assertEqual(act["state"], "Valid")
        self.assertIn("10% on your order", act["detail"])
        self.assertEqual(acts[f"Coupon {withdrawn.code}"]["state"], "Withdrawn")
        self.assertNotIn("Secret", str(acts))
        ticket.partner_id = self.customer_b
        berta = self.env["res.users"].search([("login", "=", "coupon_b")])
        self.assertNotIn(valid.code, str(ticket.with_user(berta).portal_timeline()))

    # -- In a browser --------------------------------------------------------

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
