from odoo import Command, models
from odoo.exceptions import UserError


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    def _refund_accepted(self):
        """Return the draft that credits what has arrived on this ticket, was accepted
        and isn't credited yet; no record when there is nothing. As the user, with the
        pop-up **Refund**.

        :raises AccessError: without the right to make invoices
        :raises UserError: when it can't be refunded, with one sentence
        """
        self.ensure_one()
        action = self.action_refund()
        wizards = self.env["account.move.reversal"].with_context(**action["context"])
        # sudo: the user may work on the ticket; what was invoiced of it is chosen.
        returned = self.sudo()._get_returned_purchases(True)
        lines = self.env["sale.order.line"].sudo().union(*returned)
        invoices = lines.invoice_lines.move_id.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == "posted"
        )
        notes = self.env["account.move"]
        if not invoices:
            if any(quantity > 0 for quantity in returned.values()):
                raise UserError(
                    self.env._(
                        "What came back isn't invoiced yet: there is nothing to refund."
                    )
                )
            return notes
        wizard = wizards.create(
            {
                "move_ids": [Command.set(invoices.ids)],
                "journal_id": invoices.journal_id[:1].id,
                "helpdesk_sale_order_id": False,
                "helpdesk_product_id": False,
                "helpdesk_lot_id": False,
            }
        )
        wizard.sudo().helpdesk_arrived_only = True  # sudo: the server's own choice
        taken = wizard._get_returned_lines(wizard.move_ids._get_refund_left())
        if not taken:
            # Credited in the meantime, here or elsewhere: whoever planned it hears so.
            if any(quantity > 0 for quantity in returned.values()):
                raise UserError(
                    self.env._(
                        "Nothing of what came back is left to refund of %(invoices)s.",
                        invoices=", ".join(invoices.mapped("name")),
                    )
                )
            return notes
        wizard.move_ids = self.env["account.move"].union(
            *(line.move_id for line in taken)
        )
        wizard.refund_moves()
        return wizard.new_move_ids
