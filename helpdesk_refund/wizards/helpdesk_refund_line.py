import math

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskRefundLine(models.TransientModel):
    """A line of an invoice in the pop-up **Refund**: how much of it is credited (X11).

    By quantity; with an amount of its own, the quantity is credited for that amount.
    """

    _name = "helpdesk.refund.line"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Line of a refund from a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="account.move.reversal", required=True, ondelete="cascade"
    )
    move_line_id = fields.Many2one(
        comodel_name="account.move.line",
        string="Invoice Line",
        required=True,
        ondelete="cascade",
    )
    name = fields.Char(string="Product", compute="_compute_figures")
    invoice_name = fields.Char(string="Invoice", compute="_compute_figures")
    uom_name = fields.Char(string="Unit", compute="_compute_figures")
    currency_id = fields.Many2one(related="move_line_id.currency_id")
    quantity_invoiced = fields.Float(
        string="Invoiced", digits="Product Unit", compute="_compute_figures"
    )
    quantity_left = fields.Float(
        string="Left",
        digits="Product Unit",
        compute="_compute_figures",
        help="What no credit note has credited yet; drafts count.",
    )
    amount_left = fields.Monetary(
        compute="_compute_figures",
        help="With taxes, before discounts of the whole order.",
    )
    quantity = fields.Float(
        string="To Credit",
        digits="Product Unit",
        help="0 leaves the line out.",
    )
    amount = fields.Monetary(
        compute="_compute_amount",
        store=True,
        readonly=False,
        help="With taxes. Enter another amount to credit the quantity for it.",
    )

    # -- Computes ------------------------------------------------------------

    @api.depends("move_line_id")
    def _compute_figures(self):
        for wizard, lines in self.grouped("wizard_id").items():
            left = wizard._get_lines_left()
            for line in lines:
                source = line.move_line_id._origin
                rest = left.get(source)
                if not rest:
                    # Not of the chosen invoices: nothing is told of it.
                    line.update(dict.fromkeys(self._get_figures(), False))
                    continue
                line.update(source._prepare_refund_figures(rest))

    @api.model
    def _get_figures(self):
        return [
            "name",
            "invoice_name",
            "uom_name",
            "quantity_invoiced",
            "quantity_left",
            "amount_left",
        ]

    @api.depends("quantity", "move_line_id")
    def _compute_amount(self):
        for wizard, lines in self.grouped("wizard_id").items():
            quantities = lines._get_quantities()
            worth = wizard._get_lines_worth(quantities, wizard._get_lines_left())
            for line in lines:
                line.amount = worth.get(line.move_line_id._origin, 0.0)

    def _get_quantities(self):
        """Return ``{invoice line: quantity}`` that is chosen."""
        quantities = {}
        for line in self:
            source = line.move_line_id._origin
            quantities[source] = quantities.get(source, 0.0) + line.quantity
        return quantities

    # -- Refusals ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_numbers(vals)
        lines = super().create(vals_list)
        for line, vals in zip(lines, vals_list, strict=True):
            line._check_decimals(vals)
        return lines

    def write(self, vals):
        self._check_numbers(vals)
        for line in self:
            line._check_decimals(vals)
        return super().write(vals)

    @api.model
    def _check_numbers(self, vals):
        """Refuse what can't be a quantity or an amount (T4)."""
        for name in ("quantity", "amount"):
            number = vals.get(name) or 0.0
            if (
                not isinstance(number, int | float)
                or not math.isfinite(number)
                or not 0 <= number <= 1e12
            ):
                raise UserError(
                    self.env._(
                        "%(number)s can't be credited: enter a quantity or an amount "
                        "from 0 to what is left.",
                        number=number,
                    )
                )
        digits = self._fields["quantity"].get_digits(self.env)[1]
        quantity = vals.get("quantity") or 0.0
        if float_compare(quantity, round(quantity, digits), precision_digits=9):
            raise UserError(
                self.env._(
                    "%(quantity)s has more than %(digits)s decimals: enter a quantity "
                    "as it was invoiced.",
                    quantity=quantity,
                    digits=digits,
                )
            )

    def _check_decimals(self, vals):
        """Refuse what the field would silently round (T4)."""
        amount = vals.get("amount") or 0.0
        currency = self.move_line_id.currency_id if amount else False
        if currency and float_compare(
            amount, round(amount, currency.decimal_places), precision_digits=9
        ):
            raise UserError(
                self.env._(
                    "%(amount)s has more decimals than %(currency)s allows.",
                    amount=amount,
                    currency=currency.name,
                )
            )

    def _check_line(self, rest, worth):
        """Refuse to credit what isn't left of this line any more (T3).

        :param rest: its ``LineLeft``, or ``None`` when it isn't of a chosen invoice
        :param worth: what its quantity comes to, with taxes
        """
        self.ensure_one()
        if rest is None:
            raise UserError(
                self.env._(
                    "One of the lines doesn't belong to the chosen invoices: remove it."
                )
            )
        line = self.move_line_id
        currency = line.currency_id
        amount_left = max(currency.round(rest.total), 0.0)
        step = 10.0 ** -self._fields["quantity"].get_digits(self.env)[1]
        if self.quantity - max(rest.quantity, 0.0) > step / 2 + 1e-9:
            unit = line.product_uom_id.name or ""
            left = format_quantity(self.env, max(rest.quantity, 0.0))
            raise UserError(self._get_excess_sentence(f"{left} {unit}".strip()))
        if currency.compare_amounts(self.amount, max(worth, amount_left)) > 0:
            raise UserError(
                self._get_excess_sentence(line.move_id._format_refund(amount_left))
            )
        if (
            self.quantity
            and currency.compare_amounts(self.amount, worth)
            and (currency.is_zero(self.amount))
        ):
            raise UserError(
                self.env._(
                    "%(line)s would be credited with an amount of zero: enter an "
                    "amount, or 0 as quantity to leave it out.",
                    line=self.name,
                )
            )

    def _get_excess_sentence(self, left):
        return self.env._(
            "%(line)s of %(invoice)s: at most %(left)s is left to credit. Already "
            "credited: %(notes)s.",
            line=self.name,
            invoice=self.move_line_id.move_id.name,
            left=left,
            notes=self.move_line_id.move_id._get_given_back_sentence() or "-",
        )
