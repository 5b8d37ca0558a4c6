from collections import defaultdict

from odoo import models
from odoo.fields import Domain


class SaleOrderLine(models.Model):
    """What was sent though nothing comes back (X23): the order doesn't count it."""

    _inherit = "sale.order.line"

    def _get_outgoing_incoming_moves(self, strict=True):
        """What is sent for nothing is neither delivered, nor what was ordered."""
        out, back = super()._get_outgoing_incoming_moves(strict=strict)
        return out.filtered(lambda move: not move.helpdesk_without_return), back

    def _get_after_sales_replaceable(self):
        """Return ``{line: {left, lots, parts, parts_left}}``: what of these lines can
        still be replaced though nothing comes back: what was delivered, less what came
        back or is on its way, less what was sent for it already.

        ``left`` in the unit of the line, ``lots`` as ``{lot: quantity}``, of a kit
        ``parts_left`` as ``{component: quantity}`` in the unit of the component.
        Another product counts for as many pieces. A fixed number of queries. Called
        with ``sudo()``.
        """
        moves = self.env["stock.move"]._search_after_sales_moves(
            Domain("sale_line_id", "in", self.ids)
        )
        goods = defaultdict(list)
        for move, out in moves._get_after_sales_goods().items():
            if not move.helpdesk_without_return:
                goods[move.sale_line_id].append(out)
        parts = self._get_after_sales_parts_by_line(moves)
        free = moves.filtered(
            lambda move: (
                move.helpdesk_without_return
                and move.state != "cancel"
                and move._is_after_sales_last_step()
                and move._get_after_sales_direction() != "back"
            )
        )
        # What a supplier is to send has no move yet.
        sent = self.env["stock.reference"]._get_helpdesk_bought(self)
        for move in free:
            sent[move.sale_line_id].append(
                (
                    move.product_id,
                    move._get_after_sales_quantity(),
                    move.helpdesk_replaced_lot_id,
                )
            )
        return {
            line: line._count_after_sales_replaceable(
                goods[line], sent[line], parts[line]
            )
            for line in self
        }

    def _count_after_sales_replaceable(self, goods, sent, parts):
        """Return the figures of one line, see :meth:`_get_after_sales_replaceable`.

        :param goods: list of ``GoodsOut`` of what was sold
        :param sent: ``[(product, quantity, lot)]`` of what was sent for nothing
        """
        left, lots = defaultdict(float), defaultdict(float)
        for out in goods:
            left[out.move.product_id] += out.left
            for lot, some in out.get_lots_left(positive=True).items():
                lots[lot] += some
        for product, some, lot in sent:
            if product == self.product_id or product in parts:
                left[product] -= some
            else:
                some = self._convert_after_sales_replaced(product, some)
                left[self.product_id] -= some
                in_unit = self.product_id.uom_id._compute_quantity(
                    some, self.product_uom_id, round=False
                )
                for part, per_unit in parts.items():
                    left[part] -= in_unit * per_unit
            lots[lot] -= some
        count = self._count_after_sales_kits if parts else self._count_after_sales_units
        return {
            "left": max(count(left, parts), 0.0),
            "lots": {lot: some for lot, some in lots.items() if lot and some > 0},
            "parts": parts,
            "parts_left": {product: max(left[product], 0.0) for product in parts},
        }

    def _convert_after_sales_replaced(self, product, quantity):
        """Return for how much of this line another product counts, in the unit of the
        line's product.

        :param quantity: in the unit of ``product``
        """
        mine, other = self.product_id.uom_id, product.uom_id
        if mine._has_common_reference(other):
            return other._compute_quantity(quantity, mine, round=False)
        return quantity
