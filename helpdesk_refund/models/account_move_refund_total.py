"""What a credit note will come to, before it is made: reckoned with Odoo's own tax
helpers from the values that it will be made of (X11)."""

from typing import NamedTuple

from odoo import Command, models


class RefundChoice(NamedTuple):
    """What is to be credited of one invoice. All amounts are with taxes."""

    #: ``{invoice line: quantity}``; ``None`` for all that is left
    quantities: dict | None = None
    #: ``{invoice line: amount}`` of those that are credited for another amount
    amounts: dict | None = None
    #: given for the lines instead of crediting them
    amount: float = 0.0
    #: kept back
    fee: float = 0.0


class RefundTotals(NamedTuple):
    """What the values of a credit note come to, with taxes."""

    total: float
    #: ``{invoice line: amount}``
    lines: dict
    #: of lines beside those of the invoice, before taxes
    extras_untaxed: float


class Expected(NamedTuple):
    """What a credit note will be, once it is fitted to what is left."""

    #: with taxes
    total: float
    #: whether it is the last of its invoice
    last: bool


class AccountMove(models.Model):
    _inherit = "account.move"

    def _get_refund_total(self, choice):
        """Return the total, with taxes, of the credit note of ``choice`` of this
        invoice, in its currency: the same that the document will have."""
        self.ensure_one()
        parts, extras = self._prepare_refund_parts(choice)
        if parts is None:
            return self.amount_left_to_refund
        return self._expect_refund(parts, extras, choice).total

    def _expect_refund(self, parts, extras, choice):
        """Return the ``Expected`` of a credit note of these values.

        :param parts: ``{invoice line: [values]}``
        :param extras: values of lines beside those of the invoice
        """
        currency = self.currency_id
        if choice.amount:
            return Expected(choice.amount, False)
        totals = self._compute_refund_totals(parts, extras)
        total = currency.round(totals.total)
        left = self.amount_left_to_refund
        if not choice.fee and not choice.amounts and self._is_refund_closed_by(parts):
            # The last one takes the cents, and the taxes as they were posted: see
            # _fit_lines and _fit_taxes. What was kept back before stays.
            notes = self._get_credit_notes()
            rest = self._get_refund_left()[self].lines
            whole = (
                sum(rest[line].subtotal for line in parts if parts[line])
                + totals.extras_untaxed
                + sum(self._get_taxes_left(notes).values())
            )
            cents = self._get_refund_tolerance() * (len(parts) + len(notes) + 1)
            if left - max(whole, total) <= cents or currency.is_zero(total):
                return Expected(left, True)
        if (rounding := self.invoice_cash_rounding_id) and not choice.fee:
            total += rounding.compute_difference(currency, total)
        return Expected(currency.round(min(total, left)), False)

    def _get_refund_tolerance(self):
        """Return what one rounding may differ by."""
        return max(
            self.currency_id.rounding, self.invoice_cash_rounding_id.rounding or 0.0
        )

    def _is_refund_closed_by(self, parts):
        """Return whether nothing of the lines is left after a credit note of
        ``parts``."""
        for line, rest in self._get_refund_left()[self].lines.items():
            taken = sum(values["quantity"] for values in parts.get(line, ()))
            if not line._is_quantity_used_up(rest.quantity - taken):
                return False
        return True

    def _compute_refund_totals(self, parts, extras=()):
        """Return the ``RefundTotals`` of values of lines of a credit note, as Odoo will
        reckon them."""
        rows = [(line, values) for line in parts for values in parts[line]]
        base_lines = [
            self._prepare_refund_base_line(line, values)
            for line, values in rows + [(None, values) for values in extras]
        ]
        taxes = self.env["account.tax"]
        taxes._add_tax_details_in_base_lines(base_lines, self.company_id)
        taxes._round_base_lines_tax_details(base_lines, self.company_id)
        total, lines, untaxed = 0.0, {}, 0.0
        for base_line in base_lines:
            amount = taxes._get_base_line_total(base_line)
            total += amount
            if line := base_line["_helpdesk_line"]:
                lines[line] = lines.get(line, 0.0) + amount
            else:
                details = base_line["tax_details"]
                untaxed += details["total_excluded_currency"]
        return RefundTotals(total, lines, untaxed)

    def _prepare_refund_base_line(self, line, values, **options):
        """Return the line of a credit note as Odoo's tax helpers take it.

        :param line: of the invoice that it is copied from, or ``None``
        :param values: of the line, as it will be created
        """
        changed = {
            name: values[name]
            for name in ("quantity", "price_unit", "discount", "extra_tax_data")
            if name in values
        }
        taxes = self.env["account.tax"]
        if "tax_ids" in values:
            ids = [id_ for command in values["tax_ids"] for id_ in command[2] or ()]
            changed["tax_ids"] = taxes.browse(ids)
        if line:
            for name in ("price_unit", "quantity", "discount"):
                changed.setdefault(name, line[name])
        return taxes._prepare_base_line_for_taxes_computation(
            line or {},
            currency_id=self.currency_id,
            rate=self.invoice_currency_rate or 1.0,
            sign=-1,
            is_refund=True,
            _helpdesk_line=line,
            **changed,
            **options,
        )

    # -- Amounts -------------------------------------------------------------

    def _prepare_amount_parts(self, left, choice):
        """Return ``{line: [values]}`` of ``choice.amount``, spread over the chosen
        lines by what is left of each, to the cent. Goods stay to be credited."""
        quantities = choice.quantities
        if quantities is None:
            quantities = {line: rest.quantity for line, rest in left.lines.items()}
        base_lines = []
        for line, quantity in quantities.items():
            if line.price_subtotal <= 0:
                continue
            base_lines += [
                self._prepare_refund_base_line(line, values)
                for values in line._prepare_refund_part(left.lines[line], quantity)
            ]
        return {
            base_line["_helpdesk_line"]: [
                {
                    "name": self._get_amount_label(base_line["_helpdesk_line"]),
                    "sale_line_ids": [],
                    **self._prepare_exact_values(base_line),
                }
            ]
            for base_line in self._spread_refund(base_lines, choice.amount)
        }

    def _get_amount_label(self, line):
        lang = self.partner_id.lang or self.env.lang
        return self.with_context(lang=lang).env._(
            "Price reduction: %(line)s",
            line=line.name or line.product_id.display_name or "",
        )

    def _prepare_amount_part(self, line, quantity, amount):
        """Return the values of ``quantity`` of ``line`` for ``amount``, with taxes."""
        values = {"quantity": quantity, "price_unit": line.price_unit}
        base_line = self._prepare_refund_base_line(line, values)
        return [
            self._prepare_exact_values(base_line, quantity)
            for base_line in self._spread_refund([base_line], amount)
        ]

    def _spread_refund(self, base_lines, amount, key="helpdesk_amount"):
        """Return ``base_lines`` lowered so that they come to exactly ``amount``, with
        taxes. What is due per piece (eco taxes) isn't lowered, as with discounts."""
        taxes = self.env["account.tax"]
        company = self.company_id
        taxes._add_tax_details_in_base_lines(base_lines, company)
        taxes._round_base_lines_tax_details(base_lines, company)
        base_lines = taxes._reduce_base_lines_to_target_amount(
            taxes._prepare_discountable_base_lines(base_lines, company),
            company,
            "fixed",
            amount,
            computation_key=f"{key},{self.id}",
            grouping_function=lambda line: {"_helpdesk_line": line["_helpdesk_line"]},
        )
        taxes._fix_base_lines_tax_details_on_manual_tax_amounts(base_lines, company)
        return [
            line
            for line in base_lines
            if not self.currency_id.is_zero(taxes._get_base_line_total(line))
        ]

    def _prepare_exact_values(self, base_line, quantity=1.0):
        """Return the values of a line whose amounts are those of ``base_line``."""
        base_line["price_unit"] /= quantity
        base_line["quantity"] = quantity
        taxes = self.env["account.tax"]
        return {
            "quantity": quantity,
            "price_unit": base_line["price_unit"],
            "discount": 0.0,
            "tax_ids": [Command.set(base_line["tax_ids"].ids)],
            "extra_tax_data": taxes._export_base_line_extra_tax_data(base_line),
        }

    # -- Fee -----------------------------------------------------------------

    def _prepare_fee_values(self, parts, fee):
        """Return the values of the lines that keep ``fee``, with taxes, back: with the
        taxes of the product that the company chose, else those of the goods."""
        product = self.company_id.helpdesk_fee_product_id
        lang = self.partner_id.lang or self.env.lang
        product = product.with_context(lang=lang)
        goods = [
            self._prepare_refund_base_line(line, values)
            for line in parts
            for values in parts[line]
        ]
        taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        if taxes:
            taxes = self.fiscal_position_id.map_tax(taxes)
            goods = [
                self._prepare_refund_base_line(
                    None,
                    {
                        "quantity": 1.0,
                        "price_unit": fee,
                        "tax_ids": [Command.set(taxes.ids)],
                    },
                )
            ]
        for base_line in goods:
            base_line["_helpdesk_line"] = None
        account = next(iter(parts), self.env["account.move.line"]).account_id
        if product:
            accounts = product.product_tmpl_id.get_product_accounts(
                self.fiscal_position_id
            )
            account = accounts["income"] or account
        name = (
            product.get_product_multiline_description_sale()
            if product
            else (self.with_context(lang=lang).env._("Restocking fee"))
        )
        return [
            {
                "display_type": "product",
                "name": name,
                "product_id": product.id,
                "account_id": account.id,
                "analytic_distribution": base_line["analytic_distribution"],
                **self._prepare_exact_values(base_line),
            }
            for base_line in self._spread_refund(goods, -fee, "helpdesk_fee")
        ]
