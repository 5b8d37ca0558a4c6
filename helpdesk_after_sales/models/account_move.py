from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date, formatLang


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = [
        "helpdesk.named.mixin",
        "helpdesk.after.sales.purchase",
        "account.move",
    ]

    # Agents see the numbers of their customers' invoices, and nothing more.
    _telling_context = ("name_as_amount_total", "input_full_display_name")

    @api.depends_context(*_telling_context)
    def _compute_display_name(self):
        return super()._compute_display_name()

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Posted invoices: what isn't posted can't be refunded (S17). Those of the
        customer's orders are among them, whoever they were billed to."""
        posted = (
            Domain("company_id", "=", company.id)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
        )
        lines = "invoice_line_ids.sale_line_ids"
        own = Domain("commercial_partner_id", "=", customer.id)
        ordered = Domain(
            f"{lines}.order_id.partner_id.commercial_partner_id", "=", customer.id
        )
        if sale_order:
            posted &= Domain(f"{lines}.order_id", "=", sale_order.id)
        # sudo: the customer of an order that was chosen is compared.
        if sale_order.sudo().partner_id.commercial_partner_id == customer:
            domain = posted
        else:
            # Few are billed to others. By id, so that the index of the customer still
            # serves: sudo, as everybody who evaluates this domain.
            others = self.sudo().search(posted & ordered & ~own)
            domain = posted & (own | Domain("id", "in", others.ids) if others else own)
        if product:
            domain &= Domain("invoice_line_ids.product_id", "=", product.id) | Domain(
                f"{lines}.move_ids.product_id", "=", product.id
            )
        if lot:
            domain &= Domain(f"{lines}.move_ids.move_line_ids.lot_id", "=", lot.id)
        return domain

    @api.model
    def _search_purchases(self, name, limit, scope, chosen):
        """As the mixin; with date, total, and whether nothing is left to refund, for
        who may read invoices."""
        found = super()._search_purchases(name, limit, scope, chosen)
        if not self.has_access("read"):
            return found
        # sudo: those that the customer has, as super() found; figures of the choice.
        invoices = self.sudo().browse(id_ for id_, _name in found)
        return [
            (invoice.id, invoice._get_helpdesk_choice(name))
            for invoice, (_id, name) in zip(invoices, found, strict=True)
        ]

    def _get_helpdesk_choice(self, name):
        parts = [
            name,
            format_date(self.env, self.invoice_date),
            formatLang(self.env, self.amount_total, currency_obj=self.currency_id),
        ]
        if self.currency_id.compare_amounts(self.amount_left_to_refund, 0) <= 0:
            parts.append(self.env._("nothing left to refund"))
        return ", ".join(filter(None, parts))

    def _prepare_helpdesk_ticket_values(self):
        orders = self.invoice_line_ids.sale_line_ids.order_id
        return super()._prepare_helpdesk_ticket_values() | {
            "sale_order_id": orders.id if len(orders) == 1 else False,
        }
