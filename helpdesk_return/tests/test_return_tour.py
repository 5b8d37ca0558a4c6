from odoo.tests import HttpCase, tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnTour(HttpCase, HelpdeskReturnCommon):
    """In a browser, as an agent with rights to Helpdesk only."""

    def _tour(self, name):
        url = f"/odoo/helpdesk-tickets/{self.ticket_a.id}"
        self.start_tour(url, name, login="after_sales_agent")
        self.env.invalidate_all()

    def test_s66_s76_return_by_order(self):
        self._tour("helpdesk_return_by_order")
        picking = self.ticket_a.return_ids
        self.assertEqual(picking.create_uid, self.agent)
        self.assertEqual(
            [(move.product_id, move.product_uom_qty) for move in picking.move_ids],
            [(self.lamp, 3)],
        )

    def test_x3_exchange(self):
        self._tour("helpdesk_return_exchange")
        self.assertEqual(len(self.ticket_a.return_ids), 2)
