from odoo.tests import tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestNativeReturns(HelpdeskAfterSalesCommon):
    """Goods A1: what Odoo's own wizard makes beside an open return leaves that one as
    it was, whoever made it."""

    def _return(self, picking, product, quantity):
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        for line in wizard.product_return_moves:
            line.quantity = quantity if line.product_id == product else 0
        return wizard._create_return()

    def _take(self, picking, *lots):
        """Choose the serial numbers of a return, as its form does."""
        move = picking.move_ids
        move.move_line_ids.unlink()
        move.move_line_ids = [
            (
                0,
                0,
                {
                    "picking_id": picking.id,
                    "product_id": move.product_id.id,
                    "lot_id": lot.id,
                    "quantity": 1,
                    "location_id": move.location_id.id,
                    "location_dest_id": move.location_dest_id.id,
                },
            )
            for lot in lots
        ]

    def test_a1_chosen_serials_stay_on_their_return(self):
        order = self._sell(self.customer_a, (self.phone, 3), serials=self.serials[:3])
        delivery = order.picking_ids
        first = self._return(delivery, self.phone, 1)
        self._take(first, self.serials[2])
        second = self._return(delivery, self.phone, 1)
        self.assertEqual(first.move_line_ids.lot_id, self.serials[2])
        self.assertEqual(first.state, "assigned")
        self.assertEqual(second.move_line_ids.quantity, 1)
        self.assertNotIn(second.move_line_ids.lot_id, self.serials[2])
        for picking in first | second:
            picking.button_validate()
        returned = (first | second).move_line_ids.lot_id
        self.assertEqual(len(returned), 2)
        self.assertEqual(returned.location_id, self.warehouse.lot_stock_id)

    def test_a1_quantities_stay_on_their_return(self):
        order = self._sell(self.customer_a, (self.lamp, 5), (self.desk, 2))
        delivery = order.picking_ids
        first = self._return(delivery, self.lamp, 1)
        second = self._return(delivery, self.lamp, 2)
        # Lines without a quantity are lines of the pop-up, too.
        third = self._return(delivery, self.desk, 1)
        pickings = first | second | third
        self.assertEqual([picking.move_ids.quantity for picking in pickings], [1, 2, 1])
        for picking in pickings:
            self.assertIs(picking.button_validate(), True)
        self.assertEqual(order.order_line.mapped("qty_delivered"), [2, 1])

    def test_a1_what_goes_out_again_stays_reserved(self):
        order = self._sell(self.customer_a, (self.phone, 2), serials=self.serials[:2])
        back = self._return(order.picking_ids, self.phone, 2)
        back.button_validate()
        first = self._return(back, self.phone, 1)
        held = first.move_line_ids.lot_id
        second = self._return(back, self.phone, 1)
        self.assertEqual(first.move_line_ids.lot_id, held)
        self.assertEqual(second.move_line_ids.lot_id, self.serials[:2] - held)
