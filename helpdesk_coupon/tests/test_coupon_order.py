import re
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import format_date

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponOrder(HelpdeskCouponCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.coupon_manager = cls._new_user(
            "coupon_seller", "sales_team.group_sale_salesman_all_leads"
        )

    def test_x2_customer_and_own_company_use_the_code(self):
        for partner in (self.contact_a1, self.contact_a2, self.customer_a):
            with self.subTest(partner=partner.name):
                coupon = self._generate_coupon()
                order = self._order(partner).with_user(self.coupon_manager)
                self.assertNotIn("error", self._apply(order, coupon))
                order.action_confirm()
                self.assertEqual(order.amount_untaxed, 90)

    def test_t6_another_customer_is_refused_with_a_sentence(self):
        coupon = self._generate_coupon()
        order = self._order(self.customer_b).with_user(self.coupon_manager)
        status = order._try_apply_code(coupon.code)
        self.assertIn("was made for Alder & Sons", status["error"])
        self.assertFalse(order.applied_coupon_ids)

    def test_t6_refused_in_the_coupon_popup_of_sales(self):
        coupon = self._generate_coupon()
        order = self._order(self.customer_b)
        wizard = (
            self.env["sale.loyalty.coupon.wizard"]
            .with_user(self.coupon_manager)
            .create({"order_id": order.id, "coupon_code": coupon.code})
        )
        with self.assertRaisesRegex(ValidationError, "made for"):
            wizard.action_apply()

    def test_t6_reward_past_the_popup_is_refused(self):
        coupon = self._generate_coupon()
        order = self._order(self.customer_b)
        status = order._apply_program_reward(self.program.reward_ids, coupon)
        self.assertIn("made for", status["error"])

    def test_x2_customer_of_the_quotation_changes(self):
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1).with_user(self.coupon_manager)
        self._apply(order, coupon)
        order.partner_id = self.customer_b
        with self.assertRaisesRegex(ValidationError, "made for"):
            order.action_confirm()
        order._update_programs_and_rewards()
        self.assertFalse(order.order_line.filtered("coupon_id"))
        self.assertFalse(order.applied_coupon_ids)
        self.assertIn(coupon.code, order.message_ids[0].body)
        order.action_confirm()
        self.assertEqual(order.amount_untaxed, 100)

    def test_team_may_let_codes_be_passed_on(self):
        self.team.coupon_customer_only = False
        coupon = self._generate_coupon()
        self.assertNotIn("error", self._apply(self._order(self.customer_b), coupon))

    def test_guest_with_the_customers_address_is_the_customer(self):
        coupon = self._generate_coupon()
        guest, stranger = self.env["res.partner"].create(
            [
                {"name": "Guest", "email": "Contact1@Alder.example.com"},
                {"name": "Stranger", "email": "stranger@example.com"},
            ]
        )
        self.assertTrue(coupon._is_for_partner(guest))
        self.assertFalse(coupon._is_for_partner(stranger))
        user = self._new_user("impostor", "base.group_portal", email=guest.email)
        self.assertFalse(coupon._is_for_partner(user.partner_id))

    def test_visitor_who_is_not_known_yet_has_the_code_until_he_is(self):
        coupon = self._generate_coupon()
        public = self.env.ref("base.public_user").partner_id
        order = self._order(public)
        self.assertNotIn("error", self._apply(order, coupon))
        order.partner_id = self.customer_b
        order._update_programs_and_rewards()
        self.assertFalse(order.order_line.filtered("coupon_id"))

    def test_x2_use_and_cancelling_are_told_on_the_ticket(self):
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, coupon)
        order.with_user(self.coupon_manager).action_confirm()
        self.assertIn(f"used on {order.name}", self.ticket_a.message_ids[0].body)
        order._action_cancel()
        self.assertIn("can be used again", self.ticket_a.message_ids[0].body)
        self.assertEqual(coupon.coupon_state, "valid")

    def test_t6_used_twice_is_refused(self):
        coupon = self._generate_coupon()
        first, second = self._order(self.contact_a1), self._order(self.contact_a2)
        self._apply(first, coupon)
        self._apply(second, coupon)
        first.action_confirm()
        with self.assertRaises(ValidationError):
            second.action_confirm()
        third = self._order(self.contact_a1)
        self.assertIn("already been used", self._apply(third, coupon)["error"])

    def test_t6_expired_code_is_refused(self):
        coupon = self._generate_coupon()
        coupon.expiration_date = fields.Date.today() - timedelta(days=2)
        self.assertIn(
            "expired", self._apply(self._order(self.contact_a1), coupon)["error"]
        )

    def test_withdrawn_while_in_a_quotation(self):
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, coupon)
        coupon.with_user(self.agent)._withdraw_from_helpdesk("Mistake")
        with self.assertRaisesRegex(ValidationError, "withdrawn"):
            order.action_confirm()

    def test_codes_without_a_ticket_behave_as_in_odoo(self):
        card = self.env["loyalty.card"].create(
            {
                "program_id": self.program.id,
                "partner_id": self.contact_a1.id,
                "points": 1,
            }
        )
        self.assertNotIn("error", self._apply(self._order(self.customer_b), card))

    def test_f3_what_a_reward_lowers(self):
        """money F3: of a discount on some products others take no share."""
        reward = self.program.reward_ids
        reward.write(
            {
                "discount_applicability": "specific",
                "discount_product_ids": [Command.set(self.lamp.ids)],
            }
        )
        order = self._order(self.contact_a1)
        order.order_line = [Command.create({"product_id": self.desk.id})]
        self._apply(order, self._generate_coupon())
        lines = order.order_line
        lowered = lines.filtered("reward_id")._get_after_sales_lowered()
        self.assertEqual(lowered, lines[0])
        reward.discount_applicability = "order"
        self.assertFalse(lines._get_after_sales_lowered())

    # -- What is promised (money C1 to C5, T13) ------------------------------

    def test_c1_no_code_outlives_its_program(self):
        end = fields.Date.add(fields.Date.today(), days=10)
        self.program.date_to = end
        self.assertEqual(self._wizard().valid_until, end)
        later = fields.Date.add(end, days=30)
        for chosen in (later, False):
            with self.subTest(chosen=chosen):
                coupon = self._generate_coupon(valid_until=chosen)
                self.assertEqual(coupon.expiration_date, end)

    def test_c1_a_program_that_ends_sooner_than_it_was_said(self):
        day = fields.Date.add(fields.Date.today(), days=30)
        coupon = self._generate_coupon(valid_until=day)
        self.assertEqual(coupon.coupon_valid_until, day)
        self.program.date_to = end = fields.Date.subtract(day, days=20)
        self.assertEqual(coupon.coupon_valid_until, end)
        self.assertEqual(coupon._prepare_timeline_values(True)["promised"], end)
        composer = self._composer(coupon.with_user(self.agent).action_helpdesk_send())
        self.assertNotIn(format_date(self.env, day), composer.body)
        self.assertIn(format_date(self.env, end), composer.body)

    def test_c2_codes_of_a_program_that_is_used_up(self):
        coupon, other = self._generate_coupon(), self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, other)
        order.action_confirm()
        self.program.write({"limit_usage": True, "max_usage": 1})
        self.env.invalidate_all()
        self.assertEqual(coupon.coupon_state, "over")

    def test_c2_codes_of_a_program_that_ended_are_not_valid(self):
        coupon = self._generate_coupon()
        yesterday = fields.Date.subtract(fields.Date.today(), days=1)
        for values in ({"date_to": yesterday}, {"active": False}):
            before = {name: self.program[name] for name in values}
            self.program.write(values)
            with self.subTest(values=values):
                self.assertEqual(coupon.coupon_state, "over")
                with self.assertRaises(UserError):
                    coupon.with_user(self.agent).action_helpdesk_send()
            self.program.write(before)
        self.assertEqual(coupon.coupon_state, "valid")

    def test_c3_programs_of_other_price_lists_or_shops_are_not_offered(self):
        self.program.pricelist_ids = self.env["product.pricelist"].create(
            {"name": "Others"}
        )
        programs = self.env["loyalty.program"]
        offer = (self.company, "coupons", self.contact_a1)
        self.assertFalse(programs._get_helpdesk_programs(*offer))
        self.program.pricelist_ids = False
        self.assertEqual(programs._get_helpdesk_programs(*offer), self.program)
        self.program.sale_ok = False
        for name in ("ecommerce_ok", "pos_ok"):
            if name in self.program._fields:
                self.program[name] = False
        self.assertFalse(programs._get_helpdesk_programs(*offer))

    def test_c2_c3_programs_that_only_others_can_use(self):
        """money C2, C3: a shop of another company, tills that don't exist."""
        coupon = self._generate_coupon()
        other = self.env["res.company"].create({"name": "Other shops"})
        offer = (self.company, "coupons", self.contact_a1)
        self.program.sale_ok = False
        if "ecommerce_ok" in self.program._fields:
            website = self.env["website"].create(
                {"name": "Theirs", "company_id": other.id}
            )
            self.program.website_id = website
            self.assertFalse(coupon._get_helpdesk_websites())
        if "pos_ok" in self.program._fields:
            self.program.pos_ok = False
        self.assertFalse(self.program._get_helpdesk_programs(*offer))
        self.env.invalidate_all()
        self.assertEqual(coupon.coupon_state, "over")
        with self.assertRaises(UserError):
            coupon.with_user(self.agent).action_helpdesk_send()

    def test_c2_codes_of_a_program_that_begins_later(self):
        """money C2"""
        coupon = self._generate_coupon()
        day = fields.Date.add(fields.Date.today(), days=9)
        self.program.date_from = day
        self.assertEqual(coupon.coupon_state, "early")
        with self.assertRaisesRegex(UserError, re.escape(format_date(self.env, day))):
            coupon.with_user(self.agent).action_helpdesk_send()
        self.assertTrue(coupon.with_user(self.agent).action_helpdesk_withdraw())

    def test_c4_only_what_the_code_can_buy_is_promised(self):
        self.program.reward_ids.copy({"discount": 50, "required_points": 5})
        self.assertNotIn("50%", self._wizard().program_summary)
        self.program.reward_ids[1].required_points = 1
        summary = self._wizard().program_summary
        self.assertRegex(summary, "(10%|50%).* or .*(10%|50%)")

    def test_c5_the_code_of_a_former_customer_is_not_sent_to_the_new_one(self):
        coupon = self._generate_coupon()
        self.ticket_a.partner_id = self.customer_b
        for send in ("action_helpdesk_send", "action_helpdesk_share"):
            with self.subTest(send=send), self.assertRaises(UserError):
                getattr(coupon.with_user(self.agent), send)()
        self.assertTrue(coupon.with_user(self.agent).action_helpdesk_withdraw())

    def test_t13_a_code_that_is_not_used_is_told(self):
        self.assertFalse(self._wizard().unused_notice)
        coupon = self._generate_coupon()
        self.assertIn(coupon.code, self._wizard().unused_notice)
