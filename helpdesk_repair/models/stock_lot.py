from odoo import api, models
from odoo.fields import Domain


class StockLot(models.Model):
    _inherit = "stock.lot"

    @api.model
    def _get_offered_domain(self, scope, chosen):
        """With ``returned``: what came from the customer as well, wherever it was
        bought (X22)."""
        domain = super()._get_offered_domain(scope, chosen)
        if domain.is_false() or not chosen.get("returned"):
            return domain
        return domain | self._get_customer_returns_domain(
            scope["company"], scope["customer"], scope["product"]
        )

    @api.model
    def _get_customer_returns_domain(self, company, customer, product):
        """Return the domain of the lots that came back from a commercial customer, of
        one product if it is given."""
        pickings = self.env["stock.picking"]._get_customer_returns_domain(
            company, customer, self.env["product.product"]
        )
        came = Domain("state", "=", "done") & Domain("lot_id", "!=", False)
        if product:
            came &= Domain("product_id", "=", product.id)
        # sudo: only ids of lots leave, and the caller has checked the customer.
        lines = self.env["stock.move.line"].sudo()
        lines = lines._search(came & Domain("picking_id", "any!", pickings))
        return Domain("id", "in", lines.subselect("lot_id"))
