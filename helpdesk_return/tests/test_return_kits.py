import unittest

from odoo import Command
from odoo.exceptions import UserError

from .test_return_goods import GoodsCommon


class TestKits(GoodsCommon):
    """Goods A7: kits by their components that are really out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "bom_line_id" not in cls.env["stock.move"] or (
            "mrp.bom" not in cls.env.registry
        ):
            raise unittest.SkipTest("needs sale_mrp")
        cls.kit, cls.kettle, cls.bulb = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "consu",
                    "is_storable": name != "Kit",
                    "invoice_policy": "order",
                }
                for name in ("Kit", "Kettle", "Bulb")
            ]
        )
        cls._put_in_stock((cls.kettle, 100, None), (cls.bulb, 100, None))
        cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": product.id, "product_qty": quantity})
                    for product, quantity in ((cls.kettle, 1), (cls.bulb, 2))
                ],
            }
        )

    def _sell_kits(self, number, **values):
        order = self._sell(self.contact_a2, (self.kit, number), **values)
        return order, self._ticket(self.contact_a2, sale_order_id=order.id)

    def _demand(self, pickings):
        return {
            move.product_id: move.product_uom_qty
            for move in pickings.filtered("return_id").move_ids
        }

    def _figures(self, order):
        line = order.order_line.filtered(lambda line: line.product_id == self.kit)
        balance = line._get_after_sales_balance()[line]
        return tuple(
            balance[name]
            for name in ("delivered", "returning", "returned", "left_to_return")
        )

    def test_a7_order_that_was_cancelled_and_confirmed_again(self):
        """K05"""
        order, ticket = self._sell_kits(2, deliver=False)
        order._action_cancel()
        order.action_draft()
        order.action_confirm()
        self._deliver(order.picking_ids)
        self.assertEqual(self._figures(order), (2, 0, 0, 2))
        back = self._return({self.kit: 1}, ticket=ticket)
        self.assertEqual(self._demand(back), {self.kettle: 1, self.bulb: 2})
        self._receive(back)
        self.assertEqual(order.order_line.qty_delivered, 1)
        self.assertEqual(ticket.sudo()._get_returned_purchases(), {order.order_line: 1})

    def test_a7_rest_that_is_not_wanted_any_more(self):
        """Two kits ordered, one delivered, the backorder cancelled."""
        order, ticket = self._sell_kits(2, deliver=False)
        first = order.picking_ids
        for move in first.move_ids:
            move.write({"quantity": move.product_uom_qty / 2, "picked": True})
        first.with_context(skip_backorder=True, skip_sms=True).button_validate()
        (order.picking_ids - first).action_cancel()
        self.assertEqual(self._figures(order), (1, 0, 0, 1))
        back = self._return({self.kit: 1}, ticket=ticket)
        self.assertEqual(self._demand(back), {self.kettle: 1, self.bulb: 2})

    def test_a7_kit_that_was_exchanged_is_whole_again(self):
        """K02"""
        order, ticket = self._sell_kits(1)
        made = self._return({self.kit: 1}, ticket=ticket, exchange=True)
        again = made.filtered(lambda picking: not picking.return_id)
        self._receive(made - again)
        self._deliver(again)
        self.assertEqual(self._figures(order), (2, 0, 1, 1))
        self.assertEqual(order.order_line.filtered("product_id"), order.order_line)
        self.assertEqual(order.order_line.qty_delivered, 1)
        self.assertEqual(ticket.sudo()._get_returned_purchases(), {order.order_line: 0})
        other = self._ticket(self.contact_a2, sale_order_id=order.id)
        form = self._form(ticket=other)
        self.assertEqual(form.picking_id, again)
        back = self._return({self.kit: 1}, ticket=other)
        self.assertEqual(self._demand(back), {self.kettle: 1, self.bulb: 2})

    def test_a7_kits_by_the_dozen(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.kit.uom_ids = dozen
        order = self._sell(
            self.contact_a2,
            order_line=[
                Command.create(
                    {
                        "product_id": self.kit.id,
                        "product_uom_qty": 1,
                        "product_uom_id": dozen.id,
                    }
                )
            ],
        )
        ticket = self._ticket(self.contact_a2, sale_order_id=order.id)
        back = self._return({self.kit: 1}, ticket=ticket)
        self.assertEqual(self._demand(back), {self.kettle: 1, self.bulb: 2})
        self.assertAlmostEqual(self._figures(order)[3], 11 / 12)

    def test_a7_lowered_after_the_delivery(self):
        order, ticket = self._sell_kits(3)
        order._action_cancel()
        order.action_draft()
        order.order_line.product_uom_qty = 2
        order.action_confirm()
        self.assertEqual(self._figures(order)[3], 2)
        self.assertEqual(self._returnable(self.kit, ticket), 2)


class TestDropShipments(GoodsCommon):
    """Goods B1, D02: the vendor sends it to the customer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        route = cls.env.ref(
            "stock_dropshipping.route_drop_shipping", raise_if_not_found=False
        )
        if not route:
            raise unittest.SkipTest("needs stock_dropshipping")
        cls.vendor = cls.env["res.partner"].create({"name": "Vendor"})
        cls.tablet = cls.env["product.product"].create(
            {
                "name": "Tablet",
                "type": "consu",
                "is_storable": True,
                "tracking": "serial",
                "invoice_policy": "order",
                "route_ids": [Command.set(route.ids)],
                "seller_ids": [Command.create({"partner_id": cls.vendor.id})],
            }
        )
        cls.order = cls._sell(cls.contact_a2, (cls.tablet, 2), deliver=False)
        cls.order._get_purchase_orders().button_confirm()
        cls.tablets = cls.env["stock.lot"].create(
            [{"name": f"T-{n}", "product_id": cls.tablet.id} for n in (1, 2)]
        )
        cls._deliver(cls.order.picking_ids, cls.tablets)
        cls.ticket = cls._ticket(cls.contact_a2, sale_order_id=cls.order.id)

    def test_b1_agent_returns_serials_of_a_drop_shipment(self):
        self.assertEqual(self.order.picking_ids.state, "done")
        back = self._return({self.tablet: 1}, self.tablets[1], ticket=self.ticket)
        self.assertEqual(self._holding(back), [("T-2", 1)])
        self.assertEqual(back.location_dest_id.usage, "supplier")
        self._receive(back)
        line = self.order.order_line
        balance = line._get_after_sales_balance()[line]
        self.assertEqual((balance["returned"], balance["left_to_return"]), (1, 1))

    def test_exchange_of_a_drop_shipment_is_not_paid_back(self):
        made = self._return(
            {self.tablet: 1}, self.tablets[0], ticket=self.ticket, exchange=True
        )
        line = self.order.order_line
        self.assertEqual(self.ticket.sudo()._get_returned_purchases(), {line: 0})
        purchase = self.order._get_purchase_orders().filtered(
            lambda order: order.state == "draft"
        )
        purchase.button_confirm()
        again = self.order.picking_ids - made.filtered("return_id")
        again = again.filtered(lambda picking: picking.state != "done")
        self.assertEqual(again.helpdesk_ticket_id, self.ticket)
        self.assertEqual(line._get_after_sales_balance()[line]["replaced"], 1)

    def _replace_one(self, serial=None):
        action = self.ticket.with_user(self.agent).action_replacement()
        wizard = (
            self.env["helpdesk.replacement.wizard"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        wizard.line_ids.write({"quantity": 1, "lot_id": serial and serial.id})
        wizard.action_replace()
        return wizard

    def test_x23_what_the_vendor_is_to_send_counts(self):
        """Bought first: capped from the moment that it is asked for."""
        self.team.use_product_replacements = True
        line = self.order.order_line
        before = self.order._get_purchase_orders()
        self._replace_one(self.tablets[0])
        with self.assertRaisesRegex(UserError, "SN|T-1"):
            self._replace_one(self.tablets[0])
        self._replace_one(self.tablets[1])
        with self.assertRaisesRegex(UserError, "too many"):
            self._replace_one()
        purchases = self.env["purchase.order"].search(
            [("partner_id", "=", self.vendor.id), ("id", "not in", before.ids)]
        )
        self.assertEqual(purchases.order_line.mapped("product_qty"), [1, 1])
        # Nobody buys it: it can be asked for again.
        purchases[0].button_cancel()
        self.assertEqual(line._get_after_sales_replaceable()[line]["left"], 1)
        purchases[1].button_confirm()
        made = purchases[1].picking_ids
        self.assertEqual(made.helpdesk_ticket_id, self.ticket)
        self.assertTrue(made.move_ids.helpdesk_without_return)
        self.assertIn(made.move_ids.helpdesk_replaced_lot_id, self.tablets)
        self.assertEqual(line._get_after_sales_replaceable()[line]["left"], 1)
        self.assertEqual(line.qty_delivered, 2, "sent for nothing")
        # The order that grows asks the vendor for what is new.
        line.product_uom_qty = 3
        asked = self.env["purchase.order.line"].search(
            [("product_id", "=", self.tablet.id), ("sale_line_id", "=", line.id)]
        )
        self.assertEqual(sum(asked.mapped("product_qty")), 3)

    def test_x23_bought_for_stock_of_the_shop(self):
        """Another product, which the vendor sends, instead of one from stock."""
        self.team.use_product_replacements = True
        ticket = self.ticket_a
        action = ticket.with_user(self.agent).action_replacement()
        wizard = (
            self.env["helpdesk.replacement.wizard"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        lamps = wizard.line_ids.filtered(lambda li: li.product_id == self.lamp)
        lamps.write({"quantity": 2, "product_id": self.tablet.id})
        (wizard.line_ids - lamps).quantity = 0
        wizard.action_replace()
        line = self.order_a.order_line[0]
        self.assertEqual(line._get_after_sales_replaceable()[line]["left"], 1)
