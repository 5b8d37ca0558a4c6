from odoo import api, fields, models


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
