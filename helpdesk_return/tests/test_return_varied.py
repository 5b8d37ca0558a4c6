from datetime import timedelta

from odoo import Command, fields
from odoo.tests import tagged

from .test_process_return import ProcessCommon


@tagged("post_install", "-at_install")
class TestReturnVaried(ProcessCommon):
    """The kinds of cases/goods.md with other lots, owners, packages, units, warehouses,
    addresses, branches, and things that are done twice or taken back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paint = cls.env["product.product"].create(
            {
                "name": "Paint",
                "type": "consu",
                "is_storable": True,
                "tracking": "lot",
                "list_price": 10,
                "invoice_policy": "delivery",
                "taxes_id": [Command.clear()],
            }
        )
        cls.red, cls.blue = cls.env["stock.lot"].create(
            [
                {"name": name, "product_id": cls.paint.id, "company_id": cls.company.id}
                for name in ("RED", "BLUE")
            ]
        )
        cls._put_in_stock((cls.paint, 50, cls.red), (cls.paint, 50, cls.blue))

    def _get_open(self, order):
        return order.picking_ids.filtered(lambda p: p.state not in ("done", "cancel"))

    def _deliver_lots(self, order, *lots, **values):
        """Deliver ``(lot, quantity)`` of the only line of an order."""
        picking = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel")
        )
        move = picking.move_ids
        move.move_line_ids.unlink()
        move.move_line_ids = [
            Command.create(
                {
                    "picking_id": picking.id,
                    "product_id": move.product_id.id,
                    "lot_id": lot.id if lot else False,
                    "quantity": quantity,
                    "location_id": move.location_id.id,
                    "location_dest_id": move.location_dest_id.id,
                }
                | values
            )
            for lot, quantity in lots
        ]
        move.picked = True
        return picking

    def _validate(self, picking):
        picking.with_context(skip_backorder=True, skip_sms=True).button_validate()
        self.assertEqual(picking.state, "done")

    def _sell_paint(self, *lots, **values):
        total = sum(quantity for _lot, quantity in lots)
        order = self._sell(
            self.contact_a2, (self.paint, total), deliver=False, **values
        )
        self._validate(self._deliver_lots(order, *lots))
        return order

    def _ticket_of(self, order, **values):
        return self._ticket(order.partner_id, sale_order_id=order.id, **values)

    def _return_lots(self, ticket, quantity, *lots, exchange=False):
        wizard = self._form(ticket).save()
        (line,) = wizard.line_ids
        ids = [lot.id for lot in lots]
        line.write({"quantity": quantity, "lot_ids": [Command.set(ids)]})
        wizard.action_exchange() if exchange else wizard.action_return()
        return wizard.sudo().made_picking_ids.with_env(self.env)

    def _assert_nothing_negative(self, *products):
        """Neither here nor at the customers is there less than nothing of anything."""
        quants = self.env["stock.quant"].search(
            [
                ("product_id", "in", [product.id for product in products]),
                ("location_id.usage", "in", ("internal", "customer", "transit")),
                ("quantity", "<", 0),
            ]
        )
        self.assertFalse(
            [
                (
                    quant.location_id.name,
                    quant.lot_id.name,
                    quant.owner_id.name,
                    quant.package_id.name,
                    quant.quantity,
                )
                for quant in quants
            ]
        )

    # -- A1: lots, done again, cancelled --------------------------------------

    def test_a1_lots_on_two_tickets(self):
        order = self._sell_paint((self.red, 5), (self.blue, 3))
        tickets = [self._ticket_of(order) for _number in range(2)]
        first = self._return_lots(tickets[0], 2, self.blue)
        second = self._return_lots(tickets[1], 4, self.red)
        third = self._return_lots(tickets[0], 2)
        self.assertEqual(self._holding(first), [("BLUE", 2)])
        self.assertEqual(self._holding(second), [("RED", 4)])
        self.assertEqual(self._holding(third), [("BLUE", 1), ("RED", 1)])
        for picking in third | first | second:
            picking.action_assign()
            self._receive(picking)
        self.assertEqual(self._in(self.customers, self.paint), 0)
        self.assertEqual(self._in(self.stock, self.paint, lot_id=self.red), 50)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self._assert_nothing_negative(self.paint)

    def test_a1_cancelled_and_done_again(self):
        first = self._return({self.phone: 1}, self.serials[0])
        first.with_user(self.stock_user).action_cancel()
        again = self._return({self.phone: 1}, self.serials[0])
        other = self._return({self.phone: 1}, self.serials[1])
        self.assertEqual(self._holding(again), [("SN-0001", 1)])
        again.do_unreserve()
        again.action_assign()
        self.assertEqual(self._holding(other), [("SN-0002", 1)])
        self._receive(other)
        # Received in Inventory with a part missing: the rest waits for the same lot.
        order = self._sell_paint((self.red, 3), (self.blue, 3))
        back = self._return_lots(self._ticket_of(order), 6)
        line = back.move_line_ids.filtered(lambda li: li.lot_id == self.red)
        line.quantity = 1
        back.move_ids.picked = True
        back.with_context(skip_backorder=True).button_validate()
        rest = back.backorder_ids
        self.assertEqual(self._holding(rest), [("RED", 2)])
        self.assertEqual(self._returnable_of(self._ticket_of(order)), 0)

    def _returnable_of(self, ticket):
        return sum(self._form(ticket).save().line_ids.mapped("returnable_quantity"))

    # -- A2: owners and packages ----------------------------------------------

    def test_a2_lots_of_an_owner_in_two_packages(self):
        owner = self.env["res.partner"].create({"name": "Owner Ltd"})
        quants = self.env["stock.quant"]
        quants._update_available_quantity(
            self.paint, self.stock, 6, lot_id=self.red, owner_id=owner
        )
        order = self._sell(self.contact_a2, (self.paint, 6), deliver=False)
        picking = self._deliver_lots(
            order, (self.red, 4), (self.red, 2), owner_id=owner.id
        )
        packages = self.env["stock.package"].create([{"name": "P-A"}, {"name": "P-B"}])
        for line, package in zip(picking.move_line_ids, packages, strict=True):
            line.result_package_id = package
        self._validate(picking)
        ticket = self._ticket_of(order)
        first = self._return_lots(ticket, 5, self.red)
        self.assertEqual(first.move_line_ids.owner_id, owner)
        self.assertEqual(first.move_line_ids.package_id, packages)
        second = self._return_lots(ticket, 1, self.red)
        for back in second, first:
            self._receive(back)
        self.assertEqual(self._in(self.stock, self.paint, owner_id=owner), 6)
        self._assert_nothing_negative(self.paint)

    def test_a2_untracked_in_a_package_and_of_an_owner(self):
        owner = self.env["res.partner"].create({"name": "Owner Ltd"})
        self.env["stock.quant"]._update_available_quantity(
            self.desk, self.stock, 5, owner_id=owner
        )
        for values, packed in (({}, True), ({"owner_id": owner.id}, False)):
            order = self._sell(self.contact_a2, (self.desk, 5), deliver=False)
            picking = self._deliver_lots(order, (None, 5), **values)
            if packed:
                picking.action_put_in_pack()
            self._validate(picking)
            ticket = self._ticket_of(order)
            backs = [self._return({self.desk: n}, ticket=ticket) for n in (2, 3)]
            for back in backs:
                self._receive(back)
            self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(self._in(self.stock, self.desk, owner_id=owner), 5)
        self._assert_nothing_negative(self.desk)

    def test_a2_processed_with_owner_and_package(self):
        """X17: what is scrapped, or goes back, is the owner's, out of its package."""
        owner = self.env["res.partner"].create({"name": "Owner Ltd"})
        self.env["stock.quant"]._update_available_quantity(
            self.paint, self.stock, 6, lot_id=self.blue, owner_id=owner
        )
        order = self._sell(self.contact_a2, (self.paint, 6), deliver=False)
        picking = self._deliver_lots(order, (self.blue, 6), owner_id=owner.id)
        picking.action_put_in_pack()
        self._validate(picking)
        back = self._return_lots(self._ticket_of(order), 6, self.blue)
        decisions = self._process(
            back,
            (2, "sound", "restock", self.blue),
            (1, "damaged", "scrap", self.blue),
            (1, "damaged", "supplier", self.blue),
            (2, "wrong", "customer", self.blue),
        )
        scrap = self.env["stock.scrap"].search([("picking_id", "=", back.id)])
        self.assertEqual((scrap.owner_id, scrap.scrap_qty), (owner, 1))
        for kind, quantity in (("supplier", 1), ("customer", 2)):
            decision = decisions.filtered(lambda d, kind=kind: d.kind == kind)
            transfer = decision.sudo()._get_document()
            self.assertEqual(transfer.move_line_ids.owner_id, owner)
            self.assertEqual(transfer.move_line_ids.quantity, quantity)
            self._receive(transfer)
        self.assertEqual(
            self._in(self.stock, self.paint, lot_id=self.blue, owner_id=owner), 2
        )
        self.assertEqual(self._in(self.customers, self.paint, owner_id=owner), 2)
        self.assertEqual(order.order_line.qty_delivered, 2)
        self._assert_nothing_negative(self.paint)

    # -- A5: exchanges of lots, in steps, twice, and what was exchanged ---------

    def test_a5_what_was_sent_in_exchange_comes_back(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self._sell(self.contact_a2, (self.paint, 3), deliver=False)
        for step in ("pick", "ship"):
            with self.subTest(step=step):
                self._validate(self._deliver_lots(order, (self.red, 3)))
        ticket = self._ticket_of(order)
        made = self._return_lots(ticket, 1, self.red, exchange=True)
        back = made.filtered("return_id")
        self._receive(back)
        step = made - back
        while step:
            self._deliver(step)
            step = step.move_ids.move_dest_ids.picking_id
        line = order.order_line
        self.assertEqual((line.qty_delivered, line.qty_to_invoice), (3, 3))
        self.assertEqual(ticket.sudo()._get_returned_purchases(), {line: 0})
        replaced = order.picking_ids.filtered(
            lambda p: p.helpdesk_ticket_id and p._is_helpdesk_sent()
        )
        wizard = self._form(self._ticket_of(order))
        wizard.picking_id = replaced
        wizard = wizard.save()
        self.assertEqual(wizard.line_ids.returnable_quantity, 1)
        wizard.line_ids.quantity = 1
        wizard.action_return()
        self._receive(wizard.sudo().made_picking_ids.with_env(self.env))
        self.assertEqual(line.qty_delivered, 2)
        self.assertEqual(self._balance(line)["left_to_return"], 2)
        self._assert_nothing_negative(self.paint)

    # -- A6: addresses ----------------------------------------------------------

    def test_a6_another_contact_asks_and_it_went_elsewhere(self):
        order = self._sell(
            self.contact_a1,
            (self.phone, 1),
            serials=self.serials[3],
            partner_shipping_id=self.customer_b.id,
        )
        ticket = self._ticket(self.contact_a2, product_id=self.phone.id)
        ticket.lot_id = self.serials[3]
        form = self._form(ticket)
        self.assertEqual(form.picking_id, order.picking_ids, "found by its number")
        made = self._return(
            {self.phone: 1}, self.serials[3], ticket=ticket, exchange=True
        )
        again = made.filtered(lambda picking: not picking.return_id)
        self.assertEqual(made.partner_id, self.customer_b, "from and to the same place")
        self.assertEqual(again.helpdesk_ticket_id, ticket)
        timeline = ticket.with_user(self.agent)._get_timeline()
        names = " ".join(entry["title"] for entry in timeline)
        for picking in made:
            self.assertIn(picking.name, names)

    # -- A8: lots without a link --------------------------------------------------

    def test_a8_lots_of_a_lowered_order(self):
        order = self._sell_paint((self.red, 5), (self.blue, 5))
        order._action_cancel()
        order.action_draft()
        order.order_line.product_uom_qty = 6
        order.action_confirm()
        receipt = order.picking_ids.filtered(
            lambda p: p.state not in ("done", "cancel")
        )
        self._validate(self._deliver_lots(order, (self.red, 4)))
        self.assertEqual(receipt.state, "done")
        ticket = self._ticket_of(order)
        line = self._form(ticket).save().line_ids
        self.assertEqual(line.returnable_quantity, 6)
        back = self._return_lots(ticket, 6)
        self.assertEqual(self._holding(back), [("BLUE", 5), ("RED", 1)])
        self._receive(back)
        self._assert_nothing_negative(self.paint)

    # -- A9: warehouses -----------------------------------------------------------

    def test_a9_from_one_warehouse_back_to_another(self):
        other = self.env["stock.warehouse"].create(
            {
                "name": "Second",
                "code": "W2",
                "company_id": self.company.id,
                "reception_steps": "two_steps",
            }
        )
        self.env["stock.quant"]._update_available_quantity(
            self.desk, other.lot_stock_id, 5
        )
        order = self._sell(self.contact_a2, (self.desk, 3), warehouse_id=other.id)
        self.assertEqual(self._in(other.lot_stock_id, self.desk), 2)
        ticket = self._ticket_of(order)
        before = self._in(self.stock, self.desk)
        form = self._fill(self._form(ticket), {self.desk: 1})
        form.location_id = self.stock
        wizard = form.save()
        wizard.action_return()
        self._receive(wizard.sudo().made_picking_ids.with_env(self.env))
        self.assertEqual(self._in(self.stock, self.desk), before + 1)
        back = self._return({self.desk: 2}, ticket=ticket)
        self._process(back, (1, "sound", "restock"), (1, "damaged", "scrap"))
        step = back.move_ids.move_dest_ids.picking_id
        step = step.filtered(lambda p: p.state not in ("done", "cancel"))
        self.assertEqual(sum(step.move_ids.mapped("product_uom_qty")), 1)
        self._receive(step)
        self.assertEqual(self._in(other.lot_stock_id, self.desk), 3)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self._assert_nothing_negative(self.desk)

    # -- Units ----------------------------------------------------------------

    def test_units_of_the_order_and_of_the_product(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.contact_a2.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.desk.id,
                            "product_uom_qty": 2,
                            "product_uom_id": dozen.id,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self._deliver(order.picking_ids)
        ticket = self._ticket_of(order)
        (line,) = self._form(ticket).save().line_ids
        unit = line.uom_id
        back = self._return(
            {self.desk: unit._compute_quantity(1, unit) if unit == dozen else 12},
            ticket=ticket,
        )
        self.assertEqual(back.move_ids.product_qty, 12)
        self._process(
            back,
            (5, "sound", "restock"),
            (4, "damaged", "scrap"),
            (3, "wrong", "customer"),
        )
        self._receive(
            back.helpdesk_decision_ids.filtered(lambda d: d.kind == "customer")
            .sudo()
            ._get_document()
        )
        self.assertAlmostEqual(order.order_line.qty_delivered, 1.25)
        accepted = ticket.sudo()._get_returned_purchases(True)
        self.assertAlmostEqual(accepted[order.order_line], 0.75)
        form = self._form(ticket)
        form.picking_id = back.return_id
        wizard = self._fill(form, {self.desk: 0.5 if unit == dozen else 6}).save()
        wizard.action_exchange()
        made = wizard.sudo().made_picking_ids.with_env(self.env)
        again = made.filtered(lambda picking: not picking.return_id)
        self.assertEqual(again.move_ids.product_qty, 6)
        self._assert_nothing_negative(self.desk)

    # -- X17: the same goods on two lines, in parts, typed by hand ----------------

    def test_x17_one_product_on_two_lines_of_an_order(self):
        order = self._sell(self.contact_a2, (self.desk, 2), (self.desk, 3))
        ticket = self._ticket_of(order)
        wizard = self._form(ticket).save()
        wizard.action_take_all()
        wizard.action_return()
        back = wizard.sudo().made_picking_ids.with_env(self.env)
        self.assertEqual(len(back.move_ids), 2)
        process = self._open_process(back)
        first, second = process.line_ids
        first.quantity, second.quantity = 2, 1
        second.condition = "damaged"
        process.action_process()
        rest = back.backorder_ids
        self.assertEqual(rest.move_ids.product_uom_qty, 2)
        self.assertEqual(rest.helpdesk_ticket_id, ticket)
        self._process(rest, (2, "missing", "missing"))
        self.assertEqual(rest.state, "cancel")
        self.assertEqual(order.order_line.mapped("qty_delivered"), [0, 2])
        self._assert_nothing_negative(self.desk)

    def test_x17_received_in_parts_in_inventory_first(self):
        back = self._return({self.lamp: 3})
        back.move_ids.write({"quantity": 1, "picked": True})
        back.with_context(skip_backorder=True, skip_sms=True).button_validate()
        rest = back.backorder_ids
        self._process(rest, (1, "damaged", "scrap"), (1, "sound", "restock"))
        self._process(back, (1, "wrong", "customer"))
        self.assertEqual(self._balance()["returned"], 3)
        self.assertEqual(self._balance()["accepted"], 2)
        back.helpdesk_decision_ids.sudo()._get_document().button_validate()
        self.assertEqual(self._balance()["left_to_return"], 1)
        self._assert_nothing_negative(self.lamp)

    def test_x17_carried_elsewhere_before_it_is_looked_at(self):
        """Received in Inventory, and put on a shelf by hand."""
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.stock.id}
        )
        order = self._sell_paint((self.red, 4))
        back = self._return_lots(self._ticket_of(order), 4, self.red)
        self._receive(back)
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.paint, shelf, 54, lot_id=self.red)
        here = self._in(self.stock, self.paint, lot_id=self.red) - 54
        quants._update_available_quantity(
            self.paint, self.stock, -here, lot_id=self.red
        )
        self._process(
            back,
            (3, "damaged", "scrap", self.red),
            (1, "wrong", "customer", self.red),
        )
        self._receive(
            back.helpdesk_decision_ids.filtered(lambda d: d.kind == "customer")
            .sudo()
            ._get_document()
        )
        self.assertEqual(self._in(shelf, self.paint, lot_id=self.red), 50)
        self._assert_nothing_negative(self.paint)

    # -- Other applications ---------------------------------------------------------

    def test_x17_goods_that_have_expired(self):
        """What comes back too late is looked at all the same."""
        if "use_expiration_date" not in self.paint._fields:
            self.skipTest("needs product_expiry")
        self.paint.use_expiration_date = True
        order = self._sell_paint((self.red, 4))
        past = fields.Datetime.now() - timedelta(days=3)
        self.red.write({"expiration_date": past, "removal_date": past})
        back = self._return_lots(self._ticket_of(order), 4, self.red)
        self._process(
            back, (3, "damaged", "scrap", self.red), (1, "sound", "restock", self.red)
        )
        self.assertEqual(back.state, "done")
        self.assertEqual(order.order_line.qty_delivered, 0)
        self._assert_nothing_negative(self.paint)
