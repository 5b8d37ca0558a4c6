from odoo import api, fields, models
from odoo.fields import Domain


class StockLot(models.Model):
    _inherit = "stock.lot"

    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        self.env["helpdesk.ticket"]._compute_document_readable(self)

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        """Lots that a customer of a visible ticket received: they can be returned."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        tickets = self.env["helpdesk.ticket"].sudo(False)
        if tickets._reads_by_other_groups(self._name):
            return Domain.TRUE
        customers = tickets._search(Domain("commercial_partner_id", "!=", False))
        # sudo: only ids of lots leave, of customers whose ticket the user sees.
        lines = (
            self.env["stock.move.line"]
            .sudo()
            ._search(
                Domain("lot_id", "!=", False)
                & Domain("state", "=", "done")
                & Domain("location_dest_id.usage", "=", "customer")
                & Domain(
                    "picking_id.partner_id.commercial_partner_id",
                    "in",
                    customers.subselect("commercial_partner_id"),
                )
            )
        )
        return Domain("id", "in", lines.subselect("lot_id"))
