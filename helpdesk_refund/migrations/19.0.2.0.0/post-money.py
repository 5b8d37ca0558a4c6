"""What counts as invoiced follows what is owed (X19).

A new invoice that replaces a refunded one was made together with its credit note.
"""

from odoo import SUPERUSER_ID, api
from odoo.fields import Domain


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    notes = env["account.move"].search(
        Domain("helpdesk_ticket_id", "!=", False)
        & Domain("move_type", "=", "out_refund")
    )
    lines = notes.invoice_line_ids.sale_line_ids
    notes.filtered(
        lambda note: any(
            move.move_type == "out_invoice" and move.create_date == note.create_date
            for move in note.invoice_line_ids.sale_line_ids.invoice_lines.move_id
        )
    ).helpdesk_is_replaced = True
    env.add_to_compute(lines._fields["qty_invoiced"], lines)
