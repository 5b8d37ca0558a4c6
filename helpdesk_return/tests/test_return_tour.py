from odoo.tests import HttpCase, tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnTour(HttpCase, HelpdeskReturnCommon):
    """In a browser, as an agent with rights to Helpdesk only."""

    def _tour(self, name):
        url = f"/odoo/helpdesk-tickets/{self.ticket_a.id}"
        self.start_tour(url, name, login="after_sales_agent")
        self.env.invalidate_all()

    def test_s66_s75_s76_return_by_order(self):
        self._tour("helpdesk_return_by_order")
        picking = self.ticket_a.return_ids
        self.assertEqual(picking.create_uid, self.agent)
        self.assertEqual(
            [(move.product_id, move.product_uom_qty) for move in picking.move_ids],
            [(self.lamp, 3)],
        )

    def test_s69_return_by_delivery(self):
        """Two deliveries and no order; "None", "Take all", a sentence on the way."""
        other = self._sell(self.contact_a1, (self.lamp, 2))
        self.ticket_a.sale_order_id = False
        self._tour("helpdesk_return_by_delivery")
        picking = self.ticket_a.return_ids
        self.assertIn(picking.return_id, self.delivery_a + other.picking_ids)
        self.assertEqual(
            sum(picking.move_ids.mapped("product_uom_qty")),
            sum(picking.return_id.move_ids.mapped("quantity")),
        )

    def test_x3_exchange(self):
        self._tour("helpdesk_return_exchange")
        self.assertEqual(len(self.ticket_a.return_ids), 2)


@tagged("post_install", "-at_install")
class TestReturnPhoneTour(HttpCase, HelpdeskReturnCommon):
    browser_size = "375x667"
    touch_enabled = True

    def test_s66_return_on_a_phone(self):
        self.start_tour(
            f"/odoo/helpdesk-tickets/{self.ticket_a.id}",
            "helpdesk_return_phone",
            login="after_sales_agent",
        )
        self.assertEqual(self.ticket_a.return_ids.create_uid, self.agent)

    def test_x17_process_return_on_a_phone(self):
        """As the warehouse: the lamps came damaged."""
        picking = self._return({self.lamp: 3})
        self.start_tour(
            f"/odoo/stock.picking/{picking.id}",
            "helpdesk_process_return_phone",
            login="after_sales_stock",
        )
        self.assertEqual(picking.state, "done")
        self.assertRecordValues(
            picking.helpdesk_decision_ids,
            [{"condition": "damaged", "quantity": 3, "note": "A dent"}],
        )
