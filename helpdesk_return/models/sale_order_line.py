from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

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
