import math
from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class StockMove(models.Model):
    """The moves of a return that is processed; rows as of ``stock.picking``."""

    _inherit = "stock.move"

    def _trigger_assign(self):
        """What isn't put back to stock doesn't wait for other customers."""
        incoming = self.filtered("origin_returned_move_id")
        # sudo: which goods were decided to go elsewhere.
        elsewhere = incoming and self.env["helpdesk.return.decision"].sudo().search(
            [("move_id", "in", incoming.ids), ("kind", "not in", ("restock",))]
        )
        if not elsewhere:
            return super()._trigger_assign()
        return super(StockMove, self - elsewhere.move_id.sudo(False))._trigger_assign()

    def _get_process_quantities(self):
        """Return ``{lot: quantity}`` of what this move brings, or brought, in the unit
        of the product; of what has no lot under an empty one."""
        self.ensure_one()
        unit = self.product_id.uom_id
        quantities = defaultdict(float)
        for line in self.move_line_ids:
            quantities[line.lot_id] += line.quantity_product_uom
        rest = self._get_process_total() - sum(quantities.values())
        if unit.compare(rest, 0) > 0:
            quantities[self.env["stock.lot"]] += rest
        return {
            lot: unit.round(quantity)
            for lot, quantity in quantities.items()
            if unit.compare(quantity, 0) > 0
        }

    def _get_process_total(self):
        """Return what came, or is announced, in the unit of the product."""
        quantity = self.quantity if self.state == "done" else self.product_uom_qty
        return self._get_after_sales_in_unit(quantity)

    def _check_process_sum(self, rows):
        """Refuse more than was announced."""
        unit = self.product_id.uom_id
        total = sum(row["quantity"] for row in rows)
        expected = self._get_process_total()
        if unit.compare(total, expected) > 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(total)s is more than the %(expected)s %(unit)s "
                    "that were announced. Create another return for the rest.",
                    product=self.product_id.display_name,
                    expected=format_quantity(self.env, expected),
                    unit=unit.name,
                    total=format_quantity(self.env, total),
                )
            )

    def _check_process_lots(self, rows):
        """Refuse lots that can't have come with this move."""
        if self.has_tracking == "none":
            return
        unit = self.product_id.uom_id
        came = defaultdict(float)
        for row in rows:
            if row["condition"] != "missing":
                came[row["lot"]] += row["quantity"]
        possible = self._get_process_lots()
        for lot, quantity in came.items():
            if not lot:
                raise UserError(
                    self.env._(
                        "%(product)s: enter the serial or lot number.",
                        product=self.product_id.display_name,
                    )
                )
            if possible is None:
                free = 1.0 if self.has_tracking == "serial" else math.inf
            else:
                free = possible.get(lot, 0.0)
            if lot.product_id != self.product_id or unit.compare(quantity, free) > 0:
                raise UserError(
                    self.env._(
                        "%(lot)s of %(product)s can't come back with this return: it "
                        "was not delivered with it, or is on another return.",
                        lot=lot.name,
                        product=self.product_id.display_name,
                    )
                )

    def _get_process_lots(self):
        """Return ``{lot: quantity}`` of what can come with this move, in the unit of
        the product; ``None`` when Inventory doesn't know what was delivered."""
        # sudo: which lots the customer has of the delivery that is returned; the user
        # of Inventory may not read orders.
        move = self.sudo()
        balance = move.picking_id.return_id._get_delivery_balance()
        out = balance.goods.get(move.origin_returned_move_id)
        if not out or not out.lots:
            return None
        lots = out.get_lots_left()
        for line in move.move_line_ids.filtered("lot_id"):
            # Held by this very return.
            lots[line.lot_id] = lots.get(line.lot_id, 0.0) + line.quantity_product_uom
        return {
            lot.sudo(False): min(quantity, out.lots.get(lot, quantity))
            for lot, quantity in lots.items()
        }

    def _get_process_place(self, lot):
        """Return where this move has put what came of a lot."""
        lines = self.move_line_ids.filtered(lambda line: line.lot_id == lot)
        return (lines or self.move_line_ids).location_dest_id[:1] or (
            self.location_dest_id
        )

    # -- Receiving in parts --------------------------------------------------

    def _split_process_rows(self, rows):
        """Split this move as ``rows`` say, and fill the parts with what came; returns
        ``[(row, move, place)]``.

        What is missing is cancelled. What nobody has told of stays announced.
        """
        self.ensure_one()
        pieces = self._get_process_pieces()
        parts = defaultdict(list)
        for row in rows:
            key = (
                ("missing", self.location_dest_id)
                if row["condition"] == "missing"
                else (
                    row["disposition"].kind == "restock",
                    self._get_wanted_place(row["disposition"]),
                )
            )
            parts[key].append(row)
        total = sum(row["quantity"] for row in rows)
        rest = self._get_process_total() - total
        if self.product_id.uom_id.compare(rest, 0) > 0:
            parts["rest", self.location_dest_id] = []
        # What came stays on this move, as far as possible.
        order = sorted(parts, key=lambda key: {"rest": 1, "missing": 2}.get(key[0], 0))
        result = []
        for index, key in enumerate(order):
            kind, place = key
            some = parts[key]
            quantity = sum(row["quantity"] for row in some) if some else rest
            move = self if not index else self._split_off(quantity)
            if len(order) > 1 and not index:
                first = move, some, quantity, kind, place
                continue
            result += move._fill_process_part(some, quantity, kind, place, pieces)
        if len(order) > 1:
            # Last: its demand is known now.
            move, some, quantity, kind, place = first
            result[:0] = move._fill_process_part(some, quantity, kind, place, pieces)
        return result

    def _fill_process_part(self, rows, quantity, kind, place, pieces):
        if kind == "missing":
            self._action_cancel()
            return [(row, self, place) for row in rows]
        elsewhere = place != self.location_dest_id
        if elsewhere:
            self.location_dest_id = place
        if kind == "rest":
            wanted = [(self.env["stock.lot"], quantity)]
        else:
            wanted = [(row["lot"], row["quantity"]) for row in rows]
        lines = []
        for lot, some in wanted:
            lines += self._take_pieces(pieces, lot, some, kind != "rest")
        if elsewhere:
            # Not where put-away rules wanted it.
            lines = [values | {"location_dest_id": place.id} for values in lines]
        self.move_line_ids.unlink()
        self.env["stock.move.line"].create(lines)
        self.picked = kind != "rest"
        return [(row, self, place) for row in rows]

    def _get_wanted_place(self, disposition):
        """Return where goods of this move are received to.

        What isn't put back to stock takes no further step of the receipt.
        """
        # sudo: the place that Inventory was configured with.
        place = disposition.sudo().location_id.sudo(False)
        if place and disposition.kind != "scrap":
            return place
        warehouse = self.picking_type_id.warehouse_id
        if (
            disposition.kind != "restock"
            and warehouse.reception_steps != "one_step"
            and self.location_dest_id == warehouse.wh_input_stock_loc_id
        ):
            return warehouse.lot_stock_id
        return self.location_dest_id

    def _split_off(self, quantity):
        """Return a new move for ``quantity``, in the unit of the product, of this one:
        as Odoo makes one for a backorder."""
        move = self.create(self._split(quantity))
        move.with_context(bypass_entire_pack=True)._action_confirm(
            merge=False, create_proc=False
        )
        return move

    def _get_process_pieces(self):
        """Return the values of what this move holds: lot, owner, package and place."""
        return [
            {
                "quantity": line.quantity_product_uom,
                "lot_id": line.lot_id.id,
                "owner_id": line.owner_id.id,
                "package_id": line.package_id.id,
                "location_id": line.location_id.id,
                "location_dest_id": line.location_dest_id.id,
            }
            for line in self.move_line_ids
        ]

    def _take_pieces(self, pieces, lot, quantity, picked):
        """Return the values of operations for ``quantity`` of a lot: with the owner,
        and out of the package, that were announced.

        :param pieces: see :meth:`_get_process_pieces`; what is taken is taken off
        """
        unit = self.product_id.uom_id
        default = {
            "lot_id": lot.id,
            "location_id": self.location_id.id,
            "location_dest_id": self.location_dest_id.id,
        }
        lines = []

        def take(piece, part):
            values = default | {k: v for k, v in piece.items() if k != "quantity"}
            if lot:
                values["lot_id"] = lot.id
            lines.append(
                values
                | {
                    "move_id": self.id,
                    "picking_id": self.picking_id.id,
                    "company_id": self.company_id.id,
                    "product_id": self.product_id.id,
                    "product_uom_id": unit.id,
                    "quantity": part,
                    "picked": picked,
                }
            )

        mine = sorted(pieces, key=lambda piece: bool(lot) and piece["lot_id"] != lot.id)
        for piece in mine:
            part = min(quantity, piece["quantity"])
            if unit.compare(part, 0) > 0:
                take(piece, part)
                piece["quantity"] -= part
                quantity -= part
        if unit.compare(quantity, 0) > 0:
            take({}, quantity)
        return lines
