import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class StockMove(models.Model):
    _name = "stock.move"
    _inherit = ["helpdesk.readable.mixin", "stock.move"]
    _helpdesk_ticket_path = "picking_id.helpdesk_ticket_id"

    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        string="Return Reason",
        index="btree_not_null",
        copy=False,
        help="Why the customer sends this product back.",
    )

    def _restarts_warranty(self):
        # sudo: the setting of the team whose ticket the replacement is for.
        team = self.picking_id.sudo().helpdesk_ticket_id.team_id
        return team.warranty_restarts or super()._restarts_warranty()

    def _get_returned_quantities(self):
        """Return ``{move: quantity}``, in the unit of the move: what was sent back of
        these deliveries, or is on its way. Cancelled returns don't count (S70)."""
        returned = defaultdict(float)
        back = self.search(
            Domain("origin_returned_move_id", "in", self.ids)
            & Domain("state", "!=", "cancel")
        )
        for move in back:
            origin = move.origin_returned_move_id
            quantity = move.quantity if move.state == "done" else move.product_uom_qty
            returned[origin] += move.product_uom._compute_quantity(
                quantity, origin.product_uom, round=False
            )
        return returned

    def _get_left_to_return(self, returned=None):
        """Return ``{move: quantity}``, in the unit of the move, never negative: what
        was delivered less what is on returns (S70).

        :param returned: of :meth:`_get_returned_quantities`, if that is known
        """
        if returned is None:
            returned = self._get_returned_quantities()
        return {
            move: max(move.product_uom.round(move.quantity - returned[move]), 0)
            for move in self
        }

    def _get_lots_left(self):
        """Return ``({move: {lot: quantity}}, {(move, lot): returns})``.

        The first are the lots of these deliveries with what of each isn't on a return,
        in the unit of the product; the second the returns that each lot is on.
        """
        left = defaultdict(dict)
        tracked = self.filtered(lambda move: move.has_tracking != "none")
        for line in tracked.move_line_ids:
            if line.lot_id:
                lots = left[line.move_id]
                quantity = lots.get(line.lot_id, 0) + line.quantity_product_uom
                lots[line.lot_id] = quantity
        returns = defaultdict(self.env["stock.picking"].browse)
        back = tracked and tracked.move_line_ids.search(
            Domain("move_id.origin_returned_move_id", "in", tracked.ids)
            & Domain("state", "!=", "cancel")
            & Domain("lot_id", "!=", False)
        )
        for line in back:
            move = line.move_id.origin_returned_move_id
            if line.lot_id in left[move]:
                left[move][line.lot_id] -= line.quantity_product_uom
            returns[move, line.lot_id] += line.picking_id
        return left, returns

    def _sum_by_product(self, quantities):
        """Return ``{product: quantity}``, in the unit of the product, of ``{move:
        quantity}`` in the unit of the move."""
        total = defaultdict(float)
        for move in self:
            total[move.product_id] += move.product_uom._compute_quantity(
                quantities[move], move.product_id.uom_id, round=False
            )
        return total

    @api.model
    def _count_kits(self, parts, quantities):
        """Return how many whole kits ``{component: quantity}`` makes.

        :param parts: ``{component: quantity per kit}``
        """
        return math.floor(
            min(quantities[product] / part for product, part in parts.items()) + 1e-6
        )
