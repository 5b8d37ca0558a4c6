import math

from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..models.account_move_refund_total import NO_CHOICE, RefundChoice


class AccountMoveReversal(models.TransientModel):
    """The lines of the pop-up **Refund**, and what the credit note comes to (X11)."""

    _inherit = "account.move.reversal"

    helpdesk_take = fields.Selection(
        selection=[
            ("all", "All That Is Left"),
            ("ticket", "What the Ticket Is About"),
            ("none", "Nothing"),
        ],
        string="Fill Lines With",
        default="all",
        help="Fills the lines below; each can be changed.",
    )
    helpdesk_proposed_line = fields.Integer(
        help="Technical: the id of the order line whose button was pressed. Compared "
        "with what was invoiced, nothing of it is read.",
    )
    helpdesk_line_ids = fields.One2many(
        comodel_name="helpdesk.refund.line",
        inverse_name="wizard_id",
        string="Lines to Credit",
        compute="_compute_helpdesk_line_ids",
        store=True,
        readonly=False,
    )
    helpdesk_whole = fields.Boolean(
        compute="_compute_helpdesk_line_ids",
        store=True,
        readonly=False,
        help="Technical: everything but delivery charges is taken back.",
    )
    helpdesk_amount = fields.Monetary(
        string="Give an Amount",
        help="Instead of crediting the lines: an amount with taxes, spread over the "
        "lines chosen above. The goods stay with the customer, and can be credited "
        "later.",
    )
    helpdesk_fee_percent = fields.Float(
        string="Restocking Fee (%)",
        digits=(5, 2),
        compute="_compute_helpdesk_fee_percent",
        store=True,
        readonly=False,
        help="Of what was paid for the chosen lines. Proposed by the reason.",
    )
    helpdesk_fee = fields.Monetary(
        string="Restocking Fee",
        compute="_compute_helpdesk_fee",
        store=True,
        readonly=False,
        help="With taxes: kept back, as a line of the credit note.",
    )
    helpdesk_discount = fields.Monetary(
        string="Share of Discounts",
        compute="_compute_helpdesk_total",
        help="Discounts of the whole order, rewards, gift cards and down payments go "
        "with the goods.",
    )
    helpdesk_total = fields.Monetary(
        string="Total of the Credit Note",
        compute="_compute_helpdesk_total",
        help="With taxes: what the document will come to.",
    )
    helpdesk_totals = fields.Char(
        string="Per Invoice",
        compute="_compute_helpdesk_total",
    )
    helpdesk_several = fields.Boolean(compute="_compute_helpdesk_total")
    helpdesk_choice_refusal = fields.Char(compute="_compute_helpdesk_total")

    # -- The lines -----------------------------------------------------------

    @api.depends(
        "move_ids",
        "helpdesk_take",
        "helpdesk_proposed_line",
        "helpdesk_returned_only",
        "helpdesk_arrived_only",
    )
    def _compute_helpdesk_line_ids(self):
        for wizard in self:
            values_list = []
            wizard.helpdesk_whole = False
            if wizard.helpdesk_ticket_id:
                left = wizard.move_ids._origin._get_refund_left()
                lines_left = wizard._get_lines_left(left)
                taken = wizard._get_lines_taken(left, lines_left)
                wizard.helpdesk_whole = wizard._is_whole(taken, lines_left)
                values_list = wizard._prepare_refund_lines(taken, lines_left)
            wizard.helpdesk_line_ids = [
                Command.clear(),
                *map(Command.create, values_list),
            ]

    def _get_lines_left(self, left=None):
        """Return ``{invoice line: LineLeft}`` of the lines that can be chosen: what
        lowers the invoice goes with them.

        :param left: ``{invoice: RefundLeft}`` of what was chosen, if it is known
        """
        if left is None:
            left = self.move_ids._origin._get_refund_left()
        return {
            line: rest
            for figures in left.values()
            for line, rest in figures.lines.items()
            if line.price_subtotal >= 0 and line.quantity > 0
        }

    def _prepare_refund_lines(self, taken, lines_left):
        """Return the values of the lines, of which ``{invoice line: quantity}`` is
        taken."""
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        quantities = {line: round(taken.get(line, 0.0), digits) for line in lines_left}
        worth = self._get_lines_worth(quantities, lines_left)
        values_list = [
            {
                "move_line_id": line.id,
                "quantity": quantity,
                "amount": worth.get(line, 0.0),
            }
            for line, quantity in quantities.items()
        ]
        if not self.id:
            # In a form nothing is saved: shown as it is known here.
            for values, line in zip(values_list, lines_left, strict=True):
                values |= line._prepare_refund_figures(lines_left[line])
        return values_list

    @api.model
    def _is_whole(self, taken, lines_left):
        """Return whether all is taken but delivery charges."""
        charges = self._get_delivery_charges(lines_left)
        return all(
            line._is_quantity_used_up(rest.quantity - taken.get(line, 0.0))
            for line, rest in lines_left.items()
            if line not in charges
        )

    @api.model
    def _get_delivery_charges(self, lines):
        return self.env["account.move.line"].union(*lines)._filter_refund_delivery()

    def _get_lines_taken(self, left, lines_left):
        """Return ``{invoice line: quantity}`` that is proposed: all that is left (S33),
        what came back on the ticket, or what the ticket is about."""
        if self.helpdesk_take == "none":
            return {}
        taken = {}
        if self.helpdesk_returned_only:
            taken = self._get_returned_lines(left)
        if self.helpdesk_take == "ticket":
            pressed = self._get_lines_pressed(lines_left)
            taken = {
                line: quantity
                for line, quantity in taken.items()
                if line in pressed or not pressed
            }
            taken = taken or pressed or self._get_lines_about(lines_left)
        if not taken:
            taken = {line: max(rest.quantity, 0.0) for line, rest in lines_left.items()}
        if charges := self._get_delivery_charges(lines_left):
            delivery = self._refunds_delivery() and self._is_whole(taken, lines_left)
            for line in charges:
                taken[line] = max(lines_left[line].quantity, 0.0) if delivery else 0.0
        return taken

    def _refunds_delivery(self):
        # sudo: the ticket is the user's to read; a switch of its team.
        return self.helpdesk_ticket_id.sudo().team_id.refund_delivery

    @api.model
    def _is_about_lines(self, ticket):
        """Return whether ``ticket``, which the user may read, says how much of which
        order line a refund is for."""
        lines = ticket._get_case_lines(self._after_sales_switch)
        return any(line.sale_line_id and line.quantity for line in lines)

    def _get_lines_pressed(self, left):
        """Return ``{invoice line: quantity}`` of the order line whose button in the tab
        *Purchases* was pressed (X6)."""
        pressed = self.helpdesk_proposed_line
        return {
            line: max(rest.quantity, 0.0)
            for line, rest in left.items()
            # sudo: ids of order lines are compared.
            if pressed and pressed in line.sudo().sale_line_ids.ids
        }

    def _get_lines_about(self, left):
        """Return ``{invoice line: quantity}`` that the ticket is about: what the
        customer asks for or an agent has noted, else its product."""
        # sudo: the ticket is the user's to read; order lines are compared only.
        asked = {
            line.sale_line_id: line
            for line in self._get_case_lines()
            if line.sale_line_id
        }
        taken = {}
        for line, rest in left.items():
            for order_line in line.sudo().sale_line_ids:
                if (case := asked.get(order_line)) and rest.quantity > 0:
                    quantity = rest.quantity
                    if case.quantity:
                        quantity = order_line.product_uom_id._compute_quantity(
                            case.quantity,
                            line.product_uom_id or order_line.product_uom_id,
                        )
                    taken[line] = min(quantity, rest.quantity)
        if taken:
            return taken
        product = self.helpdesk_product_id
        return {
            line: max(rest.quantity, 0.0)
            for line, rest in left.items()
            if product and line.product_id == product
        }

    @api.onchange("helpdesk_line_ids")
    def _onchange_helpdesk_line_ids(self):
        """Delivery charges come and go with everything else."""
        sources = self.helpdesk_line_ids.move_line_id._origin._filter_refund_delivery()
        if not sources:
            return
        charges = self.helpdesk_line_ids.filtered(
            lambda line: line.move_line_id._origin in sources
        )
        goods = self.helpdesk_line_ids - charges
        whole = all(
            line.move_line_id._origin._is_quantity_used_up(
                line.quantity_left - line.quantity
            )
            for line in goods
        )
        if whole == self.helpdesk_whole:
            return
        self.helpdesk_whole = whole
        for line in charges if goods else ():
            keep = whole and self._refunds_delivery()
            line.quantity = line.quantity_left if keep else 0.0

    def _get_quantities(self):
        """Return ``{invoice line: quantity}`` as the pop-up stands."""
        return self.helpdesk_line_ids._get_quantities()

    @api.model
    def _get_lines_worth(self, quantities, lines_left):
        """Return ``{invoice line: amount}``, with taxes, of ``{invoice line:
        quantity}``."""
        result, parts = {}, {}
        for source, quantity in quantities.items():
            rest = lines_left.get(source)
            if not rest or not quantity or source._is_quantity_used_up(quantity):
                continue
            if source._is_untouched(rest) and source._is_quantity_used_up(
                rest.quantity - quantity
            ):
                result[source] = source.price_total
                continue
            quantity = min(quantity, max(rest.quantity, 0.0))
            parts.setdefault(source.move_id, {})[source] = source._prepare_refund_part(
                rest, quantity
            )
        for move, several in parts.items():
            for source, amount in move._compute_refund_totals(several).lines.items():
                result[source] = move.currency_id.round(amount)
        return result

    # -- What they come to ---------------------------------------------------

    @api.depends("helpdesk_reason_id")
    def _compute_helpdesk_fee_percent(self):
        for wizard in self:
            reason = wizard.helpdesk_ticket_id and wizard.helpdesk_reason_id
            wizard.helpdesk_fee_percent = reason.fee_percent if reason else 0.0

    @api.depends(
        "helpdesk_fee_percent",
        "helpdesk_line_ids.quantity",
        "helpdesk_line_ids.amount",
        "move_ids",
    )
    def _compute_helpdesk_fee(self):
        for wizard in self:
            # An amount that was typed stays.
            wizard.helpdesk_fee = wizard.helpdesk_fee
            percent = wizard.helpdesk_fee_percent
            if percent and math.isfinite(percent) and wizard.helpdesk_ticket_id:
                left = wizard.move_ids._origin._get_refund_left()
                paid = sum(
                    move._get_refund_total(choice, left[move])
                    for move, choice in wizard._get_choices(left).items()
                )
                currency = wizard._get_refund_currency()
                wizard.helpdesk_fee = currency.round(paid * percent / 100)

    @api.onchange("helpdesk_fee_percent")
    def _onchange_helpdesk_fee_percent(self):
        if not self.helpdesk_fee_percent:
            self.helpdesk_fee = 0.0

    def _get_refund_currency(self):
        return self.move_ids._origin.currency_id[:1] or self.company_id.currency_id

    @api.depends(
        "helpdesk_line_ids.quantity",
        "helpdesk_line_ids.amount",
        "helpdesk_amount",
        "helpdesk_fee",
        "move_ids",
    )
    def _compute_helpdesk_total(self):
        for wizard in self:
            # First all figures, then the fields: what is read computes the fee, which
            # would empty them again.
            wizard.update(wizard._get_refund_figures())

    def _get_refund_figures(self):
        """Return the values of what the pop-up says of the credit notes as it stands,
        in the currency of the invoices."""
        figures = {
            "helpdesk_total": 0.0,
            "helpdesk_discount": 0.0,
            "helpdesk_totals": False,
            "helpdesk_choice_refusal": False,
            "helpdesk_several": len(self.move_ids) > 1,
        }
        if not self.helpdesk_ticket_id or not self.move_ids:
            return figures
        left = self.move_ids._origin._get_refund_left()
        try:
            choices = self._check_choices(left)
            choices = self._spread_amounts(choices, left)
            plans = {
                move: move._plan_refund(choice, left[move])
                for move, choice in choices.items()
            }
            for move, plan in plans.items():
                self._check_plan(move, plan)
        except UserError as refusal:
            return figures | {"helpdesk_choice_refusal": str(refusal)}
        totals = {move: plan.total for move, plan in plans.items()}
        if len(totals) > 1:
            figures["helpdesk_totals"] = ", ".join(
                f"{move.name}: {move._format_refund(total)}"
                for move, total in totals.items()
            )
        if len(self.move_ids.currency_id) > 1:
            return figures  # no sum: each says what it comes to
        figures["helpdesk_total"] = sum(totals.values())
        if not self.helpdesk_amount:
            lines = sum(self.helpdesk_line_ids.mapped("amount"))
            figures["helpdesk_discount"] = (
                figures["helpdesk_total"] + self.helpdesk_fee - lines
            )
        return figures

    def _get_taken(self, lines_left):
        """Return ``{invoice: {invoice line: quantity}}`` of those invoices of which not
        all that is left was chosen."""
        chosen = self._get_quantities()
        parted = self.env["account.move"].union(
            *(
                line.move_id
                for line, rest in lines_left.items()
                if (quantity := chosen.get(line, 0.0)) != rest.quantity
                and not line._is_quantity_used_up(rest.quantity)
                and not line._is_quantity_used_up(rest.quantity - quantity)
            )
        )
        taken = {move: {} for move in parted}
        for line in lines_left if parted else ():
            quantity = chosen.get(line, 0.0)
            if line.move_id in taken and not line._is_quantity_used_up(quantity):
                taken[line.move_id][line] = quantity
        return taken

    def _get_choices(self, left, worth=None):
        """Return ``{invoice: RefundChoice}`` of the chosen lines alone, without those
        invoices of which nothing was chosen.

        :param left: ``{invoice: RefundLeft}``
        :param worth: of the lines, if it is known, see ``_get_lines_worth``
        """
        lines_left = self._get_lines_left(left)
        taken = self._get_taken(lines_left)
        amounts = {}
        if worth is None:
            worth = self._get_lines_worth(self._get_quantities(), lines_left)
        for line in self.helpdesk_line_ids:
            source = line.move_line_id._origin
            if line.quantity and source.currency_id.compare_amounts(
                line.amount, worth.get(source, 0.0)
            ):
                amounts.setdefault(source.move_id, {})[source] = line.amount
        choices = {}
        for move in self.move_ids._origin:
            quantities = taken.get(move)
            if quantities is None and move in amounts:
                quantities = {
                    line: rest.quantity
                    for line, rest in lines_left.items()
                    if line.move_id == move and rest.quantity > 0
                }
            if quantities is None or quantities:
                choices[move] = RefundChoice(quantities, amounts.get(move))
        return choices

    def _spread_amounts(self, choices, left):
        """Return ``choices`` with the amount and the fee of the pop-up, which are
        spread over several invoices by what the lines of each come to."""
        amount, fee = self.helpdesk_amount, self.helpdesk_fee
        if not choices or not (amount or fee):
            return choices
        worth = {
            move: move._get_refund_total(choice, left[move])
            for move, choice in choices.items()
        }
        currency = self._get_refund_currency()
        shares = {}
        for name, whole in (("amount", amount), ("fee", 0.0 if amount else fee)):
            rest, rest_worth = whole, sum(worth.values())
            for move in choices:
                share = rest * worth[move] / rest_worth if rest_worth else 0.0
                share = currency.round(share)
                shares.setdefault(move, {})[name] = share
                rest -= share
                rest_worth -= worth[move]
        return {
            move: choice._replace(
                amounts=None if amount else choice.amounts, **shares[move]
            )
            for move, choice in choices.items()
        }

    def _get_refund_plans(self, left, whole=False):
        """Return ``{invoice: RefundPlan}`` of the pop-up as it stands.

        :param left: ``{invoice: RefundLeft}``
        :param whole: all that is left, whatever was chosen: what is replaced by a new
            invoice is reversed as a whole
        :raises UserError: see ``_check_choices`` and ``_check_plan``
        """
        if whole:
            choices = dict.fromkeys(left, NO_CHOICE)
        else:
            choices = self._spread_amounts(self._check_choices(left), left)
        plans = {
            move: move._plan_refund(choices[move], figures)
            for move, figures in left.items()
        }
        for move, plan in plans.items():
            self._check_plan(move, plan)
        return plans
