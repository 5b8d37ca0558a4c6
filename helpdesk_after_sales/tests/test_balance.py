from odoo import Command

from .common import HelpdeskAfterSalesCommon

KEYS = {
    "ordered",
    "accepted",
    "delivered",
    "returning",
    "returned",
    "invoiced",
    "credited",
    "instead",
    "repairing",
    "replaced",
    "left_to_return",
    "left_to_refund",
    "lots",
    "parts",
}


class TestBalance(HelpdeskAfterSalesCommon):
    """X31: one method counts what became of order lines."""

    def test_every_line_has_every_figure(self):
        order = self._sell(self.contact_a1, (self.lamp, 2), (self.service, 1))
        lines = order.order_line
        lines[1].qty_delivered = 1
        balances = lines._get_after_sales_balance()
        self.assertEqual([*balances], [*lines])
        for balance in balances.values():
            self.assertEqual(set(balance), KEYS)
        self.assertEqual(balances[lines[0]]["left_to_return"], 2)
        self.assertEqual(balances[lines[1]]["delivered"], 1)
        self.assertEqual(balances[lines[1]]["left_to_return"], 0)
        self.assertEqual(lines.browse()._get_after_sales_balance(), {})

    def test_quantities_are_in_the_unit_of_the_line(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.lamp.uom_ids = dozen
        order = self._sell(
            self.contact_a1,
            order_line=[
                Command.create(
                    {
                        "product_id": self.lamp.id,
                        "product_uom_qty": 2,
                        "product_uom_id": dozen.id,
                    }
                )
            ],
        )
        balance = order.order_line._get_after_sales_balance()[order.order_line]
        self.assertEqual(balance["delivered"], 2)
        wizard = self.env["stock.return.picking"].create(
            {"picking_id": order.picking_ids.id}
        )
        wizard.product_return_moves.quantity = 6
        wizard._create_return()
        balance = order.order_line._get_after_sales_balance()[order.order_line]
        self.assertEqual((balance["returning"], balance["left_to_return"]), (0.5, 1.5))

    def test_a8_what_came_back_in_a_point_of_sale(self):
        """Its moves don't know the order line; the order's own figure does."""
        order = self._sell(self.contact_a1, (self.lamp, 5))
        line = order.order_line
        # As pos_sale computes it when two of them were refunded at the counter.
        line.qty_delivered = 3
        self.env.flush_all()
        balance = line._get_after_sales_balance()[line]
        self.assertEqual(
            (balance["delivered"], balance["returned"], balance["left_to_return"]),
            (5, 2, 3),
        )

    def test_lots_are_counted_each(self):
        order = self._sell(self.contact_a1, (self.phone, 2), serials=self.serials[:2])
        wizard = self.env["stock.return.picking"].create(
            {"picking_id": order.picking_ids.id}
        )
        wizard.product_return_moves.quantity = 1
        back = wizard._create_return()
        back.move_line_ids.lot_id = self.serials[1]
        lots = order.order_line._get_after_sales_balance()[order.order_line]["lots"]
        self.assertEqual(
            {lot: figures["left_to_return"] for lot, figures in lots.items()},
            {self.serials[0]: 1, self.serials[1]: 0},
        )

    def test_any_number_of_lines_costs_the_same(self):
        orders = self.env["sale.order"]
        for _number in range(4):
            orders += self._sell(self.contact_a1, (self.lamp, 2), (self.desk, 1))
        serials = self.serials[:1]
        orders += self._sell(self.contact_a1, (self.phone, 1), serials=serials)

        def count(lines):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            lines._get_after_sales_balance()
            return self.cr.sql_log_count - before

        lines = orders.order_line
        count(lines)
        self.assertEqual(count(lines[-1:]), count(lines))
