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
            # What was planned for a refusal.
            self.env["helpdesk.after.sales.step"]._drop(repair)
        return result

    def _action_cancel(self):
        """A quotation that is cancelled, or declined in the portal, is refused (X18).
        An order that was accepted before is no quotation any more."""
        # sudo: who refuses a quotation need not see its repairs; their tickets hear.
        refused = (
            self.filtered(lambda order: order.state in ("draft", "sent"))
            .sudo()
            .repair_order_ids.filtered(
                lambda repair: repair.helpdesk_ticket_id and repair.state != "done"
            )
        )
        result = super()._action_cancel()
        for repair in refused:
            repair._after_sales_tell_ticket(
                {
                    repair: self.env._(
                        "The quotation of repair %(repair)s was refused.",
                        repair=repair._get_html_link(),
                    )
                }
            )
        if refused:
            self.env["helpdesk.after.sales.step"]._fire(refused)
        return result
