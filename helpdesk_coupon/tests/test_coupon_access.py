from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import HelpdeskCouponCommon

USER = "helpdesk_after_sales.group_helpdesk_user"


@tagged("post_install", "-at_install")
class TestCouponAccess(HelpdeskCouponCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.closed_team = cls.team.copy(
            {
                "name": "Closed team",
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(cls.agent.ids)],
            }
        )
        cls.closed_ticket = cls._ticket(cls.contact_a1, team_id=cls.closed_team.id)

    def test_agent_reads_exactly_the_cards_of_visible_tickets(self):
        coupon = self._generate_coupon(ticket=self.closed_ticket)
        native = self.env["loyalty.card"].create({"program_id": self.program.id})
        cards = self.env["loyalty.card"]
        self.assertEqual(cards.with_user(self.agent).search([]), coupon)
        self.assertFalse(cards.with_user(self.other_agent).search([]))
        self.assertTrue(coupon.with_user(self.manager).has_access("read"))
        with self.assertRaises(AccessError):
            coupon.with_user(self.other_agent).read(["code"])
        with self.assertRaises(AccessError):
            native.with_user(self.agent).read(["code"])
        with self.assertRaises(AccessError):
            coupon.with_user(self.employee).read(["code"])

    def test_agent_changes_nothing_and_sees_no_program(self):
        coupon = self._generate_coupon().with_user(self.agent)
        for values in (
            {"points": 99},
            {"expiration_date": False},
            {"helpdesk_ticket_id": False},
            {"helpdesk_customer_only": False},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                coupon.write(values)
        for model in (
            "loyalty.program",
            "loyalty.reward",
            "loyalty.history",
            "loyalty.generate.wizard",
            "loyalty.card.update.balance",
            "sale.order",
            "account.move",
        ):
            with self.subTest(model=model):
                self.assertFalse(
                    self.env[model].with_user(self.agent).has_access("read")
                )
        with self.assertRaises(AccessError):
            coupon.unlink()
        with self.assertRaises(AccessError):
            self.env["loyalty.card"].with_user(self.agent).create(
                {"program_id": self.program.id}
            )

    def test_sellers_change_nothing_that_limits_and_refunds_count(self):
        """Rights R1: they may write cards, not what a ticket has put on them."""
        coupon = self._generate_coupon()
        seller = self._new_user(
            "after_sales_card_seller", "sales_team.group_sale_manager"
        )
        for values in (
            {"helpdesk_value": 0},
            {"helpdesk_invoice_id": False},
            {"helpdesk_customer_only": False},
            {"helpdesk_withdrawal": "x"},
        ):
            with self.subTest(values=values), self.assertRaises(AccessError):
                coupon.with_user(seller).write(values)
        coupon.with_user(seller).expiration_date = False
        self.assertFalse(coupon.expiration_date)

    def test_what_the_agents_form_reads_is_readable(self):
        coupon = self._generate_coupon().with_user(self.agent)
        self.env.invalidate_all()
        view = self.env.ref("helpdesk_coupon.loyalty_card_view_form")
        views = coupon.get_views([(view.id, "form")])
        shown = views["models"]["loyalty.card"]["fields"]
        spec = {
            name: {"fields": {"display_name": {}}} if field.relational else {}
            for name, field in coupon._fields.items()
            if name in shown and not name.startswith(("message_", "website_message"))
        }
        values = coupon.web_read(spec)[0]
        self.assertEqual(values["program_id"]["display_name"], "Sorry 10%")
        self.assertEqual(values["coupon_summary"], "10% on your order")

    def test_nobody_sees_less_with_helpdesk_rights(self):
        """Each group that reads cards sees as many with helpdesk rights as without."""
        self._generate_coupon(ticket=self.closed_ticket)
        self.env["loyalty.card"].create({"program_id": self.program.id})
        groups = (
            self.env["ir.model.access"]
            .search([("model_id.model", "=", "loyalty.card"), ("perm_read", "=", True)])
            .group_id
        )
        self.assertIn(self.env.ref("sales_team.group_sale_salesman"), groups)
        for group in groups - self.env.ref(USER):
            with self.subTest(group=group.full_name):
                plain, both = (
                    self._new_user(f"coupon_{group.id}_{index}", USER)
                    for index in range(2)
                )
                plain.group_ids = group
                both.group_ids = group | self.env.ref(USER)
                count = self.env["loyalty.card"].with_user(plain).search_count([])
                self.assertEqual(
                    self.env["loyalty.card"].with_user(both).search_count([]), count
                )

    def test_pos_users_with_helpdesk_rights_keep_their_cards(self):
        if self.env.ref("point_of_sale.group_pos_user", raise_if_not_found=False):
            self.skipTest("the real group is in the test above")
        group = self.env["res.groups"].create({"name": "Cashiers"})
        self.env["ir.model.data"].create(
            {
                "module": "point_of_sale",
                "name": "group_pos_user",
                "model": "res.groups",
                "res_id": group.id,
            }
        )
        self.env["ir.model.access"].create(
            {
                "name": "Cards for cashiers",
                "model_id": self.env["ir.model"]._get_id("loyalty.card"),
                "group_id": group.id,
                "perm_read": True,
            }
        )
        self.env["loyalty.card"].create({"program_id": self.program.id})
        self.assertFalse(self.env["loyalty.card"].with_user(self.agent).search([]))
        self.agent.group_ids += group
        self.assertTrue(self.env["loyalty.card"].with_user(self.agent).search([]))

    def test_programs_by_name_only_on_a_ticket_of_ones_own(self):
        programs = self.env["loyalty.program"]
        scope = {"ticket_id": self.closed_ticket.id, "program_type": "coupons"}
        offered = programs.with_user(self.agent).with_context(helpdesk_coupon_of=scope)
        self.assertEqual(len(offered.name_search("", [("name", "=", "Nothing")])), 1)
        for user in (self.other_agent, self.employee):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                programs.with_user(user).with_context(
                    helpdesk_coupon_of=scope
                ).name_search("")
        with self.assertRaises(AccessError):
            programs.with_user(self.agent).name_search("")
        for odd in ({}, {"ticket_id": "1"}, {"ticket_id": True}, {"ticket_id": [1]}):
            with self.subTest(scope=odd):
                self.assertEqual(
                    programs.with_user(self.agent)
                    .with_context(helpdesk_coupon_of=odd)
                    .name_search(""),
                    [],
                )
        with self.assertRaises(AccessError):
            programs.with_user(self.agent).with_context(
                helpdesk_coupon_of="x"
            ).name_search("")

    def test_wizard_is_closed_to_others(self):
        for user in (self.other_agent, self.employee, self.seller):
            with self.subTest(user=user.login):
                with self.assertRaises(AccessError):
                    self.closed_ticket.with_user(user).action_generate_coupon()
                with self.assertRaises(AccessError):
                    self.env["helpdesk.coupon.wizard"].with_user(user).create(
                        {"helpdesk_ticket_id": self.closed_ticket.id}
                    ).action_send_by_email()
        self.assertFalse(self.closed_ticket.coupon_ids)

    def test_no_code_leaks_through_the_wizard(self):
        foreign = self._generate_coupon(ticket=self.closed_ticket)
        wizards = self.env["helpdesk.coupon.wizard"].with_user(self.other_agent)
        self.ticket_a.team_id.member_ids += self.other_agent
        with self.assertRaises(AccessError):
            wizards.create(
                {"helpdesk_ticket_id": self.ticket_a.id, "coupon_id": foreign.id}
            )
        wizard = wizards.create({"helpdesk_ticket_id": self.ticket_a.id})
        with self.assertRaises(AccessError):
            wizard.coupon_id = foreign
        values = wizards.onchange(
            {
                "helpdesk_ticket_id": self.ticket_a.id,
                "coupon_id": foreign.id,
                "share_website": False,
            },
            ["coupon_id"],
            {
                "coupon_id": {"fields": {"display_name": {}}},
                "share_link": {},
                "share_website": {},
                "helpdesk_ticket_id": {},
            },
        )
        self.assertNotIn(foreign.code, str(values))

    def test_card_actions_are_closed_to_others(self):
        coupon = self._generate_coupon(ticket=self.closed_ticket)
        for user in (self.other_agent, self.employee):
            for method in (
                "action_helpdesk_send",
                "action_helpdesk_share",
                "action_helpdesk_withdraw",
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaises(AccessError),
                ):
                    getattr(coupon.with_user(user), method)()
        with self.assertRaises(AccessError):
            self.env["helpdesk.coupon.withdraw"].with_user(self.other_agent).create(
                {"coupon_id": coupon.id, "reason": "x"}
            ).action_withdraw()
        self.assertEqual(coupon.coupon_state, "valid")

    def test_other_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._new_user(
            "coupon_elsewhere",
            "helpdesk_after_sales.group_helpdesk_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        coupon = self._generate_coupon()
        with self.assertRaises(AccessError):
            coupon.with_user(stranger).read(["code"])
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(stranger).action_generate_coupon()

    def test_portal_customers_read_no_cards(self):
        coupon = self._generate_coupon()
        portal = self._new_user(
            "coupon_portal", "base.group_portal", partner_id=self.contact_a1.id
        )
        with self.assertRaises(AccessError):
            coupon.with_user(portal).read(["code"])
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(portal).action_generate_coupon()
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(portal).read(["coupon_ids"])
