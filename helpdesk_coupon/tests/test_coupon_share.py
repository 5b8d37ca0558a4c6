from odoo import http
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponShare(HelpdeskCouponCommon, HttpCase):
    """With eCommerce: skipped where ``website_sale_loyalty`` isn't installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "coupon.share" not in cls.env:
            cls.skipTest(cls, "needs website_sale_loyalty")
        cls.website = cls.env["website"].search(
            [("company_id", "=", cls.company.id)], limit=1
        ) or cls.env["website"].create({"name": "Shop", "company_id": cls.company.id})
        cls.lamp.website_published = True
        cls._new_user("coupon_a", "base.group_portal", partner_id=cls.contact_a2.id)
        cls._new_user("coupon_b", "base.group_portal", partner_id=cls.customer_b.id)

    def test_s44_s58_s59_s60_popup_share_coupons_holds_the_link(self):
        wizard = self._wizard()
        self.assertTrue(wizard.can_share)
        action = wizard.action_get_share_link()
        self.assertEqual(action["name"], "Share Coupons")
        opened = (
            self.env[action["res_model"]].with_user(self.agent).browse(action["res_id"])
        )
        self.assertIn(f"/coupon/{wizard.coupon_id.code}", opened.share_link)
        view = opened.get_views([action["views"][0]])["views"]["form"]["arch"]
        self.assertIn("CopyClipboardButton", view)

    def test_sharing_after_sending_uses_the_same_code(self):
        wizard = self._wizard()
        wizard.action_send_by_email()
        wizard.action_get_share_link()
        self.assertEqual(len(self.program.coupon_ids), 1)

    def test_share_from_the_coupon(self):
        coupon = self._generate_coupon()
        action = coupon.with_user(self.agent).action_helpdesk_share()
        opened = (
            self.env[action["res_model"]].with_user(self.agent).browse(action["res_id"])
        )
        self.assertIn(coupon.code, opened.share_link)

    def test_mail_holds_the_link(self):
        wizard = self._wizard()
        body = wizard.action_send_by_email()["context"]["default_body"]
        self.assertIn(f"/coupon/{wizard.coupon_id.code}", body)

    def test_several_websites(self):
        other = self.env["website"].create(
            {
                "name": "Second shop",
                "company_id": self.company.id,
                "domain": "https://second.example.com",
            }
        )
        wizard = self._wizard()
        wizard.action_get_share_link()
        self.assertTrue(wizard.share_several)
        wizard.share_website = str(other.id)
        self.assertIn("https://second.example.com/coupon/", wizard.share_link)
        self.program.website_id = other
        wizard = self._wizard()
        wizard.action_get_share_link()
        self.assertFalse(wizard.share_several)
        self.assertIn("https://second.example.com/coupon/", wizard.share_link)

    def test_program_that_is_not_for_the_website(self):
        self.program.ecommerce_ok = False
        with self.assertRaisesRegex(UserError, "can't be used on a website"):
            self._wizard().action_get_share_link()

    def _cart(self):
        return self.env["sale.order"].search(
            [("website_id", "!=", False), ("order_line.product_id", "=", self.lamp.id)],
            order="id desc",
            limit=1,
        )

    def _fill_cart(self):
        self.make_jsonrpc_request(
            "/shop/cart/add",
            {
                "product_template_id": self.lamp.product_tmpl_id.id,
                "product_id": self.lamp.id,
                "quantity": 2,
            },
        )
        return self._cart()

    def test_s61_link_applies_the_code_to_the_cart(self):
        coupon = self._generate_coupon()
        self.env.flush_all()
        self.authenticate("coupon_a", "coupon_a")
        cart = self._fill_cart()
        self.url_open(f"/coupon/{coupon.code}?r=/shop/cart")
        self.assertEqual(cart.order_line.coupon_id, coupon)
        self.assertEqual(cart.amount_untaxed, 90)

    def test_s61_link_first_then_cart_then_login(self):
        coupon = self._generate_coupon()
        self.env.flush_all()
        self.authenticate(None, None)
        self.url_open(f"/coupon/{coupon.code}?r=/shop")
        cart = self._fill_cart()
        self.url_open("/shop/cart")
        self.assertEqual(cart.order_line.coupon_id, coupon)

    def test_s61_link_then_login_then_cart(self):
        for login, applied in (("coupon_a", True), ("coupon_b", False)):
            with self.subTest(login=login):
                coupon = self._generate_coupon()
                self.env.flush_all()
                self.authenticate(None, None)
                self.url_open(f"/coupon/{coupon.code}?r=/shop")
                self.url_open(
                    "/web/login",
                    data={
                        "login": login,
                        "password": login,
                        "csrf_token": http.Request.csrf_token(self),
                    },
                )
                cart = self._fill_cart()
                self.assertEqual(
                    cart.partner_id.user_ids.login, login, "they are signed in"
                )
                self.url_open("/shop/cart")
                self.assertEqual(cart.order_line.coupon_id == coupon, applied)

    def test_s61_cart_then_login_of_another_customer_takes_it_off(self):
        coupon = self._generate_coupon()
        self.env.flush_all()
        self.authenticate(None, None)
        cart = self._fill_cart()
        self.url_open(f"/coupon/{coupon.code}?r=/shop/cart")
        self.assertEqual(cart.order_line.coupon_id, coupon)
        self.url_open(
            "/web/login",
            data={
                "login": "coupon_b",
                "password": "coupon_b",
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.url_open("/shop/cart")
        cart = self._cart()
        self.assertEqual(cart.partner_id, self.customer_b)
        self.assertFalse(cart.order_line.coupon_id)

    def test_t6_another_customer_reads_a_sentence(self):
        coupon = self._generate_coupon()
        self.env.flush_all()
        self.authenticate("coupon_b", "coupon_b")
        cart = self._fill_cart()
        response = self.url_open(
            f"/coupon/{coupon.code}?r=/shop/cart", allow_redirects=False
        )
        self.assertIn("another+customer", response.headers["Location"])
        self.assertFalse(cart.order_line.coupon_id)

    def test_t6_used_and_expired_links_say_so(self):
        used, expired = self._generate_coupon(), self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, used)
        order.action_confirm()
        expired.expiration_date = "2020-01-01"
        self.env.flush_all()
        self.authenticate("coupon_a", "coupon_a")
        self._fill_cart()
        for coupon, word in ((used, "already+been+used"), (expired, "expired")):
            with self.subTest(word=word):
                response = self.url_open(
                    f"/coupon/{coupon.code}?r=/shop/cart", allow_redirects=False
                )
                self.assertIn(word, response.headers["Location"])
