from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_returnable_deliveries(self):
        """Return ``{delivery: quantity}``: how much of this line, in its unit, one
        return of that delivery can take. Of a kit (X14) whole ones count."""
        self.ensure_one()
        sent = self.move_ids.filtered(
            lambda move: (
                move.state == "done" and move.location_dest_id.usage == "customer"
            )
        )
        deliveries = {}
        for picking, moves in sent.grouped("picking_id").items():
            left = moves._sum_by_product(moves._get_left_to_return())
            if parts := picking._get_kits().get(self):
                deliveries[picking] = moves._count_kits(parts, left)
            else:
                deliveries[picking] = self.product_id.uom_id._compute_quantity(
                    left[self.product_id], self.product_uom_id, rounding_method="DOWN"
                )
        return deliveries
