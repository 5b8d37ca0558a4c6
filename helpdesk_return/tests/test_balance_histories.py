import os
import random

from odoo import Command
from odoo.exceptions import UserError

from .test_return_goods import GoodsCommon

SEEDS = int(os.environ.get("HELPDESK_HISTORIES", "2"))
STEPS = 14


class TestBalanceHistories(GoodsCommon):
    """X31: random histories of one order on two tickets; after every step the balance
    is what a slow and simple count of the raw moves says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dozen = cls.env.ref("uom.product_uom_dozen")
        cls.pens = cls.env["product.product"].create(
            {
                "name": "Pen",
                "type": "consu",
                "is_storable": True,
                "uom_ids": [Command.set(cls.dozen.ids)],
            }
        )

    def _make(self, rng):
        number = self.env["stock.warehouse"].search_count([])
        self.house = self.env["stock.warehouse"].create(
            {
                "name": f"House {number}",
                "code": f"H{number}",
                "delivery_steps": rng.choice(
                    ["ship_only", "pick_ship", "pick_pack_ship"]
                ),
                "reception_steps": rng.choice(["one_step", "two_steps", "three_steps"]),
            }
        )
        stock = self.env["stock.quant"]
        for product in self.desk, self.pens:
            stock._update_available_quantity(product, self.house.lot_stock_id, 100)
        for piece in "abc":
            lot = self.env["stock.lot"].create(
                {"name": f"{number}{piece}", "product_id": self.phone.id}
            )
            stock._update_available_quantity(
                self.phone, self.house.lot_stock_id, 1, lot_id=lot
            )
        self.order = self._sell(
            self.contact_a2,
            (self.desk, 6),
            (self.phone, 3),
            deliver=False,
            warehouse_id=self.house.id,
        )
        self.order.order_line = [
            Command.create(
                {
                    "product_id": self.pens.id,
                    "product_uom_qty": 2,
                    "product_uom_id": self.dozen.id,
                }
            )
        ]
        self.tickets = [
            self._ticket(self.contact_a2, sale_order_id=self.order.id) for _ in "ab"
        ]
        self.lines = self.order.order_line

    # -- Steps ---------------------------------------------------------------

    def _open(self, back):
        """Return open transfers of the order that come from customers, or don't."""
        pickings = (
            self.env["stock.move"]
            .search([("sale_line_id", "in", self.lines.ids)])
            .picking_id
        )
        return pickings.filtered(
            lambda p: (
                p.state not in ("done", "cancel")
                and (p.location_id.usage == "customer") == back
            )
        ).sorted("id")

    def _validate(self, rng, picking):
        """Validate what is reserved, or a part of it with or without a backorder."""
        if picking.location_id.usage != "customer":
            picking.action_assign()
        for move in picking.move_ids:
            if picking.location_id.usage == "customer":
                self.assertEqual(move.quantity, move.product_uom_qty, picking.name)
            if move.product_id != self.phone and rng.random() < 0.3:
                move.quantity = max(move.quantity - 1, 0)
            move.picked = True
        if not sum(picking.move_ids.mapped("quantity")):
            return
        done = picking.with_context(skip_backorder=True, skip_sms=True)
        if rng.random() < 0.2:
            done = done.with_context(picking_ids_not_to_backorder=picking.ids)
        done.button_validate()
        self.assertEqual(picking.state, "done")

    def step_deliver(self, rng):
        if pickings := self._open(back=False):
            self._validate(rng, rng.choice(pickings))

    def step_receive(self, rng):
        if pickings := self._open(back=True):
            self._validate(rng, rng.choice(pickings))

    def step_cancel(self, rng):
        if pickings := self._open(back=rng.random() < 0.7):
            rng.choice(pickings).action_cancel()

    def step_return(self, rng, exchange=False):
        ticket = rng.choice(self.tickets)
        form = self._form(ticket=ticket)
        pickings = self.env["stock.picking"].search(
            ticket._purchase_domain("stock.picking")
        )
        if not pickings:
            return
        form.picking_id = rng.choice(pickings)
        wizard = form.save()
        total = 0
        for line in wizard.line_ids:
            lots = line.returnable_lot_ids
            most = int(line.returnable_quantity)
            quantity = rng.randint(0, min(most, 2))
            chosen = rng.sample(lots.ids, min(quantity, len(lots)))
            line.write({"quantity": quantity, "lot_ids": [Command.set(chosen)]})
            total += quantity
        if total:
            wizard.action_exchange() if exchange else wizard.action_return()
            made = wizard.sudo().made_picking_ids.filtered("return_id")
            announced = {
                line.move_id: line.quantity for line in wizard.line_ids if line.quantity
            }
            self.assertEqual(
                {m.origin_returned_move_id: m.product_uom_qty for m in made.move_ids},
                announced,
            )

    def step_exchange(self, rng):
        self.step_return(rng, exchange=True)

    def step_too_much(self, rng):
        form = self._form(ticket=rng.choice(self.tickets))
        done = self._open_deliveries()
        if not done:
            return
        form.picking_id = rng.choice(done)
        wizard = form.save()
        line = rng.choice(wizard.line_ids)
        wizard.line_ids.write({"quantity": 0, "lot_ids": [Command.clear()]})
        line.quantity = line.returnable_quantity + 1
        with self.assertRaises(UserError), self.cr.savepoint():
            wizard.action_return()

    def _open_deliveries(self):
        return self.order.picking_ids.filtered(
            lambda p: p.state == "done" and p.location_dest_id.usage == "customer"
        )

    def step_give_back(self, rng):
        """A return is returned, as a repaired piece is."""
        returns = self.order.picking_ids.filtered(
            lambda p: p.state == "done" and p.location_id.usage == "customer"
        )
        if not returns:
            return
        wizard = self.env["stock.return.picking"].create(
            {"picking_id": rng.choice(returns).id}
        )
        line = rng.choice(wizard.product_return_moves)
        given = sum(
            line.move_id.returned_move_ids.filtered(
                lambda m: m.state != "cancel"
            ).mapped("product_uom_qty")
        )
        if line.move_id.state == "done" and given + 1 <= line.move_id.quantity:
            line.quantity = 1
            wizard._create_return()

    def step_without_link(self, rng):
        """Somebody types a receipt by hand, and names the order line."""
        line = self.lines.filtered(lambda li: li.product_id == self.desk)
        if self._count(line)["left_to_return"] < 1:
            return
        places = {
            "location_id": self.customers.id,
            "location_dest_id": self.house.in_type_id.default_location_dest_id.id,
        }
        self.env["stock.picking"].create(
            {
                "picking_type_id": self.house.in_type_id.id,
                "partner_id": self.contact_a2.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.desk.id,
                            "product_uom_qty": 1,
                            "sale_line_id": line.id,
                            "to_refund": rng.random() < 0.5,
                            **places,
                        }
                    )
                ],
                **places,
            }
        ).action_confirm()

    def step_more(self, _rng):
        line = self.lines.filtered(lambda li: li.product_id == self.desk)
        # Odoo lets nobody order less than what is out.
        line.product_uom_qty = max(line.product_uom_qty, line.qty_delivered) + 1

    # -- The slow count ------------------------------------------------------

    def _count(self, line):
        result = {"delivered": 0.0, "returning": 0.0, "returned": 0.0}
        lots = {}
        for move in self.env["stock.move"].search([("sale_line_id", "=", line.id)]):
            out = move.location_dest_id.usage == "customer"
            back = move.location_id.usage == "customer"
            if out == back or move.state == "cancel" or (out and move.state != "done"):
                continue
            kind = "delivered"
            if back:
                kind = "returned" if move.state == "done" else "returning"
            quantity = move.quantity if move.state == "done" else move.product_uom_qty
            result[kind] += move.product_uom._compute_quantity(
                quantity, line.product_uom_id, round=False
            )
            for operation in move.move_line_ids.filtered("lot_id"):
                lot = lots.setdefault(operation.lot_id, 0)
                lots[operation.lot_id] = lot + (1 if out else -1)
        left = result["delivered"] - result["returning"] - result["returned"]
        return result | {"left_to_return": max(left, 0.0), "lots": lots}

    def _check(self):
        self.env.flush_all()
        balances = self.lines._get_after_sales_balance()
        offered = dict.fromkeys(self.lines, 0.0)
        for delivery in self._open_deliveries()._get_delivery_balances().values():
            for move, out in delivery.goods.items():
                offered[move.sale_line_id] += out.left
        for line in self.lines:
            slow, balance = self._count(line), balances[line]
            lots = slow.pop("lots")
            for name, quantity in slow.items():
                self.assertAlmostEqual(balance[name], quantity, 6, name)
            self.assertEqual(
                {lot: int(f["left_to_return"]) for lot, f in balance["lots"].items()},
                lots,
            )
            unit = line.product_id.uom_id
            self.assertAlmostEqual(
                unit._compute_quantity(offered[line], line.product_uom_id, round=False),
                slow["left_to_return"],
                6,
                "what the deliveries offer is what is left of the line",
            )
            self.assertGreaterEqual(balance["returned"] + balance["returning"], 0)
        negative = self.env["stock.quant"].search(
            [
                ("product_id", "in", self.lines.product_id.ids),
                ("location_id.usage", "in", ("internal", "customer")),
                ("quantity", "<", 0),
            ]
        )
        self.assertFalse(negative)

    def test_x31_balance_of_random_histories(self):
        steps = sorted(name for name in dir(self) if name.startswith("step_"))
        weights = [4 if n in ("step_deliver", "step_receive") else 1 for n in steps]
        for seed in range(SEEDS):
            rng = random.Random(seed)
            with self.subTest(seed=seed), self.cr.savepoint():
                self._make(rng)
                history = []
                for _number in range(STEPS):
                    name = rng.choices(steps, weights)[0]
                    history.append(name)
                    with self.subTest(history=history):
                        getattr(self, name)(rng)
                        self._check()
