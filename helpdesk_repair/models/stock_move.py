from odoo import api, fields, models


class StockMove(models.Model):
    _inherit = "stock.move"

    helpdesk_repair_readable = fields.Boolean(
        compute="_compute_helpdesk_repair_readable",
        search="_search_helpdesk_repair_readable",
        export_string_translation=False,
        help="Technical: a part of a repair that a helpdesk user may read.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_repair_readable(self):
        self.env["helpdesk.ticket"]._compute_document_readable(
            self, "helpdesk_repair_readable"
        )

    @api.model
    def _search_helpdesk_repair_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "repair_id.helpdesk_ticket_id", operator, value
        )
