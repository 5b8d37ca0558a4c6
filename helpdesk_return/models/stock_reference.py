from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class StockReference(models.Model):
    """What is ordered from a supplier in exchange for a drop shipment has no move yet:
    the reference, which Odoo carries into purchase and transfer, knows the ticket."""

    _inherit = "stock.reference"

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        index="btree_not_null",
        copy=False,
        help="The helpdesk ticket on which these goods are sent in exchange.",
    )
    helpdesk_without_return = fields.Boolean(
        string="Sent Without Return",
        copy=False,
        help="Sent as a replacement without a return: not invoiced.",
    )
    helpdesk_sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        index="btree_not_null",
        copy=False,
        groups=fields.NO_ACCESS,
        help="What is replaced.",
    )
    helpdesk_sent = fields.Json(
        copy=False,
        groups=fields.NO_ACCESS,
        help="Technical: product, quantity in its unit and replaced lot, as long as "
        "there is no move.",
    )

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        self.env["helpdesk.ticket"]._check_shown_link(values)
        return super().onchange(values, field_names, fields_spec)

    @api.model_create_multi
    def create(self, vals_list):
        references = super().create(vals_list)
        # Most have none, and who sells may not read tickets at all.
        if tickets := references.helpdesk_ticket_id:
            tickets.check_access("read")
        return references

    def write(self, vals):
        result = super().write(vals)
        if vals.get("helpdesk_ticket_id"):
            self.helpdesk_ticket_id.check_access("read")
        return result

    @api.model
    def _get_helpdesk_bought(self, lines):
        """Return ``{order line: [(product, quantity, lot)]}``, in the unit of the
        product: the replacements that a supplier is to send, and that no move knows of
        yet. What nobody buys any more doesn't count. Called with ``sudo()``."""
        bought = defaultdict(list)
        if "purchase_ids" not in self._fields:
            return bought
        waiting = self.search(
            Domain("helpdesk_sale_line_id", "in", lines.ids)
            & Domain("move_ids", "=", False)
            & Domain("purchase_ids", "!=", False)
        )
        for reference in waiting:
            product, quantity, lot = reference.helpdesk_sent
            bought[reference.helpdesk_sale_line_id].append(
                (
                    self.env["product.product"].browse(product),
                    quantity,
                    self.env["stock.lot"].browse(lot or ()),
                )
            )
        return bought
