from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date


class StockPicking(models.Model):
    _inherit = "stock.picking"

    helpdesk_repair_ids = fields.One2many(
        comodel_name="repair.order",
        inverse_name="helpdesk_delivery_id",
        string="Repairs Sent Back",
        copy=False,
        groups="base.group_user",
        export_string_translation=False,
    )

    def _action_done(self):
        result = super()._action_done()
        # sudo: who ships need not see repairs; their tickets hear.
        done = self.sudo().filtered(lambda picking: picking.state == "done")
        repairs = done.helpdesk_repair_ids
        repairs._after_sales_tell_ticket(
            {
                repair: self.env._(
                    "%(product)s was sent back to the customer on %(date)s.",
                    product=repair.product_id.display_name,
                    date=format_date(self.env, repair.helpdesk_delivery_id.date_done),
                )
                for repair in repairs
            }
        )
        return result

    @api.model
    def _get_offered_domain(self, scope, chosen):
        """With ``returned``: what came back, not what was sent."""
        domain = super()._get_offered_domain(scope, chosen)
        if domain.is_false() or not chosen.get("returned"):
            return domain
        return self._get_customer_returns_domain(
            scope["company"], scope["customer"], scope["product"]
        )

    @api.model
    def _get_customer_returns_domain(self, company, customer, product, lot=None):
        """Return the domain of what came back from a commercial customer, with a
        product and lot if they are given (S86): also what was not delivered here, or
        typed by hand (X22). A kit comes back as its components."""
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("location_id.usage", "=", "customer")
            & Domain("location_dest_id.usage", "!=", "customer")
            & Domain("state", "!=", "cancel")
            & self._get_orderer_domain(customer)
        )
        if product:
            domain &= Domain("move_ids.product_id", "=", product.id) | Domain(
                "move_ids.sale_line_id.product_id", "=", product.id
            )
        if lot:
            domain &= Domain("move_line_ids.lot_id", "=", lot.id)
        return domain

    @api.model
    def _find_customer_return(self, ticket, product, lot):
        """Return, under ``sudo()``, the latest return that was received of a product:
        one of the ticket, with the lot that is chosen; else, of a serial number, any of
        the ticket's customer. No record when there is none.

        The caller has checked the ticket.
        """
        # sudo: a return of the ticket's own customer, as the domain says.
        pickings = self.sudo()
        received = pickings._get_customer_returns_domain(
            ticket.company_id, ticket.commercial_partner_id, product, lot
        ) & Domain("state", "=", "done")
        mine = Domain("id", "in", ticket.sudo()._get_return_pickings().ids)
        places = [received & mine]
        if lot and product.tracking == "serial":
            places.append(received)
        for domain in places:
            if found := pickings.search(
                domain, order="date_done desc, id desc", limit=1
            ):
                return found
        return pickings.browse()
