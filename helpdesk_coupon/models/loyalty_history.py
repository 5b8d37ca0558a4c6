from odoo import api, models


class LoyaltyHistory(models.Model):
    _inherit = "loyalty.history"

    @api.model_create_multi
    def create(self, vals_list):
        """Tell the ticket when its code was used, wherever that was (X2)."""
        lines = super().create(vals_list)
        lines._tell_helpdesk_ticket(
            lambda line: self.env._(
                "%(coupon)s was used on %(order)s.",
                coupon=line.card_id._get_html_link(),
                order=line._get_order_description(),
            )
        )
        return lines

    @api.ondelete(at_uninstall=False)
    def _tell_ticket_of_return(self):
        self._tell_helpdesk_ticket(
            lambda line: self.env._(
                "%(coupon)s can be used again: %(order)s was cancelled.",
                coupon=line.card_id._get_html_link(),
                order=line._get_order_description(),
            )
        )

    def _tell_helpdesk_ticket(self, get_sentence):
        # sudo: the customer's own cart, or a seller without access to the ticket,
        # uses the code; the name of the order is told to its ticket.
        for line in self.sudo():
            card = line.card_id
            if card.helpdesk_ticket_id and line.used > 0 and line.order_model:
                card._after_sales_tell_ticket({card: get_sentence(line)})
