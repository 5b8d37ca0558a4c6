from .common import HelpdeskAfterSalesCommon


class WarrantyCommon(HelpdeskAfterSalesCommon):
    """Phones and lamps with a warranty, delivered on a day, and tickets about them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        cls.lamp.write({"warranty_duration": 6, "warranty_unit": "month"})
        cls.customer_a.tz = cls.contact_a1.tz = "UTC"

    def _sold(self, when, *lines, partner=None, serials=None):
        """Return an order delivered at a moment (UTC)."""
        order = self._sell(partner or self.contact_a1, *lines, serials=serials)
        return self._dated(order, when)

    def _dated(self, order, when):
        moves = order.picking_ids.move_ids.filtered(lambda m: m.state == "done")
        moves.filtered(lambda m: m not in self.dated).date = when
        self.dated |= moves
        return order

    def setUp(self):
        super().setUp()
        self.dated = self.env["stock.move"]

    def _phone_ticket(self, serial=0, opened=None, **values):
        ticket = self._ticket(
            values.pop("partner", self.contact_a1),
            product_id=self.phone.id,
            **({"lot_id": self.serials[serial].id} if serial is not None else {}),
            **values,
        )
        self._open_on(ticket, opened or "2025-06-01 00:00:00")
        return ticket.with_user(self.agent)

    def _open_on(self, ticket, when):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = %s WHERE id = %s",
            [when, ticket.id],
        )
        ticket.invalidate_recordset()

    def _send_back(self, order, exchange=False):
        """Return the goods of an order; with ``exchange`` the replacement too."""
        delivery = order.picking_ids.filtered(lambda p: not p.return_id)[:1]
        native = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        native.product_return_moves.quantity = 1
        before = order.picking_ids
        if exchange:
            native.action_create_exchanges()
        else:
            native._create_return()
        pickings = self.env["stock.picking"].search(
            [("id", "not in", before.ids)], order="id desc", limit=2 if exchange else 1
        )
        return pickings
