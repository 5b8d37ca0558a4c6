from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    helpdesk_refunded_line_id = fields.Many2one(
        groups="base.group_user",
        comodel_name="account.move.line",
        string="Credited Line",
        index="btree_not_null",
        readonly=True,
        server_only=False,
        help="The line of the invoice that this line of a credit note was copied from.",
    )

    def _copy_data_extend_business_fields(self, values):
        result = super()._copy_data_extend_business_fields(values)
        if self.move_type == "out_invoice" and self.display_type in (
            "product",
            "line_section",
            "line_subsection",
            "line_note",
        ):
            values["helpdesk_refunded_line_id"] = self.id
        return result

    def _get_likeness(self, other):
        """Return how much two lines look the same, 0 when they are of different
        things. What was sold counts first, then label, price, taxes."""
        self.ensure_one()
        if self.product_id != other.product_id or not (
            self.product_id or self.name == other.name
        ):
            return 0
        return (
            1
            + 4 * (self.name == other.name)
            + 2 * (self.tax_ids == other.tax_ids)
            + (not self.currency_id.compare_amounts(self.price_unit, other.price_unit))
        )

    def _find_credited_lines(self):
        """Return the lines of posted invoices that this line of a credit note can be
        for: the one that it was copied from, else those of its order line. Called with
        ``sudo()``."""
        self.ensure_one()
        lines = self.helpdesk_refunded_line_id or self.sale_line_ids.invoice_lines
        return lines.filtered(
            lambda line: (
                line.move_type == "out_invoice" and line.parent_state == "posted"
            )
        )

    def _share_over_lines(self, invoices):
        """Return ``{invoice: part}`` of this line of a credit note: what is left of its
        order line on each of ``invoices``, the first one first. Called with ``sudo()``.
        """
        self.ensure_one()
        sources = self._find_credited_lines().filtered(
            lambda line: (
                line.move_id in invoices and (line.quantity < 0) == (self.quantity < 0)
            )
        )
        if len(sources.move_id) < 2 or not self.quantity:
            return dict.fromkeys(sources.move_id, 1.0)
        unit = self.product_uom_id
        left = dict.fromkeys(invoices, 0.0)
        for line in sources:
            left[line.move_id] += abs(line._convert_quantity(line.quantity, unit))
        for credited in self.sale_line_ids.invoice_lines.sorted("id"):
            note = credited.move_id
            if (
                note.move_type != "out_refund"
                or credited.parent_state == "cancel"
                or (credited.quantity < 0) != (self.quantity < 0)
            ):
                continue
            source = (
                note.reversed_entry_id or credited.helpdesk_refunded_line_id.move_id
            )
            rest = abs(credited._convert_quantity(credited.quantity, unit))
            if source in left:
                left[source] -= rest
            elif not source and credited.id < self.id:
                for invoice in left:
                    taken = min(max(left[invoice], 0.0), rest)
                    left[invoice] -= taken
                    rest -= taken
        parts, rest = {}, abs(self.quantity)
        for invoice in left:
            taken = min(max(left[invoice], 0.0), rest)
            if taken > 1e-9:
                parts[invoice] = taken / abs(self.quantity)
                rest -= taken
        # What is more than all of them is too much for the last one.
        last = [move for move in left if move in sources.move_id][-1]
        if rest > 1e-9:
            parts[last] = parts.get(last, 0.0) + rest / abs(self.quantity)
        return parts

    def _is_credited_as_goods(self, left, quantity, subtotal):
        """Return whether ``subtotal`` pays ``quantity`` of this invoice line back: at
        its price, or with all that is left of the line. Cents of roundings don't
        matter.

        :param left: what is left of the line before, a ``LineLeft``
        """
        if not self.quantity or not quantity or (quantity < 0) != (self.quantity < 0):
            return not self.quantity
        worth = abs(self.price_subtotal / self.quantity * quantity)
        cent = self.currency_id.rounding
        cents = cent + min(cent * abs(quantity) / 2, worth / 100)
        if self.price_subtotal < 0:
            subtotal, rest = -subtotal, -left.subtotal
        else:
            rest = left.subtotal
        return subtotal >= min(worth, rest) - cents

    def _convert_quantity(self, quantity, unit):
        """Return ``quantity`` of this line in ``unit``; the same without a unit, as
        lines of down payments are."""
        own = self.product_uom_id
        if not own or not unit or own == unit:
            return quantity
        return own._compute_quantity(quantity, unit, round=False)

    def _count_refund_left(self, rest):
        """Return ``{invoiced, credited, instead, left_to_refund}`` of this line of an
        invoice, in its unit.

        :param rest: its ``LineLeft``
        """
        move = self.move_id
        open_quantity = max(rest.quantity, 0.0)
        left = 0.0
        if move.state == "posted" and open_quantity:
            if self.currency_id.compare_amounts(self.price_total, 0) <= 0:
                left = open_quantity
            elif self.currency_id.compare_amounts(rest.total, 0) > 0:
                paid = self.price_total / self.quantity
                left = max(min(open_quantity, move.amount_left_to_refund / paid), 0.0)
                unit = self.product_uom_id
                if abs(open_quantity - left) * paid < self.currency_id.rounding:
                    left = open_quantity
                left = unit.round(left) if unit else left
        return {
            "invoiced": self.quantity,
            "credited": self.quantity - rest.quantity,
            "instead": open_quantity - left if move.state == "posted" else 0.0,
            "left_to_refund": left,
        }
