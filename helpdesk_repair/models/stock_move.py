from odoo import models


class StockMove(models.Model):
    """The parts of a repair."""

    _name = "stock.move"
    _inherit = ["helpdesk.readable.mixin", "stock.move"]
    _helpdesk_ticket_path = "repair_id.helpdesk_ticket_id"

    def _get_left_of_return(self):
        """Return ``{move: quantity}``, in the unit of the move: what these returns
        brought, less what goes out again or did. Never negative."""
        return {
            move: max(
                move.quantity
                - sum(
                    again.product_uom._compute_quantity(
                        again.quantity
                        if again.state == "done"
                        else again.product_uom_qty,
                        move.product_uom,
                        round=False,
                    )
                    for again in move.returned_move_ids
                    if again.state != "cancel"
                ),
                0,
            )
            for move in self
        }

    def _update_reserved_quantity_vals(
        self,
        need,
        location_id,
        lot_id=None,
        package_id=None,
        owner_id=None,
        strict=True,
    ):
        """What goes back is the piece that was repaired, also when Odoo reserves once
        more because that was moved meanwhile."""
        if not lot_id:
            lot_id = self._get_repaired_lot()
        return super()._update_reserved_quantity_vals(
            need, location_id, lot_id, package_id, owner_id, strict
        )

    def _get_repaired_lot(self):
        """Return the lot that this move gives back, or ``None``."""
        if self.product_id.tracking == "none" or self.picking_code != "outgoing":
            return None
        # sudo: which piece it is; who reserves stock need not see repairs.
        lots = self.sudo().picking_id.helpdesk_repair_ids.lot_id.filtered(
            lambda lot: lot.product_id == self.product_id
        )
        return lots.sudo(self.env.su)[:1] or None
