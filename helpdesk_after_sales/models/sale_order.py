from odoo import api, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["helpdesk.after.sales.purchase", "sale.order"]

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("partner_id.commercial_partner_id", "=", customer.id)
            & Domain("state", "=", "sale")
        )
        if sale_order:
            domain &= Domain("id", "=", sale_order.id)
        if product:
            # The components of a kit stand on the moves only.
            domain &= Domain("order_line.product_id", "=", product.id) | Domain(
                "order_line.move_ids.product_id", "=", product.id
            )
        if lot:
            domain &= Domain("order_line.move_ids.move_line_ids.lot_id", "=", lot.id)
        return domain
