from odoo import api, models
from odoo.tools import SQL


class HelpdeskAfterSalesReport(models.Model):
    _inherit = "helpdesk.after.sales.report"

    _depends = {
        "account.move": [
            "helpdesk_is_replaced",
            "helpdesk_reason_id",
            "helpdesk_ticket_id",
            "invoice_date",
            "move_type",
            "state",
        ],
        "account.move.line": [
            "balance",
            "display_type",
            "product_id",
            "product_uom_id",
            "quantity",
        ],
    }

    @api.model
    def _selection_act(self):
        return [*super()._selection_act(), ("refund", self.env._("Refund"))]

    @api.model
    def _get_parts(self):
        """Posted credit notes, fees off, without taxes. What a new invoice replaces was
        corrected, not given."""
        goods = SQL("product_uom.factor / NULLIF(own_uom.factor, 0)")
        return super()._get_parts() | {
            "refund": {
                "id": SQL("line.id"),
                "act": SQL("'refund'"),
                "date": SQL("COALESCE(note.invoice_date, note.date)"),
                "delivery_date": self._get_delivery_date(
                    SQL(
                        "SELECT order_line_id FROM sale_order_line_invoice_rel "
                        "WHERE invoice_line_id = line.id"
                    )
                ),
                "company_id": SQL("note.company_id"),
                "ticket_id": SQL("note.helpdesk_ticket_id"),
                "product_id": SQL("line.product_id"),
                "reason_id": SQL("note.helpdesk_reason_id"),
                "res_model": SQL("'account.move'"),
                "res_id": SQL("note.id"),
                "quantity": SQL("line.quantity * COALESCE(%s, 1)", goods),
                "amount": SQL("line.balance"),
                "from": SQL(
                    "account_move note "
                    "JOIN account_move_line line ON line.move_id = note.id "
                    "LEFT JOIN product_product goods ON goods.id = line.product_id "
                    "LEFT JOIN product_template kind "
                    "ON kind.id = goods.product_tmpl_id "
                    "LEFT JOIN uom_uom product_uom ON product_uom.id = "
                    "line.product_uom_id "
                    "LEFT JOIN uom_uom own_uom ON own_uom.id = kind.uom_id"
                ),
                "where": SQL(
                    "note.helpdesk_ticket_id IS NOT NULL AND note.state = 'posted' "
                    "AND note.move_type = 'out_refund' "
                    "AND note.helpdesk_is_replaced IS NOT TRUE "
                    "AND line.display_type = 'product'"
                ),
            }
        }
