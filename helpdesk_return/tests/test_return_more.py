from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import HelpdeskReturnCommon


@tagged("post_install", "-at_install")
class TestReturnSeveral(HelpdeskReturnCommon):
    """Issue 17 D: goods of several deliveries and orders come back at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order_2 = cls._sell(
            cls.contact_a2, (cls.lamp, 2), (cls.phone, 1), serials=cls.serials[2]
        )
        cls.delivery_2 = cls.order_2.picking_ids

    def _search(self, text):
        ticket = self.ticket_a.with_user(self.agent)
        return ticket.search_purchases(
            "stock.picking",
            text,
            chosen={
                "sale_order_id": False,
                "product_id": False,
                "lot_id": False,
                "returnable": True,
            },
        )

    def test_deliveries_are_found_by_serial_number_and_product(self):
        ((found, label),) = self._search(self.serials[2].name)
        self.assertEqual(found, self.delivery_2.id)
        self.assertIn(self.order_2.name, label)
        self.assertIn(self.lamp.display_name, label)
        self.assertEqual(
            {found for found, _label in self._search("Lamp")},
            set((self.delivery_a | self.delivery_2).ids),
        )

    def test_one_press_makes_a_return_of_each_delivery(self):
        form = self._form()
        with form.line_ids.edit(0) as line:
            line.quantity = 1
        form.add_picking_id = self.delivery_2
        self.assertEqual(
            [line["quantity"] for line in form.line_ids._records],
            [1, 2, 2, 1],
            "what was typed stays",
        )
        wizard = form.save()
        self.assertEqual(
            wizard.line_ids.mapped("delivery"),
            [*[self.delivery_a.name] * 2, *[self.delivery_2.name] * 2],
        )
        wizard.action_return()
        made = wizard.sudo().made_picking_ids
        self.assertEqual(made.return_id, self.delivery_a | self.delivery_2)
        self.assertEqual(
            {
                picking.return_id: [
                    (move.product_id, move.product_uom_qty) for move in picking.move_ids
                ]
                for picking in made
            },
            {
                self.delivery_a: [(self.lamp, 1), (self.phone, 2)],
                self.delivery_2: [(self.lamp, 2), (self.phone, 1)],
            },
        )
        self.assertEqual(made.helpdesk_ticket_id, self.ticket_a)
        self.assertEqual(set(made.mapped("state")), {"assigned"})
        self.assertEqual(self.ticket_a.returns_count, 2)
        again = wizard.action_return()
        self.assertEqual(again["domain"], [("id", "in", made.ids)])

    def test_a_line_that_was_taken_out_stays_out(self):
        form = self._form()
        form.line_ids.remove(1)
        form.add_picking_id = self.delivery_2
        self.assertEqual(form.line_ids._records[0]["quantity"], 3)
        self.assertEqual(len(form.line_ids._records), 3)

    def test_all_or_nothing(self):
        form = self._form()
        form.add_picking_id = self.delivery_2
        wizard = form.save()
        wizard.line_ids[2].quantity = 3
        with self.assertRaisesRegex(UserError, "too many"):
            wizard.action_return()
        self.assertFalse(wizard.made_picking_ids)
        self.assertFalse(self.ticket_a.return_ids)

    def test_delivery_of_somebody_else_is_refused(self):
        """T3, T19: through RPC as well; the button says nothing of it."""
        foreign = self._sell(self.customer_b, (self.lamp, 1)).picking_ids
        self.assertFalse(self._search(foreign.name))
        form = self._form()
        with self.assertRaises(AccessError):
            form.add_picking_id = foreign
        wizard = self._form().save()
        wizard.sudo().line_ids[0].move_id = foreign.move_ids
        with self.assertRaises(UserError) as refusal:
            wizard.action_return()
        self.assertNotIn(foreign.name, str(refusal.exception))
        with self.assertRaises(AccessError):
            wizard.line_ids[1].move_id = foreign.move_ids.id

    def test_lines_of_the_ticket_propose_the_deliveries(self):
        """X31: a case about two orders opens with both."""
        self.ticket_a.line_ids = [
            (5, 0, 0),
            *(
                (0, 0, {"sale_line_id": line.id, "quantity": quantity})
                for line, quantity in (
                    (self.order_a.order_line[0], 3),
                    (self.order_2.order_line[0], 1),
                )
            ),
        ]
        form = self._form()
        wizard = form.save()
        self.assertEqual(
            {move.picking_id for move in wizard.sudo().line_ids.move_id},
            {self.delivery_a, self.delivery_2},
        )
        self.assertEqual(sorted(wizard.line_ids.mapped("quantity")), [0, 0, 1, 3])

    def test_each_goes_to_its_own_warehouse_unless_the_agent_says_where(self):
        other = self.env["stock.warehouse"].create({"name": "West", "code": "WEST"})
        order = self._sell(self.contact_a1, (self.desk, 1), warehouse_id=other.id)
        form = self._form()
        form.add_picking_id = order.picking_ids
        wizard = form.save()
        wizard.action_return()
        self.assertEqual(
            wizard.sudo().made_picking_ids.location_dest_id,
            self.warehouse.lot_stock_id | other.lot_stock_id,
        )
