from odoo import api, models
from odoo.fields import Domain


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = ["helpdesk.after.sales.purchase", "product.product"]

    def _prepare_helpdesk_ticket_values(self):
        return {"product_id": self.id}

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Ordered, delivered or invoiced: goods without an order count, too."""
        anything = (self.env["product.product"], self.env["stock.lot"])
        bought = Domain.FALSE
        for model, parent in (
            ("sale.order.line", "order_id"),
            ("stock.move", "picking_id"),
            ("account.move.line", "move_id"),
        ):
            documents = self.env[self.env[model]._fields[parent].comodel_name]
            domain = documents._get_purchase_domain(
                company, customer, sale_order, *anything
            )
            # sudo: only ids of products leave, and the caller has checked the customer.
            lines = (
                self.env[model]
                .sudo()
                ._search(
                    Domain("product_id", "!=", False) & Domain(parent, "any!", domain)
                )
            )
            bought |= Domain("id", "in", lines.subselect("product_id"))
        if product:
            bought &= Domain("id", "=", product.id)
        if lot:
            bought &= Domain("id", "=", lot.product_id.id)
        return bought
