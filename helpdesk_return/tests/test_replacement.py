from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import HelpdeskReturnCommon


class ReplacementCommon(HelpdeskReturnCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_product_replacements = True
        cls.lamp_line, cls.phone_line = cls.order_a.order_line

    def _replacement_form(self, ticket=None, user=None, **context):
        ticket = (ticket or self.ticket_a).with_user(user or self.agent)
        action = ticket.action_replacement()
        return Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"], **context)
        )

    def _replace(self, wanted, **kwargs):
        """Return the deliveries of ``{bought product: values of its line}``."""
        form = self._replacement_form(**kwargs)
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                values = wanted.get(line.product_id, {"quantity": 0})
                for name, value in values.items():
                    setattr(line, name, value)
        wizard = form.save()
        wizard.action_replace()
        return wizard.sudo().made_picking_ids.with_env(self.env)


@tagged("post_install", "-at_install")
class TestReplacement(ReplacementCommon):
    """X23: sent once more though nothing comes back."""

    def test_x23_sent_not_invoiced_and_counted(self):
        delivery = self._replace({self.lamp: {"quantity": 1}})
        self.assertEqual(delivery.helpdesk_ticket_id, self.ticket_a)
        self.assertEqual(delivery.partner_id, self.order_a.partner_shipping_id)
        self.assertIn(delivery.state, ("confirmed", "assigned"))
        ticket = self.ticket_a.with_user(self.agent)
        self.assertEqual((ticket.replacements_count, ticket.returns_count), (1, 0))
        self.assertEqual(ticket.action_view_replacements()["res_id"], delivery.id)
        self._deliver(delivery)
        self.assertEqual(self.lamp_line.qty_delivered, 3)
        self.assertEqual(self.lamp_line.product_uom_qty, 3)
        self.assertEqual(len(self.order_a.order_line), 2)
        balance = self.lamp_line._get_after_sales_balance()[self.lamp_line]
        self.assertEqual((balance["delivered"], balance["replaced"]), (4, 1))
        self.assertEqual(balance["left_to_return"], 4, "the customer holds four")

    def test_x23_capped_by_what_the_customer_has(self):
        self._return({self.lamp: 1})
        self._replace({self.lamp: {"quantity": 1}})
        form = self._replacement_form()
        with form.line_ids.edit(0) as line:
            self.assertEqual(line.left_quantity, 1)
            line.quantity = 2
        wizard = form.save()
        with self.assertRaisesRegex(UserError, "too many"):
            wizard.action_replace()
        self._deliver(self._replace({self.lamp: {"quantity": 1}}))
        wizard = self._replacement_form().save()
        lamp = wizard.line_ids.filtered(lambda line: line.product_id == self.lamp)
        self.assertEqual((lamp.left_quantity, lamp.quantity), (0, 0))
        lamp.quantity = 1  # over RPC
        with self.assertRaisesRegex(UserError, "too many"):
            wizard.action_replace()

    def test_x23_cancelled_one_can_be_sent_again(self):
        self._replace({self.lamp: {"quantity": 3}}).action_cancel()
        self.assertTrue(self._replace({self.lamp: {"quantity": 3}}))

    def test_x23_another_product_counts_for_as_many(self):
        delivery = self._replace({self.lamp: {"product_id": self.desk, "quantity": 2}})
        self.assertEqual(delivery.move_ids.product_id, self.desk)
        self._deliver(delivery)
        self.assertEqual(self.lamp_line.qty_delivered, 3)
        self.assertEqual(len(self.order_a.order_line), 2, "no line is added")
        figures = self.lamp_line._get_after_sales_replaceable()[self.lamp_line]
        self.assertEqual(figures["left"], 1)

    def test_x23_serial_number_once_and_its_warranty_goes_on(self):
        self.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        order = self._sell(self.contact_a1, (self.phone, 2), serials=self.serials[2:4])
        first = self.serials[2]
        first.sudo().warranty_end = "2031-01-31"
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        wanted = {self.phone: {"lot_id": first, "quantity": 1}}
        delivery = self._replace(wanted, ticket=ticket)
        self._deliver(delivery, self.serials[4:5])
        self.assertEqual(
            self.serials[4].warranty_end.isoformat(), "2031-01-31", "as the piece's"
        )
        with self.assertRaises(UserError):
            self._replace(wanted, ticket=ticket)
        self.team.warranty_restarts = True
        wanted[self.phone]["lot_id"] = self.serials[3]
        delivery = self._replace(wanted, ticket=ticket)
        self._deliver(delivery, self.serials[5:6])
        self.assertEqual(
            delivery.move_ids.warranty_start, delivery.move_ids._get_warranty_day()
        )

    def test_x23_order_that_grows_still_asks_for_what_is_new(self):
        self._deliver(self._replace({self.lamp: {"quantity": 1}}))
        self.lamp_line.product_uom_qty = 4
        ordered = self.order_a.picking_ids.filtered(lambda p: p.state != "done")
        self.assertEqual(ordered.move_ids.product_uom_qty, 1)
        self.assertFalse(ordered.helpdesk_ticket_id)

    def test_x23_replacement_that_comes_back_is_taken_off_the_order(self):
        delivery = self._replace({self.lamp: {"quantity": 1}})
        self._deliver(delivery)
        form = self._form()
        form.picking_id = delivery
        wizard = form.save()
        wizard.action_return()
        self._deliver(wizard.sudo().made_picking_ids.with_env(self.env))
        self.assertEqual(self.lamp_line.qty_delivered, 2)
        returned = self.ticket_a.sudo()._get_returned_purchases(arrived=True)
        self.assertEqual(returned[self.lamp_line], 1)

    def test_x23_switch_and_rights(self):
        form = self._replacement_form()
        with form.line_ids.edit(0) as line:
            line.quantity = 1
        wizard = form.save()
        self.team.use_product_replacements = False
        with self.assertRaisesRegex(UserError, "switched off"):
            wizard.action_replace()
        with self.assertRaisesRegex(UserError, "switched off"):
            self.ticket_a.with_user(self.agent).action_replacement()
        self.team.use_product_replacements = True
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.employee).action_replacement()
        wizard.action_replace()
        made = wizard.sudo().made_picking_ids
        self.assertEqual(wizard.action_replace()["res_id"], made.id, "once")

    def test_x23_what_was_never_bought(self):
        other = self._sell(self.customer_b, (self.lamp, 1))
        wizard = self._replacement_form().save()
        with self.assertRaises(AccessError):
            wizard.line_ids = [
                Command.create(
                    {
                        "sale_line_id": other.order_line.id,
                        "product_id": self.lamp.id,
                        "quantity": 1,
                    }
                )
            ]
        wizard.sudo().line_ids[0].sale_line_id = other.order_line
        wizard.line_ids[0].quantity = 1
        with self.assertRaises(UserError):
            wizard.action_replace()

    def test_x23_foreign_address(self):
        form = self._replacement_form()
        with form.line_ids.edit(0) as line:
            line.quantity = 1
        form.partner_id = self.contact_a2
        wizard = form.save()
        wizard.action_replace()
        self.assertEqual(
            wizard.sudo().made_picking_ids.partner_id, self.contact_a2.sudo()
        )
        form = self._replacement_form()
        with form.line_ids.edit(0) as line:
            line.quantity = 1
        wizard = form.save()
        wizard.partner_id = self.customer_b
        with self.assertRaisesRegex(UserError, "address"):
            wizard.action_replace()

    def test_x23_two_steps_leave_the_house_once(self):
        self.warehouse.delivery_steps = "pick_ship"
        self._replace({self.lamp: {"quantity": 1}})
        moves = self.env["stock.move"].search(
            [("helpdesk_ticket_id", "=", self.ticket_a.id)]
        )
        self._deliver(moves.picking_id)
        moves = self.env["stock.move"].search(
            [("helpdesk_ticket_id", "=", self.ticket_a.id)]
        )
        self.assertTrue(all(moves.mapped("helpdesk_without_return")))
        self._deliver(moves.picking_id)
        self.assertEqual(self.lamp_line.qty_delivered, 3)
        figures = self.lamp_line._get_after_sales_replaceable()[self.lamp_line]
        self.assertEqual(figures["left"], 2)

    def test_x23_backorder_stays_free(self):
        delivery = self._replace({self.lamp: {"quantity": 3}})
        delivery.move_ids.write({"quantity": 1, "picked": True})
        delivery._action_done()
        backorder = delivery.backorder_ids
        self.assertTrue(backorder.move_ids.helpdesk_without_return)
        self._deliver(backorder)
        self.assertEqual(self.lamp_line.qty_delivered, 3)

    def test_x23_button_of_a_purchase(self):
        rows = self.ticket_a.with_user(self.agent).get_purchases()["rows"]
        row = next(row for row in rows if row["id"] == self.lamp_line.id)
        button = next(b for b in row["actions"] if b["method"] == "action_replacement")
        form = self._replacement_form(**button["context"])
        self.assertEqual(
            [line.quantity for line in form.save().line_ids.sorted("id")], [1, 0]
        )


@tagged("post_install", "-at_install")
class TestReplacementOtherwise(ReplacementCommon):
    """X23, goods A: cancelled, in parts, in steps, in another unit, twice."""

    def _left(self, line=None):
        line = line or self.lamp_line
        return line._get_after_sales_replaceable()[line]["left"]

    def test_x23_cancelled_and_sent_again(self):
        delivery = self._replace({self.lamp: {"quantity": 3}})
        self.assertEqual(self._left(), 0)
        delivery.action_cancel()
        self.assertEqual(self._left(), 3)
        self._deliver(self._replace({self.lamp: {"quantity": 3}}))
        self.assertEqual(self._left(), 0)

    def test_x23_in_parts(self):
        delivery = self._replace({self.lamp: {"quantity": 3}})
        delivery.move_ids.write({"quantity": 1, "picked": True})
        delivery.with_context(skip_sms=True)._action_done()
        rest = delivery.backorder_ids
        self.assertEqual(rest.helpdesk_ticket_id, self.ticket_a)
        self.assertEqual(self._left(), 0)
        rest.action_cancel()
        self.assertEqual(self._left(), 2)
        self.assertEqual(self.lamp_line.qty_delivered, 3)

    def test_x23_in_parts_by_the_warehouse(self):
        """The rest is split off with the rights of the warehouse alone; and no flag
        that somebody sets takes a delivery off the invoice (rights R1)."""
        delivery = self._replace({self.lamp: {"quantity": 3}})
        mine = delivery.with_user(self.stock_user)
        mine.move_ids.write({"quantity": 1, "picked": True})
        mine.with_context(skip_sms=True)._action_done()
        self.assertTrue(delivery.backorder_ids.move_ids.helpdesk_without_return)
        sold = self.order_a.picking_ids.move_ids.filtered(
            lambda move: not move.helpdesk_without_return
        ).with_user(self.stock_user)[:1]
        for forge in (
            lambda: sold.write({"helpdesk_without_return": True}),
            lambda: sold.copy({"helpdesk_without_return": True}),
            lambda: delivery.backorder_ids.move_ids.with_user(self.stock_user).write(
                {"helpdesk_without_return": False}
            ),
        ):
            with self.assertRaises(AccessError):
                forge()

    def test_x23_in_three_steps(self):
        self.warehouse.delivery_steps = "pick_pack_ship"
        picking = self._replace({self.lamp: {"quantity": 1}})
        while picking:
            self.assertEqual(self._left(), 2)
            self.assertEqual(picking.helpdesk_ticket_id, self.ticket_a)
            self._deliver(picking)
            last = picking
            picking = picking.move_ids.move_dest_ids.picking_id
        self.assertEqual(last.location_dest_id.usage, "customer")
        self.assertEqual((self._left(), self.lamp_line.qty_delivered), (2, 3))

    def test_x23_in_the_unit_of_the_order(self):
        dozens = {
            "product_id": self.lamp.id,
            "product_uom_qty": 2,
            "product_uom_id": self.env.ref("uom.product_uom_dozen").id,
        }
        order = self._sell(self.contact_a1, order_line=[Command.create(dozens)])
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        delivery = self._replace({self.lamp: {"quantity": 0.5}}, ticket=ticket)
        self.assertEqual(delivery.move_ids.product_qty, 6)
        self.assertEqual(self._left(order.order_line), 1.5)

    def test_x23_two_tickets_share_what_is_left(self):
        other = self._ticket(self.contact_a1, sale_order_id=self.order_a.id)
        wizard = self._replacement_form(ticket=other).save()
        self._replace({self.lamp: {"quantity": 2}})
        wizard.line_ids.filtered(lambda line: line.product_id == self.lamp).quantity = 2
        with self.assertRaisesRegex(UserError, "1 can still be replaced"):
            wizard.action_replace()

    def test_x23_an_order_that_grows_or_ends(self):
        free = self._replace({self.lamp: {"quantity": 1}})
        self.lamp_line.product_uom_qty = 4
        out = self.order_a.picking_ids.filtered(lambda p: p.state == "assigned")
        more = (out - free).move_ids
        self.assertEqual(more.product_uom_qty, 1, "ordered, and nothing else")
        self.assertFalse(more.helpdesk_without_return)
        self.order_a._action_cancel()
        self.assertEqual(free.state, "cancel")
        self.assertEqual(self._left(), 3)

    def test_x10_rule_holds_for_what_is_sent_and_counts_it(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create(
            [
                {"name": "Little", "amount_max": 60, "sequence": 1},
                {"name": "Too much", "verdict": "refuse", "sequence": 2},
            ]
        )
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            self._replace({self.lamp: {"quantity": 2}})
        self._replace({self.lamp: {"quantity": 1}})
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            self._replace({self.lamp: {"quantity": 1}})
        places = {
            "location_id": self.warehouse.lot_stock_id.id,
            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
        }
        goods = {"product_id": self.desk.id, "product_uom_qty": 1} | places
        picking = self.env["stock.picking"].create(
            {
                "partner_id": self.contact_a1.id,
                "picking_type_id": self.warehouse.out_type_id.id,
                "helpdesk_ticket_id": self.ticket_a.id,
                "move_ids": [Command.create(goods)],
            }
            | places
        )
        with self.assertRaisesRegex(UserError, "Too much"), self.cr.savepoint():
            picking.action_confirm()

    def test_x10_asked_and_approved_as_it_was_filled_in(self):
        rules = self.env["helpdesk.after.sales.rule"]
        rules.search([]).active = False
        rules.create({"name": "Ask first", "verdict": "ask"})
        form = self._replacement_form()
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                line.quantity = 2 if line.product_id == self.lamp else 0
        form.save().action_replace()
        self.assertFalse(self.ticket_a.replacements_count)
        self.ticket_a.approval_ids.with_user(self.manager).action_approve()
        self.ticket_a.invalidate_recordset()
        self.assertEqual(self.ticket_a.replacements_count, 1)
        sent = self.env["stock.picking"].search(
            [("helpdesk_ticket_id", "=", self.ticket_a.id)]
        )
        self.assertEqual(sent.move_ids.product_uom_qty, 2)
