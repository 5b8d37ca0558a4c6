from odoo import api, models
from odoo.fields import Domain


class StockLot(models.Model):
    _name = "stock.lot"
    _inherit = ["helpdesk.readable.mixin", "stock.lot"]

    @api.model
    def _get_helpdesk_readable_domain(self):
        """Lots that a customer of a visible ticket received: they can be returned."""
        tickets = self.env["helpdesk.ticket"].sudo(False)
        customers = tickets._search(Domain("commercial_partner_id", "!=", False))
        customers = customers.subselect("commercial_partner_id")
        # Who ordered decides; the address only where there is no order (goods B1).
        delivered_to_them = Domain(
            "picking_id.sale_id.partner_id.commercial_partner_id", "in", customers
        ) | (
            Domain("picking_id.sale_id", "=", False)
            & Domain("picking_id.partner_id.commercial_partner_id", "in", customers)
        )
        # sudo: only ids of lots leave, of customers whose ticket the user sees.
        lines = (
            self.env["stock.move.line"]
            .sudo()
            ._search(
                Domain("lot_id", "!=", False)
                & Domain("state", "=", "done")
                & Domain("location_dest_id.usage", "=", "customer")
                & delivered_to_them
            )
        )
        return Domain("id", "in", lines.subselect("lot_id"))
