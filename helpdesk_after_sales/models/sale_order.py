from odoo import api, fields, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["helpdesk.named.mixin", "helpdesk.after.sales.purchase", "sale.order"]

    # Agents see the numbers of their customers' orders, and nothing more.
    _telling_context = ("sale_show_partner_name",)

    @api.depends_context(*_telling_context)
    def _compute_display_name(self):
        return super()._compute_display_name()

    helpdesk_ticket_count = fields.Integer(
        string="Tickets",
        compute="_compute_helpdesk_ticket_count",
        groups="helpdesk_after_sales.group_helpdesk_user",
    )

    def _compute_helpdesk_ticket_count(self):
        # The user counts the tickets that they may see.
        count = dict(
            self.env["helpdesk.ticket"]._read_group(
                Domain("sale_order_id", "in", self.ids), ["sale_order_id"], ["__count"]
            )
        )
        for order in self:
            order.helpdesk_ticket_count = count.get(order._origin, 0)

    @api.readonly
    def action_view_helpdesk_tickets(self):
        """Return the action for the tickets of this order that the user may see."""
        self.ensure_one()
        tickets = self.env["helpdesk.ticket"].search([("sale_order_id", "=", self.id)])
        return tickets._get_records_action(
            name=self.env._("Tickets"),
            context={
                f"default_{name}": value
                for name, value in self._prepare_helpdesk_ticket_values().items()
            },
        )

    def _prepare_helpdesk_ticket_values(self):
        return super()._prepare_helpdesk_ticket_values() | {"sale_order_id": self.id}

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("partner_id.commercial_partner_id", "=", customer.id)
            & Domain("state", "=", "sale")
        )
        if sale_order:
            domain &= Domain("id", "=", sale_order.id)
        if product:
            # The components of a kit stand on the moves only.
            domain &= Domain("order_line.product_id", "=", product.id) | Domain(
                "order_line.move_ids.product_id", "=", product.id
            )
        if lot:
            domain &= Domain("order_line.move_ids.move_line_ids.lot_id", "=", lot.id)
        return domain
