from collections import defaultdict

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date

#: of the balance
FIGURES = (
    "ordered",
    "delivered",
    "returned",
    "invoiced",
    "credited",
    "left_to_refund",
    "left_to_return",
)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _prepare_helpdesk_purchases(self):
        """Return ``{line: values}`` for the tab *Purchases* of a ticket (X6).

        Each value stands under the name of a column, see
        ``helpdesk.ticket._get_purchase_columns``. Quantities are in the unit of the
        line. A bridge extends the values of ``super()`` for all lines at once: the
        number of queries must not grow with the lines.

        ``documents`` holds, by column, ``(model, ids)`` of what the figures are from:
        those that the user may read become links.

        Called with ``sudo()``: only what is returned here reaches the agent.
        """
        # All lines at once: the moves below would only bring in those they lead to.
        self.mapped("order_id.name")
        balance = self._get_after_sales_balance()
        serials, delivered_on, transfers = self._get_helpdesk_transfers()
        invoices = self._get_helpdesk_invoices()
        warranties = self.filtered(delivered_on.get)._get_helpdesk_warranties()
        return {
            line: {
                "order": line.order_id.name,
                "order_id": line.order_id.id,
                "order_date": line.order_id.date_order,
                "product": line.product_id.display_name,
                "product_id": line.product_id.id,
                "unit": line.product_uom_id.name,
                **{name: balance[line][name] for name in FIGURES},
                "serials": ", ".join(dict.fromkeys(serials[line])),
                "delivered_on": delivered_on.get(line, False),
                "documents": {
                    "order": ("sale.order", line.order_id.ids),
                    "delivered": ("stock.picking", sorted(transfers[line, False])),
                    "returned": ("stock.picking", sorted(transfers[line, True])),
                    "invoiced": ("account.move", sorted(invoices[line, False])),
                    "credited": ("account.move", sorted(invoices[line, True])),
                },
                "warranty": warranties.get(line, ""),
            }
            for line in self
        }

    def _get_helpdesk_transfers(self):
        """Return, per line: serials, last delivery; and the ids of transfers by
        ``(line, whether it is a return)``."""
        serials = defaultdict(list)
        delivered_on, pickings = {}, defaultdict(set)
        done = Domain("sale_line_id", "in", self.ids) & Domain("state", "=", "done")
        moves = self.env["stock.move"].search_fetch(
            done,
            ["sale_line_id", "date", "picking_id"],
        )
        moves.location_id.fetch(["usage"])
        moves.location_dest_id.fetch(["usage"])
        for move in moves:
            line = move.sale_line_id
            if move.location_dest_id.usage == "customer":
                pickings[line, False].update(move.picking_id.ids)
                delivered_on[line] = max(delivered_on.get(line, move.date), move.date)
            elif move.location_id.usage == "customer":
                pickings[line, True].update(move.picking_id.ids)
        for move, lot in self.env["stock.move.line"]._read_group(
            Domain("move_id", "in", moves.ids)
            & Domain("lot_id", "!=", False)
            & Domain("location_dest_id.usage", "=", "customer"),
            ["move_id", "lot_id"],
        ):
            serials[move.sale_line_id].append(lot.name)
        return serials, delivered_on, pickings

    def _get_helpdesk_warranties(self):
        """Return ``{line: text}``: until when a line that was delivered is under
        warranty. Pieces of several days have a first and a last day."""
        days = defaultdict(set)
        for move in self.env["stock.move"].search(
            Domain("sale_line_id", "in", self.ids) & Domain("warranty_end", "!=", False)
        ):
            line = move.sale_line_id
            corrected = move.move_line_ids.lot_id.filtered("helpdesk_warranty_reason")
            if move.product_id != line.product_id:
                days[line].add(move.helpdesk_kit_warranty_end)
            else:
                pieces = corrected or move
                days[line].update(pieces.mapped("warranty_end"))
        texts = {}
        for line in self:
            known = sorted(filter(None, days[line]))
            texts[line] = " – ".join(
                format_date(self.env, day)
                for day in dict.fromkeys(known[:1] + known[-1:])
            )
            product = line.product_id.with_company(line.company_id)
            if not known and product.warranty_duration:
                texts[line] = self.env._("Unknown")
        return texts

    def _get_helpdesk_invoices(self):
        """Return the ids of invoices by ``(line, whether it is a credit note)``. Drafts
        count, as in what is left to refund (X1)."""
        invoices = defaultdict(set)
        for invoiced in self.invoice_lines.filtered(
            lambda line: line.parent_state != "cancel"
        ):
            for line in invoiced.sale_line_ids & self:
                is_refund = invoiced.move_type == "out_refund"
                invoices[line, is_refund].add(invoiced.move_id.id)
        return invoices
