from odoo import api, models
from odoo.tools import float_is_zero


class SaleOrderLine(models.Model):
    """What a ticket's credit notes mean for *Orders to Invoice* (X19).

    Odoo takes every credit note off what was invoiced, so that the order asks for it
    again. That is right for goods that came back, and for an invoice that is replaced;
    a customer who keeps the goods isn't asked for the money once more. So they are
    taken off by as much as more was invoiced than is owed. Drafts take off nothing.
    Credit notes without a ticket are Odoo's.
    """

    _inherit = "sale.order.line"

    @api.depends(
        "qty_delivered",
        "product_uom_qty",
        "invoice_lines.move_id.helpdesk_ticket_id",
        "invoice_lines.move_id.helpdesk_is_replaced",
    )
    def _compute_qty_invoiced(self):
        return super()._compute_qty_invoiced()

    def _prepare_qty_invoiced(self):
        quantities = super()._prepare_qty_invoiced()
        for line in self:
            quantities[line] += line._get_quantity_conceded(quantities[line])
        return quantities

    @api.depends(
        "qty_delivered",
        "product_uom_qty",
        "invoice_lines.move_id.helpdesk_ticket_id",
        "invoice_lines.move_id.helpdesk_is_replaced",
    )
    def _compute_qty_invoiced_posted(self):
        result = super()._compute_qty_invoiced_posted()
        for line in self:
            line.qty_invoiced_posted += line._get_quantity_conceded(
                line.qty_invoiced_posted, ("posted",)
            )
        return result

    def _get_quantity_conceded(self, invoiced, states=("draft", "posted")):
        """Return how much of what the ticket's credit notes took off ``invoiced``
        counts as invoiced all the same, in the unit of the line.

        :param states: of the credit notes that were taken off
        """
        drafts = credited = 0.0
        for line in self._get_invoice_lines():
            note = line.move_id
            if (
                note.move_type != "out_refund"
                # sudo: whether there is a ticket is all that is asked.
                or not note.sudo().helpdesk_ticket_id
                or note.helpdesk_is_replaced
                or note.state not in states
            ):
                continue
            quantity = line.product_uom_id._compute_quantity(
                line.quantity, self.product_uom_id
            )
            if note.state == "posted":
                credited += quantity
            else:
                drafts += quantity
        if not drafts and not credited:
            return 0.0
        by_order = (
            self.product_id.type == "combo" or self.product_id.invoice_policy == "order"
        )
        owed = self.product_uom_qty if by_order else self.qty_delivered
        if self.is_downpayment:
            owed = self._get_down_payment_standing()
        too_much = invoiced + drafts + credited - owed
        if (too_much < 0) != (credited < 0):
            return drafts + credited
        return drafts + credited - min(credited, too_much, key=abs)

    def _get_down_payment_standing(self):
        """Return whether this down payment is still to be taken off the order, as a
        quantity: as long as any of the money is left, Odoo takes off just that much."""
        amount = taken_off = 0.0
        for line in self._get_invoice_lines():
            invoice = line.move_type == "out_invoice"
            if line.quantity > 0 and line.parent_state == "posted":
                amount += line.price_subtotal * (1 if invoice else -1)
            elif line.quantity < 0 and line.parent_state != "cancel" and invoice:
                taken_off -= line.quantity
        stands = self.currency_id.compare_amounts(amount, 0) > 0
        return max(stands - taken_off, 0.0)

    def _get_left_of_returned(self, returned, ticket, balance, arrived=False):
        """Return how much of ``returned``, which comes back on ``ticket``, isn't
        credited yet, in the unit of the line. Called with ``sudo()``.

        What the credit notes of the ticket hold is taken off. Those that were made
        elsewhere since, on the order or another ticket, are for what came back as well:
        then it is no more than what was invoiced beyond what the customer keeps.

        :param balance: of this line
        :param arrived: without what is still on its way
        """
        back = self.move_ids.filtered("origin_returned_move_id")
        since = min(back.mapped("create_date"), default=None)
        own = others = 0.0
        for document in self.invoice_lines:
            note = document.move_id
            if note.move_type != "out_refund":
                continue
            quantity = document._convert_quantity(
                document._get_quantity_taken_back(), self.product_uom_id
            )
            if note.helpdesk_is_replaced:
                others += quantity  # by an invoice, which counts as well
            elif note.helpdesk_ticket_id == ticket:
                own += quantity
            elif since and note.create_date >= since:
                others += quantity
        left = returned - own
        if others:
            kept = balance["delivered"] - balance["accepted"]
            kept -= 0.0 if arrived else balance["returning"]
            left = min(left, balance["invoiced"] - own - others - kept)
        return left

    @api.depends("qty_to_invoice")
    def _compute_untaxed_amount_to_invoice(self):
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self:
            # What was conceded isn't asked for again, in money neither.
            if (
                line.state == "sale"
                and float_is_zero(line.qty_to_invoice, precision_digits=6)
                and line._get_ticket_notes()
            ):
                line.untaxed_amount_to_invoice = 0.0
        return result

    def _get_ticket_notes(self):
        return self.invoice_lines.move_id.filtered(
            lambda move: (
                move.move_type == "out_refund"
                # sudo: as above.
                and move.sudo().helpdesk_ticket_id
            )
        )
