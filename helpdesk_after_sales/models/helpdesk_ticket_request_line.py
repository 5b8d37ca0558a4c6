from odoo import fields, models


class HelpdeskTicketRequestLine(models.Model):
    _name = "helpdesk.ticket.request.line"
    _description = "Line of a customer's request"
    _order = "id"

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="ticket_id.company_id")
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        required=True,
        index=True,
        ondelete="cascade",
    )
    product_id = fields.Many2one(
        comodel_name="product.product", required=True, index=True, ondelete="restrict"
    )
    quantity = fields.Float(digits="Product Unit", required=True)
    uom_id = fields.Many2one(
        comodel_name="uom.uom", string="Unit", required=True, index=True
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot", string="Lot/Serial Number", index="btree_not_null"
    )
    reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        index="btree_not_null",
        ondelete="restrict",
    )
