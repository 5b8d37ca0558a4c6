from odoo import api, models
from odoo.tools import SQL


class HelpdeskAfterSalesReport(models.Model):
    _inherit = "helpdesk.after.sales.report"

    _depends = {
        "loyalty.card": ["helpdesk_reason_id", "helpdesk_ticket_id", "program_id"],
        "loyalty.program": ["program_type"],
        "sale.order": ["currency_rate", "date_order", "state"],
        "sale.order.line": ["coupon_id", "price_subtotal"],
    }

    @api.model
    def _selection_act(self):
        return [
            *super()._selection_act(),
            ("coupon", self.env._("Coupon Used")),
            ("gift_card", self.env._("Gift Card Used")),
        ]

    @api.model
    def _get_parts(self):
        """What orders were lowered by, and tills where there are any. A code that
        nobody uses costs nothing."""
        parts = super()._get_parts() | {
            "coupon": self._prepare_coupon_part("sale_order", "sale")
        }
        till = self.env.get("pos.order.line")
        if till is not None and "coupon_id" in till._fields:
            parts["coupon_till"] = self._prepare_coupon_part(
                "pos_order", "paid", "done"
            )
        return parts

    @api.model
    def _prepare_coupon_part(self, order, *states):
        """Return the part of what was used in orders.

        :param order: the table of orders; that of their lines is called alike
        :param states: in which an order counts
        """
        return {
            "id": SQL("line.id"),
            "act": SQL(
                "CASE program.program_type WHEN 'gift_card' THEN 'gift_card' "
                "ELSE 'coupon' END"
            ),
            "date": self._get_day(SQL("used.date_order")),
            "company_id": SQL("used.company_id"),
            "ticket_id": SQL("card.helpdesk_ticket_id"),
            "reason_id": SQL("card.helpdesk_reason_id"),
            "res_model": SQL("'loyalty.card'"),
            "res_id": SQL("card.id"),
            "amount": SQL(
                "-line.price_subtotal / COALESCE(NULLIF(used.currency_rate, 0), 1)"
            ),
            "from": SQL(
                "loyalty_card card "
                "JOIN loyalty_program program ON program.id = card.program_id "
                "JOIN %s line ON line.coupon_id = card.id "
                "JOIN %s used ON used.id = line.order_id",
                SQL.identifier(f"{order}_line"),
                SQL.identifier(order),
            ),
            "where": SQL(
                "card.helpdesk_ticket_id IS NOT NULL AND used.state IN %s", states
            ),
        }
