from odoo import models


class StockRule(models.Model):
    _inherit = "stock.rule"

    def _get_custom_move_fields(self):
        return [
            *super()._get_custom_move_fields(),
            "helpdesk_ticket_id",
            "helpdesk_reason_id",
            "helpdesk_without_return",
            "helpdesk_replaced_lot_id",
        ]

    def _push_prepare_move_copy_values(self, move_to_copy, new_date):
        """The next step of a replacement is on the ticket as well (goods C1)."""
        values = super()._push_prepare_move_copy_values(move_to_copy, new_date)
        if move_to_copy.helpdesk_ticket_id:
            values |= move_to_copy._prepare_helpdesk_link()
        return values
