from odoo import models
from odoo.fields import Domain


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_after_sales_balance(self):
        """``repairing``: what of a line is in a repair that is under way."""
        balance = super()._get_after_sales_balance()
        # All at once, wherever they are from.
        lines = self.with_prefetch()
        for repair, line in lines._get_repairs_under_way(balance).items():
            unit = line.product_id.uom_id
            balance[line]["repairing"] += unit._compute_quantity(
                repair.product_uom._compute_quantity(
                    repair.product_qty, unit, round=False
                ),
                line.product_uom_id,
                round=False,
            )
        return balance

    def _get_repairs_under_way(self, balance):
        """Return ``{repair: line}`` of the repairs that are neither done nor cancelled.

        A repair belongs to the line whose goods the return brought, else to the one
        that delivered its serial number, else to what the customer asked for, or to the
        order of the ticket.
        """
        if not self:
            return {}
        lots = [lot.id for figures in balance.values() for lot in figures["lots"]]
        ticket = "helpdesk_ticket_id"
        repairs = self.env["repair.order"].search(
            Domain("company_id", "in", self.company_id.ids)
            & Domain("product_id", "in", self.product_id.ids)
            & self.env["repair.order"]._after_sales_open_domain()
            & (
                Domain("picking_id.move_ids.sale_line_id", "in", self.ids)
                | Domain("lot_id", "in", lots)
                | Domain(f"{ticket}.line_ids.sale_line_id", "in", self.ids)
                | Domain(f"{ticket}.sale_order_id", "in", self.order_id.ids)
            )
        )
        same = self.grouped("product_id")
        found = {
            repair: repair._find_sale_line(same[repair.product_id], balance)
            for repair in repairs
        }
        return {repair: line for repair, line in found.items() if line}
