from odoo import models


class StockMoveLine(models.Model):
    _name = "stock.move.line"
    _inherit = ["helpdesk.readable.mixin", "stock.move.line"]
    _helpdesk_ticket_path = "picking_id.helpdesk_ticket_id"
