from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _action_confirm(self):
        result = super()._action_confirm()
        # sudo: who accepts a quotation need not see its repairs; their tickets hear.
        for repair in self.sudo().repair_order_ids.filtered("helpdesk_ticket_id"):
            repair._after_sales_tell_ticket(
                {
                    repair: self.env._(
                        "The quotation of repair %(repair)s was accepted.",
                        repair=repair._get_html_link(),
                    )
                }
            )
        return result
