from odoo import api, models
from odoo.fields import Domain


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["helpdesk.after.sales.purchase", "stock.picking"]

    def _prepare_helpdesk_ticket_values(self):
        order = self.sale_id
        return super()._prepare_helpdesk_ticket_values() | {
            "partner_id": (order.partner_id or self.partner_id).id,
            "sale_order_id": order.id,
        }

    def _get_accepted_purchases(self):
        """Return ``{order line: quantity}``, in the unit of the line: what was accepted
        of this return. The addon of returns answers. Called with ``sudo()``."""
        self.ensure_one()
        return {}

    @api.readonly
    def action_view_warranties(self):
        """Return the action for the warranties of what this transfer delivered; only
        administrators of Inventory correct them.

        :raises AccessError: when the transfer isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        view = self.env.ref("helpdesk_after_sales.stock_move_view_list_warranty")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Warranties"),
            "res_model": "stock.move",
            "views": [(view.id, "list")],
            "domain": [("picking_id", "=", self.id), ("state", "=", "done")],
        }

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Deliveries that reached the customer: of several steps, the last one."""
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("state", "=", "done")
            & Domain("location_dest_id.usage", "=", "customer")
            & self._get_orderer_domain(customer)
        )
        if sale_order:
            domain &= Domain("sale_id", "=", sale_order.id)
        if product:
            # A kit stands on the line of the order, its components on the moves.
            domain &= Domain("move_ids.product_id", "=", product.id) | Domain(
                "move_ids.sale_line_id.product_id", "=", product.id
            )
        if lot:
            domain &= Domain("move_line_ids.lot_id", "=", lot.id)
        return domain

    @api.model
    def _get_orderer_domain(self, customer):
        """Return the domain of the transfers of a commercial customer: who ordered
        decides, the address only where there is no order."""
        return Domain(
            "sale_id.partner_id.commercial_partner_id", "=", customer.id
        ) | Domain("sale_id", "=", False) & Domain(
            "partner_id.commercial_partner_id", "=", customer.id
        )

    @api.model
    def _find_piece(self, company, product, lot, quantity, expected, back):
        """Return the location of ``company`` where a piece lies, or no record.

        :param quantity: in the unit of the product, of one lot if there is one
        :param expected: looked at first
        :param back: the return that it came with, or no record: its way is followed
        """
        places = [expected]
        moves = back.move_ids.filtered(
            lambda move: move.state == "done" and move.product_id == product
        )
        while moves:
            places[1:1] = moves.move_line_ids.location_dest_id
            moves = moves.move_dest_ids.filtered(
                lambda move: move.state == "done" and not move.origin_returned_move_id
            )
        held = self.env["stock.quant"]._read_group(
            Domain("product_id", "=", product.id)
            & Domain("lot_id", "=", lot.id)
            & Domain("location_id.usage", "=", "internal")
            & Domain("company_id", "=", company.id),
            ["location_id"],
            ["quantity:sum"],
        )
        enough = [
            place for place, some in held if product.uom_id.compare(some, quantity) >= 0
        ]
        if lot:
            places += enough
        found = [place for place in places if place in enough]
        return found[0] if found else expected.browse()
