from odoo import api, fields, models
from odoo.fields import Domain


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
        # The same answer as the search gives: users of Inventory read moves without a
        # repair, too. sudo: the ids only; the domain is asked as the user himself.
        domain = self._search_helpdesk_repair_readable("in", [True])
        readable = (
            self.sudo()
            if domain.is_true()
            else self.sudo().search(Domain("id", "in", self.ids) & domain)
        )
        for move in self:
            move.helpdesk_repair_readable = move.sudo() in readable

    @api.model
    def _search_helpdesk_repair_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "repair_id.helpdesk_ticket_id", operator, value
        )
