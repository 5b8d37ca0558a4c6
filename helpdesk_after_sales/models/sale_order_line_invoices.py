from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_after_sales_invoice_balance(self):
        """Return ``{line: {invoiced, credited, instead, left_to_refund}}``, quantities
        in the unit of the line: the part of the balance that invoices know.

        A fixed number of queries for any number of lines. Called with ``sudo()``.
        """
        credited, _invoices = self._get_helpdesk_invoices()
        return {
            line: {
                "invoiced": line.qty_invoiced + credited[line],
                "credited": credited[line],
                "instead": 0.0,
                "left_to_refund": line.qty_invoiced,
            }
            for line in self
        }
