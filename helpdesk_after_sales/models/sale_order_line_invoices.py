from collections import defaultdict

from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_after_sales_invoice_balance(self):
        """Return ``{line: {invoiced, credited, instead, left_to_refund}}``, quantities
        in the unit of the line: the part of the balance that invoices know.

        ``credited`` are goods: an amount that was given for a line leaves its quantity.
        ``instead`` is what can't be refunded any more of what isn't credited, since the
        customer got something else for the money. Drafts count, as everywhere; only
        what is posted can be refunded.

        A fixed number of queries for any number of lines. Called with ``sudo()``.
        """
        sums = defaultdict(lambda: defaultdict(float))
        documents = self.invoice_lines.filtered(
            lambda line: line.parent_state != "cancel"
        )
        invoices = documents.filtered(
            lambda line: line.move_type == "out_invoice"
        ).move_id
        left = invoices._get_refund_left()
        notes = invoices.union(*(figures.notes for figures in left.values()))
        for document in documents:
            move = document.move_id
            for line in document.sale_line_ids & self:
                if move.move_type == "out_invoice":
                    figures = document._count_refund_left(left[move].lines[document])
                elif move.move_type == "out_refund" and move not in notes:
                    # Of several invoices, so that no one of them is less.
                    figures = {
                        "credited": document.quantity,
                        "left_to_refund": -document.quantity,
                    }
                else:
                    continue
                for name, quantity in figures.items():
                    sums[line][name] += document._convert_quantity(
                        quantity, line.product_uom_id
                    )
        names = ("invoiced", "credited", "instead", "left_to_refund")
        return {
            line: {name: max(sums[line][name], 0.0) for name in names} for line in self
        }

    def _get_after_sales_lowered(self):
        """Return the order lines that these lines, with a negative amount, lower: of a
        discount on some products, or free shipping. No record for what lowers the whole
        order; addons that know more extend it."""
        return self.browse()
