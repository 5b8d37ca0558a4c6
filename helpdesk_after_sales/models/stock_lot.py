from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..tools.reading import check_one


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = [
        "helpdesk.after.sales.purchase",
        "helpdesk.failing.mixin",
        "helpdesk.figures.mixin",
        "helpdesk.warranty.mixin",
        "stock.lot",
    ]
    _helpdesk_failing_field = "lot_id"
    _helpdesk_figures_field = "lot_id"

    warranty_start = fields.Date(tracking=True)
    warranty_end = fields.Date(
        tracking=True,
        help="As promised at the latest sale of this serial number, or corrected "
        "since. Empty when it was not delivered, when its product had no warranty, or "
        "when a lot was delivered on several days.",
    )
    helpdesk_warranty_reason = fields.Char(tracking=True)

    def _warranty_changed(self):
        self.env["helpdesk.ticket"]._refresh_warranties(
            Domain("lot_id", "in", self.ids)
        )

    def _forget_warranty(self):
        """Take the warranty back of lots that were not delivered after all."""
        # sudo: whether they were delivered; nothing but the warranty is written.
        lots = self.sudo()
        delivered = self.env["stock.move"].sudo()._get_lot_deliveries(lots)
        gone = lots.filtered(
            lambda lot: lot not in delivered and not lot.helpdesk_warranty_reason
        )
        gone.write({"warranty_start": False, "warranty_end": False})

    def _get_failing_product(self):
        return self.product_id

    @api.model
    def _get_failing_chances(self, cases, delivered):
        """Compared with the other lots of the same product."""
        of_product = defaultdict(dict)
        for lot, figures in delivered.items():
            of_product[lot.product_id][lot] = figures
        chances = {}
        for some in of_product.values():
            chances |= super()._get_failing_chances(cases, some)
        return chances

    def action_relocate_failing(self):
        """Return the action of Inventory's pop-up that puts all that is in stock of
        this lot elsewhere, from where nothing is shipped. Inventory has no lock.

        :raises AccessError: for who doesn't manage the stock
        :raises UserError: when nothing is in stock
        """
        check_one(self)
        if not self.env.user.has_group("stock.group_stock_manager"):
            raise AccessError(
                self.env._("Only Inventory administrators can relocate lots.")
            )
        quants = self.env["stock.quant"].search(
            Domain("lot_id", "=", self.id)
            & Domain("location_id.usage", "=", "internal")
            & Domain("company_id", "=", self.env.company.id)
            & Domain("quantity", ">", 0)
        )
        if not quants:
            raise UserError(
                self.env._("Nothing of %(lot)s is in stock.", lot=self.display_name)
            )
        return quants.action_stock_quant_relocate()

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
