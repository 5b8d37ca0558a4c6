from odoo import fields, models
from odoo.fields import Domain


class HelpdeskAfterSalesStep(models.Model):
    """A replacement for what has arrived and was accepted (X18)."""

    _inherit = "helpdesk.after.sales.step"

    service = fields.Selection(
        selection_add=[("replacement", "Replacement")],
        ondelete={"replacement": "cascade"},
    )

    def _perform(self):
        if self.service != "replacement":
            return super()._perform()
        self.ticket_id._check_after_sales("use_product_returns")
        # sudo: the planner may work on the ticket; agents have no right to Inventory,
        # and exactly what was accepted is sent once more.
        back = self.env["stock.picking"].sudo().browse(self.sudo().res_id)
        return back._send_replacement()


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _get_accepted_purchases(self):
        """What of this return was accepted. Called with ``sudo()``."""
        moves = self._get_process_moves()
        accepted = self.env["helpdesk.return.decision"]._get_accepted_by_move(moves)
        lines = moves.sale_line_id
        parts = lines._get_after_sales_parts_by_line(
            self.env["stock.move"]._search_after_sales_moves(
                Domain("sale_line_id", "in", lines.ids)
            )
        )
        return super()._get_accepted_purchases() | {
            line: line._count_after_sales(moves, parts[line], accepted)
            for line in lines
        }

    def _send_replacement(self):
        """Send once more what this return brought and was accepted; returns the
        transfer, or no record. Called with ``sudo()``."""
        self.ensure_one()
        moves = self._get_process_moves()
        accepted = self.env["helpdesk.return.decision"]._get_accepted_by_move(moves)
        native = self.env["stock.return.picking"].create(
            {
                "picking_id": self.return_id.id,
                "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                "helpdesk_reason_id": self.helpdesk_reason_id.id,
            }
        )
        for line in native.product_return_moves:
            mine = moves.filtered(
                lambda move, line=line: move.origin_returned_move_id == line.move_id
            )
            quantity = sum(accepted[move] for move in mine)
            line.quantity = line.move_id._get_after_sales_rounded(quantity)
        lines = native.product_return_moves.filtered("quantity")
        on_ticket = Domain("helpdesk_ticket_id", "=", self.helpdesk_ticket_id.id)
        before = self.env["stock.move"].search(on_ticket)
        native._send_once_more(lines)
        made = self.env["stock.move"].search(
            on_ticket & Domain("id", "not in", before.ids)
        )
        return made.picking_id[:1]
