"""What a credit note will come to, before it is made: reckoned with Odoo's own tax
helpers from the values that it will be made of (X11)."""

from typing import NamedTuple

from odoo import Command, models

from odoo.addons.helpdesk_after_sales.models.account_move_refund import RefundLeft

#: where the plans of a pop-up, ``{invoice: RefundPlan}``, are while it makes them
PLANS = "helpdesk_refund.plans"


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


#: all that is left
NO_CHOICE = RefundChoice()


class RefundTotals(NamedTuple):
    """What the values of a credit note come to, with taxes."""

    total: float
    #: ``{invoice line: amount}``
    lines: dict
    #: of lines beside those of the invoice, before taxes
    extras_untaxed: float


class RefundPlan(NamedTuple):
    """A credit note before it is made: what it will hold, and come to."""

    choice: RefundChoice
    #: of the invoice, without it
    left: RefundLeft
    #: ``{invoice line: [values]}``, by which the copy of each line differs; ``None``
    #: when all of the invoice is copied
    parts: dict | None
    #: values of the lines beside those of the invoice
    extras: list
    #: with taxes, fitted to what is left
    total: float
    #: whether it is the last of its invoice
    last: bool


class AccountMove(models.Model):
    _inherit = "account.move"

    def _plan_refund(self, choice=NO_CHOICE, left=None):
        """Return the ``RefundPlan`` of the credit note of ``choice`` of this invoice.

        :param left: its ``RefundLeft``
        """
        self.ensure_one()
        left = left or self._get_refund_left()[self]
        parts, extras = self._prepare_refund_parts(choice, left)
        if parts is None:
            return RefundPlan(choice, left, None, [], left.total, True)
        if choice.amount:
            totals = RefundTotals(choice.amount, {}, 0.0)
        else:
            totals = self._compute_refund_totals(parts, extras)
        if self._takes_all_left(choice, left, totals.total):
            # Line by line, what lowered the invoice too: so the taxes come out even.
            parts = self._prepare_refund_rest(left)
            if choice.amount:
                for line, several in parts.items():
                    label = self._get_amount_label(line)
                    label = {"name": label, "sale_line_ids": []}
                    parts[line] = [values | label for values in several]
            whole = RefundChoice(fee=0.0 if choice.amount else choice.fee)
            extras = self._prepare_refund_extras(parts, whole, left)
            totals = self._compute_refund_totals(parts, extras)
            total, last = self._expect_refund(parts, totals, whole, left)
        elif choice.amount:
            total, last = choice.amount, False
        else:
            total, last = self._expect_refund(parts, totals, choice, left)
        return RefundPlan(choice, left, parts, extras, total, last)

    def _takes_all_left(self, choice, left, total):
        """Return whether ``choice``, which comes to ``total``, is worth all that is
        left of this invoice, or more, and isn't all of its lines."""
        total += choice.fee
        if choice.amount or choice.amounts:
            return self.currency_id.compare_amounts(total, left.total) >= 0
        cents = self._get_refund_tolerance() * (len(left.lines) + len(left.notes) + 1)
        return choice.quantities is not None and total - left.total > cents

    def _get_refund_total(self, choice, left):
        """Return the total, with taxes, of the credit note of ``choice`` of this
        invoice, in its currency: the same that the document will have."""
        return self._plan_refund(choice, left).total

    def _expect_refund(self, parts, totals, choice, left):
        """Return what a credit note of ``parts``, which come to ``totals``, will be
        once it is fitted to what is left: its total, and whether it is the last."""
        currency = self.currency_id
        total = currency.round(totals.total)
        if (
            not choice.fee
            and not choice.amounts
            and self._is_refund_closed_by(parts, left)
        ):
            # The last one takes the cents, and the taxes as they were posted: see
            # _fit_lines and _fit_taxes. What was kept back before stays.
            whole = (
                sum(left.lines[line].subtotal for line in parts if parts[line])
                + totals.extras_untaxed
                + sum(self._get_taxes_left(left.notes).values())
            )
            cents = self._get_refund_tolerance() * (len(parts) + len(left.notes) + 1)
            if left.total - max(whole, total) <= cents or currency.is_zero(total):
                return left.total, True
        if (rounding := self.invoice_cash_rounding_id) and not choice.fee:
            total += rounding.compute_difference(currency, total)
        return currency.round(min(total, left.total)), False

    def _get_refund_tolerance(self):
        """Return what one rounding may differ by."""
        return max(
            self.currency_id.rounding, self.invoice_cash_rounding_id.rounding or 0.0
        )

    def _is_refund_closed_by(self, parts, left):
        """Return whether nothing of the lines is left after a credit note of
        ``parts``; a quantity whose money was given already is nothing."""
        for line, rest in left.lines.items():
            if self.currency_id.is_zero(rest.subtotal):
                continue
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
