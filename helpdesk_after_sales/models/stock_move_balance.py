from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

from ..tools.goods import GoodsOut

MOVE_FIELDS = [
    "sale_line_id",
    "product_id",
    "product_uom",
    "product_uom_qty",
    "quantity",
    "state",
    "date",
    "location_id",
    "location_dest_id",
    "location_final_id",
    "origin_returned_move_id",
    "picking_id",
    "to_refund",
]


class StockMove(models.Model):
    """The facts of the balance: what went to customers, and what became of it.

    Only moves that cross the line between house and customer count, so that deliveries
    and receipts of several steps count once. Quantities are in the unit of the product.
    """

    _inherit = "stock.move"

    def _get_after_sales_direction(self):
        """Return ``"out"`` for a move that hands goods to a customer, ``"back"`` for
        one that takes them from there (also to a vendor), else ``False``."""
        out = self._is_after_sales_outside(self.location_dest_id)
        if out == self._is_after_sales_outside(self.location_id):
            return False
        return "out" if out else "back"

    @api.model
    def _is_after_sales_outside(self, location):
        """Return whether goods at ``location`` are with the customer, as
        ``stock.location._is_outgoing`` says, which costs a query each time."""
        if location.usage == "customer":
            return True
        between_companies = self.env["ir.model.data"]._xmlid_to_res_id(
            "stock.stock_location_inter_company", raise_if_not_found=False
        )
        return f"/{between_companies}/" in f"/{location.parent_path}"

    def _is_after_sales_last_step(self):
        """Return whether goods that go to a customer are in this move: of several
        steps, those that are done have handed them on."""
        if self._get_after_sales_direction():
            return True
        outside = self._is_after_sales_outside(self.location_final_id)
        return outside and self.state != "done"

    def _filter_after_sales_last_step(self):
        return self.filtered(lambda move: move._is_after_sales_last_step())

    def _is_after_sales_replacement(self):
        """Return whether this move sends goods in exchange for others. Bridges that
        make such moves know."""
        return False

    def _is_after_sales_counted(self):
        """Return whether the order counts this move in what it delivered. Bridges know
        what is sent besides."""
        return True

    def _get_after_sales_quantity(self):
        """Return what was moved, or is to be, in the unit of the product."""
        quantity = self.quantity if self.state == "done" else self.product_uom_qty
        return self._get_after_sales_in_unit(quantity)

    def _get_after_sales_in_unit(self, quantity):
        return self.product_uom._compute_quantity(
            quantity, self.product_id.uom_id, round=False
        )

    def _get_after_sales_rounded(self, quantity):
        """Return a quantity of the product in the unit of this move, rounded."""
        unit = self.product_id.uom_id
        return self.product_uom.round(
            unit._compute_quantity(quantity, self.product_uom, round=False)
        )

    @api.model
    def _get_after_sales_move_fields(self):
        """Return what the balance reads of moves, in one query. Bridges add theirs."""
        return MOVE_FIELDS

    @api.model
    def _search_after_sales_moves(self, domain):
        names = self._get_after_sales_move_fields()
        moves = self.search_fetch(domain, names, order="date, id")
        (moves.location_id | moves.location_dest_id | moves.location_final_id).fetch(
            ["usage", "parent_path"]
        )
        return moves

    def _get_after_sales_goods(self, looked_up=None):
        """Return ``{delivery: GoodsOut}``, oldest first, of these moves: those of some
        order lines, or deliveries without an order.

        What came back counts where Odoo linked it, else at the delivery of the same
        order line that holds the lot, else at the first of which something is left:
        cancelled and lowered orders, and who types a return by hand, leave no link
        (goods A8). Cancelled moves don't count.

        :param looked_up: deliveries of which these moves hold all linked returns
        """
        directions = {move: move._get_after_sales_direction() for move in self}
        goods = {
            move: GoodsOut(move, move._get_after_sales_quantity())
            for move in self
            if directions[move] == "out" and move.state == "done"
        }
        back = self.filtered(
            lambda move: directions[move] == "back" and move.state != "cancel"
        )
        # What was linked by hand may have no order line, or another one.
        others = self.browse(move.id for move in goods) - (looked_up or self.browse())
        back |= self._search_after_sales_moves(
            Domain("origin_returned_move_id", "in", others.ids)
            & Domain("id", "not in", self.ids)
            & Domain("state", "!=", "cancel")
        ).filtered(lambda move: move._get_after_sales_direction() == "back")
        lots = (self | back)._get_after_sales_lots()
        for move, out in goods.items():
            out.lots = lots[move]
        self._take_back_after_sales_goods(goods, back, lots)
        for line, moves in self.grouped("sale_line_id").items():
            some = -line._get_after_sales_elsewhere(moves)
            if some <= 0:
                continue
            for out in goods.values():
                if out.move.sale_line_id == line:
                    some = out.take_back_elsewhere(some)
        return goods

    def _get_after_sales_lots(self):
        """Return ``{move: {lot: quantity}}`` of the moves of tracked products."""
        lots = defaultdict(dict)
        tracked = self.filtered(lambda move: move.product_id.tracking != "none")
        lines = tracked and tracked.move_line_ids.search_fetch(
            Domain("move_id", "in", tracked.ids) & Domain("lot_id", "!=", False),
            ["move_id", "lot_id", "quantity_product_uom"],
            order="id",
        )
        for line in lines:
            of_move = lots[line.move_id]
            quantity = of_move.get(line.lot_id, 0.0) + line.quantity_product_uom
            of_move[line.lot_id] = quantity
        return lots

    @api.model
    def _take_back_after_sales_goods(self, goods, back, lots):
        """Let the moves ``back`` take from ``goods``; those that Odoo linked first."""
        alike = defaultdict(list)
        for move, out in goods.items():
            if move.sale_line_id:
                alike[move.sale_line_id, move.product_id].append(out)
        rest = []
        for move in back:
            own = goods.get(move.origin_returned_move_id)
            whole = move._get_after_sales_quantity()
            parts = [(lot, some) for lot, some in lots[move].items() if some]
            parts.append((None, whole - sum(some for _lot, some in parts)))
            for lot, some in parts:
                left = own.take_back(move, some, lot) if own else some
                rest.append((move, own, lot, left))
        for move, own, lot, some in rest:
            line = own.move.sale_line_id if own else move.sale_line_id
            others = alike[line, move.product_id]
            for out in sorted(others, key=lambda out, lot=lot: lot not in out.lots):
                if some <= 0:
                    break
                some = out.take_back(move, some, lot)
            if some > 0 and (own or others):
                (own or others[0]).count_back(move, some)
