from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        result = super()._action_done()
        done = self.filtered(lambda picking: picking.state == "done")
        # sudo: who ships need not see repairs; their tickets hear.
        repairs = (
            self.env["repair.order"]
            .sudo()
            .search(Domain("helpdesk_delivery_id", "in", done.ids))
        )
        repairs._after_sales_tell_ticket(
            {
                repair: self.env._(
                    "%(product)s was sent back to the customer on %(date)s.",
                    product=repair.product_id.display_name,
                    date=format_date(self.env, repair.helpdesk_delivery_id.date_done),
                )
                for repair in repairs
            }
        )
        return result

    @api.model
    def _get_scope_domain(self, scope):
        """With ``returned`` in the scope: what came back, not what was sent."""
        domain = super()._get_scope_domain(scope)
        if domain.is_false() or not scope.get("returned"):
            return domain
        product = scope.get("product_id")
        return self._get_customer_returns_domain(
            self.env["res.company"].browse(scope["company_id"]),
            self.env["res.partner"].browse(scope["partner_id"]),
            self.env["product.product"].browse(product if type(product) is int else ()),
        )

    @api.model
    def _get_customer_returns_domain(self, company, customer, product):
        """Return the domain of the returns of a commercial customer, with a product if
        one is given (S86)."""
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("return_id", "!=", False)
            & Domain("location_id.usage", "=", "customer")
            & Domain("state", "!=", "cancel")
            & Domain("partner_id.commercial_partner_id", "=", customer.id)
        )
        if product:
            domain &= Domain("move_ids.product_id", "=", product.id)
        return domain
