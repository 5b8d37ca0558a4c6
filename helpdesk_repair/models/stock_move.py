from odoo import models


class StockMove(models.Model):
    """The parts of a repair."""

    _name = "stock.move"
    _inherit = ["helpdesk.readable.mixin", "stock.move"]
    _helpdesk_ticket_path = "repair_id.helpdesk_ticket_id"
