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

    # -- What is left to refund (X1) -----------------------------------------

    amount_left_to_refund = fields.Monetary(
        compute="_compute_amount_left_to_refund",
        help="The total of the invoice less its credit notes. Drafts count.",
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

    def _get_credit_notes(self):
        """Return the credit notes of these invoices that count against them (X1).

        Drafts count, and those made outside of tickets; cancelled ones don't.
        """
        return self.reversal_move_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state != "cancel"
        )

    def _get_lines_left_to_refund(self):
        """Return ``{invoice line: {"quantity": …, "price_unit": …}}``: what no credit
        note of this invoice has credited yet (X1).

        Lines are matched by order line, else by product, else by label. A line whose
        quantity is used up while some of its amount is left keeps its quantity at the
        price that makes up the rest. Lines with nothing left are not in the result.
        """
        self.ensure_one()
        rest = {
            line: [line.quantity, line.price_subtotal]
            for line in self.invoice_line_ids
            if line.display_type == "product"
        }
        for credited in self._get_credit_notes().invoice_line_ids:
            if credited.display_type == "product":
                self._deduct_credited_line(rest, credited)
        left = {}
        for line, (quantity, subtotal) in rest.items():
            if self._is_left(line.quantity, quantity, line.product_uom_id):
                left[line] = {"quantity": quantity, "price_unit": line.price_unit}
            elif self._is_left(line.price_subtotal, subtotal, line.currency_id):
                share = subtotal / line.price_subtotal
                left[line] = {
                    "quantity": line.quantity,
                    "price_unit": line.price_unit * share,
                }
        return left

    @api.model
    def _deduct_credited_line(self, rest, credited):
        """Take a line of a credit note off ``{line: [quantity, subtotal]}``."""
        same = [
            line for line in rest if line.sale_line_ids & credited.sale_line_ids
        ] or [
            line
            for line in rest
            if line.product_id == credited.product_id
            and (line.product_id or line.name == credited.name)
        ]
        uom = credited.product_uom_id
        quantity, subtotal = credited.quantity, credited.price_subtotal
        for index, line in enumerate(same):
            line_uom = line.product_uom_id or uom
            amount = (
                uom._compute_quantity(quantity, line_uom, round=False)
                if uom
                else quantity
            )
            if index < len(same) - 1 and abs(amount) > abs(rest[line][0]):
                amount = rest[line][0]
            share = amount / quantity if quantity else 1.0
            if uom and uom != line_uom:
                share = line_uom._compute_quantity(amount, uom, round=False) / quantity
            rest[line][0] -= amount
            rest[line][1] -= subtotal * share
            subtotal -= subtotal * share
            quantity -= quantity * share
            if not quantity:
                break

    @api.model
    def _is_left(self, whole, rest, unit):
        """Return whether ``rest`` is a part of ``whole`` and not zero, as rounded by
        ``unit``: a unit of measure, a currency, or no record."""
        if (whole < 0) != (rest < 0):
            return False
        return not (unit.is_zero(rest) if unit else float_is_zero(rest, 6))
