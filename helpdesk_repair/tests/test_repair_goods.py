from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_goods import RepairGoodsCommon


@tagged("post_install", "-at_install")
class TestRepairGoods(RepairGoodsCommon):
    """What warehouse and workshop see of a repair from a ticket (goods.md): where the
    piece is, whose it is, and what the order counts after everything is done."""

    # -- A1: two give-backs of one return ------------------------------------

    def test_a1_one_give_back_leaves_the_other_its_piece(self):
        back = self._send_back(*self.serials[:2])
        first = self._repair(picking_id=back)
        self.ticket_a.lot_id = self.serials[1]
        second = self._repair(picking_id=back)
        self.ticket_a.with_user(self.agent).action_give_back()
        for repair, serial in zip(first + second, self.serials[:2], strict=True):
            self.assertEqual(repair.helpdesk_delivery_id.state, "assigned")
            self.assertEqual(repair.helpdesk_delivery_id.move_line_ids.lot_id, serial)
        for repair in first + second:
            self.assertIs(repair.helpdesk_delivery_id.button_validate(), True)
        self.assertEqual(self.phone_line.qty_delivered, 2)
        self._assert_nothing_negative(self.phone)

    # -- A2, A3: owner and package -------------------------------------------

    def test_a2_a3_a_piece_that_the_customer_owns(self):
        back = self._send_back(self.serials[0])
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", self.serials[0].id), ("location_id", "=", self.stock.id)]
        )
        quant.owner_id = self.customer_a
        # As Odoo books it when the receipt assigns an owner.
        self.env["stock.quant"]._update_available_quantity(
            self.phone,
            self.customers,
            1,
            lot_id=self.serials[0],
        )
        self.env["stock.quant"]._update_available_quantity(
            self.phone,
            self.customers,
            -1,
            lot_id=self.serials[0],
            owner_id=self.customer_a,
        )
        wizard = self._form().save()
        wizard.picking_id = back
        action = wizard.action_confirm_repair()
        self.assertEqual(action["res_model"], "repair.order", "it is here: no word")
        repair = wizard.sudo().repair_id
        self._finish(repair)
        self.assertEqual(self.ticket_a.repairs_to_give_back, 1)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.move_line_ids.owner_id, self.customer_a)
        self.assertEqual(self._held(self.phone, self.serials[0]), {self.customers: 1})
        self._assert_nothing_negative(self.phone)

    def test_a2_a_piece_in_a_package(self):
        self._send_back(self.serials[0])
        package = self.env["stock.package"].create({"name": "PACK-1"})
        quant = self.env["stock.quant"].search(
            [("lot_id", "=", self.serials[0].id), ("location_id", "=", self.stock.id)]
        )
        quant.package_id = package
        repair = self._repair()
        delivery = self._give_back(repair, validate=False)
        line = delivery.move_line_ids
        self.assertEqual((line.package_id, line.lot_id), (package, self.serials[0]))
        self.assertFalse(line.result_package_id)
        delivery.button_validate()
        self._assert_nothing_negative(self.phone)
        self.assertEqual(self._held(self.phone, self.serials[0]), {self.customers: 1})

    # -- A4: the serial number that was chosen -------------------------------

    def test_a4_the_return_that_brought_it_is_proposed(self):
        first = self._send_back(self.serials[0])
        self._send_back(self.serials[1])
        form = self._form()
        self.assertEqual(form.lot_id, self.serials[0])
        self.assertEqual(form.picking_id, first)
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.lot_id, self.serials[0])

    def test_a4_another_return_of_the_product_is_refused(self):
        self._send_back(self.serials[0])
        second = self._send_back(self.serials[1])
        wizard = self._form().save()
        wizard.picking_id = second
        with self.assertRaises(UserError):
            wizard.action_confirm_repair()
        self.assertFalse(self.ticket_a.repairs_count)

    def test_a4_no_serial_number_of_another_product(self):
        native = self.env["stock.return.picking"].create(
            {"picking_id": self.delivery.id}
        )
        native.product_return_moves.quantity = 1
        back = self._deliver(native._create_return(), self.serials[:1])
        self.assertEqual(back.move_line_ids.lot_id, self.serials[0])
        ticket = self._lamp_ticket()
        repair = self._repair(ticket, picking_id=back)
        self.assertFalse(repair.lot_id)
        self.assertEqual((repair.product_id, repair.state), (self.lamp, "done"))

    # -- A6: shipped to somebody else ----------------------------------------

    def test_a6_shipped_to_another_company(self):
        order = self._sell(
            self.contact_a1,
            (self.lamp, 1),
            partner_shipping_id=self.customer_b.id,
        )
        back = self._native_return(order.picking_ids, self.lamp, 1)
        self._deliver(back)
        ticket = self._lamp_ticket(order)
        repair = self._repair(ticket, picking_id=back)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.partner_id, self.customer_b, "where it came from")
        self.assertEqual(order.order_line.qty_delivered, 1)
        self.assertEqual(order.order_line.qty_to_invoice, 1)

    def test_a6_a_kit_goes_back_by_its_components(self):
        kit = self.env["product.product"].create(
            {"name": "Lamp and Desks", "type": "consu", "is_storable": True}
        )
        order = self._sell(self.contact_a1, (kit, 2), deliver=False)
        picking = order.picking_ids
        # As mrp explodes it, which may be not installed.
        move = picking.move_ids
        places = {
            "picking_id": picking.id,
            "location_id": move.location_id.id,
            "location_dest_id": move.location_dest_id.id,
            "sale_line_id": order.order_line.id,
        }
        move._action_cancel()
        move.unlink()
        parts = {self.lamp: 1, self.desk: 2}
        self.env["stock.move"].create(
            [
                {"product_id": part.id, "product_uom_qty": 2 * some} | places
                for part, some in parts.items()
            ]
        )
        picking.action_confirm()
        self._deliver(picking)
        native = self.env["stock.return.picking"].create({"picking_id": picking.id})
        for line in native.product_return_moves:
            line.quantity = parts[line.product_id]
        back = self._deliver(native._create_return())
        ticket = self._ticket(
            self.contact_a1, product_id=kit.id, sale_order_id=order.id
        )
        form = self._form(ticket)
        form.picking_id = back
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.picking_id, back)
        repair.state = "done"  # what the workshop does with kits is Odoo's
        delivery = self._give_back(repair)
        self.assertEqual(
            {move.product_id: move.quantity for move in delivery.move_ids}, parts
        )
        self.assertEqual(delivery.move_ids.origin_returned_move_id, back.move_ids)

    # -- A9: other places ----------------------------------------------------

    def test_a9_returned_to_another_location(self):
        back = self._native_return(
            self.delivery, self.lamp, 1, location_dest_id=self.shelf.id
        )
        self._deliver(back)
        ticket = self._lamp_ticket()
        wizard = self._form(ticket).save()
        wizard.picking_id = back
        action = wizard.action_confirm_repair()
        self.assertEqual(action["res_model"], "repair.order", "it is in Inspection")
        repair = wizard.sudo().repair_id
        self.assertEqual(repair.product_location_src_id, self.shelf)
        self._finish(repair)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.location_id, self.shelf)
        self.assertNotIn(self.shelf, self._held(self.lamp))
        self._assert_nothing_negative(self.lamp)

    def test_a9_the_warehouse_that_took_it_back_repairs_it(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Second", "code": "W2", "company_id": self.company.id}
        )
        self.env["stock.quant"]._update_available_quantity(
            self.lamp, other.lot_stock_id, 5
        )
        order = self._sell(self.contact_a1, (self.lamp, 2), warehouse_id=other.id)
        before = self._held(self.lamp)
        back = self._native_return(order.picking_ids, self.lamp, 1)
        self._deliver(back)
        repair = self._repair(self._lamp_ticket(order), picking_id=back)
        self.assertEqual(repair.picking_type_id, other.repair_type_id)
        self.assertEqual(repair.location_id.warehouse_id, other)
        self._give_back(repair)
        self.assertEqual(self._held(self.lamp), before)
        self.assertEqual(order.order_line.qty_delivered, 2)

    def test_a9_receipts_in_steps(self):
        for steps in ("two_steps", "three_steps"):
            for product, serials in ((self.lamp, None), (self.phone, self.serials[:1])):
                with self.subTest(steps=steps, product=product.name):
                    self.warehouse.reception_steps = steps
                    back = self._native_return(self.delivery, product, 1)
                    self._deliver(back, serials)
                    chain = back.move_ids.move_dest_ids.picking_id
                    while chain:
                        self._deliver(chain, serials)
                        chain = chain.move_ids.move_dest_ids.picking_id
                    ticket = self._lamp_ticket()
                    if serials:
                        ticket.write({"product_id": product.id, "lot_id": serials.id})
                    repair = self._repair(ticket, picking_id=back)
                    self._give_back(repair)
                    self._assert_nothing_negative(product)
                    self.assertEqual(
                        self.order_a.order_line.mapped("qty_delivered"), [3, 2]
                    )

    def test_a9_carried_on_while_it_is_repaired(self):
        self.warehouse.reception_steps = "two_steps"
        back = self._native_return(self.delivery, self.lamp, 1)
        self._deliver(back)
        step = back.move_ids.move_dest_ids.picking_id
        repair = self._confirm(self._with_return(self._lamp_ticket(), back)).sudo()
        self.assertEqual(
            repair.product_location_src_id, self.warehouse.wh_input_stock_loc_id
        )
        self._deliver(step)
        self._finish(repair)
        self._give_back(repair)
        self._assert_nothing_negative(self.lamp)
        self.assertNotIn(self.warehouse.wh_input_stock_loc_id, self._held(self.lamp))

    def test_a9_deliveries_in_steps(self):
        for steps, serial in zip(
            ("pick_ship", "pick_pack_ship"), self.serials[3:5], strict=True
        ):
            for product, serials in ((self.lamp, None), (self.phone, serial)):
                with self.subTest(steps=steps, product=product.name):
                    self.warehouse.delivery_steps = steps
                    order = self._sell(self.contact_a1, (product, 1), deliver=False)
                    chain = self._deliver_chain(order.picking_ids, serials)
                    self.assertGreater(len(chain), 1)
                    out = chain.filtered(
                        lambda p: p.location_dest_id.usage == "customer"
                    )
                    before = self._held(product, serials)
                    back = self._native_return(out, product, 1)
                    self._deliver(back, serials)
                    ticket = self._lamp_ticket(order)
                    if serials:
                        ticket.write({"product_id": product.id, "lot_id": serials.id})
                    repair = self._repair(ticket, picking_id=back)
                    self.assertEqual(repair.product_location_src_id, self.stock)
                    delivery = self._give_back(repair)
                    self.assertEqual(delivery.location_dest_id, self.customers)
                    self.assertEqual(self._held(product, serials), before)
                    self.assertEqual(order.order_line.qty_delivered, 1)
                    self._assert_nothing_negative(product)

    def test_a9_two_warehouses_in_one_order(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Second", "code": "W2", "company_id": self.company.id}
        )
        self.env["stock.quant"]._update_available_quantity(
            self.desk, other.lot_stock_id, 5
        )
        other.delivery_route_id.sale_selectable = True
        lines = [
            Command.create({"product_id": self.lamp.id, "product_uom_qty": 2}),
            Command.create(
                {
                    "product_id": self.desk.id,
                    "product_uom_qty": 2,
                    "route_ids": [Command.set(other.delivery_route_id.ids)],
                }
            ),
        ]
        order = self._sell(self.contact_a1, deliver=False, order_line=lines)
        self._deliver(order.picking_ids)
        self.assertEqual(order.order_line.mapped("qty_delivered"), [2, 2])
        self.assertEqual(len(order.picking_ids), 2)
        for product, warehouse in ((self.lamp, self.warehouse), (self.desk, other)):
            before = self._held(product)
            out = order.picking_ids.filtered(
                lambda picking, product=product: picking.move_ids.product_id == product
            )
            back = self._native_return(out, product, 1)
            self._deliver(back)
            ticket = self._lamp_ticket(order)
            ticket.product_id = product
            repair = self._repair(ticket, picking_id=back)
            self.assertEqual(repair.picking_type_id, warehouse.repair_type_id)
            self._give_back(repair)
            self.assertEqual(self._held(product), before)
        self.assertEqual(order.order_line.mapped("qty_delivered"), [2, 2])

    # -- C4: to whom ---------------------------------------------------------

    def test_c4_it_goes_to_whom_the_repair_says(self):
        back = self._send_back(self.serials[0])
        for partner in (self.contact_a2, self.contact_a1):
            with self.subTest(partner=partner.name):
                repair = self._repair(picking_id=back, partner_id=partner)
                repair.with_user(self.agent).action_give_back()
                delivery = repair.helpdesk_delivery_id
                self.assertEqual(delivery.partner_id, partner)
                self.assertEqual(delivery.move_ids.partner_id, partner)
                delivery.action_cancel()

    # -- C5: one piece, several repairs --------------------------------------

    def test_c5_a_serial_number_in_repair_is_said(self):
        self._send_back(self.serials[0])
        first = self._confirm(self._form().save()).sudo()
        self.assertIn(first.name, self._form().notice)
        self._finish(first)
        self.assertFalse(self._form().notice)

    def test_c5_one_piece_goes_back_once(self):
        self._send_back(self.serials[0])
        repairs = self._repair() + self._repair()
        self.ticket_a.with_user(self.agent).action_give_back()
        self.assertEqual(len(repairs.helpdesk_delivery_id), 1)
        delivery = repairs.helpdesk_delivery_id
        self.assertEqual(delivery.move_line_ids.lot_id, self.serials[0])
        self.assertIs(delivery.button_validate(), True)

    def test_c5_what_is_on_its_way_is_not_given_back_again(self):
        self._send_back(self.serials[0])
        first = self._repair()
        delivery = self._give_back(first, validate=False)
        second = self._repair()
        self.assertFalse(self.ticket_a.repairs_to_give_back)
        with self.assertRaises(UserError):
            second.with_user(self.agent).action_give_back()
        self.assertEqual(delivery.move_line_ids.lot_id, self.serials[0])

    def test_c5_no_other_piece_takes_its_place(self):
        self._send_back(self.serials[0])
        delivery = self._give_back(self._repair(), validate=False)
        # Somebody carries it to another shelf meanwhile.
        places = {"location_id": self.stock.id, "location_dest_id": self.shelf.id}
        internal = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.int_type_id.id,
                "move_ids": [
                    Command.create(
                        {"product_id": self.phone.id, "product_uom_qty": 1} | places
                    )
                ],
            }
            | places
        )
        internal.action_confirm()
        self._deliver(internal, self.serials[:1])
        delivery.action_assign()
        self.assertFalse(delivery.move_line_ids.lot_id - self.serials[0])
        self.assertNotEqual(delivery.state, "assigned")

    # -- RP11: as many as came -----------------------------------------------

    def test_c16_as_many_are_repaired_as_came(self):
        back = self._native_return(self.delivery, self.lamp, 3)
        self._deliver(back)
        form = self._form(self._lamp_ticket())
        self.assertEqual(form.quantity, 1)
        form.picking_id = back
        self.assertEqual(form.quantity, 3)
        form.quantity = 2
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.product_qty, 2)
        form = self._form(self._lamp_ticket())
        form.picking_id = back
        self.assertEqual(form.quantity, 1, "two are in repair")
        form.quantity = 2
        with self.assertRaises(UserError):
            form.save().action_confirm_repair()
        self._finish(repair)
        self.assertEqual(self._give_back(repair).move_ids.quantity, 2)
        line = self.order_a.order_line.filtered(lambda li: li.product_id == self.lamp)
        self.assertEqual(line.qty_delivered, 2)

    def test_c16_no_quantity_that_is_none(self):
        for quantity in (0, -1):
            wizard = self._form(self._lamp_ticket()).save()
            wizard.quantity = quantity
            with self.assertRaises(UserError):
                wizard.action_confirm_repair()

    # -- The balance ---------------------------------------------------------

    def _repairing(self, line):
        return line.sudo()._get_after_sales_balance()[line.sudo()]["repairing"]

    def test_x31_repairing_counts_what_is_under_way(self):
        lamps = self.order_a.order_line.filtered(lambda li: li.product_id == self.lamp)
        back = self._native_return(self.delivery, self.lamp, 3)
        self._deliver(back)
        form = self._form(self._lamp_ticket())
        form.picking_id = back
        form.quantity = 2
        repair = self._confirm(form.save()).sudo()
        phone = self._confirm(self._form().save()).sudo()
        self.assertEqual(self._repairing(lamps), 2)
        self.assertEqual(self._repairing(self.phone_line), 1)
        other = self._sell(self.contact_a1, (self.lamp, 3))
        self.assertEqual(self._repairing(other.order_line), 0)
        self._finish(repair)
        phone.action_repair_cancel()
        self.assertEqual(self._repairing(lamps), 0)
        self.assertEqual(self._repairing(self.phone_line), 0)

    def test_x31_repairing_without_a_return_is_of_the_tickets_order(self):
        lamps = self.order_a.order_line.filtered(lambda li: li.product_id == self.lamp)
        self._confirm(self._form(self._lamp_ticket()).save())
        self.assertEqual(self._repairing(lamps), 1)
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.contact_a1.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.lamp.id,
                            "product_uom_qty": 2,
                            "product_uom_id": dozen.id,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self._deliver(order.picking_ids)
        form = self._form(self._lamp_ticket(order))
        form.quantity = 6
        self._confirm(form.save())
        self.assertAlmostEqual(self._repairing(order.order_line), 0.5)
