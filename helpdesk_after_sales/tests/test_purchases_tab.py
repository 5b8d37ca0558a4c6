from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import AGENT, HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestPurchasesTab(HelpdeskAfterSalesCommon):
    """X6: what the customer bought, and nothing more of those documents."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_a = cls._sell(
            cls.contact_a1, (cls.lamp, 2), (cls.phone, 1), serials=cls.serials[0]
        )
        cls.order_a2 = cls._sell(cls.contact_a2, (cls.desk, 1), deliver=False)
        cls._sell(cls.customer_b, (cls.lamp, 7))
        cls.ticket = cls._ticket(cls.contact_a1)

    def _rows(self, user=None, **kwargs):
        return self.ticket.with_user(user or self.agent).get_purchases(**kwargs)["rows"]

    def test_x6_newest_first_and_only_this_customers(self):
        self.assertEqual(
            [(row["order"], row["product"]) for row in self._rows()],
            [
                (self.order_a2.name, "Desk"),
                (self.order_a.name, "Lamp"),
                (self.order_a.name, "Phone"),
            ],
        )

    def test_x6_figures_of_a_line(self):
        invoice = self.order_a._create_invoices()
        picking = self.order_a.picking_ids
        back = self.env["stock.return.picking"].create({"picking_id": picking.id})
        back.product_return_moves.filtered(
            lambda line: line.product_id == self.lamp
        ).quantity = 1
        self._deliver(back._create_return())
        lamp, phone = self._rows()[1:]
        self.assertEqual(phone["serials"], "SN-0001")
        self.assertEqual(phone["delivered_on"], picking.move_ids[0].date)
        self.assertEqual(
            [lamp[name] for name in ("ordered", "delivered", "returned", "invoiced")],
            [2, 2, 1, 2],
        )
        self.assertTrue(invoice)

    def test_x6_filtered_by_the_tickets_order_product_and_lot(self):
        self.ticket.product_id = self.phone
        self.assertEqual([row["product"] for row in self._rows()], ["Phone"])
        self.ticket.lot_id = self.serials[0]
        self.assertEqual([row["product"] for row in self._rows()], ["Phone"])
        self.ticket.write({"product_id": False, "lot_id": False})
        self.ticket.sale_order_id = self.order_a2
        self.assertEqual([row["product"] for row in self._rows()], ["Desk"])

    def test_x6_links_to_what_the_user_may_open_himself(self):
        invoice = self.order_a._create_invoices()
        invoice.action_post()
        picking = self.order_a.picking_ids
        order = {"order": {"model": "sale.order", "ids": self.order_a.ids}}
        delivered = {"delivered": {"model": "stock.picking", "ids": picking.ids}}
        invoiced = {"invoiced": {"model": "account.move", "ids": invoice.ids}}
        # Odoo lets sellers read deliveries, and the warehouse orders.
        for xmlid, links in (
            ("stock.group_stock_user", order | delivered),
            (
                "sales_team.group_sale_salesman_all_leads",
                order | delivered | invoiced,
            ),
        ):
            user = self.other_agent
            user.group_ids = self.env.ref(AGENT) + self.env.ref(xmlid)
            lamp = self._rows(user)[1]
            self.assertEqual(lamp["links"], links, xmlid)

    def test_x6_pages(self):
        first = self.ticket.with_user(self.agent).get_purchases(offset=0, limit=2)
        self.assertEqual((first["total"], len(first["rows"])), (3, 2))
        [last] = self._rows(offset=2, limit=2)
        self.assertEqual(last["product"], "Phone")

    def test_x6_agents_see_these_figures_and_nothing_more(self):
        allowed = {"id", "actions", "links", "on_ticket"} | {
            column["name"] for column in self.ticket._get_purchase_columns()
        }
        for row in self._rows():
            self.assertEqual(set(row), allowed)
            self.assertEqual(row["links"], {})
        # serials[1] was never delivered to this customer: Returns and Repairs open
        # those that were.
        for record in (self.order_a, self.order_a.order_line, self.serials[1]):
            with self.assertRaises(AccessError):
                record.with_user(self.agent).read(["display_name"])
        self.team.write(
            {"privacy_visibility": "invited_internal", "member_ids": [(6, 0, [])]}
        )
        for user in (self.agent, self.employee, self.seller):
            with self.assertRaises(AccessError):
                self._rows(user)

    def test_x6_costs_the_same_for_any_number_of_lines(self):
        def count(limit):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._rows(limit=limit)
            return self.cr.sql_log_count - before

        count(20)
        for _number in range(5):
            self._sell(self.contact_a1, (self.lamp, 2), (self.desk, 1))
        # The newest order has every kind of figure, as the others together have.
        self._sell(self.contact_a1, (self.phone, 1), serials=self.serials[2])
        count(20)
        self.assertEqual(count(1), count(20))
