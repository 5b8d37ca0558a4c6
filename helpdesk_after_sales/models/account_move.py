from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_is_zero


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["helpdesk.after.sales.purchase", "account.move"]

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Posted invoices: what isn't posted can't be refunded (S17)."""
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("move_type", "=", "out_invoice")
            & Domain("state", "=", "posted")
            & Domain("commercial_partner_id", "=", customer.id)
        )
        lines = "invoice_line_ids.sale_line_ids"
        if sale_order:
            domain &= Domain(f"{lines}.order_id", "=", sale_order.id)
        if product:
            domain &= Domain("invoice_line_ids.product_id", "=", product.id) | Domain(
                f"{lines}.move_ids.product_id", "=", product.id
            )
        if lot:
            domain &= Domain(f"{lines}.move_ids.move_line_ids.lot_id", "=", lot.id)
        return domain

    def _prepare_helpdesk_ticket_values(self):
        orders = self.invoice_line_ids.sale_line_ids.order_id
        return super()._prepare_helpdesk_ticket_values() | {
            "sale_order_id": orders.id if len(orders) == 1 else False,
        }

    # -- What is left to refund (X1) -----------------------------------------

    amount_left_to_refund = fields.Monetary(
        compute="_compute_amount_left_to_refund",
        help="The total of the invoice less its credit notes, and less what was given "
        "instead of money. Drafts count.",
    )

    @api.depends(
        "amount_total", "reversal_move_ids.amount_total", "reversal_move_ids.state"
    )
    def _compute_amount_left_to_refund(self):
        for move in self:
            move.amount_left_to_refund = move.amount_total - sum(
                note.currency_id._convert(
                    note.amount_total,
                    move.currency_id,
                    move.company_id,
                    note.invoice_date or note.date or move.date,
                )
                for note in move._get_credit_notes()
            )
            move.amount_left_to_refund -= sum(
                amount for amount, _sentence in move._get_given_instead()
            )

    def _get_given_instead(self):
        """Return ``[(amount, sentence)]``: what the customer got for this invoice
        instead of money. It counts as refunded (X1).

        Bridges add to it, in the currency of the invoice, and add to the dependencies
        of what is left to refund. The sentence says what it was and by whom.
        """
        self.ensure_one()
        return []

    def _get_credit_notes(self):
        """Return the credit notes of these invoices that count against them (X1).

        Drafts count, and those made outside of tickets; cancelled ones don't.
        """
        return self.reversal_move_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state != "cancel"
        )

    def _get_lines_left_to_refund(self):
        """Return ``({invoice line: [values]}, credited lines)``: what no credit note of
        this invoice has credited yet (X1).

        Lines are matched by order line, else by product, else by label. The values are
        ``quantity`` and ``price_unit``: the quantity that is left, at a price that
        doesn't pass the amount that is left. Where only an amount is left (a price was
        lowered, or raised too far), it stands as quantity 1, and ``sale_line_ids`` is
        empty, so that the order doesn't count its quantity twice. Where more than the
        price of the quantity is left (both were lowered), there are values for either.
        Lines with nothing left are not in the result.

        The second part are lines of credit notes that match no line of the invoice:
        a compensation takes away from what is left; a fee that was kept back is there
        only when nothing else is left.
        """
        self.ensure_one()
        rest = {
            line: [line.quantity, line.price_subtotal]
            for line in self.invoice_line_ids
            if line.display_type == "product"
        }
        unmatched = self.env["account.move.line"]
        for credited in self._get_credit_notes().invoice_line_ids:
            if credited.display_type == "product":
                unmatched += self._deduct_credited_line(rest, credited)
        left = {}
        for line, (quantity, subtotal) in rest.items():
            if values := self._prepare_line_left(line, quantity, subtotal):
                left[line] = values
        return left, unmatched.filtered(
            lambda line: line.price_subtotal > 0 if left else line.price_subtotal < 0
        )

    @api.model
    def _deduct_credited_line(self, rest, credited):
        """Take a line of a credit note off ``{line: [quantity, subtotal]}``.

        Returns the line when it matches nothing, else no record.
        """
        same = [
            line for line in rest if line.sale_line_ids & credited.sale_line_ids
        ] or [
            line
            for line in rest
            if line.product_id == credited.product_id
            and (line.product_id or line.name == credited.name)
        ]
        uom = credited.product_uom_id
        quantity = credited.quantity
        move = credited.move_id
        subtotal = move.currency_id._convert(
            credited.price_subtotal,
            same[0].currency_id if same else move.currency_id,
            move.company_id,
            move.invoice_date or move.date,
        )
        for line in same:
            line_uom = line.product_uom_id or uom
            taken = quantity
            if uom and uom != line_uom:
                taken = uom._compute_quantity(quantity, line_uom, round=False)
            part = 1.0
            if line != same[-1] and taken and abs(taken) > abs(rest[line][0]):
                part = rest[line][0] / taken
            rest[line][0] -= taken * part
            rest[line][1] -= subtotal * part
            quantity -= quantity * part
            subtotal -= subtotal * part
            if part == 1.0:
                break
        return self.env["account.move.line"] if same else credited

    @api.model
    def _prepare_line_left(self, line, quantity, subtotal):
        """Return the values of ``line`` in a credit note of the rest: of its quantity,
        of an amount, of both, or ``[]``."""
        currency = line.currency_id
        if not line.price_subtotal:
            # Given away: there is no amount to compare with.
            left = self._is_left(line.quantity, quantity, line.product_uom_id)
            return [{"quantity": quantity}] if left else []
        if currency.is_zero(subtotal):
            return []
        share = subtotal / line.price_subtotal
        result = []
        if share > 0 and self._is_left(line.quantity, quantity, line.product_uom_id):
            part = quantity / line.quantity
            values = {"quantity": quantity, "price_unit": line.price_unit}
            worth = currency.round(line.price_subtotal * part)
            if currency.compare_amounts(abs(worth), abs(subtotal)) > 0:
                values["price_unit"] *= share / part
            result.append(values)
            # Less than a cent per document comes from their roundings.
            documents = len(line.move_id._get_credit_notes()) + 1
            if abs(subtotal) - abs(worth) < currency.rounding * documents:
                return result
            share -= part
        result.append(
            {
                "quantity": 1.0,
                "price_unit": line.price_unit * line.quantity * share,
                "sale_line_ids": [],
            }
        )
        return result

    @api.model
    def _is_left(self, whole, rest, unit):
        """Return whether ``rest`` is a part of ``whole`` and not zero, as rounded by
        ``unit``: a unit of measure, or no record."""
        if (whole < 0) != (rest < 0):
            return False
        return not (unit.is_zero(rest) if unit else float_is_zero(rest, 6))
