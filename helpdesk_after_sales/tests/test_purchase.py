from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

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

    def _offered(self, user, field, **scope):
        """Return the ids that the drop-down of ``field`` offers to ``user``."""
        ticket = self.ticket_a.with_user(user)
        model = self.env["helpdesk.ticket"]._fields[field].comodel_name
        scope = {
            "company_id": self.company.id,
            "partner_id": ticket.commercial_partner_id.id,
        } | scope
        return {
            id_
            for id_, _name in self.env[model]
            .with_user(user)
            .with_context(helpdesk_purchase_of=scope)
            .name_search("")
        }

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
        self.assertFalse(
            self._offered(self.agent, "sale_order_id", company_id=other.id)
        )

    def test_s21_plain_employees_are_refused(self):
        with self.assertRaises(AccessError):
            self._offered(self.employee, "sale_order_id")

    def test_s21_malformed_scope_offers_nothing(self):
        for partner in ("x", [1], {"a": 1}, None, True, -1):
            with self.subTest(partner=partner):
                self.assertFalse(
                    self._offered(self.agent, "sale_order_id", partner_id=partner)
                )

    def test_s21_the_clients_own_domain_is_not_evaluated(self):
        """An agent can't use the drop-down to ask for fields they may not read."""
        found = (
            self.env["sale.order"]
            .with_user(self.agent)
            .with_context(
                helpdesk_purchase_of={
                    "company_id": self.company.id,
                    "partner_id": self.customer_a.id,
                }
            )
            .name_search("", domain=[("amount_total", ">", 1e9)])
        )
        self.assertEqual(len(found), 2)
        with self.assertRaises(AccessError):
            self.order_a.with_user(self.agent).read(["amount_total"])

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
        names = self.env["product.product"].with_user(self.agent)

        def offered(typed, **scope):
            scope = {
                "company_id": self.company.id,
                "partner_id": self.customer_a.id,
                "others": True,
            } | scope
            names_of = names.with_context(helpdesk_purchase_of=scope).name_search
            return [id_ for id_, _name in names_of(typed)]

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
