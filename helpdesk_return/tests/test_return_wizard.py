from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnWizard(HelpdeskReturnCommon):
    def test_s66_s67_button_opens_a_popup_titled_reverse_transfer(self):
        action = self.ticket_a.with_user(self.agent).action_return()
        self.assertEqual(action["name"], "Reverse Transfer")
        self.assertEqual(action["res_model"], "helpdesk.return.wizard")

    def test_s68_button_only_with_a_delivery_that_is_done(self):
        waiting = self._sell(self.customer_b, (self.lamp, 1), deliver=False)
        ticket = self._ticket(self.customer_b).with_user(self.agent)
        self.assertFalse(ticket.has_delivery)
        with self.assertRaisesRegex(UserError, "nothing to"):
            ticket.action_return()
        self._deliver(waiting.picking_ids)
        ticket.invalidate_recordset()
        self.assertTrue(ticket.has_delivery)
        colleague = self._ticket(self.contact_a2).with_user(self.agent)
        self.assertTrue(colleague.has_delivery, "of the same company")

    def test_s68_costs_the_same_for_any_number_of_tickets(self):
        tickets = self.ticket_a
        for partner in (self.customer_a, self.contact_a2, self.customer_b):
            tickets += self._ticket(partner)

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.with_user(self.agent).mapped("has_delivery")
            return self.cr.sql_log_count - before

        count(tickets)
        self.assertEqual(count(tickets[:1]), count(tickets))

    def test_s69_s70_order_finds_the_delivery_and_its_lines(self):
        form = self._form()
        self.assertEqual(form.sale_order_id, self.order_a)
        self.assertEqual(form.picking_id, self.delivery_a)
        self.assertEqual(
            [(line.product_id, line.quantity) for line in form.save().line_ids],
            [(self.lamp, 3), (self.phone, 2)],
        )

    def test_s69_several_deliveries_are_chosen_from(self):
        other = self._sell(self.contact_a1, (self.desk, 1))
        self.ticket_a.sale_order_id = False
        form = self._form()
        self.assertFalse(form.picking_id)
        self.assertFalse(form.notice)
        form.picking_id = other.picking_ids
        self.assertEqual(form.save().line_ids.product_id, self.desk)

    def test_s69_emptied_in_any_order(self):
        form = self._form()
        form.picking_id = self.env["stock.picking"]
        self.assertFalse(form.line_ids._records)
        form.sale_order_id = self.env["sale.order"]
        form.sale_order_id = self.order_a
        self.assertEqual(form.picking_id, self.delivery_a)
        form.sale_order_id = self.env["sale.order"]
        form.picking_id = self.env["stock.picking"]
        form.picking_id = self.delivery_a
        self.assertEqual(len(form.line_ids), 2)

    def test_s69_order_without_delivery_is_explained(self):
        waiting = self._sell(self.contact_a1, (self.desk, 1), deliver=False)
        self.ticket_a.sale_order_id = waiting
        self.assertIn("No delivery of this order", self._form().notice)

    def test_s70_less_what_was_returned_outside_of_the_ticket(self):
        native = self.env["stock.return.picking"].create(
            {"picking_id": self.delivery_a.id}
        )
        native.product_return_moves[0].quantity = 1
        native._create_return()
        line = self._form().save().line_ids[0]
        self.assertEqual(
            (
                line.delivered_quantity,
                line.returned_quantity,
                line.returnable_quantity,
                line.quantity,
            ),
            (3, 1, 2, 2),
        )

    def test_x4_line_that_is_used_up_stays_with_its_reason(self):
        first = self._return({self.lamp: 3})
        line = self._form().save().line_ids[0]
        self.assertIn(first.name, line.refusal)
        self.assertEqual(line.quantity, 0)

    def test_s71_s72_quantities_can_be_changed_and_lines_removed(self):
        form = self._form()
        with form.line_ids.edit(0) as line:
            line.quantity = 2
        form.line_ids.remove(1)
        wizard = form.save()
        wizard.action_return()
        moves = wizard.sudo().made_picking_ids.move_ids
        self.assertEqual((moves.product_id, moves.product_uom_qty), (self.lamp, 2))

    def test_s72_too_much_zero_and_negative_are_refused(self):
        for quantity, words in (
            (4, "too many"),
            (-1, "not a quantity"),
            (0, "Enter a quantity"),
            (1e15, "too many"),
        ):
            wizard = self._fill(self._form(), {}).save()
            wizard.line_ids[0].quantity = quantity
            with self.assertRaisesRegex(UserError, words):
                wizard.action_return()
        self.assertFalse(self.delivery_a.return_ids)

    def test_take_all_and_none(self):
        wizard = self._form().save()
        wizard.action_take_none()
        self.assertFalse(any(wizard.line_ids.mapped("quantity")))
        wizard.action_take_all()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [3, 2])

    def test_s73_return_location(self):
        shelf = self.env["stock.location"].create(
            {
                "name": "Returns",
                "usage": "internal",
                "location_id": self.warehouse.lot_stock_id.id,
                "company_id": self.company.id,
            }
        )
        form = self._form()
        default = self.delivery_a.picking_type_id.return_picking_type_id
        self.assertEqual(form.location_id, default.default_location_dest_id)
        form.location_id = shelf
        wizard = self._fill(form, {self.lamp: 1}).save()
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(picking.location_dest_id, shelf)
        self.assertEqual(picking.move_ids.location_dest_id, shelf)
        wizard = self._fill(self._form(), {self.lamp: 1}).save()
        wizard.location_id = self.env.ref("stock.stock_location_customers")
        with self.assertRaisesRegex(UserError, "can't take returns"):
            wizard.action_return()

    def test_s74_return_is_confirmed_reserved_and_linked(self):
        picking = self._return({self.lamp: 2})
        self.assertRecordValues(
            picking,
            [
                {
                    "state": "assigned",
                    "picking_type_code": "incoming",
                    "return_id": self.delivery_a.id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "sale_id": self.order_a.id,
                }
            ],
        )
        self._deliver(picking)
        self.assertEqual(self.order_a.order_line[0].qty_delivered, 1)
        self.assertIn("received 2 of 2", self.ticket_a.message_ids[0].body)

    def test_s74_partly_received(self):
        picking = self._return({self.lamp: 3})
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True).button_validate()
        self.assertIn("received 2 of 3", str(self.ticket_a.message_ids.mapped("body")))

    def test_s76_smart_button(self):
        ticket = self.ticket_a.with_user(self.agent)
        first = self._return({self.lamp: 1})
        self.assertEqual(ticket.action_view_returns()["res_id"], first.id)
        second = self._return({self.lamp: 1})
        ticket.invalidate_recordset()
        self.assertEqual(ticket.returns_count, 2)
        action = ticket.action_view_returns()
        found = self.env["stock.picking"].with_user(self.agent).search(action["domain"])
        self.assertEqual(found, first + second)

    def test_cancelled_return_frees_its_quantity(self):
        self._return({self.lamp: 3}).action_cancel()
        self.assertIn("was cancelled", self.ticket_a.message_ids[0].body)
        self.assertEqual(self._return({self.lamp: 3}).move_ids.product_uom_qty, 3)

    def test_x3_return_carries_exactly_the_chosen_serials(self):
        picking = self._return({self.phone: 1}, serials=self.serials[1])
        self.assertEqual(picking.move_line_ids.lot_id, self.serials[1])
        both = self._sell(
            self.contact_a1, (self.phone, 3), serials=self.serials[2:5]
        ).picking_ids
        self.ticket_a.sale_order_id = both.sale_id
        picking = self._return({self.phone: 2}, serials=self.serials[3:5])
        self.assertEqual(picking.move_line_ids.lot_id, self.serials[3:5])

    def test_x3_the_tickets_own_serial_comes_first(self):
        self.ticket_a.write({"product_id": self.phone.id, "lot_id": self.serials[1].id})
        wizard = self._form().save()
        self.assertEqual(wizard.line_ids.mapped("quantity"), [0, 1])
        self.assertEqual(wizard.line_ids[1].lot_ids, self.serials[1])

    def test_t5_serial_on_another_return_is_refused_by_name(self):
        first = self._return({self.phone: 1}, serials=self.serials[0])
        wizard = self._fill(self._form(), {}).save()
        wizard.line_ids[1].write(
            {"quantity": 1, "lot_ids": [Command.set(self.serials[0].ids)]}
        )
        with self.assertRaisesRegex(UserError, f"SN-0001 is on {first.name}"):
            wizard.action_return()

    def test_t5_foreign_serial_is_refused(self):
        wizard = self._fill(self._form(), {}).save()
        foreign = {"quantity": 1, "lot_ids": [Command.set(self.serials[4].ids)]}
        with self.assertRaises(AccessError):
            wizard.line_ids[1].write(foreign)
        wizard.line_ids[1].sudo().write(foreign)
        with self.assertRaisesRegex(UserError, "was not delivered"):
            wizard.action_return()

    def test_x3_exchange_makes_the_new_delivery(self):
        pickings = self._return({self.lamp: 2}, exchange=True)
        self.assertEqual(len(pickings), 2)
        back, again = pickings.sorted("id")
        self.assertEqual(back.picking_type_code, "incoming")
        self.assertEqual(again.picking_type_code, "outgoing")
        self.assertEqual(again.move_ids.product_uom_qty, 2)
        self.assertEqual(pickings.helpdesk_ticket_id, self.ticket_a)

    def test_t2_second_click_opens_what_exists(self):
        wizard = self._fill(self._form(), {self.lamp: 1}).save()
        first = wizard.action_return()
        self.assertEqual(wizard.action_return()["res_id"], first["res_id"])
        self.assertEqual(len(self.delivery_a.return_ids), 1)

    def test_x5_mandatory_reason_and_reason_per_line(self):
        self.team.require_reason = True
        damaged = self.env.ref("helpdesk_after_sales.reason_damaged")
        wrong = self.env.ref("helpdesk_after_sales.reason_wrong_product")
        wizard = self._fill(self._wizard_with_reason(damaged), {self.lamp: 1}).save()
        wizard.line_ids[0].reason_id = wrong
        wizard.helpdesk_reason_id = False
        with self.assertRaisesRegex(UserError, "choose a reason"):
            wizard.action_return()
        wizard.helpdesk_reason_id = damaged
        wizard.action_return()
        picking = wizard.sudo().made_picking_ids
        self.assertEqual(picking.reason_id, damaged)
        self.assertEqual(picking.move_ids.helpdesk_reason_id, wrong)

    def _wizard_with_reason(self, reason):
        form = self._form()
        form.helpdesk_reason_id = reason
        return form

    def test_delivery_without_order(self):
        picking = self.env["stock.picking"].create(
            {
                "partner_id": self.customer_b.id,
                "picking_type_id": self.warehouse.out_type_id.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.desk.id,
                            "product_uom_qty": 1,
                            "location_id": self.warehouse.lot_stock_id.id,
                            "location_dest_id": self.env.ref(
                                "stock.stock_location_customers"
                            ).id,
                        }
                    )
                ],
            }
        )
        picking.action_confirm()
        self._deliver(picking)
        ticket = self._ticket(self.customer_b)
        back = self._return({self.desk: 1}, ticket=ticket)
        self.assertEqual(back.return_id, picking)

    def test_several_steps_offer_the_one_that_reached_the_customer(self):
        self.warehouse.delivery_steps = "pick_pack_ship"
        order = self._sell(self.contact_a1, (self.desk, 1), deliver=False)
        for _step in range(4):
            self._deliver(order.picking_ids)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        picking = self._form(ticket=ticket).picking_id.sudo()
        self.assertEqual(picking.location_dest_id.usage, "customer")

    def test_purchases_tab_offers_the_return(self):
        rows = self.ticket_a.with_user(self.agent).get_purchases()["rows"]
        self.assertEqual(rows[0]["actions"][0]["method"], "action_return")
        self._return({self.lamp: 3, self.phone: 2}, serials=self.serials[:2])
        self._deliver(self.delivery_a.return_ids)
        rows = self.ticket_a.with_user(self.agent).get_purchases()["rows"]
        self.assertFalse(rows[0]["actions"])

    def test_return_slip_is_sent_to_the_customer(self):
        self._return({self.lamp: 1})
        action = self.ticket_a.with_user(self.agent).action_send_return_slip()
        composer = Form(
            self.env["mail.compose.message"]
            .with_user(self.agent)
            .with_context(**action["context"])
        ).save()
        self.assertIn("Return slip", composer.attachment_ids.name)
        composer.action_send_mail()
        message = self.ticket_a.message_ids[0]
        self.assertEqual(message.partner_ids, self.contact_a1)
        self.assertTrue(message.attachment_ids)

    def test_queries_do_not_grow_with_the_lines(self):
        products = self.env["product.product"].create(
            [
                {"name": f"Part {number}", "type": "consu", "is_storable": True}
                for number in range(40)
            ]
        )
        quants = self.env["stock.quant"].with_context(inventory_mode=True)
        for product in products:
            self._put_in_stock(quants, product, 10)
        orders = [
            self._sell(self.contact_a1, *((product, 1) for product in some))
            for some in (products[:4], products)
        ]

        def count(order):
            self.ticket_a.sale_order_id = order
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            form = self._form()
            self.assertEqual(len(form.line_ids), len(order.order_line))
            return self.cr.sql_log_count - before

        count(orders[0])
        self.assertEqual(count(orders[0]), count(orders[1]))
