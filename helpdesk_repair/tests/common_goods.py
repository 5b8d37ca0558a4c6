from .common import HelpdeskRepairCommon


class RepairGoodsCommon(HelpdeskRepairCommon):
    """Looks at goods after workshop and warehouse did their part."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.delivery = cls.order_a.picking_ids
        cls.phone_line = cls.order_a.order_line.filtered(
            lambda line: line.product_id == cls.phone
        )
        cls.shelf = cls.env["stock.location"].create(
            {"name": "Inspection", "location_id": cls.warehouse.view_location_id.id}
        )
        cls.stock = cls.warehouse.lot_stock_id
        cls.customers = cls.env.ref("stock.stock_location_customers")

    def _native_return(self, delivery, product, quantity, **values):
        """Return the return of a delivery as Inventory makes it, not received yet."""
        native = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        for line in native.product_return_moves:
            line.quantity = quantity if line.product_id == product else 0
        back = native._create_return()
        if values:
            back.write(values)
            back.move_ids.write(values)
        return back

    def _repair(self, ticket=None, **values):
        """Return the finished repair of a ticket, under sudo."""
        form = self._form(ticket)
        for name, value in values.items():
            setattr(form, name, value)
        repair = self._confirm(form.save()).sudo()
        self._finish(repair)
        return repair

    def _finish(self, repair):
        repair.action_repair_start()
        repair.action_repair_end()

    def _give_back(self, repair, validate=True):
        """Return the delivery of a repair, sent as the warehouse sends it."""
        repair.helpdesk_ticket_id.with_user(self.agent).action_give_back()
        delivery = repair.helpdesk_delivery_id
        if validate:
            self.assertEqual(delivery.state, "assigned", "reserved on what is there")
            self.assertIs(delivery.button_validate(), True)
            self.assertEqual(delivery.state, "done")
        return delivery

    def _held(self, product, lot=None):
        """Return ``{location: quantity}`` of what shop and customers hold."""
        groups = self.env["stock.quant"]._read_group(
            [
                ("product_id", "=", product.id),
                ("lot_id", "=", lot.id if lot else False),
                ("location_id.usage", "in", ("internal", "transit", "customer")),
            ],
            ["location_id"],
            ["quantity:sum"],
        )
        return {location: held for location, held in groups if held}

    def _assert_nothing_negative(self, product):
        quants = self.env["stock.quant"].search(
            [
                ("product_id", "=", product.id),
                ("location_id.usage", "=", "internal"),
                ("quantity", "<", 0),
            ]
        )
        self.assertFalse(quants.mapped(lambda q: (q.location_id.name, q.quantity)))

    def _lamp_ticket(self, order=None, partner=None):
        return self._ticket(
            partner or self.contact_a1,
            product_id=self.lamp.id,
            sale_order_id=(order or self.order_a).id,
        )

    def _with_return(self, ticket, back):
        form = self._form(ticket)
        form.picking_id = back
        return form.save()

    def _deliver_chain(self, pickings, serials=None):
        """Validate a delivery, or a receipt, with all its steps; returns them."""
        chain = pickings
        while step := chain.filtered(lambda p: p.state not in ("done", "cancel")):
            self._deliver(step, serials)
            chain |= chain.move_ids.move_dest_ids.picking_id
        return chain
