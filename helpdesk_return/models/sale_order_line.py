from odoo import models
from odoo.fields import Domain


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_after_sales_balance(self):
        """``accepted``: less what the warehouse didn't accept, or in part (X17)."""
        balance = super()._get_after_sales_balance()
        decisions = self.env["helpdesk.return.decision"].search_fetch(
            Domain("move_id.sale_line_id", "in", self.ids)
            & Domain("kind", "!=", "missing"),
            ["move_id", "kind", "quantity", "refund_percent"],
        )
        # What is still to be processed counts in full: nobody has said otherwise.
        moves = decisions.move_id.filtered(lambda move: move.state == "done")
        accepted = decisions._get_accepted_by_move(moves) if moves else {}
        for line, back in moves.grouped("sale_line_id").items():
            figures = balance[line]
            refused = line._count_after_sales(back, figures["parts"])
            refused -= line._count_after_sales(back, figures["parts"], accepted)
            figures["accepted"] = max(figures["accepted"] - refused, 0.0)
        return balance

    def _get_returnable_deliveries(self):
        """Return ``{delivery: quantity}``, oldest first: how much of this line, in its
        unit, one return of that delivery can take. Of a kit (X14) whole ones count."""
        self.ensure_one()
        unit = self.product_id.uom_id
        pickings = self.move_ids.picking_id
        deliveries = {}
        for picking, balance in pickings._get_delivery_balances().items():
            goods = balance.of_line(self)
            if not goods:
                continue
            if self in balance.kits:
                left = balance.count_kits(self, lambda out: out.left)
            else:
                left = sum(
                    out.left for out in goods if out.move.product_id == self.product_id
                )
            deliveries[picking] = unit._compute_quantity(
                left, self.product_uom_id, rounding_method="DOWN"
            )
        return dict(sorted(deliveries.items(), key=lambda item: item[0].date_done))
