"""What Odoo does by itself costs the same with our addons, for whoever does it."""

from odoo.tests import new_test_user, tagged

from odoo.addons.helpdesk_after_sales.tests.common import (
    AGENT,
    HelpdeskAfterSalesCommon,
)

STOCK = "stock.group_stock_user"


@tagged("post_install", "-at_install")
class TestNativeCosts(HelpdeskAfterSalesCommon):
    def _count_delivery(self, user, product=None):
        """Return the queries of one native delivery: found, reserved, validated."""
        order = self._sell(
            self.contact_a1, (product or self.lamp, 2), (self.desk, 1), deliver=False
        )
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        pickings = self.env["stock.picking"].with_user(user)
        picking = pickings.search([("sale_id", "=", order.id)])
        picking.action_assign()
        for move in picking.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        picking.button_validate()
        self.env.flush_all()
        self.assertEqual(picking.state, "done")
        return self.cr.sql_log_count - before

    def test_warehouse_users_who_are_agents_pay_nothing_for_it(self):
        """Review 8: at most two queries more than without helpdesk rights."""
        plain = new_test_user(self.env, "costs_stock", STOCK)
        agent = new_test_user(self.env, "costs_agent", f"{STOCK},{AGENT}")
        for user in (plain, agent):
            self._count_delivery(user)
        cost = self._count_delivery(plain)
        self.assertLessEqual(self._count_delivery(agent), cost + 2)

    def test_rights_and_rules_that_change_are_asked_anew(self):
        agent = new_test_user(self.env, "costs_agent", f"{STOCK},{AGENT}")
        pickings = self.env["stock.picking"].with_user(agent)
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        picking = pickings.browse(order.picking_ids.ids)
        self.assertTrue(picking.has_access("read"))
        rule = self.env["ir.rule"].create(
            {
                "name": "Nothing",
                "model_id": self.env["ir.model"]._get_id("stock.picking"),
                "groups": self.env.ref(STOCK).ids,
                "domain_force": "[(0, '=', 1)]",
            }
        )
        self.env.invalidate_all()
        self.assertFalse(picking.has_access("read"))
        rule.unlink()
        self.env.invalidate_all()
        self.assertTrue(picking.has_access("read"))

    def test_a_warranty_costs_a_fixed_number_of_queries(self):
        """X32: kept when the delivery is done, of one piece or of many."""
        user = new_test_user(self.env, "costs_stock", STOCK)
        self._count_delivery(user)
        cost = self._count_delivery(user)
        sold = self.env["product.product"].create(
            {
                "name": "Promised",
                "is_storable": True,
                "warranty_duration": 2,
                "warranty_unit": "year",
            }
        )
        self._put_in_stock((sold, 50, None))
        self._count_delivery(user, sold)
        self.assertLessEqual(self._count_delivery(user, sold), cost + 8)
