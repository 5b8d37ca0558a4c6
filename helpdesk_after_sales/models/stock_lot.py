from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .helpdesk_after_sales_warranty import Question


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = ["helpdesk.after.sales.purchase", "stock.lot"]

    warranty_end = fields.Date(
        string="Under Warranty Until",
        compute="_compute_warranty_end",
        search="_search_warranty_end",
        help="Counted from the latest sale of this serial number. Empty when it was "
        "not delivered, when its product has no warranty, or when a lot was delivered "
        "on several days.",
    )

    @api.depends("product_id")
    @api.depends_context("company")
    def _compute_warranty_end(self):
        warranties = self.env["helpdesk.after.sales.warranty"]
        self.warranty_end = False
        for company, lots in self.grouped(
            lambda lot: lot.company_id or lot.env.company
        ).items():
            answers = warranties._find_warranties(
                company,
                [Question(lot.product_id.id, lot_id=lot._origin.id) for lot in lots],
            )
            for lot, warranty in zip(lots, answers, strict=True):
                lot.warranty_end = warranty and warranty.end

    @api.model
    def _search_warranty_end(self, operator, value):
        return self.env["helpdesk.after.sales.warranty"]._search_warranty_end(
            operator, value, self._get_warranty_asks
        )

    @api.model
    def _get_warranty_asks(self, company):
        self.flush_model(["company_id", "product_id"])
        return SQL(
            """
            SELECT id, product_id, id AS lot_id, NULL::int AS customer_id,
                   NULL::int AS order_id, NULL::int AS line_id,
                   false AS restarts, NULL::timestamp AS moment
              FROM stock_lot
             WHERE company_id = %s OR (company_id IS NULL AND %s)
            """,
            company.id,
            company == self.env.company,
        )

    def _prepare_helpdesk_ticket_values(self):
        return {
            "partner_id": self.partner_ids[:1].id,
            "product_id": self.product_id.id,
            "lot_id": self.id,
        }

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
