"""How a ticket's credit note is made: Odoo's copy, less what was credited before."""

from odoo import Command, api, models

from odoo.addons.helpdesk_after_sales.models.account_move_refund import Unmatched

from .account_move_refund_total import RefundChoice, RefundPlan

NOTES = ("line_section", "line_subsection", "line_note")


class AccountMove(models.Model):
    # Imported before account_move.py: what is told of a new credit note in its create()
    # is told of the one that was made to fit here.
    _inherit = "account.move"

    def copy_data(self, default=None):
        """Of an invoice that a ticket's credit note reverses, copy what is left only.

        ``helpdesk_plan`` in ``default``: a ``RefundPlan``, else all that is left (X1).
        Taxes, roundings and the amount due follow from it.
        ``helpdesk_replaced``: that of a credit note whose content a new invoice takes.
        """
        default = dict(default or {})
        plan = default.pop("helpdesk_plan", None)
        replaced = default.pop("helpdesk_replaced", None)
        vals_list = super().copy_data(default)
        # What a client gives is no plan.
        if isinstance(replaced, RefundPlan):
            for move, vals in zip(self, vals_list, strict=True):
                move._trim_refund(vals, replaced.parts, replaced.extras, {})
        elif default.get("helpdesk_ticket_id") and default.get("reversed_entry_id"):
            for move, vals in zip(self, vals_list, strict=True):
                known = isinstance(plan, RefundPlan)
                move._set_refund(vals, plan if known else move._plan_refund())
        return vals_list

    @api.model_create_multi
    def create(self, vals_list):
        plans = [vals.pop("helpdesk_plan", None) for vals in vals_list]
        moves = super().create(vals_list)
        for move, vals, plan in zip(moves, vals_list, plans, strict=True):
            if vals.get("helpdesk_ticket_id") and vals.get("reversed_entry_id"):
                move._fit_refund(plan if isinstance(plan, RefundPlan) else None)
        return moves

    # -- The lines -----------------------------------------------------------

    def _set_refund(self, vals, plan):
        """Change the values of the copy of this invoice to those of a credit note of
        ``plan``."""
        vals["helpdesk_plan"] = plan
        choice = plan.choice
        taken = {} if choice.amount else choice.quantities or {}
        self._trim_refund(vals, plan.parts, plan.extras, taken)
        if choice.amount or choice.fee:
            # Exactly as it was typed: cash would be rounded once more.
            vals["invoice_cash_rounding_id"] = False

    def _trim_refund(self, vals, parts, extras, taken):
        """Change the lines of the copy of this invoice to ``parts`` and ``extras``, see
        ``_prepare_refund_parts``. Of an invoice of which nothing was given back Odoo's
        copy stays.

        :param taken: ``{line: quantity}`` that is credited as goods
        """
        if parts is None:
            return
        copies = {
            command[2]["helpdesk_refunded_line_id"]: command[2]
            for command in vals.get("line_ids", ())
            if command[2]["display_type"] in ("product", *NOTES)
        }
        lines = []
        for line in self._get_lines_of_refund(parts):
            copy = copies.get(line.id)
            if copy and line.display_type in NOTES:
                lines.append(copy)
            elif copy:
                back = {"helpdesk_taken_back": taken.get(line, 0.0)}
                lines += [copy | back | values for values in parts[line]]
        vals["line_ids"] = [Command.create(values) for values in lines + extras]

    def _prepare_refund_parts(self, choice, left):
        """Return two of a credit note of ``choice``: ``{invoice line: [values]}``, by
        which the copy of each line differs, and the values of the lines beside them.
        ``None`` in place of the first when all of the invoice is copied.

        :param left: the ``RefundLeft`` of this invoice
        """
        if choice == RefundChoice() and not left.notes and not left.instead:
            return None, []
        if choice.amount:
            return self._prepare_amount_parts(left, choice), []
        if choice.quantities is None:
            parts = self._prepare_refund_rest(left)
        else:
            parts = self._prepare_refund_share(left, choice)
        return parts, self._prepare_refund_extras(parts, choice, left)

    def _prepare_refund_extras(self, parts, choice, left):
        """Return the values of the lines beside ``parts``."""
        extras = self._prepare_unmatched(left, parts, choice.fee)
        if choice.fee:
            extras += self._prepare_fee_values(parts, choice.fee)
        return extras

    def _prepare_refund_rest(self, left):
        """Return ``{line: [values]}`` of all that is left."""
        return {
            line: line._prepare_refund_part(rest, rest.quantity)
            for line, rest in left.lines.items()
        }

    def _get_lines_of_refund(self, parts):
        """Return the lines of this invoice that a credit note of ``parts`` shows, in
        their order: no section whose lines are all gone, no note about one of them."""
        shown = []
        kept = True
        lines = self.invoice_line_ids.sorted(lambda line: (line.sequence, line.id))
        for index, line in enumerate(lines):
            if line.display_type in ("line_section", "line_subsection"):
                ends = NOTES[: 1 if line.display_type == "line_section" else 2]
                inside = []
                for other in lines[index + 1 :]:
                    if other.display_type in ends:
                        break
                    inside.append(other)
                inside = [other for other in inside if other.display_type == "product"]
                kept = not inside or any(parts.get(other) for other in inside)
            elif line.display_type == "product":
                kept = bool(parts.get(line))
            elif line.display_type != "line_note":
                continue
            if kept:
                shown.append(line)
        return shown

    def _prepare_refund_share(self, left, choice):
        """Return ``{line: [values]}`` of a credit note of ``choice``, with its share of
        what lowered the invoice as a whole: discounts, rewards, down payments, gift
        cards. A share of what is left of them: the last goods take all of it."""
        parts, worth = {}, {}
        taken = choice.quantities
        for line, quantity in taken.items():
            if line in (choice.amounts or ()):
                # For an amount that was typed, nothing is taken off it.
                parts[line] = self._prepare_amount_part(
                    line, quantity, choice.amounts[line]
                )
                continue
            parts[line] = line._prepare_refund_part(left.lines[line], quantity)
            worth[line] = line._get_refund_worth(left.lines[line], quantity)
        for line, rest in left.lines.items():
            if line.price_subtotal >= 0 or line in taken or rest.subtotal >= 0:
                continue
            goods = line._get_lines_lowered(left.lines)
            whole = sum(max(left.lines[other].subtotal, 0.0) for other in goods)
            share = sum(worth.get(other, 0.0) for other in goods)
            if whole and share:
                parts[line] = line._prepare_refund_amount(
                    rest, rest.subtotal * min(share / whole, 1.0)
                )
        return parts

    def _prepare_unmatched(self, left, parts, fee=0.0):
        """Return the values of the lines that take off what was credited beside the
        lines of this invoice, or given instead of money; each once, and only when
        ``parts`` would pass what is left. What earlier credit notes kept back (a fee)
        is given back when nothing else is left."""
        currency = self.currency_id
        worth = self._get_worth_of_parts(parts)
        nothing = currency.is_zero(worth)
        sums = {
            taxes: amounts
            for taxes, amounts in self._sum_unmatched(left).items()
            if currency.compare_amounts(amounts.total, 0) == (-1 if nothing else 1)
        }
        whole = sum(amounts.total for amounts in sums.values())
        excess = worth - fee - left.total
        if not whole or (not nothing and currency.compare_amounts(excess, 0) <= 0):
            return []
        factor = min(excess / whole, 1.0)
        if abs(excess - whole) < currency.rounding * (len(left.lines) + 1):
            factor = 1.0
        account = next(iter(left.lines), self.env["account.move.line"]).account_id
        return [
            {
                "display_type": "product",
                "name": self._describe_unmatched(amounts),
                "account_id": (amounts.line.account_id or account)[:1].id,
                "quantity": -1.0,
                "price_unit": factor
                * (amounts.total if taxes._has_included() else amounts.subtotal),
                "tax_ids": [Command.set(taxes.ids)],
            }
            for taxes, amounts in sums.items()
        ]

    @api.model
    def _get_worth_of_parts(self, parts):
        """Return what ``{line: [values]}`` come to, with taxes, but for cents."""
        worth = 0.0
        for line, several in parts.items():
            for values in several:
                price = values.get("price_unit", line.price_unit)
                if line.price_unit and line.quantity:
                    ratio = values["quantity"] / line.quantity * price / line.price_unit
                    worth += line.price_total * ratio
        return worth

    def _sum_unmatched(self, left):
        """Return ``{taxes: Unmatched}``: what was credited beside the lines of this
        invoice or beyond them, and given instead of money, by taxes, with the
        lines that it is from."""
        rows = list(left.unmatched)
        for line, rest in left.lines.items():
            if line._is_credited_too_much(rest):
                rate = (
                    line.price_total / line.price_subtotal
                    if line.price_subtotal
                    else 1.0
                )
                rows.append(Unmatched(line, -rest.subtotal, -rest.subtotal * rate))
        if instead := left.instead:
            rows.append(Unmatched(self.env["account.move.line"], instead, instead))
        sums = {}
        for line, subtotal, total in rows:
            taxes = line.tax_ids
            so_far = sums.get(taxes, Unmatched(line, 0.0, 0.0))
            sums[taxes] = Unmatched(
                so_far.line | line,
                so_far.subtotal + subtotal,
                so_far.total + total,
            )
        return sums

    def _describe_unmatched(self, amounts):
        if amounts.subtotal < 0:
            return self.env._("Already kept back")
        names = [
            line.name or line.product_id.display_name
            for line in amounts.line
            if line.price_subtotal > 0
        ]
        if names:
            return self.env._("Already credited: %(lines)s", lines=", ".join(names))
        return self.env._("Already given instead of money")

    # -- The figures ---------------------------------------------------------

    def _fit_refund(self, plan=None):
        """Let this new draft end what it ends: the last one takes the cents that
        rounding left, and the taxes of the invoice as they were posted; and none
        passes what is left.

        :param plan: what it was made of, a ``RefundPlan``
        """
        self.ensure_one()
        invoice = self.reversed_entry_id
        if plan:
            others, target = plan.left.notes, plan.total
        else:
            others = invoice._get_credit_notes() - self
            target = invoice._get_left_to_refund(others)
        # Without parts Odoo's copy is kept.
        expected = plan and plan.parts is not None
        last = plan.last if expected else self._is_last_refund(others)
        if last and others:
            self._fit_lines()
        if last:
            self._fit_taxes(others)
        currency = self.currency_id
        difference = target - self.amount_total
        if currency.is_zero(difference):
            return
        lines = self._get_refund_lines()
        cents = self._get_refund_tolerance() * (len(lines) + len(others) + 1)
        small = abs(difference) <= cents
        more = not small and lines and not currency.is_zero(self.amount_total)
        if difference > 0 and not expected and (more or not last):
            # Kept back before; it is offered when nothing else is left.
            return
        if self.invoice_cash_rounding_id:
            # Cash would be rounded once more.
            self.invoice_cash_rounding_id = False
            difference = target - self.amount_total
            if currency.is_zero(difference):
                return
        if small:
            name = self.env._("Rounding")
        elif difference > 0:
            name = self.env._("Rest of %(invoice)s", invoice=invoice.name)
        else:
            name = self.env._("Already credited")
        self._add_untaxed(name, difference)
        if last:
            # Odoo has reckoned the taxes anew with that line.
            self._fit_taxes(others)

    def _fit_replacement(self, note):
        """Let this new draft come to what ``note`` credits, tax by tax: the cents that
        it took, and what it holds beside the lines of the invoice."""
        currency = self.currency_id
        if self.invoice_cash_rounding_id or currency.is_zero(
            note.amount_total - self.amount_total
        ):
            return
        wanted = note._get_tax_amounts()
        self._set_taxes(wanted, self.browse())
        difference = note.amount_total - self.amount_total
        if currency.is_zero(difference):
            return
        small = abs(difference) <= currency.rounding * (len(self.line_ids) + 1)
        rest = self.env._("Rest of %(invoice)s", invoice=note.reversed_entry_id.name)
        self._add_untaxed(self.env._("Rounding") if small else rest, difference)
        self._set_taxes(wanted, self.browse())

    def _add_untaxed(self, name, amount):
        lines = self._get_refund_lines() or self.reversed_entry_id._get_refund_lines()
        self.invoice_line_ids = [
            Command.create(
                {
                    "display_type": "product",
                    "name": name,
                    "quantity": 1.0,
                    "price_unit": amount,
                    "account_id": lines[:1].account_id.id,
                    "tax_ids": [Command.clear()],
                }
            )
        ]

    def _is_last_refund(self, others):
        """Return whether nothing of the invoice is left after this credit note."""
        invoice = self.reversed_entry_id
        if not others:
            # A copy of all of it.
            return self.currency_id.is_zero(
                sum(invoice._get_refund_lines().mapped("price_subtotal"))
                - sum(self._get_refund_lines().mapped("price_subtotal"))
            )
        cents = self.currency_id.rounding * (len(others) + 2)
        return all(
            line._is_quantity_used_up(rest.quantity)
            and abs(rest.subtotal) <= max(cents, abs(line.price_subtotal) / 50)
            or line._is_credited_too_much(rest)
            for line, rest in invoice._get_refund_left()[invoice].lines.items()
        )

    def _fit_lines(self):
        """Let the prices of this last credit note take the cents of the others."""
        invoice = self.reversed_entry_id
        copies = self._get_refund_lines().grouped("helpdesk_refunded_line_id")
        commands = []
        for line, rest in invoice._get_refund_left()[invoice].lines.items():
            copy = copies.get(line, self.env["account.move.line"])[-1:]
            paid = copy.quantity * (1 - (copy.discount or 0.0) / 100)
            if not paid or invoice.currency_id.is_zero(rest.subtotal):
                continue
            difference = rest.subtotal
            if line.price_subtotal and line.tax_ids._has_included():
                difference *= line.price_total / line.price_subtotal
            price = copy.price_unit + difference / paid
            commands.append(Command.update(copy.id, {"price_unit": price}))
        if commands:
            self.invoice_line_ids = commands

    def _fit_taxes(self, others):
        """Set the taxes of this last credit note to those of the invoice less those of
        ``others``, each by its rate: some were corrected by hand, or rounded."""
        invoice = self.reversed_entry_id
        self._set_taxes(invoice._get_taxes_left(others), invoice)

    def _set_taxes(self, wanted, invoice):
        """Set the tax lines of this draft to ``{key: amount}``, see
        ``_group_tax_lines``.

        :param invoice: whose lines say how a tax is booked that this one lacks
        """
        commands = []
        own = self._group_tax_lines()
        for key, amount in wanted.items():
            lines = own.get(key, self.line_ids.browse())
            given = sum(lines.mapped("amount_currency")) * self.direction_sign
            difference = (amount - given) * self.direction_sign
            if self.currency_id.is_zero(difference):
                continue
            if lines:
                commands.append(lines[0]._prepare_tax_change(difference))
            elif source := invoice and invoice._group_tax_lines().get(key):
                commands.append(source[0]._prepare_tax_left(key, difference))
        if commands:
            self.write({"line_ids": commands})

    def _get_taxes_left(self, notes):
        """Return ``{key: amount}``: the taxes of this invoice less those of ``notes``,
        keys as in ``_group_tax_lines``."""
        left = self._get_tax_amounts()
        for note in notes:
            for key, lines in note._group_tax_lines().items():
                amount = sum(lines.mapped("amount_currency")) * note.direction_sign
                amount *= note._get_part_of_tax(key[0], self)
                left[key] = left.get(key, 0.0) - note._convert_refunded(amount, self)
        return left

    def _get_tax_amounts(self):
        """Return ``{key: amount}`` of the taxes of this document."""
        return {
            key: sum(line.amount_currency for line in lines) * self.direction_sign
            for key, lines in self._group_tax_lines().items()
        }

    def _get_part_of_tax(self, tax, invoice):
        """Return which part of ``tax`` of this credit note is for ``invoice``."""
        parts = self._get_lines_credited(invoice)
        taxed = [
            line
            for line in self._get_refund_lines()
            if tax in line.tax_ids.flatten_taxes_hierarchy()
        ]
        whole = sum(line.price_subtotal for line in taxed)
        if self.currency_id.is_zero(whole):
            return 1.0
        return sum(line.price_subtotal * parts.get(line, 0.0) for line in taxed) / whole

    def _group_tax_lines(self):
        """Return the tax lines of this document by tax and share of the tax, the same
        for invoices and credit notes."""
        groups = {}
        for line in self.line_ids.filtered(
            lambda line: line.tax_repartition_line_id and line.display_type == "tax"
        ):
            share = line.tax_repartition_line_id
            shares = (
                share.tax_id.refund_repartition_line_ids
                if share.document_type == "refund"
                else share.tax_id.invoice_repartition_line_ids
            )
            key = (share.tax_id, list(shares).index(share))
            groups[key] = groups.get(key, line.browse()) + line
        return groups
