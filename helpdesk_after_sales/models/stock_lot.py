from odoo import api, models
from odoo.fields import Domain


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = ["helpdesk.after.sales.purchase", "stock.lot"]

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        deliveries = self.env["stock.picking"]._get_purchase_domain(
            company, customer, sale_order, self.env["product.product"], self
        )
        delivered = Domain("lot_id", "!=", False) & Domain(
            "picking_id", "any!", deliveries
        )
        if product:
            delivered &= Domain("product_id", "=", product.id)
        # sudo: only ids of lots leave, and the caller has checked the customer.
        lines = self.env["stock.move.line"].sudo()._search(delivered)
        domain = Domain("id", "in", lines.subselect("lot_id"))
        if lot:
            domain &= Domain("id", "=", lot.id)
        return domain
