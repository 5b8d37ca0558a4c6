import math
from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

LINE_FIELDS = (
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "qty_delivered",
    "qty_delivered_method",
    "qty_invoiced",
)
GOODS = ("delivered", "returning", "returned", "left_to_return")


class SaleOrderLine(models.Model):
    """The balance: the one place that counts what became of a purchase (X31)."""

    _inherit = "sale.order.line"

    def _get_after_sales_balance(self):
        """Return ``{line: balance}``: what became of these order lines, however it was
        made, in the unit of the line.

        ``ordered``; ``delivered`` (all that went out, replacements too), ``returning``
        (on open returns), ``returned``, ``accepted`` (what of it is to be paid back,
        after the warehouse has looked at it), ``left_to_return``; ``replaced`` (sent in
        exchange, or about to be); ``repairing``; ``invoiced``, ``credited``,
        ``instead`` (given instead of money), ``left_to_refund``.

        Of a kit whole ones count: ``parts`` is ``{component: quantity per unit of the
        line}``, in the unit of the component. ``lots`` is ``{lot: {delivered,
        returning and returned, left_to_return}}`` in the unit of the lot's product.

        Drafts count, what was cancelled doesn't. A fixed number of queries for any
        number of lines; bridges add theirs to the result of ``super()``. Called with
        ``sudo()``: only figures of it reach the reader, after a check.
        """
        # All at once, wherever they are from: lines of several orders, and the moves
        # below, would only bring in those they lead to.
        lines = self.with_prefetch()
        lines.fetch(LINE_FIELDS)
        goods = lines._get_after_sales_goods_balance()
        invoices = lines._get_after_sales_invoice_balance()
        return {
            line: {
                "ordered": line.product_uom_qty,
                "repairing": 0.0,
                "accepted": goods[line]["returned"],
                **goods[line],
                **invoices[line],
            }
            for line in lines
        }

    # -- Goods ---------------------------------------------------------------

    def _get_after_sales_goods_balance(self):
        """Return ``{line: {delivered, returning, returned, left_to_return, replaced,
        lots, parts}}``, see :meth:`_get_after_sales_balance`."""
        moves = self.env["stock.move"]._search_after_sales_moves(
            Domain("sale_line_id", "in", self.ids)
        )
        goods = defaultdict(list)
        for out in moves._get_after_sales_goods().values():
            goods[out.move.sale_line_id].append(out)
        moves = moves.grouped("sale_line_id")
        nothing = self.env["stock.move"]
        return {
            line: line._count_after_sales_goods(moves.get(line, nothing), goods[line])
            if line.qty_delivered_method == "stock_move"
            else line._count_after_sales_service()
            for line in self
        }

    def _count_after_sales_service(self):
        """Return the figures of a line that no transfer delivers."""
        return {
            **dict.fromkeys((*GOODS, "replaced"), 0.0),
            "delivered": self.qty_delivered,
            "lots": {},
            "parts": {},
        }

    def _count_after_sales_goods(self, moves, goods):
        """Return the figures of one line.

        :param moves: all its moves
        :param goods: list of ``GoodsOut``
        """
        sums = {name: defaultdict(float) for name in (*GOODS, "replaced")}
        lots = {}
        for out in goods:
            product = out.move.product_id
            sums["delivered"][product] += out.delivered
            sums["returning"][product] += out.returning
            sums["returned"][product] += out.returned
            sums["left_to_return"][product] += out.left
            for lot, left in out.get_lots_left().items():
                figures = lots.setdefault(
                    lot, {"delivered": 0.0, "left_to_return": 0.0}
                )
                figures["delivered"] += out.lots[lot]
                figures["left_to_return"] += left
        elsewhere = self._get_after_sales_elsewhere(moves)
        sums["delivered"][self.product_id] += max(elsewhere, 0.0)
        demand = self._get_after_sales_demand(moves)
        parts = self._get_after_sales_parts(demand)
        for product, figures in demand.items():
            sums["replaced"][product] = figures["replaced"]
            if product == self.product_id:
                # What goes out beyond the order, for what comes back, is in exchange
                # for it: Odoo's own button leaves no other trace.
                back = sums["returning"][product] + sums["returned"][product]
                beyond = figures["sold"] - self.product_uom_id._compute_quantity(
                    self.product_uom_qty, product.uom_id, round=False
                )
                sums["replaced"][product] += max(
                    min(beyond, back - figures["replaced"]), 0.0
                )
        count = self._count_after_sales_kits if parts else self._count_after_sales_units
        result = {name: count(quantities, parts) for name, quantities in sums.items()}
        return result | {"lots": lots, "parts": parts}

    def _get_after_sales_elsewhere(self, moves):
        """Return what Odoo counts as delivered besides the moves of this line, in the
        unit of the product: what was handed over in a Point of Sale. Negative: what
        came back there (goods A8).

        :param moves: all moves of the line
        """
        moves = moves.filtered(
            lambda move: move.state == "done" and move.product_id == self.product_id
        )
        if not moves or self.qty_delivered_method != "stock_move":
            return 0.0
        unit, counted = self.product_uom_id, 0.0
        for move in moves:
            direction = move._get_after_sales_direction()
            # Move by move, rounded, as the order counts it.
            quantity = move.product_uom._compute_quantity(
                move.quantity, unit, rounding_method="HALF-UP"
            )
            if direction == "out" and (
                not move.origin_returned_move_id or move.to_refund
            ):
                counted += quantity if move._is_after_sales_counted() else 0.0
            elif direction == "back" and move.to_refund:
                counted -= quantity
        if not unit.compare(counted, self.qty_delivered):
            return 0.0
        return unit._compute_quantity(
            self.qty_delivered - counted, self.product_id.uom_id, round=False
        )

    def _count_after_sales(self, moves, parts, quantities=None):
        """Return how much of this line ``moves`` carry, in its unit.

        :param parts: see :meth:`_get_after_sales_parts`
        :param quantities: ``{move: quantity}`` that counts instead of what it carries,
            in the unit of the product
        """
        total = defaultdict(float)
        for move in moves:
            if move.sale_line_id == self:
                total[move.product_id] += (
                    move._get_after_sales_quantity()
                    if quantities is None
                    else quantities[move]
                )
        count = self._count_after_sales_kits if parts else self._count_after_sales_units
        return count(total, parts)

    def _count_after_sales_units(self, quantities, _parts):
        return self.product_id.uom_id._compute_quantity(
            quantities[self.product_id], self.product_uom_id, round=False
        )

    def _count_after_sales_kits(self, quantities, parts):
        """Return how many whole kits ``{component: quantity}`` makes, in the unit of
        the line. A kit is whole in the unit of its product: a dozen may be broken."""
        unit = self.product_id.uom_id
        per_kit = self.product_uom_id._compute_quantity(1, unit, round=False)
        kits = min(quantities[part] / (some / per_kit) for part, some in parts.items())
        return unit._compute_quantity(
            math.floor(kits + 1e-6), self.product_uom_id, round=False
        )

    @api.model
    def _get_after_sales_demand(self, moves):
        """Return ``{product: {sold, cancelled, replaced, last}}``, in the unit of the
        product: what was to go to the customer.

        Of several steps the one that still carries the goods counts. What the order
        took back by itself, when it was lowered, is taken off. ``last`` tells whether
        the order asked for the product again after something was cancelled.
        """
        demand = defaultdict(
            lambda: {"sold": 0.0, "cancelled": 0.0, "replaced": 0.0, "last": True}
        )
        for move in moves.sorted("id"):
            figures = demand[move.product_id]
            direction = move._get_after_sales_direction()
            if not direction and not move._is_after_sales_last_step():
                continue
            wanted = move._get_after_sales_in_unit(move.product_uom_qty)
            if direction == "back":
                if not move.origin_returned_move_id and move.state != "cancel":
                    figures["sold"] -= wanted
                continue
            if move.origin_returned_move_id:
                continue  # given back
            if move._is_after_sales_replacement():
                if move.state != "cancel":
                    figures["replaced"] += move._get_after_sales_quantity()
            elif move.state == "cancel":
                figures["cancelled"] += wanted
                figures["last"] = False
            else:
                figures["sold"] += wanted
                figures["last"] = True
        return demand

    def _get_after_sales_parts_by_line(self, moves):
        """Return ``{line: parts}``, see :meth:`_get_after_sales_parts`.

        :param moves: all moves of these lines
        """
        moves, nothing = moves.grouped("sale_line_id"), moves.browse()
        return {
            line: line._get_after_sales_parts(
                self._get_after_sales_demand(moves.get(line, nothing))
            )
            for line in self
        }

    def _get_after_sales_parts(self, demand):
        """Return ``{component: quantity per unit of the line}`` of a kit, in the unit
        of the component; ``{}`` for other products (X14).

        A kit is known by its moves being of other products than the order line: what
        bills of materials said when it was sold, whatever application has them, is in
        the demand of its moves.
        """
        ordered = self.product_uom_qty
        if self.product_id in demand or ordered <= 0:
            return {}
        parts = {}
        for product, figures in demand.items():
            sold = figures["sold"]
            if not figures["last"]:
                # The rest isn't wanted any more; the order still tells all.
                sold += figures["cancelled"]
            if product.uom_id.compare(sold, 0) > 0:
                parts[product] = sold / ordered
        return parts

    # -- Money ---------------------------------------------------------------

    def _get_after_sales_worth(self, quantity):
        """Return what ``quantity`` of this line, in its unit, was sold for: with taxes,
        in company currency."""
        self.ensure_one()
        price = self.price_total / (self.product_uom_qty or 1.0)
        return self.currency_id._convert(
            price * quantity, self.company_id.currency_id, self.company_id
        )
