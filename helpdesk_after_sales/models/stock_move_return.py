from odoo import models


class StockMove(models.Model):
    """What every addon needs that lets Odoo return a delivery, or a return."""

    _inherit = "stock.move"

    # -- Returns that are open ---------------------------------------------------

    def _do_unreserve(self):
        """Odoo frees what the open returns of a move hold when another one is made. The
        lots that were chosen for them would be lost (goods A1)."""
        held = self.env.context.get("helpdesk_held_move_ids")
        if held:
            return super(
                StockMove, self.filtered(lambda move: move.id not in held)
            )._do_unreserve()
        return super()._do_unreserve()

    # -- What comes back of lots (X3) ---------------------------------------------

    def _plan_return_operations(self, lots, moves_back):
        """Return the values of the operations that bring back these lots of a delivery.

        Each comes as it was delivered: with its owner, and out of its package (A2). For
        ``stock.return.picking.line.helpdesk_operations``.

        :param lots: ``[(lot, quantity)]``, in the unit of the product
        :param moves_back: the moves that bring something of this one back already
        """
        self.ensure_one()

        def key(line, package):
            return line.lot_id, line.owner_id, package

        back = {}
        for line in moves_back.move_line_ids:
            at = key(line, line.package_id)
            back[at] = back.get(at, 0.0) + line.quantity_product_uom
        plan = []
        for lot, wanted in lots:
            for line in self.move_line_ids.filtered(
                lambda li, lot=lot: li.lot_id == lot
            ):
                at = key(line, line.result_package_id)
                gone = min(back.get(at, 0.0), line.quantity_product_uom)
                part = min(wanted, line.quantity_product_uom - gone)
                if gone:
                    back[at] -= gone
                if self.product_id.uom_id.compare(part, 0) <= 0:
                    continue
                wanted -= part
                plan.append(
                    {
                        "lot_id": lot.id,
                        "quantity": part,
                        "owner_id": line.owner_id.id,
                        "package_id": line.result_package_id.id,
                        "location_id": line.location_dest_id.id,
                    }
                )
            if plan and self.product_id.uom_id.compare(wanted, 0) > 0:
                plan[-1]["quantity"] += wanted
        return plan
