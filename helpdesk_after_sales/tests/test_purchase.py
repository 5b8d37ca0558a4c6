from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestPurchase(HelpdeskAfterSalesCommon):
    """What a ticket may be about: only what its customer bought."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_a = cls._sell(
            cls.contact_a1, (cls.lamp, 2), (cls.phone, 1), serials=cls.serials[0]
        )
        cls.order_a2 = cls._sell(cls.contact_a2, (cls.desk, 1))
        cls.order_b = cls._sell(
            cls.customer_b, (cls.lamp, 1), (cls.phone, 1), serials=cls.serials[1]
        )
        cls.ticket_a = cls._ticket(cls.contact_a1)

    def _offered(self, user, field, ticket=None, **chosen):
        """Return the ids that the drop-down of ``field`` offers to ``user``."""
        ticket = self.ticket_a if ticket is None else ticket
        model = ticket._fields[field].comodel_name
        names = ticket.with_user(user).search_purchases(model, chosen=chosen)
        return {id_ for id_, _name in names}

    def test_s20_s21_orders_of_the_commercial_entity_are_offered(self):
        self.assertEqual(
            self._offered(self.agent, "sale_order_id"),
            {self.order_a.id, self.order_a2.id},
        )

    def test_s22_product_narrows_the_orders(self):
        self.assertEqual(
            self._offered(self.agent, "sale_order_id", product_id=self.desk.id),
            {self.order_a2.id},
        )

    def test_s22_products_that_the_customer_bought(self):
        self.assertEqual(
            self._offered(self.agent, "product_id"),
            {self.lamp.id, self.phone.id, self.desk.id},
        )
        self.assertEqual(
            self._offered(self.agent, "product_id", sale_order_id=self.order_a.id),
            {self.lamp.id, self.phone.id},
        )

    def test_s22_one_product_is_judged_as_the_offered_ones(self):
        """Ordered, delivered without an order, invoiced without one, or not at all."""
        sent, billed = self.env["product.product"].create(
            [{"name": "Sent", "type": "consu"}, {"name": "Billed", "type": "service"}]
        )
        self._deliver_without_order(self.contact_a2, sent)
        self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.contact_a1.id,
                "invoice_line_ids": [
                    Command.create({"product_id": billed.id, "price_unit": 5})
                ],
            }
        ).action_post()
        nothing = {"product": sent.browse(), "lot": self.env["stock.lot"]}
        for order in (self.env["sale.order"], self.order_a):
            chosen = nothing | {"sale_order": order}
            domain = self.ticket_a._purchase_domain("product.product", **chosen)
            bought = sent.search(domain)
            for product in self.lamp | self.phone | self.desk | sent | billed:
                with self.subTest(product=product.name, order=order.name):
                    self.assertEqual(
                        self.ticket_a._is_purchased(product, **chosen),
                        product in bought,
                    )
            if not order:
                self.assertLessEqual(sent | billed, bought)
        self.assertFalse(
            self.ticket_a._is_purchased(
                self.lamp, **nothing | {"lot": self.serials[0]}
            ),
            "the serial number is a phone's",
        )

    def test_s23_lots_that_were_delivered_to_the_customer(self):
        self.assertEqual(self._offered(self.agent, "lot_id"), {self.serials[0].id})
        self.assertFalse(
            self._offered(self.agent, "lot_id", sale_order_id=self.order_a2.id)
        )

    def test_s21_archived_products_are_still_the_customers(self):
        self.desk.action_archive()
        self.assertIn(self.desk.id, self._offered(self.agent, "product_id"))

    def test_s21_another_company_offers_nothing(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        team = self.team.copy({"name": "Far", "company_id": other.id})
        with self.assertRaises(AccessError):
            self._offered(self.agent, "sale_order_id", team_id=team.id)
        ticket = self._ticket(self.contact_a1, team_id=team.id)
        with self.assertRaises(AccessError):
            self._offered(self.agent, "sale_order_id", ticket)

    def test_s21_only_the_ticket_says_whose_purchases(self):
        """Rights R2: no context, and no customer or ticket that isn't the agent's."""
        orders = self.env["sale.order"].with_user(self.agent)
        for scope in (
            {"company_id": self.company.id, "partner_id": self.customer_b.id},
            {"ticket_id": self.ticket_a.id},
        ):
            with self.assertRaises(AccessError):
                orders.with_context(helpdesk_purchase_of=scope).name_search("")
        hidden = self.team.copy(
            {"privacy_visibility": "invited_internal", "member_ids": False}
        )
        ticket = self._ticket(self.customer_b, team_id=hidden.id)
        far = self.env["res.company"].create({"name": "Far"})
        secret = self.customer_b.copy({"name": "Secret", "company_id": far.id})
        for kwargs in (
            {"ticket": ticket},
            {"team_id": hidden.id},
            {"partner_id": secret.id},
            {"ticket": ticket.browse(), "partner_id": secret.id},
        ):
            with self.subTest(**kwargs), self.assertRaises(AccessError):
                self._offered(self.agent, "sale_order_id", **kwargs)
        portal = new_test_user(
            self.env, "alder", "base.group_portal", partner_id=self.contact_a1.id
        )
        for user in (portal, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self._offered(user, "sale_order_id")
        for model in ("res.partner", "helpdesk.after.sales.purchase", ["x"], None):
            with self.assertRaises(UserError):
                self.ticket_a.with_user(self.agent).search_purchases(model)

    def test_s21_a_ticket_that_is_not_saved_offers_what_it_would(self):
        new = {"partner_id": self.customer_b.id, "team_id": self.team.id}
        for ticket in (self.ticket_a, self.ticket_a.browse()):
            offered = self._offered(self.agent, "sale_order_id", ticket, **new)
            self.assertEqual(offered, {self.order_b.id})
        self.assertEqual(self.ticket_a.partner_id, self.contact_a1)

    def test_s21_plain_employees_are_refused(self):
        with self.assertRaises(AccessError):
            self._offered(self.employee, "sale_order_id")

    def test_s21_malformed_choice_offers_nothing_of_others(self):
        own = {self.order_a.id, self.order_a2.id}
        for value in ("x", [1], {"a": 1}, None, True, -1, "9" * 5000, "\0"):
            with self.subTest(value=value):
                offered = self._offered(self.agent, "sale_order_id", partner_id=value)
                self.assertFalse(offered)
                for key in ("product_id", "lot_id", "sale_order_id", "ids"):
                    offered = self._offered(self.agent, "sale_order_id", **{key: value})
                    self.assertLessEqual(offered, own)
                ticket = self.ticket_a.with_user(self.agent)
                ticket.search_purchases("sale.order", value, value, value)

    def test_s20_foreign_order_is_refused(self):
        for values in (
            {"sale_order_id": self.order_b.id},
            {"lot_id": self.serials[1].id},
            {"product_id": self.phone.id, "lot_id": self.serials[1].id},
        ):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.ticket_a.with_user(self.agent).write(values)

    def test_s20_ticket_without_customer_has_no_purchase(self):
        with self.assertRaises(ValidationError), self.cr.savepoint():
            self._ticket(sale_order_id=self.order_a.id)

    def test_another_customer_takes_the_purchase_back(self):
        self.ticket_a.write(
            {
                "sale_order_id": self.order_a.id,
                "product_id": self.phone.id,
                "lot_id": self.serials[0].id,
            }
        )
        self.ticket_a.partner_id = self.contact_a2
        self.assertEqual(self.ticket_a.sale_order_id, self.order_a, "same company")
        self.ticket_a.partner_id = self.customer_b
        self.assertFalse(self.ticket_a.sale_order_id)
        self.assertEqual(self.ticket_a.product_id, self.phone, "B bought phones, too")
        self.assertFalse(self.ticket_a.lot_id, "but not this one")

    def test_b6_a_product_that_was_not_bought_here(self):
        """Goods B6: it can be named, and is said; nothing empties it."""
        ticket = self.ticket_a.with_user(self.agent)
        ticket.product_id = self.desk
        self.assertFalse(ticket.purchase_notice)
        ticket.sale_order_id = self.order_a
        self.assertIn(self.order_a.name, ticket.purchase_notice)
        ticket.sale_order_id = False
        ticket.product_id = self.service
        self.assertIn(self.service.name, ticket.purchase_notice)
        ticket.partner_id = self.customer_b
        self.assertEqual(ticket.product_id, self.service)
        self.assertIn(self.customer_b.name, ticket.purchase_notice)
        ticket.partner_id = False
        self.assertEqual(ticket.product_id, self.service)
        for model in ("sale.order", "stock.picking", "account.move"):
            domain = ticket._purchase_domain(model)
            self.assertFalse(self.env[model].search(domain), model)

    def test_b6_the_drop_down_names_others_when_asked(self):
        foreign = self.env["product.product"].create({"name": "Lampion from abroad"})
        ticket = self.ticket_a.with_user(self.agent)

        def offered(typed, **chosen):
            names = ticket.search_purchases(
                "product.product", typed, chosen={"others": True} | chosen
            )
            return [id_ for id_, _name in names]

        self.assertNotIn(foreign.id, offered(""))
        self.assertEqual(offered("Lamp")[0], self.lamp.id, "what was bought is first")
        self.assertIn(foreign.id, offered("Lamp"))
        self.assertIn(foreign.id, offered("Lampion", partner_id=False))
        self.assertNotIn(foreign.id, offered("Lamp", others=False))

    def test_a_cancelled_order_leaves_its_ticket_free(self):
        """Review 3: complaints end in cancelled orders; their tickets go on."""
        order = self._sell(self.contact_a1, (self.desk, 1), deliver=False)
        about = {"sale_order_id": order.id, "product_id": self.desk.id}
        ticket = self._ticket(self.contact_a1, **about).with_user(self.agent)
        order._action_cancel()
        self.assertNotIn(order.id, self._offered(self.agent, "sale_order_id"))
        self.assertTrue(ticket.purchase_notice)
        self.assertFalse(self._ticket(self.contact_a1).purchase_notice)
        ticket.team_id = self.team.copy({"name": "Second Line"})
        ticket.partner_id = self.customer_a
        with Form(ticket) as form:
            form.partner_id = self.contact_a2
            form.name = "Another name"
        self.assertEqual((ticket.sale_order_id, ticket.product_id), (order, self.desk))
        copy = ticket.copy()
        self.assertEqual(copy.sale_order_id, order)
        target = self._ticket().with_user(self.agent)
        ticket._merge_into(target)
        self.assertEqual((target.sale_order_id, target.product_id), (order, self.desk))
        # An import of old tickets, and an order that lost the product since.
        order.action_draft()
        order.order_line.unlink()
        old = (
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .load(
                ["name", "team_id/.id", "partner_id/.id", "sale_order_id/.id"]
                + ["product_id/.id"],
                [["Old", self.team.id, self.contact_a1.id, order.id, self.desk.id]],
            )
        )
        self.assertFalse(old["messages"])

    def test_form_as_agent(self):
        form = Form(self.env["helpdesk.ticket"].with_user(self.agent))
        form.name = "Broken"
        form.team_id = self.team
        form.partner_id = self.contact_a1
        form.product_id = self.phone
        form.lot_id = self.serials[0]
        form.sale_order_id = self.order_a
        ticket = form.save()
        self.assertEqual(ticket.commercial_partner_id, self.customer_a)
        with Form(ticket) as form:
            form.product_id = self.lamp
            self.assertFalse(form.lot_id)
