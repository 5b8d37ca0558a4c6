from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common_goods import RepairGoodsCommon


@tagged("post_install", "-at_install")
class TestRepairVaried(RepairGoodsCommon):
    """The kinds of cases/goods.md with lots, owners, packages, units, other warehouses,
    receipts that Odoo made otherwise, branches, and things done twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.paint = cls.env["product.product"].create(
            {
                "name": "Paint",
                "type": "consu",
                "is_storable": True,
                "tracking": "lot",
                "invoice_policy": "delivery",
            }
        )
        cls.red, cls.blue = cls.env["stock.lot"].create(
            [
                {"name": name, "product_id": cls.paint.id, "company_id": cls.company.id}
                for name in ("RED", "BLUE")
            ]
        )
        cls._put_in_stock((cls.paint, 50, cls.red), (cls.paint, 50, cls.blue))

    def _operate(self, picking, *lots, **values):
        """Validate a transfer of one move with these ``(lot, quantity)``."""
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
        picking.with_context(skip_backorder=True, skip_sms=True).button_validate()
        self.assertEqual(picking.state, "done")
        return picking

    def _sell_paint(self, *lots):
        total = sum(quantity for _lot, quantity in lots)
        order = self._sell(self.contact_a1, (self.paint, total), deliver=False)
        self._operate(order.picking_ids, *lots)
        return order

    def _paint_ticket(self, order, lot=None):
        return self._ticket(
            self.contact_a1,
            product_id=self.paint.id,
            sale_order_id=order.id,
            lot_id=lot.id if lot else False,
        )

    # -- A1, A4: lots ---------------------------------------------------------

    def test_a4_lots_of_two_returns(self):
        order = self._sell_paint((self.red, 3), (self.blue, 3))
        out = order.picking_ids
        first = self._native_return(out, self.paint, 2)
        self._operate(first, (self.red, 2))
        second = self._native_return(out, self.paint, 3)
        self._operate(second, (self.blue, 3))
        repairs = []
        for back, lot, quantity in ((first, self.red, 2), (second, self.blue, 3)):
            form = self._form(self._paint_ticket(order, lot))
            form.picking_id = back
            self.assertEqual((form.lot_id, form.quantity), (lot, quantity))
            repair = self._confirm(form.save()).sudo()
            self.assertEqual((repair.lot_id, repair.product_qty), (lot, quantity))
            self._finish(repair)
            repairs.append(repair)
        for repair in reversed(repairs):
            delivery = self._give_back(repair)
            self.assertEqual(delivery.move_line_ids.lot_id, repair.lot_id)
        self.assertEqual(order.order_line.qty_delivered, 6)
        self.assertEqual(self._held(self.paint, self.red)[self.customers], 3)
        self.assertEqual(self._held(self.paint, self.blue)[self.customers], 3)
        self._assert_nothing_negative(self.paint)

    def test_a4_two_lots_in_one_return(self):
        order = self._sell_paint((self.red, 2), (self.blue, 2))
        back = self._native_return(order.picking_ids, self.paint, 4)
        self._operate(back, (self.red, 2), (self.blue, 2))
        for lot in self.blue, self.red:
            ticket = self._paint_ticket(order, lot)
            repair = self._repair(ticket, picking_id=back)
            self.assertEqual((repair.lot_id, repair.product_qty), (lot, 2))
            delivery = self._give_back(repair)
            self.assertEqual(delivery.move_line_ids.lot_id, lot)
            self.assertEqual(delivery.move_ids.quantity, 2)
        self.assertEqual(order.order_line.qty_delivered, 4)
        self._assert_nothing_negative(self.paint)

    # -- A2, A3: owners and packages --------------------------------------------

    def test_a3_untracked_goods_that_the_customer_owns(self):
        back = self._native_return(self.delivery, self.lamp, 2)
        back.owner_id = self.customer_a
        back.action_assign()
        back.move_line_ids.owner_id = self.customer_a
        back.move_ids.picked = True
        back.with_context(skip_sms=True).button_validate()
        before = self._held(self.lamp)
        ticket = self._lamp_ticket()
        repair = self._repair(ticket, picking_id=back)
        self.assertEqual(ticket.repairs_to_give_back, 1)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.move_line_ids.owner_id, self.customer_a)
        after = self._held(self.lamp)
        self.assertEqual(after[self.stock], before[self.stock] - 2)
        self._assert_nothing_negative(self.lamp)

    def test_a2_untracked_goods_in_a_package(self):
        back = self._deliver(self._native_return(self.delivery, self.lamp, 2))
        package = self.env["stock.package"].create({"name": "P-R"})
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.lamp, self.shelf, 2, package_id=package)
        quants._update_available_quantity(self.lamp, self.stock, -2)
        repair = self._repair(self._lamp_ticket(), picking_id=back)
        delivery = self._give_back(repair)
        self.assertFalse(delivery.move_line_ids.result_package_id)
        self._assert_nothing_negative(self.lamp)

    # -- X22, A8: what came otherwise ------------------------------------------------

    def _receipt(self, product, quantity, partner, *lots, **values):
        places = {
            "location_id": self.customers.id,
            "location_dest_id": self.stock.id,
        }
        receipt = self.env["stock.picking"].create(
            {
                "picking_type_id": self.warehouse.in_type_id.id,
                "partner_id": partner.id,
                "move_ids": [
                    Command.create(
                        {"product_id": product.id, "product_uom_qty": quantity} | places
                    )
                ],
                **places,
                **values,
            }
        )
        receipt.action_confirm()
        return self._operate(receipt, *(lots or [(None, quantity)]))

    def test_x22_receipt_of_foreign_goods_is_the_return(self):
        ticket = self._ticket(self.customer_b, product_id=self.desk.id)
        receipt = self._receipt(self.desk, 2, self.customer_b)
        if "return_ids" in ticket:
            receipt.helpdesk_ticket_id = ticket
            self.assertEqual(self._form(ticket).picking_id, receipt)
        form = self._form(ticket)
        form.picking_id = receipt
        self.assertEqual(form.quantity, 2)
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.picking_id, receipt)
        self._finish(repair)
        before = self._held(self.desk)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.partner_id, self.customer_b)
        self.assertEqual(delivery.move_ids.origin_returned_move_id, receipt.move_ids)
        self.assertEqual(self._held(self.desk)[self.stock], before[self.stock] - 2)
        self._assert_nothing_negative(self.desk)

    def test_x22_serial_number_that_was_never_delivered(self):
        lot = self.env["stock.lot"].create(
            {"name": "OLD", "product_id": self.phone.id, "company_id": self.company.id}
        )
        receipt = self._receipt(self.phone, 1, self.customer_b, (lot, 1))
        ticket = self._ticket(self.customer_b, product_id=self.phone.id)
        form = self._form(ticket)
        form.lot_id = lot
        self.assertEqual(form.picking_id, receipt, "found by its number")
        repair = self._confirm(form.save()).sudo()
        self._finish(repair)
        delivery = self._give_back(repair)
        self.assertEqual(delivery.move_line_ids.lot_id, lot)
        self.assertNotIn(self.stock, self._held(self.phone, lot))
        self.assertEqual(ticket.repairs_to_give_back, 0)

    def test_x22_of_somebody_else_is_refused(self):
        receipt = self._receipt(self.desk, 1, self.customer_b)
        ticket = self._ticket(self.contact_a1, product_id=self.desk.id)
        wizard = self._form(ticket).save()
        wizard.sudo().picking_id = receipt
        with self.assertRaises(UserError):
            wizard.action_confirm_repair()

    # -- A9: places --------------------------------------------------------------

    def test_a9_returned_into_the_other_warehouse(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Second", "code": "W2", "company_id": self.company.id}
        )
        back = self._native_return(
            self.delivery, self.phone, 1, location_dest_id=other.lot_stock_id.id
        )
        self.assertEqual(back.move_ids.product_id, self.phone)
        self._operate(back, (self.serials[0], 1))
        before = self._held(self.phone, self.serials[0])
        self.assertEqual(before.get(other.lot_stock_id), 1)
        repair = self._repair(picking_id=back)
        self.assertEqual(repair.picking_type_id, other.repair_type_id)
        self._give_back(repair)
        self.assertEqual(self._held(self.phone, self.serials[0]), {self.customers: 1})
        self.assertEqual(self.phone_line.qty_delivered, 2)

    def test_a9_put_away_and_carried_on(self):
        shelves = self.env["stock.location"].create(
            [{"name": n, "location_id": self.stock.id} for n in ("S1", "S2")]
        )
        self.env["stock.putaway.rule"].create(
            {
                "product_id": self.lamp.id,
                "location_in_id": self.stock.id,
                "location_out_id": shelves[0].id,
            }
        )
        back = self._deliver(self._native_return(self.delivery, self.lamp, 2))
        self.assertEqual(back.move_line_ids.location_dest_id, shelves[0])
        repair = self._confirm(self._with_return(self._lamp_ticket(), back)).sudo()
        self.assertEqual(repair.product_location_src_id, shelves[0])
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.lamp, shelves[0], -2)
        quants._update_available_quantity(self.lamp, shelves[1], 2)
        self._finish(repair)
        self._give_back(repair)
        self._assert_nothing_negative(self.lamp)

    # -- Done twice, cancelled -------------------------------------------------------

    def test_a1_give_back_cancelled_and_done_again(self):
        back = self._send_back(*self.serials[:2])
        repairs = []
        for serial in self.serials[:2]:
            self.ticket_a.lot_id = serial
            repairs.append(self._repair(picking_id=back))
        self.ticket_a.with_user(self.agent).action_give_back()
        deliveries = [repair.helpdesk_delivery_id for repair in repairs]
        deliveries[0].action_cancel()
        self.assertEqual(self.ticket_a.repairs_to_give_back, 1)
        again = self._give_back(repairs[0], validate=False)
        self.assertNotEqual(again, deliveries[0])
        for picking, serial in zip(
            (again, deliveries[1]), self.serials[:2], strict=True
        ):
            picking.do_unreserve()
            picking.action_assign()
            self.assertEqual(picking.move_line_ids.lot_id, serial)
            self.assertIs(picking.button_validate(), True)
        self.assertEqual(self.phone_line.qty_delivered, 2)
        self._assert_nothing_negative(self.phone)

    def test_a1_untracked_repairs_of_one_return(self):
        back = self._deliver(self._native_return(self.delivery, self.lamp, 3))
        tickets = [self._lamp_ticket() for _number in range(2)]
        repairs = []
        for ticket, quantity in zip(tickets, (1, 2), strict=True):
            form = self._form(ticket)
            form.picking_id = back
            form.quantity = quantity
            repair = self._confirm(form.save()).sudo()
            self._finish(repair)
            repairs.append(repair)
        deliveries = [self._give_back(repair, validate=False) for repair in repairs]
        self.assertEqual([d.move_ids.quantity for d in deliveries], [1, 2])
        for delivery in deliveries:
            self.assertIs(delivery.button_validate(), True)
        lamps = self.order_a.order_line.filtered(lambda li: li.product_id == self.lamp)
        self.assertEqual(lamps.qty_delivered, 3)
        self._assert_nothing_negative(self.lamp)

    def test_units_of_the_order(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.contact_a1.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.desk.id,
                            "product_uom_qty": 1,
                            "product_uom_id": dozen.id,
                        }
                    )
                ],
            }
        )
        order.action_confirm()
        self._deliver(order.picking_ids)
        back = self._native_return(order.picking_ids, self.desk, 6)
        self.assertIn(back.move_ids.product_qty, (6, 72))
        move = back.move_ids
        move.product_uom_qty = self.desk.uom_id._compute_quantity(6, move.product_uom)
        self._deliver(back)
        ticket = self._ticket(
            self.contact_a1, product_id=self.desk.id, sale_order_id=order.id
        )
        form = self._form(ticket)
        form.picking_id = back
        self.assertEqual(form.quantity, 6)
        repair = self._confirm(form.save()).sudo()
        self._finish(repair)
        self._give_back(repair)
        self.assertAlmostEqual(order.order_line.qty_delivered, 1)
        self._assert_nothing_negative(self.desk)

    # -- Branches ------------------------------------------------------------------

    def test_branch_repairs_the_goods_of_its_head_office(self):
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.desk.company_id = self.company
        self.screen.company_id = self.company
        env = self.env(context=dict(self.env.context, allowed_company_ids=branch.ids))
        self.env = env
        agent = self._new_user(
            "branch_agent",
            AGENT,
            company_id=branch.id,
            company_ids=[Command.set(branch.ids)],
        )
        team = env["helpdesk.team"].create(
            {
                "name": "Branch Team",
                "company_id": branch.id,
                "member_ids": [Command.set(agent.ids)],
                "use_product_repairs": True,
            }
        )
        ticket = env["helpdesk.ticket"].create(
            {
                "name": "In the branch",
                "team_id": team.id,
                "partner_id": self.customer_b.id,
            }
        )
        form = self._form(ticket, user=agent)
        form.product_id = self.desk
        with form.part_ids.new() as part:
            part.product_id = self.screen
        repair = self._confirm(form.save()).sudo()
        self.assertEqual(repair.company_id, branch)
        self.assertEqual(repair.picking_type_id.company_id, branch)
        self.assertEqual(repair.move_ids.product_id, self.screen)
