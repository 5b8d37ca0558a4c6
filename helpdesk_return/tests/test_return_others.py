import unittest

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnKit(HelpdeskReturnCommon):
    """Kits of ``mrp``, where it is installed (X14); the addon doesn't depend on it.

    ``tests/test_companions.py`` runs this in a database with it.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if (
            "mrp.bom" not in cls.env.registry
            or "bom_line_id" not in cls.env["stock.move"]
        ):
            raise unittest.SkipTest("needs sale_mrp")
        cls.set, cls.shade, cls.bulb = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "consu",
                    "is_storable": name != "Lamp set",
                    "taxes_id": [Command.clear()],
                }
                for name in ("Lamp set", "Shade", "Bulb")
            ]
        )
        cls._put_in_stock((cls.shade, 100, None), (cls.bulb, 100, None))
        cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": cls.set.product_tmpl_id.id,
                "product_qty": 1,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create({"product_id": cls.shade.id, "product_qty": 1}),
                    Command.create({"product_id": cls.bulb.id, "product_qty": 3}),
                ],
            }
        )
        cls.order = cls._sell(cls.contact_a1, (cls.set, 2), (cls.lamp, 1))
        cls.ticket = cls._ticket(cls.contact_a1, sale_order_id=cls.order.id)
        cls.line = cls.order.order_line[0]

    def _quantities(self, moves):
        return {move.product_id: move.product_uom_qty for move in moves}

    def _get_lines(self):
        wizard = self._form(ticket=self.ticket).save()
        return {line.product_id: line for line in wizard.line_ids}

    def test_x14_whole_kits_are_proposed(self):
        self.assertEqual(self.line.qty_delivered, 2)
        lines = self._get_lines()
        self.assertEqual(
            {
                product: (line.delivered_quantity, line.quantity)
                for product, line in lines.items()
            },
            {
                self.set: (2, 2),
                self.shade: (2, 0),
                self.bulb: (6, 0),
                self.lamp: (1, 1),
            },
        )

    def test_x14_whole_kit_comes_back(self):
        wizard = self._fill(self._form(ticket=self.ticket), {self.set: 1}).save()
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(
            self._quantities(picking.move_ids), {self.shade: 1, self.bulb: 3}
        )
        self._deliver(picking)
        self.assertEqual(self.line.qty_delivered, 1)
        self.assertEqual(self.ticket.sudo()._get_returned_purchases(), {self.line: 1})
        lines = {
            line.product_id: line
            for line in self._form(ticket=self.ticket).save().line_ids
        }
        self.assertEqual(lines[self.set].returned_quantity, 1)
        self.assertEqual(lines[self.set].quantity, 1)

    def test_x14_component_comes_back(self):
        wizard = self._fill(self._form(ticket=self.ticket), {self.bulb: 1}).save()
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(self._quantities(picking.move_ids), {self.bulb: 1})
        self._deliver(picking)
        self.assertEqual(self.line.qty_delivered, 1, "as Odoo counts: whole kits")
        self.assertEqual(self.ticket.sudo()._get_returned_purchases(), {self.line: 0})
        lines = {
            line.product_id: line
            for line in self._form(ticket=self.ticket).save().line_ids
        }
        self.assertEqual(
            [lines[p].quantity for p in (self.set, self.shade, self.bulb)], [1, 1, 2]
        )

    def test_x14_kit_and_component_count_together(self):
        wizard = self._fill(
            self._form(ticket=self.ticket), {self.set: 1, self.bulb: 3}
        ).save()
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(
            self._quantities(picking.move_ids), {self.shade: 1, self.bulb: 6}
        )
        wizard = self._fill(self._form(ticket=self.ticket), {}).save()
        lines = {line.product_id: line for line in wizard.line_ids}
        self.assertIn("No complete kit is left", lines[self.set].refusal)
        lines[self.set].quantity = 1
        with self.assertRaisesRegex(UserError, "Bulb: 3 Units are too many"):
            wizard.action_return()

    def test_x14_ticket_about_the_kit_or_a_component(self):
        for product, quantities in (
            (self.set, {self.set: 2, self.shade: 0, self.bulb: 0, self.lamp: 0}),
            (self.bulb, {self.set: 0, self.shade: 0, self.bulb: 6, self.lamp: 0}),
        ):
            self.ticket.product_id = product
            lines = self._form(ticket=self.ticket).save().line_ids
            self.assertEqual(
                {line.product_id: line.quantity for line in lines},
                quantities,
            )

    def test_x14_partly_delivered_kits(self):
        order = self._sell(self.contact_a1, (self.set, 3), deliver=False)
        for move in order.picking_ids.move_ids:
            move.write({"quantity": move.product_uom_qty / 3, "picked": True})
        order.picking_ids.with_context(
            skip_backorder=True, skip_sms=True
        ).button_validate()
        self.assertEqual(order.order_line.qty_delivered, 1)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        picking = self._return({self.set: 1}, ticket=ticket)
        self.assertEqual(
            self._quantities(picking.move_ids), {self.shade: 1, self.bulb: 3}
        )
        self._deliver(picking)
        self.assertEqual(order.order_line.qty_delivered, 0)


@tagged("post_install", "-at_install")
class TestReturnDropShipment(HelpdeskReturnCommon):
    """Drop shipments, where ``stock_dropshipping`` is installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        route = cls.env.ref("stock_dropshipping.route_drop_shipping", False)
        if not route:
            raise unittest.SkipTest("needs stock_dropshipping")
        supplier = cls.env["res.partner"].create({"name": "Supplier"})
        sofa = cls.env["product.product"].create(
            {
                "name": "Sofa",
                "type": "consu",
                "is_storable": True,
                "route_ids": [Command.link(route.id)],
                "taxes_id": [Command.clear()],
                "seller_ids": [Command.create({"partner_id": supplier.id, "price": 9})],
            }
        )
        cls.sofa = sofa
        cls.order = cls._sell(cls.contact_a1, (sofa, 2), deliver=False)
        purchase = cls.env["purchase.order"].search([("partner_id", "=", supplier.id)])
        purchase.button_confirm()
        cls._deliver(purchase.picking_ids)
        cls.ticket = cls._ticket(cls.contact_a1, sale_order_id=cls.order.id)

    def test_s69_drop_shipment_goes_back_to_the_supplier(self):
        self.assertEqual(self.order.order_line.qty_delivered, 2)
        form = self._form(ticket=self.ticket)
        self.assertEqual(form.location_id.sudo().usage, "supplier")
        picking = self._return({self.sofa: 1}, ticket=self.ticket)
        self.assertEqual(picking.location_dest_id.usage, "supplier")
        self._deliver(picking)
        self.assertEqual(self.order.order_line.qty_delivered, 1)

    def test_s73_or_to_the_shop(self):
        form = self._form(ticket=self.ticket)
        form.location_id = self.warehouse.lot_stock_id
        wizard = self._fill(form, {self.sofa: 1}).save()
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(picking.picking_type_id, self.warehouse.in_type_id)
        self._deliver(picking)
        self.assertEqual(self.order.order_line.qty_delivered, 1)
        quant = self.sofa.stock_quant_ids.filtered(
            lambda q: q.location_id == self.warehouse.lot_stock_id
        )
        self.assertEqual(quant.quantity, 1)

    def test_x3_exchange_is_bought_first(self):
        made = self._return({self.sofa: 1}, ticket=self.ticket, exchange=True)
        self.assertEqual(len(made), 1)
        self.assertIn("must be bought", str(self.ticket.message_ids.mapped("body")))
