from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class StockMove(models.Model):
    _inherit = "stock.move"

    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        string="Return Reason",
        index="btree_not_null",
        copy=False,
        help="Why the customer sends this product back.",
    )
    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        for move in self:
            move.helpdesk_readable = move.picking_id.helpdesk_readable

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "picking_id.helpdesk_ticket_id", operator, value
        )

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

    def _get_lots_on_returns(self):
        """Return ``{lot: return}`` of serial numbers that are on a return of these
        deliveries already."""
        lines = self.env["stock.move.line"].search(
            Domain("move_id.origin_returned_move_id", "in", self.ids)
            & Domain("state", "!=", "cancel")
            & Domain("lot_id", "!=", False)
        )
        return {line.lot_id: line.picking_id for line in lines}
