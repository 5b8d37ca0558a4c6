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
