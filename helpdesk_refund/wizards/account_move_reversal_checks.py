import math

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, float_compare


class AccountMoveReversal(models.TransientModel):
    """What the pop-up **Refund** refuses, one sentence each (T1 to T4)."""

    _inherit = "account.move.reversal"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_refund_numbers(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_refund_numbers(vals)
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        self._check_refund_numbers(values)
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _check_refund_numbers(self, vals):
        """Refuse what is no amount, or what the field would silently round (T4)."""
        for name in ("helpdesk_amount", "helpdesk_fee", "helpdesk_fee_percent"):
            number = vals.get(name)
            if not number:
                continue
            if (
                not isinstance(number, int | float)
                or not math.isfinite(number)
                or not 0 <= number <= 1e12
            ):
                raise UserError(
                    self.env._(
                        "%(label)s: %(number)s is not an amount. Enter a positive one, "
                        "or empty it.",
                        label=self._fields[name]._description_string(self.env),
                        number=number,
                    )
                )
            digits = 6 if name.startswith("helpdesk_fee_p") else self._get_decimals()
            if float_compare(number, round(number, digits), precision_digits=9):
                raise UserError(
                    self.env._(
                        "%(number)s has more decimals than the currency allows.",
                        number=number,
                    )
                )

    def _get_unposted_moves(self):
        """Return what was chosen and isn't posted: Odoo's field doesn't show it."""
        field = self._fields["move_ids"]
        query = SQL(
            "SELECT %s FROM %s WHERE %s = %s",
            SQL.identifier(field.column2),
            SQL.identifier(field.relation),
            SQL.identifier(field.column1),
            self.id,
        )
        moves = self.env["account.move"].browse(
            id_ for (id_,) in self.env.execute_query(query)
        )
        return moves._filtered_access("read")

    def _get_decimals(self):
        """Return the decimals of an amount: of any currency for a new pop-up."""
        currencies = self._get_refund_currency() if len(self) == 1 else False
        currencies = currencies or self.env["res.currency"].search(
            [("active", "=", True)]
        )
        return max(currencies.mapped("decimal_places"), default=2)

    def _check_returned(self, left):
        """Refuse an invoice of which nothing was returned beside one of which something
        was."""
        if len(self.move_ids) < 2:
            return
        returned = {line.move_id for line in self._get_returned_lines(left)}
        chosen = self.helpdesk_line_ids.filtered("quantity").move_line_id.move_id
        for invoice in self.move_ids - chosen if returned else ():
            if invoice not in returned:
                raise UserError(
                    self.env._(
                        "Nothing of %(invoice)s was returned on this ticket: remove "
                        "it from the list, or untick Only What Was Returned.",
                        invoice=invoice.name,
                    )
                )

    def _check_choices(self, left):
        """Return the choices, see ``_get_choices``, or refuse what can't be credited,
        with one sentence (T3, T4)."""
        if (self.helpdesk_amount or self.helpdesk_fee) and (
            len(self.move_ids.currency_id) > 1
        ):
            raise UserError(
                self.env._(
                    "An amount or a fee works for invoices in one currency: refund "
                    "the others separately."
                )
            )
        lines_left = self._get_lines_left(left)
        worth = self._get_lines_worth(self._get_quantities(), lines_left)
        for line in self.helpdesk_line_ids:
            source = line.move_line_id._origin
            line._check_line(lines_left.get(source), worth.get(source, 0.0))
        choices = self._get_choices(left, worth)
        self._check_nothing_twice(choices)
        self._check_amounts(choices, left)
        return choices

    @api.model
    def _check_plan(self, invoice, plan):
        """Refuse a credit note without lines: it couldn't be posted. The last cents of
        roundings and taxes get a line when it is made."""
        if plan.parts is None or plan.extras or any(plan.parts.values()):
            return
        if not invoice.currency_id.is_zero(plan.total):
            return
        raise UserError(
            self.env._(
                "%(invoice)s: the chosen lines come to less than %(amount)s. Choose "
                "more of it.",
                invoice=invoice.name,
                amount=invoice._format_refund(invoice.currency_id.rounding),
            )
        )

    def _check_nothing_twice(self, choices):
        lines = self.helpdesk_line_ids.filtered("quantity").move_line_id
        if len(lines) < len(self.helpdesk_line_ids.filtered("quantity")):
            raise UserError(self.env._("A line of the invoice is listed twice."))
        for invoice in self.move_ids._origin:
            if invoice not in choices:
                raise UserError(
                    self.env._(
                        "Nothing of %(invoice)s is chosen: enter a quantity, or "
                        "remove it from the list.",
                        invoice=invoice.name,
                    )
                )

    def _check_amounts(self, choices, left):
        """Refuse an amount of more than the lines, and a fee that eats them up."""
        if not self.helpdesk_amount and not self.helpdesk_fee:
            return
        worth = sum(
            move._get_refund_total(choice, left[move])
            for move, choice in choices.items()
        )
        currency = self._get_refund_currency()
        figure = currency.format(worth)
        if currency.compare_amounts(self.helpdesk_amount, worth) > 0:
            raise UserError(
                self.env._(
                    "At most %(amount)s can be given for the chosen lines.",
                    amount=figure,
                )
            )
        if not self.helpdesk_amount and (
            currency.compare_amounts(self.helpdesk_fee, worth) >= 0
        ):
            raise UserError(
                self.env._(
                    "The restocking fee must be less than the %(amount)s that the "
                    "chosen lines come to.",
                    amount=figure,
                )
            )

    def _check_modify(self):
        """Refuse **Reverse and Create Invoice** beside an amount or a fee: it credits
        the whole invoice (S36)."""
        if self.helpdesk_amount or self.helpdesk_fee:
            raise UserError(
                self.env._(
                    "Reverse and Create Invoice credits all that is left of the "
                    "invoice: empty the amount and the fee, or press Reverse."
                )
            )
