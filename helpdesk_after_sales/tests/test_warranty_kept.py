import runpy
from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import file_path

from .common_warranty import WarrantyCommon


@tagged("post_install", "-at_install")
class TestWarrantyKept(WarrantyCommon):
    """X32: what was promised at the delivery is a fact."""

    def test_x32_what_was_promised_stays(self):
        """Review 2: the catalogue is for new sales."""
        order = self._sold(
            "2025-03-12 10:00:00",
            (self.phone, 1),
            (self.lamp, 1),
            (self.desk, 1),
            serials=self.serials[0],
        )
        ticket = self._phone_ticket()
        lamp = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        (self.phone + self.lamp + self.desk).write(
            {"warranty_duration": 1, "warranty_unit": "day"}
        )
        self.env.invalidate_all()
        for end in (ticket.warranty_end, self.serials[0].warranty_end):
            self.assertEqual(end, date(2027, 3, 12))
        self.assertEqual(lamp.warranty_end, date(2025, 9, 12))
        self.assertIn("March 12, 2027", ticket.warranty_info)
        rows = ticket.get_purchases()["rows"]
        self.assertEqual([row["warranty"] for row in rows], ["03/12/2027"])
        desk = self._ticket(self.contact_a1, product_id=self.desk.id)
        self.assertFalse(desk.warranty_end, "it had none when it was sold")
        (self.phone + self.lamp).warranty_duration = 0
        self.assertIn("March 12, 2027", self._phone_ticket().warranty_info)

    def test_x32_past_deliveries_begin_when_asked(self):
        order = self._sold("2025-03-12 10:00:00", (self.desk, 1))
        ticket = self._ticket(self.contact_a1, product_id=self.desk.id)
        self.desk.write({"warranty_duration": 3, "warranty_unit": "year"})
        template = self.desk.product_tmpl_id
        with self.assertRaises(AccessError):
            template.with_user(self.stock_user).action_begin_past_warranties()
        manager = self._new_user("after_sales_wh", "stock.group_stock_manager")
        template.with_user(manager).action_begin_past_warranties()
        self.assertEqual(ticket.warranty_end, date(2028, 3, 12))
        self.desk.warranty_duration = 1
        template.with_user(manager).action_begin_past_warranties()
        move = order.picking_ids.move_ids
        self.assertEqual(move.warranty_end, date(2028, 3, 12), "kept already")

    def test_x32_one_piece_is_corrected_with_a_reason(self):
        order = self._sold(
            "2022-03-12 10:00:00",
            (self.phone, 1),
            (self.lamp, 1),
            serials=self.serials[0],
        )
        ticket = self._phone_ticket()
        lamp = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        )
        self.assertFalse(ticket.under_warranty)
        move = order.picking_ids.move_ids.filtered(lambda m: m.product_id == self.lamp)
        vals = {"warranty_end": "2030-01-01", "helpdesk_warranty_reason": "Goodwill"}
        everybody = self.agent + self.manager + self.stock_user + self.seller
        for user in everybody:
            for record in (self.serials[0], move):
                with self.assertRaises(AccessError):
                    record.with_user(user).write(vals)
        manager = self._new_user("after_sales_wh", "stock.group_stock_manager")
        for record in (self.serials[0], move):
            with self.assertRaises(UserError):
                record.with_user(manager).warranty_end = "2030-01-01"
            record.with_user(manager).write(vals)
        self.env.flush_all()
        self.env.cr.precommit.run()
        for about in (ticket, lamp):
            self.assertEqual(about.warranty_end, date(2030, 1, 1))
            self.assertTrue(about.under_warranty)
        self.assertIn("January 1, 2030", ticket.warranty_info)
        tracked = self.serials[0].message_ids.tracking_value_ids
        self.assertIn("Goodwill", tracked.mapped("new_value_char"))
        self.assertIn("Goodwill", str(order.picking_ids.message_ids.mapped("body")))
        # What was corrected isn't worked out again.
        order.picking_ids.move_ids.date = "2023-03-12 10:00:00"
        self.assertEqual(self.serials[0].warranty_end, date(2030, 1, 1))
        self.assertEqual(move.warranty_end, date(2030, 1, 1))

    def test_x32_a_delivery_is_told_to_the_tickets_that_wait_for_it(self):
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        tickets = self._ticket(
            self.contact_a1, product_id=self.lamp.id, sale_order_id=order.id
        ) | self._ticket(self.contact_a2, product_id=self.lamp.id)
        self.assertFalse(any(tickets.mapped("warranty_end")))
        self._deliver(order.picking_ids)
        self.assertTrue(all(tickets.mapped("warranty_end")))

    def test_x32_another_serial_was_in_the_box(self):
        order = self._sold(
            "2025-03-12 10:00:00", (self.phone, 1), serials=self.serials[0]
        )
        order.picking_ids.move_line_ids.lot_id = self.serials[1]
        self.assertFalse(self.serials[0].warranty_end)
        self.assertEqual(self.serials[1].warranty_end, date(2027, 3, 12))

    def test_x32_a_lot_of_several_days(self):
        lot = self.env["stock.lot"].create(
            {"name": "L-1", "product_id": self._lotted().id}
        )
        self._put_in_stock((lot.product_id, 9, lot))
        first = self._sold("2025-03-12 10:00:00", (lot.product_id, 2))
        self.assertEqual(lot.warranty_end, date(2026, 3, 12))
        self._sold("2025-05-12 10:00:00", (lot.product_id, 1), partner=self.customer_b)
        self.assertFalse(lot.warranty_end, "nobody knows which piece")
        values = {"product_id": lot.product_id.id, "lot_id": lot.id}
        ticket = self._ticket(self.contact_a1, **values)
        self.assertEqual(ticket.warranty_end, date(2026, 3, 12))
        self.assertEqual(
            first.picking_ids.move_ids.warranty_end, date(2026, 3, 12), "kept there"
        )

    def test_x32_a_kit_and_its_components(self):
        """Each has its own term; a component without one has that of the kit. A kit is
        an order line whose moves are of other products, whoever made them."""
        kit = self.env["product.product"].create(
            {"name": "Set", "warranty_duration": 5, "warranty_unit": "year"}
        )
        order = self._sell(self.contact_a1, (kit, 1), deliver=False)
        picking = order.picking_ids
        own = picking.move_ids
        for product in (self.lamp, self.desk):
            own.copy(
                {
                    "product_id": product.id,
                    "product_uom_qty": 1,
                    "sale_line_id": order.order_line.id,
                    "picking_id": picking.id,
                }
            )._action_confirm(merge=False)
        own._action_cancel()
        own.unlink()
        self._deliver(picking)
        self._dated(order, "2025-03-12 10:00:00")
        for product, end in (
            (kit, date(2030, 3, 12)),
            (self.lamp, date(2025, 9, 12)),
            (self.desk, date(2030, 3, 12)),
        ):
            for sale_order in (order, order.browse()):
                ticket = self._ticket(
                    self.contact_a1,
                    product_id=product.id,
                    sale_order_id=sale_order.id,
                )
                self.assertEqual(ticket.warranty_end, end, product.name)
        [row] = ticket.with_user(self.agent).get_purchases()["rows"]
        self.assertEqual(row["warranty"], "03/12/2030")

    def test_x32_a_drop_shipment(self):
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        picking = order.picking_ids
        supplier = self.env.ref("stock.stock_location_suppliers")
        picking.move_ids._do_unreserve()
        picking.location_id = picking.move_ids.location_id = supplier
        self._deliver(picking)
        self._dated(order, "2025-03-12 10:00:00")
        ticket = self._ticket(self.contact_a1, product_id=self.lamp.id)
        self.assertEqual(ticket.warranty_end, date(2025, 9, 12))

    def _lotted(self):
        return self.env["product.product"].create(
            {
                "name": "Glue",
                "is_storable": True,
                "tracking": "lot",
                "warranty_duration": 1,
                "warranty_unit": "year",
            }
        )

    def test_x32_the_replacement_of_a_corrected_piece(self):
        """It goes on with what the piece that came back had, not with the product."""
        order = self._sold(
            "2025-03-01 00:00:00", (self.phone, 2), serials=self.serials[:2]
        )
        self.serials[0].sudo().write(
            {"warranty_end": "2029-01-01", "helpdesk_warranty_reason": "Extended"}
        )
        pickings = self._send_back(order, exchange=True)
        back = pickings.filtered("return_id")
        self._deliver(back, self.serials[0])
        self._deliver(pickings - back, self.serials[2])
        self.assertEqual(self.serials[2].warranty_end, date(2029, 1, 1))
        self.assertEqual(self._phone_ticket(2).warranty_end, date(2029, 1, 1))

    def test_x32_older_databases_are_filled_once(self):
        """The migration finds what deliveries keep, without asking each of them."""
        self._sold("2025-03-01 10:00:00", (self.phone, 1), serials=self.serials[0])
        replaced = self._sold(
            "2025-04-01 10:00:00", (self.phone, 1), serials=self.serials[1]
        )
        pickings = self._send_back(replaced, exchange=True)
        back = pickings.filtered("return_id")
        self._deliver(back, self.serials[1])
        self._deliver(pickings - back, self.serials[2])
        (pickings - back).move_ids.date = "2025-08-01 00:00:00"
        resold = self._sold(
            "2022-03-01 00:00:00", (self.phone, 1), serials=self.serials[3]
        )
        self._deliver(self._send_back(resold), self.serials[3])
        self._sold(
            "2025-05-01 00:00:00",
            (self.phone, 1),
            partner=self.customer_b,
            serials=self.serials[3],
        )
        self._deliver_without_order(self.contact_a1, self.lamp)
        lamps = self._sold("2025-05-02 23:30:00", (self.lamp, 3), (self.desk, 1))
        tickets = self.env["helpdesk.ticket"].union(
            *(self._phone_ticket(number).sudo() for number in range(4)),
            self._phone_ticket(3, partner=self.customer_b).sudo(),
            self._ticket(self.contact_a1, product_id=self.lamp.id),
            self._ticket(
                self.contact_a1, product_id=self.lamp.id, sale_order_id=lamps.id
            ),
            self._ticket(self.contact_a1, product_id=self.desk.id),
        )
        moves = self.env["stock.move"].search([("state", "=", "done")])

        def read():
            self.env.flush_all()
            self.env.invalidate_all()
            return [
                [tuple(record[name] for name in names) for record in records]
                for records, names in (
                    (moves, ("warranty_start", "warranty_end")),
                    (moves, ("helpdesk_kit_warranty_end", "helpdesk_warranty_terms")),
                    (self.serials, ("warranty_start", "warranty_end")),
                    (tickets, ("warranty_end", "warranty_covered_until")),
                )
            ]

        kept = read()
        for table, columns in (
            (
                "stock_move",
                "warranty_start warranty_end helpdesk_kit_warranty_end "
                "helpdesk_warranty_terms",
            ),
            ("stock_lot", "warranty_start warranty_end"),
            ("helpdesk_ticket", "warranty_end warranty_covered_until"),
        ):
            cleared = ", ".join(f"{column} = NULL" for column in columns.split())
            self.env.cr.execute(f"UPDATE {table} SET {cleared}")  # pylint: disable=E8103
        self.assertNotEqual(read(), kept)
        path = file_path("helpdesk_after_sales/migrations/19.0.2.0.0/post-warranty.py")
        for _again in range(2):
            runpy.run_path(path)["migrate"](self.env.cr, "19.0.1.1.0")
            for found, wanted in zip(read(), kept, strict=True):
                self.assertEqual(found, wanted)
