from odoo import api, fields, models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

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
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "picking_id.helpdesk_ticket_id", operator, value
        )
