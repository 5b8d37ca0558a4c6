"""Random histories of return, repair and give back over two tickets (issue 17): each
piece is where the documents say, and nothing becomes less than nothing.

Both addons are needed; they don't know each other.
"""

import random

import pytest

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon

#: of each one the sentence of a failure names the number
SEEDS = range(6)
STEPS = 14


@tagged("post_install", "-at_install")
class TestRepairHistories(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not {"helpdesk.return.wizard", "helpdesk.repair.wizard"} <= set(cls.env):
            pytest.skip("helpdesk_return and helpdesk_repair are not both installed")
        cls.team.write({"use_product_returns": True, "use_product_repairs": True})
        cls.warehouse.reception_steps = "one_step"
        cls.inspection = cls.env["stock.location"].create(
            {"name": "Inspection", "location_id": cls.warehouse.view_location_id.id}
        )

    def _open(self, ticket, service, **values):
        """Return the pop-up of a service as the web client saves it."""
        action = getattr(ticket.with_user(self.agent), f"action_{service}")()
        return (
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create(values)
        )

    # -- Steps: each one is refused in a sentence, or done whole -------------

    def _step_return(self, dice, ticket):
        wizard = self._open(ticket, "return")
        if dice.random() < 0.3:
            wizard.location_id = self.inspection
        for line in wizard.line_ids:
            mine = line.product_id == ticket.product_id
            line.quantity = mine and 1
            line.lot_ids = ticket.lot_id if mine else False
        wizard.action_return()

    def _step_receive(self, dice, ticket):
        for picking in self._returns(ticket, "assigned")[:1]:
            self._validate(picking)

    def _step_repair(self, dice, ticket):
        wizard = self._open(ticket, "repair")
        if wizard.action_confirm_repair()["res_model"] == wizard._name:
            wizard.action_confirm_repair()

    def _step_finish(self, dice, ticket):
        for repair in ticket.repair_ids.filtered(lambda r: r.state == "confirmed")[:1]:
            if not repair.picking_id or repair.picking_id.state == "done":
                repair.action_repair_start()
                repair.action_repair_end()

    def _step_give_back(self, dice, ticket):
        ticket.with_user(self.agent).action_give_back()

    def _step_send(self, dice, ticket):
        for delivery in ticket.repair_ids.helpdesk_delivery_id.filtered(
            lambda picking: picking.state == "assigned"
        )[:1]:
            self._validate(delivery)

    def _step_cancel(self, dice, ticket):
        opened = self._returns(ticket, "assigned")
        opened |= ticket.repair_ids.helpdesk_delivery_id.filtered(
            lambda picking: picking.state == "assigned"
        )
        opened[:1].action_cancel()

    def _returns(self, ticket, state):
        return ticket.return_ids.filtered(
            lambda picking: picking.return_id and picking.state == state
        )

    def _validate(self, picking):
        """Validate a transfer as it is: what it announced is what moves."""
        announced = [
            (line.product_id, line.lot_id, line.quantity)
            for line in picking.move_line_ids
        ]
        for move in picking.move_ids:
            self.assertEqual(move.quantity, move.product_uom_qty, "emptied by another")
        self.assertIs(picking.button_validate(), True)
        for line in picking.move_line_ids:
            self.places[line.lot_id] = line.location_dest_id
        self.assertEqual(
            announced,
            [
                (line.product_id, line.lot_id, line.quantity)
                for line in picking.move_line_ids
            ],
        )

    # -- What holds after each step ------------------------------------------

    def _check(self, order, before):
        quants = self.env["stock.quant"].search(
            [("product_id", "in", (self.lamp | self.phone).ids)]
        )
        self.assertFalse(
            [
                (quant.location_id.name, quant.lot_id.name, quant.quantity)
                for quant in quants
                if quant.location_id.usage == "internal" and quant.quantity < 0
            ]
        )
        for line in order.order_line:
            moves = line.move_ids.filtered(lambda move: move.state == "done")
            at_customer = sum(
                move.product_qty
                if move.location_dest_id.usage == "customer"
                else -move.product_qty
                for move in moves
            )
            self.assertEqual(line.qty_delivered, at_customer)
            # What the shop holds is what it had, and what of the order came back.
            here = sum(
                quant.quantity
                for quant in quants
                if quant.product_id == line.product_id
                and quant.location_id.usage == "internal"
            )
            self.assertEqual(here, before[line.product_id] - at_customer)
        for serial in self.serials[:2]:
            places = quants.filtered(
                lambda quant, lot=serial: quant.lot_id == lot and quant.quantity > 0
            )
            self.assertEqual(places.location_id, self.places[serial])
            opened = self.env["stock.move.line"].search(
                [
                    ("lot_id", "=", serial.id),
                    ("state", "not in", ("done", "cancel")),
                    ("picking_id", "!=", False),
                ]
            )
            self.assertLessEqual(len(opened), 1, "one piece, one open transfer")

    def test_issue17_random_histories(self):
        names = ("return", "receive", "repair", "finish", "give_back", "send", "cancel")
        for seed in SEEDS:
            with self.subTest(seed=seed), self.cr.savepoint() as savepoint:
                self._play(random.Random(seed), names)
                savepoint.rollback()
                self.env.invalidate_all()

    def _play(self, dice, names):
        before = {
            product: sum(
                self.env["stock.quant"]
                .search(
                    [
                        ("product_id", "=", product.id),
                        ("location_id.usage", "=", "internal"),
                    ]
                )
                .mapped("quantity")
            )
            for product in (self.lamp, self.phone)
        }
        order = self._sell(
            self.contact_a1, (self.lamp, 3), (self.phone, 2), serials=self.serials[:2]
        )
        customers = order.picking_ids.location_dest_id
        self.places = dict.fromkeys(self.serials[:2], customers)
        tickets = self.env["helpdesk.ticket"]
        for number in range(2):
            values = {"sale_order_id": order.id, "product_id": self.phone.id}
            lot = self.serials[number]
            tickets += self._ticket(self.contact_a1, lot_id=lot.id, **values)
        tickets += self._ticket(
            self.contact_a1, sale_order_id=order.id, product_id=self.lamp.id
        )
        done = 0
        for _step in range(STEPS):
            name = dice.choice(names)
            ticket = dice.choice(tickets)
            try:
                with self.cr.savepoint():
                    getattr(self, f"_step_{name}")(dice, ticket)
                    self.env.flush_all()
                done += 1
            except UserError:
                self.env.invalidate_all()  # refused in a sentence
            self._check(order, before)
        self.assertTrue(done)
