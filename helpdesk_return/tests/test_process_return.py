from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .test_return_goods import GoodsCommon


class ProcessCommon(GoodsCommon):
    """A return that has arrived, and who processes it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kinds = ("restock", "scrap", "repair", "supplier", "customer", "missing")
        cls.dispositions = {
            kind: cls.env.ref(f"helpdesk_return.disposition_{kind}") for kind in kinds
        }
        cls.lamp_line = cls.order_a.order_line[0]

    def _open_process(self, picking, user=None):
        """Return the pop-up as the web client opens it."""
        picking = picking.with_user(user or self.stock_user)
        action = picking.action_process_return()
        wizard = self.env[action["res_model"]].with_user(picking.env.user)
        return Form(wizard.browse(action["res_id"])).save()

    def _process(self, picking, *parts, user=None):
        """Process a return of one move; ``parts`` are ``(quantity, condition, kind)``
        or with a lot. Returns the decisions."""
        wizard = self._open_process(picking, user)
        self._fill_process(wizard, *parts)
        wizard.action_process()
        return picking.helpdesk_decision_ids

    def _fill_process(self, wizard, *parts):
        move = wizard.line_ids.move_id[:1]
        wizard.line_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "move_id": move.id,
                        "quantity": quantity,
                        "condition": condition,
                        "disposition_id": self.dispositions[kind].id,
                        "lot_id": lot[0].id if lot else False,
                    }
                )
                for quantity, condition, kind, *lot in parts
            ),
        ]

    def _balance(self, line=None):
        line = line or self.lamp_line
        line.invalidate_recordset()
        return line._get_after_sales_balance()[line]


@tagged("post_install", "-at_install")
class TestProcessReturn(ProcessCommon):
    """X17: receiving decides."""

    def test_x17_all_at_once(self):
        """Sound, damaged, sent back, missing and still to come, in one press."""
        order = self._sell(self.contact_a1, (self.desk, 7))
        line = order.order_line
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        picking = self._return({self.desk: 6}, ticket=ticket)
        before = self._in(self.stock, self.desk)
        decisions = self._process(
            picking,
            (1, "sound", "restock"),
            (1, "damaged", "scrap"),
            (1, "wrong", "customer"),
            (1, "missing", "missing"),
            (1, "damaged", "supplier"),
        )
        self.assertEqual(picking.state, "done")
        self.assertEqual(decisions.mapped("quantity"), [1] * 5)
        scrap = self.env["stock.scrap"].search([("picking_id", "=", picking.id)])
        self.assertEqual((scrap.state, scrap.scrap_qty), ("done", 1))
        self.assertEqual(scrap.create_uid, self.stock_user)
        # One was restocked; one goes back, one to the supplier: both are reserved.
        self.assertEqual(self._in(self.stock, self.desk), before + 3)
        back = ticket.return_ids.filtered(lambda p: p.picking_type_code == "outgoing")
        self.assertEqual(back.state, "assigned")
        self.assertEqual(back.location_dest_id, self.customers)
        supplier = decisions.filtered(lambda d: d.kind == "supplier")._get_document()
        self.assertEqual(supplier.state, "assigned")
        self.assertEqual(supplier.location_dest_id.usage, "supplier")
        # Only what is still to come has a backorder.
        backorder = picking.backorder_ids
        self.assertEqual(backorder.move_ids.product_uom_qty, 1)
        self.assertEqual(backorder.helpdesk_ticket_id, ticket)
        balance = self._balance(line)
        self.assertEqual(balance["returned"], 4)
        self.assertEqual(balance["returning"], 1)
        self.assertEqual(balance["left_to_return"], 2, "missing isn't returned")
        self.assertEqual(balance["accepted"], 3)
        self.assertEqual(line.qty_delivered, 3)
        self._receive(back)
        self.assertEqual(line.qty_delivered, 4)

    def test_x17_what_is_proposed_is_all_of_it_as_sound(self):
        picking = self._return({self.lamp: 2, self.phone: 2}, self.serials[:2])
        wizard = self._open_process(picking)
        self.assertEqual(
            [(li.product_id, li.lot_id, li.quantity) for li in wizard.line_ids],
            [
                (self.lamp, self.env["stock.lot"], 2),
                (self.phone, self.serials[0], 1),
                (self.phone, self.serials[1], 1),
            ],
        )
        self.assertEqual(wizard.line_ids.disposition_id, self.dispositions["restock"])
        wizard.action_process()
        self.assertEqual(picking.state, "done")
        self.assertEqual(len(picking.move_ids), 2, "nothing was split")
        self.assertEqual(self._balance()["accepted"], 2)

    def test_x17_serial_numbers(self):
        picking = self._return({self.phone: 2}, self.serials[:2])
        decisions = self._process(
            picking,
            (1, "damaged", "scrap", self.serials[0]),
            (1, "wrong", "customer", self.serials[1]),
        )
        scrap = decisions[0]._get_document()
        self.assertEqual(scrap.lot_id, self.serials[0])
        back = decisions[1]._get_document()
        self.assertEqual(back.move_line_ids.lot_id, self.serials[1])
        self._receive(back)
        self.assertEqual(
            self._in(self.customers, self.phone, lot_id=self.serials[1]), 1
        )
        self.assertEqual(self._in(self.stock, self.phone, lot_id=self.serials[0]), 0)

    def test_x17_another_serial_number_came(self):
        picking = self._return({self.phone: 1}, self.serials[:1])
        self._process(picking, (1, "sound", "restock", self.serials[1]))
        self.assertEqual(self._in(self.stock, self.phone, lot_id=self.serials[1]), 1)
        self.assertEqual(
            self._in(self.customers, self.phone, lot_id=self.serials[0]), 1
        )

    def test_x17_all_missing(self):
        picking = self._return({self.lamp: 2})
        self._process(picking, (2, "missing", "missing"))
        self.assertEqual(picking.state, "cancel")
        self.assertEqual(self._balance()["left_to_return"], 3)
        self.assertEqual(self._balance()["returned"], 0)

    def test_x17_places_of_dispositions(self):
        shelf = self.env["stock.location"].create(
            {"name": "B goods", "location_id": self.warehouse.view_location_id.id}
        )
        second = self.dispositions["restock"].copy(
            {"name": "Second choice", "location_id": shelf.id, "refund_percent": 50}
        )
        self.dispositions["second"] = second
        picking = self._return({self.lamp: 3})
        self._process(picking, (1, "sound", "restock"), (2, "damaged", "second"))
        self.assertEqual(self._in(shelf, self.lamp), 2)
        self.assertEqual(self._balance()["accepted"], 2, "one, and two halves")
        self.assertEqual(
            self.ticket_a.sudo()._get_returned_purchases()[self.lamp_line], 2
        )

    def test_x17_receipts_in_steps(self):
        for steps in ("two_steps", "three_steps"):
            with self.subTest(steps=steps):
                self.warehouse.reception_steps = steps
                order = self._sell(self.contact_a1, (self.desk, 3))
                ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
                picking = self._return({self.desk: 3}, ticket=ticket)
                self._process(
                    picking,
                    (1, "sound", "restock"),
                    (1, "damaged", "scrap"),
                    (1, "wrong", "customer"),
                )
                steps_on = picking.move_ids.move_dest_ids.filtered(
                    lambda move: not move.origin_returned_move_id
                )
                self.assertEqual(sum(steps_on.mapped("product_uom_qty")), 1)
                self._deliver(steps_on.picking_id)
                back = picking.helpdesk_decision_ids[2]._get_document()
                self._receive(back)
                self.assertEqual(order.order_line.qty_delivered, 1)

    def test_x17_validated_in_inventory_first(self):
        picking = self._receive(self._return({self.lamp: 3}))
        self.assertEqual(self._balance()["accepted"], 3)
        before = self._in(self.stock, self.lamp)
        self._process(picking, (2, "sound", "restock"), (1, "damaged", "scrap"))
        self.assertEqual(self._in(self.stock, self.lamp), before - 1)
        with self.assertRaises(UserError):
            self._process(picking, (3, "missing", "missing"))

    # -- Once more -----------------------------------------------------------

    def test_x17_decided_anew(self):
        before = self._in(self.stock, self.lamp)
        picking = self._return({self.lamp: 3})
        first = self._process(
            picking, (2, "damaged", "scrap"), (1, "wrong", "customer")
        )
        delivery = first[1]._get_document()
        wizard = self._open_process(picking)
        self.assertEqual(wizard.line_ids.mapped("condition"), ["damaged", "wrong"])
        self._fill_process(wizard, (2, "sound", "restock"), (1, "damaged", "scrap"))
        wizard.action_process()
        self.assertEqual(delivery.state, "cancel")
        self.assertEqual(self._in(self.stock, self.lamp), before + 2)
        self.assertEqual(
            picking.helpdesk_decision_ids.mapped("kind"), ["restock", "scrap"]
        )
        self.assertEqual(self._balance()["accepted"], 3)

    def test_x17_what_stays_is_left_alone(self):
        picking = self._return({self.lamp: 3})
        first = self._process(picking, (1, "damaged", "scrap"), (2, "sound", "restock"))
        scrap = first[0]._get_document()
        again = self._process(
            picking, (1, "damaged", "scrap"), (2, "wrong", "customer")
        )
        self.assertEqual(again[0]._get_document(), scrap)

    def test_x17_what_was_sent_is_sent(self):
        picking = self._return({self.lamp: 1})
        [decision] = self._process(picking, (1, "wrong", "customer"))
        self._receive(decision._get_document())
        with self.assertRaises(UserError):
            self._process(picking, (1, "sound", "restock"))
        self.assertEqual(picking.helpdesk_decision_ids, decision)

    # -- Bad input -----------------------------------------------------------

    def test_x17_refused_in_one_sentence(self):
        """Nothing half done (T7)."""
        picking = self._return({self.phone: 2}, self.serials[:2])
        foreign = self.env["stock.location"].create(
            {
                "name": "Elsewhere",
                "company_id": self.env["res.company"].create({"name": "Far"}).id,
            }
        )
        self.dispositions["foreign"] = self.dispositions["restock"].copy()
        self.env.cr.execute(
            "UPDATE helpdesk_return_disposition SET location_id = %s WHERE id = %s",
            [foreign.id, self.dispositions["foreign"].id],
        )
        self.dispositions["foreign"].invalidate_recordset()
        first, second, third = self.serials[:3]
        for parts in (
            [(2, "sound", "restock", first), (1, "sound", "restock", second)],
            [(2, "sound", "restock", first)],
            [(1, "sound", "restock", third)],
            [(1, "sound", "restock")],
            [(1, "missing", "restock", first)],
            [(1, "sound", "missing", first)],
            [(-1, "sound", "restock", first)],
            [(1, "sound", "foreign", first)],
            [(0, "sound", "restock", first)],
            [],
        ):
            with self.subTest(parts=parts):
                wizard = self._open_process(picking)
                self._fill_process(wizard, *parts)
                with self.assertRaises(UserError), self.cr.savepoint():
                    wizard.action_process()
                self.assertEqual(picking.state, "assigned")
                self.assertFalse(picking.helpdesk_decision_ids)

    def test_x17_two_people(self):
        """T5: who comes second is told; twice pressed is done once (T2)."""
        picking = self._return({self.lamp: 2})
        first = self._open_process(picking)
        second = self._open_process(picking)
        first.action_process()
        first.action_process()
        self.assertEqual(len(picking.helpdesk_decision_ids), 1)
        with self.assertRaises(UserError):
            second.action_process()
        other = self._return({self.lamp: 1})
        wizard = self._open_process(other)
        other.action_cancel()
        with self.assertRaises(UserError):
            wizard.action_process()

    def test_x17_who_may(self):
        picking = self._return({self.lamp: 2})
        for user in (self.agent, self.seller, self.employee):
            with self.assertRaises(AccessError):
                picking.with_user(user).action_process_return()
        decisions = self._process(picking, (2, "damaged", "scrap"))
        self.assertTrue(decisions.with_user(self.agent).read(["document_name"]))
        self.assertFalse(
            self.env["helpdesk.return.decision"]
            .with_user(self.employee)
            .has_access("read")
        )
        self.assertIn(
            "helpdesk_decision_ids",
            self.env["stock.picking"].with_user(self.agent).get_view()["arch"],
        )
        with self.assertRaises(AccessError):
            decisions.with_user(self.stock_user).note = "x"
        other = self._deliver_without_order(self.contact_a1, self.lamp)
        with self.assertRaises(UserError):
            other.with_user(self.stock_user).action_process_return()

    # -- What others are told ------------------------------------------------

    def test_x17_ticket_and_timeline_say_what_was_found(self):
        picking = self._return({self.lamp: 3})
        self._process(
            picking,
            (1, "sound", "restock"),
            (1, "damaged", "scrap"),
            (1, "missing", "missing"),
        )
        scrap = picking.helpdesk_decision_ids[1].document_name
        self.assertIn(scrap, self.ticket_a.message_ids[0].body)
        agents = picking._prepare_timeline_values()["detail"]
        self.assertIn(scrap, agents)
        customers = picking._prepare_timeline_values(customer=True)["detail"]
        self.assertNotIn(scrap, customers)
        self.assertEqual(customers.count(self.lamp.name), 3)

    def test_x17_scanner(self):
        self.lamp.barcode = "4001"
        picking = self._return({self.lamp: 2, self.phone: 1}, self.serials[:1])
        form = Form(self._open_process(picking))
        for code in ("4001", "SN-0001", "4001"):
            form._barcode_scanned = code
        wizard = form.save()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [2, 1])

    def test_x17_split_button(self):
        picking = self._return({self.lamp: 3})
        wizard = self._open_process(picking)
        wizard.line_ids.action_split()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [2, 1])
        self.assertEqual(wizard.line_ids.mapped("condition"), ["sound", "damaged"])
        wizard.action_process()
        self.assertEqual(
            picking.helpdesk_decision_ids.mapped("kind"), ["restock", "scrap"]
        )
