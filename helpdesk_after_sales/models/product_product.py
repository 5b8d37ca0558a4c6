from odoo import api, models
from odoo.fields import Domain


class ProductProduct(models.Model):
    _name = "product.product"
    _inherit = [
        "helpdesk.after.sales.purchase",
        "helpdesk.failing.mixin",
        "helpdesk.figures.mixin",
        "product.product",
    ]
    _helpdesk_figures_field = "product_id"
    _helpdesk_failing_field = "product_id"

    def _get_failing_product(self):
        return self

    def _prepare_helpdesk_ticket_values(self):
        return {"product_id": self.id}

    @api.model
    def _search_purchases(self, name, limit, scope, chosen):
        """As the mixin; with ``others``, products that were not bought here come after
        what was (goods B6)."""
        found = super()._search_purchases(name, limit, scope, chosen)
        if not chosen.get("others") or (found and not name) or len(found) >= limit:
            return found
        offered = Domain("id", "not in", [product_id for product_id, _name in found])
        # A branch sells the products of its head office, too.
        offered &= Domain(self._check_company_domain(self.env.companies))
        # With the user's own rights: these are the products of the catalogue.
        return found + self.name_search(name, offered, "ilike", limit - len(found))

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Ordered, delivered or invoiced: goods without an order count, too."""
        bought = Domain.FALSE
        for lines, domain in self._get_purchase_lines(company, customer, sale_order):
            domain &= Domain("product_id", "!=", False)
            lines = lines._search(domain)
            bought |= Domain("id", "in", lines.subselect("product_id"))
        if product:
            bought &= Domain("id", "=", product.id)
        if lot:
            bought &= Domain("id", "=", lot.product_id.id)
        return bought

    def _is_purchased(self, company, customer, sale_order, product, lot):
        """The first line that has it is enough."""
        if (product and product != self) or (lot and lot.product_id != self):
            return False
        itself = Domain("product_id", "=", self.id)
        return any(
            lines.search_count(domain & itself, limit=1)
            for lines, domain in self._get_purchase_lines(company, customer, sale_order)
        )

    @api.model
    def _get_purchase_lines(self, company, customer, sale_order):
        """Yield ``(model, domain)`` of the lines with what the customer bought."""
        anything = (self.env["product.product"], self.env["stock.lot"])
        for model, parent in (
            ("sale.order.line", "order_id"),
            ("stock.move", "picking_id"),
            ("account.move.line", "move_id"),
        ):
            # sudo: only ids of products leave, and the caller has checked the customer.
            lines = self.env[model].sudo()
            documents = self.env[lines._fields[parent].comodel_name]
            yield (
                lines,
                Domain(
                    parent,
                    "any!",
                    documents._get_purchase_domain(
                        company, customer, sale_order, *anything
                    ),
                ),
            )
