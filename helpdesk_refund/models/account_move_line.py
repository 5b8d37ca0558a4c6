from math import floor

from odoo import Command, fields, models
from odoo.tools import float_is_zero

from odoo.addons.helpdesk_after_sales.models.account_move_refund import LineLeft


class AccountMoveLine(models.Model):
    """Lines of an invoice, as a credit note of a ticket takes them (X1).

    ``rest`` is the ``LineLeft`` of the line.
    """

    _inherit = "account.move.line"

    helpdesk_taken_back = fields.Float(
        groups="base.group_user",
        string="Taken Back",
        digits="Product Unit",
        readonly=True,
        server_only=False,
        copy=False,
        help="What had been returned on the ticket when this line credited it.",
    )

    def _get_quantity_taken_back(self):
        """Return how much of what was returned this line of a credit note settles, in
        its unit: the goods that it credits, and what it was made for, at any price."""
        self.ensure_one()
        if self.parent_state == "cancel" or self.display_type != "product":
            return 0.0
        source = self.helpdesk_refunded_line_id
        left = LineLeft(source.quantity, source.price_subtotal, source.price_total)
        quantity = self._convert_quantity(self.quantity, source.product_uom_id)
        if source and not source._is_credited_as_goods(
            left,
            quantity,
            self.move_id._convert_refunded(self.price_subtotal, source.move_id),
        ):
            return min(self.quantity, self.helpdesk_taken_back)
        return self.quantity

    def _filter_refund_delivery(self):
        """Return those of these lines that charge the delivery of their order."""
        # sudo: users of Invoicing may not read orders; a yes or no leaves.
        charges = self.sudo().sale_line_ids.filtered(lambda line: line._is_delivery())
        if not charges:
            return self.browse()
        return self.filtered(lambda line: line.sudo().sale_line_ids & charges)

    def _prepare_refund_figures(self, rest):
        """Return what the pop-up shows of this line of an invoice."""
        name = self.name or self.product_id.display_name or ""
        return {
            "name": name.split("\n")[0],
            "invoice_name": self.move_id.name,
            "uom_name": self.product_uom_id.name,
            "quantity_invoiced": self.quantity,
            "quantity_left": max(rest.quantity, 0.0),
            "amount_left": max(self.currency_id.round(rest.total), 0.0),
        }

    def _is_untouched(self, rest):
        """Return whether nothing of this line was credited, see ``LineLeft``."""
        if rest.quantity == self.quantity and rest.total == self.price_total:
            return True
        return self._is_quantity_used_up(
            self.quantity - rest.quantity
        ) and not self.currency_id.compare_amounts(rest.total, self.price_total)

    def _get_unit_worth(self):
        """Return what one unit was invoiced for, before taxes."""
        return self.price_subtotal / self.quantity if self.quantity else 0.0

    def _is_quantity_used_up(self, quantity):
        """Return whether ``quantity``, which is left of this line, is none."""
        if not quantity or (quantity < 0) != (self.quantity < 0):
            return True
        unit = self.product_uom_id
        return unit.is_zero(quantity) if unit else float_is_zero(quantity, 6)

    def _get_cents(self, quantity):
        """Return by how much an amount for ``quantity`` may differ by roundings."""
        cent = self.currency_id.rounding
        worth = abs(self._get_unit_worth() * quantity)
        return cent + min(cent * abs(quantity) / 2, worth / 100)

    def _is_credited_too_much(self, rest):
        """Return whether more than this line was credited, by more than cents."""
        amount = rest.subtotal if self.price_subtotal >= 0 else -rest.subtotal
        return amount < -self._get_cents(self.quantity)

    def _get_refund_worth(self, rest, quantity):
        """Return what ``quantity`` is credited for, before taxes: its price, as long as
        enough is left of the line; all that is left with the last of it."""
        if self._is_quantity_used_up(rest.quantity - quantity):
            return rest.subtotal
        worth = self._get_unit_worth() * quantity
        return min(worth, rest.subtotal) if worth > 0 else max(worth, rest.subtotal)

    def _prepare_refund_part(self, rest, quantity):
        """Return the values of ``quantity`` of this line in a credit note, by which the
        copy of it differs: one line or two, or none for nothing.

        Where less is left than the price of it all, the first ones are credited at
        their price.
        """
        currency = self.currency_id
        if self._is_quantity_used_up(quantity):
            if self._is_quantity_used_up(rest.quantity):
                return self._prepare_refund_amount(rest, rest.subtotal)
            return []
        if not self.price_subtotal:
            return [{"quantity": quantity}]
        amount = self._get_refund_worth(rest, quantity)
        if currency.is_zero(amount) or (amount < 0) != (self.price_subtotal < 0):
            return []
        unit_worth = self._get_unit_worth()
        worth = unit_worth * quantity
        values = {"quantity": quantity, "price_unit": self.price_unit}
        if currency.is_zero(amount - currency.round(worth)):
            return [values]
        if abs(amount - worth) <= self._get_cents(quantity):
            return [values | {"price_unit": self.price_unit * amount / worth}]
        if abs(amount) > abs(worth):
            more = self._prepare_refund_amount(rest, amount - worth, of_goods=False)
            return [values, *more]
        full = float(floor(abs(quantity * amount / worth) + 1e-6))
        full = full if quantity > 0 else -full
        amount -= full * unit_worth
        if not full or abs(amount) <= self._get_cents(full):
            full, amount = 0.0, amount + full * unit_worth
        others = quantity - full
        part = {
            "quantity": others,
            "price_unit": self.price_unit * amount / (unit_worth * others),
        }
        return ([values | {"quantity": full}] if full else []) + [part]

    def _prepare_refund_amount(self, rest, amount, of_goods=True):
        """Return the values of ``amount``, before taxes, of this line in a credit note:
        ``[values]``, or none for less than cents. The order counts no quantity when
        there is none left."""
        currency = self.currency_id
        if currency.is_zero(amount) or (amount < 0) != (self.price_subtotal < 0):
            return []
        quantity = rest.quantity
        if not of_goods or self._is_quantity_used_up(quantity):
            if of_goods and abs(amount) <= self._get_cents(self.quantity):
                return []
            quantity = 1.0 if self.quantity > 0 else -1.0
        worth = self._get_unit_worth() * quantity
        values = {"quantity": quantity, "price_unit": self.price_unit * amount / worth}
        if not of_goods or self._is_quantity_used_up(rest.quantity):
            values["sale_line_ids"] = []
        return [values]

    def _get_lines_lowered(self, lines):
        """Return those of ``lines``, of the invoice, that this line with a negative
        amount lowers: those that the order tells, else those with its taxes, as Odoo
        splits discounts by taxes."""
        # sudo: order lines are compared only.
        lowered = self.sudo().sale_line_ids._get_after_sales_lowered()
        if some := [line for line in lines if line.sudo().sale_line_ids & lowered]:
            return some
        goods = [line for line in lines if line.price_subtotal > 0]
        return [line for line in goods if line.tax_ids == self.tax_ids] or goods

    def _prepare_tax_change(self, difference):
        """Return the command that changes the amount of this tax line."""
        amount = self.amount_currency + difference
        rate = self.balance / self.amount_currency if self.amount_currency else 1.0
        balance = self.company_currency_id.round(amount * rate)
        return Command.update(self.id, {"amount_currency": amount, "balance": balance})

    def _prepare_tax_left(self, key, amount):
        """Return the command that adds what is left of the tax of this invoice line to
        a credit note that has no line with it any more.

        :param key: the tax, and which share of it, see ``_group_tax_lines``
        """
        tax, position = key
        share = tax.refund_repartition_line_ids[position]
        rate = self.balance / self.amount_currency if self.amount_currency else 1.0
        return Command.create(
            {
                "display_type": "tax",
                "name": self.name,
                "account_id": self.account_id.id,
                "tax_repartition_line_id": share.id,
                "tax_tag_ids": [Command.set(share.tag_ids.ids)],
                "currency_id": self.currency_id.id,
                "amount_currency": amount,
                "balance": self.company_currency_id.round(amount * rate),
            }
        )
