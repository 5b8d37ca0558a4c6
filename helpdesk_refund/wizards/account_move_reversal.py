from itertools import chain

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

from odoo.addons.helpdesk_after_sales.tools import asks_rules, format_quantity

from ..models.account_move_refund_total import PLANS


class AccountMoveReversal(models.TransientModel):
    _name = "account.move.reversal"
    _inherit = ["account.move.reversal", "helpdesk.after.sales.wizard"]

    _after_sales_switch = "use_credit_notes"
    _after_sales_result = "new_move_ids"
    _chosen_ours = True

    helpdesk_sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Sales Order",
        compute="_compute_helpdesk_purchase",
        store=True,
        readonly=False,
        help="Narrows the invoices to those of this order.",
    )
    helpdesk_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Product",
        compute="_compute_helpdesk_purchase",
        store=True,
        readonly=False,
        help="Narrows orders and invoices to those with this product.",
    )
    helpdesk_product_tracking = fields.Selection(related="helpdesk_product_id.tracking")
    helpdesk_lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        compute="_compute_helpdesk_purchase",
        store=True,
        readonly=False,
        help="Narrows the invoices to those whose delivery held this lot.",
    )
    helpdesk_chosen_move_ids = fields.Many2many(
        comodel_name="account.move",
        string="What is left",
        compute="_compute_helpdesk_notice",
    )
    helpdesk_notice = fields.Text(compute="_compute_helpdesk_notice")
    helpdesk_returned_found = fields.Boolean(compute="_compute_helpdesk_notice")
    helpdesk_returned_only = fields.Boolean(
        string="Only What Was Returned",
        default=True,
        help="Reverse credits what comes back on this ticket, not all that is left.",
    )

    helpdesk_arrived_only = fields.Boolean(
        readonly=True,
        server_only=True,
        copy=False,
        help="Technical: of what comes back, not what is still on its way. The plan of "
        "a ticket says so.",
    )

    # -- Defaults and computes -----------------------------------------------

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        ticket = self.env["helpdesk.ticket"].browse(values.get("helpdesk_ticket_id"))
        if ticket:
            ticket.check_access("read")
            # A line of the tab Purchases names its order and product.
            chosen = {
                key: self.env[self._fields[name].comodel_name].browse(values[name])
                for key, name in self._get_purchase_scope_fields().items()
                if values.get(name)
            }
            proposed = self._prepare_ticket_defaults(ticket, **chosen)
            if values.get("helpdesk_proposed_line"):
                proposed["helpdesk_take"] = "ticket"
            values |= {key: proposed[key] for key in proposed if key in fields}
        return values

    @api.model
    def _prepare_ticket_defaults(self, ticket, **chosen):
        """Return what the pop-up proposes for ``ticket``, after the check that the
        user may read it; ``chosen`` is part of its purchase, see
        ``helpdesk.ticket._purchase_domain``."""
        company = ticket.company_id
        # sudo: see _filter_purchased.
        invoices = self.env["account.move"].sudo()
        domain = ticket._purchase_domain("account.move", **chosen)
        invoices = invoices.search(domain, limit=20)._filter_refundable()
        if len(invoices) > 1:
            # sudo: the ticket is the user's to read; order lines are compared only.
            returned = [line.id for line in ticket.sudo()._get_returned_purchases()]
            returned = Domain("invoice_line_ids.sale_line_ids", "in", returned)
            invoices = invoices.search(domain & returned, limit=20)._filter_refundable()
        # The one invoice that can be meant is chosen already.
        invoices = (invoices if len(invoices) == 1 else invoices.browse()).sudo(False)
        journals = self.env["account.journal"]
        journal = invoices.journal_id.filtered("active") or journals.search(
            Domain("company_id", "=", company.id) & Domain("type", "=", "sale"),
            limit=1,
        )
        return {
            "company_id": company.id,
            "reason": self._get_default_reason(ticket),
            "move_ids": [Command.set(invoices.ids)],
            "journal_id": journal.id,
            "helpdesk_take": "ticket" if self._is_about_lines(ticket) else "all",
        }

    @api.model
    def _get_default_reason(self, ticket):
        return self.env._("Helpdesk Ticket #%(number)s", number=ticket.ticket_ref)

    @api.depends("helpdesk_ticket_id")
    def _compute_helpdesk_purchase(self):
        # sudo: users of Invoicing may not read lots; the ticket's own is carried over.
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id.sudo()
            wizard.helpdesk_sale_order_id = ticket.sale_order_id
            wizard.helpdesk_product_id = ticket.product_id
            wizard.helpdesk_lot_id = ticket.lot_id

    @api.depends("move_ids")
    def _compute_journal_id(self):
        # An invoice of another journal was chosen since: follow it (S29).
        for wizard in self:
            chosen = wizard.helpdesk_ticket_id and wizard.move_ids.journal_id
            if chosen and wizard.journal_id not in chosen:
                wizard.journal_id = False
        return super()._compute_journal_id()

    @api.constrains("journal_id", "move_ids")
    def _check_journal_type(self):
        # Without an invoice there is nothing to compare with yet; the button tells.
        wizards = self.filtered(lambda w: w.move_ids or not w.helpdesk_ticket_id)
        return super(AccountMoveReversal, wizards)._check_journal_type()

    @api.depends(
        "move_ids",
        "date",
        "helpdesk_sale_order_id",
        "helpdesk_product_id",
        "helpdesk_lot_id",
        "helpdesk_line_ids.quantity",
    )
    def _compute_helpdesk_notice(self):
        for wizard in self:
            invoices = wizard.move_ids._origin
            wizard.helpdesk_chosen_move_ids = invoices
            wizard.helpdesk_notice = wizard.helpdesk_returned_found = False
            if not wizard.helpdesk_ticket_id:
                continue
            if invoices:
                returned = wizard._get_returned_lines(invoices._get_refund_left())
                wizard.helpdesk_returned_found = bool(returned)
                sentences = [
                    invoice._get_refund_refusal() or invoice._get_partial_notice()
                    for invoice in invoices
                ] + [
                    *(
                        notice
                        for invoice in invoices
                        for notice in invoice._get_refund_notices()
                    ),
                    wizard._get_returned_notice(returned) or wizard._get_whole_notice(),
                    wizard._get_date_notice(),
                ]
                wizard.helpdesk_notice = "\n".join(filter(None, sentences))
            else:
                wizard.helpdesk_notice = wizard._get_empty_notice()

    def _get_returned_quantities(self):
        """Return two of ``{order line: quantity}``: what comes back on this ticket and
        isn't credited on it yet; and what of it hasn't arrived."""
        ticket = self.helpdesk_ticket_id
        ticket.check_access("read")
        # sudo: users of Invoicing may not read transfers; what of the chosen invoices
        # came back on a ticket that the user sees is all that is told.
        ticket = ticket.sudo()
        returned = dict(ticket._get_returned_purchases(self.helpdesk_arrived_only))
        if not returned:
            return {}, {}
        lines = self.env["sale.order.line"].sudo().union(*returned)
        balance = lines._get_after_sales_balance()
        coming = {
            line: max(quantity - balance[line]["returned"], 0.0)
            for line, quantity in returned.items()
        }
        for line in lines:
            returned[line] = line._get_left_of_returned(
                returned[line], ticket, balance[line], self.helpdesk_arrived_only
            )
        return returned, coming

    def _get_returned_lines(self, left):
        """Return ``{invoice line: quantity}``: what comes back on this ticket and isn't
        credited on it yet, of the chosen invoices.

        :param left: ``{invoice: RefundLeft}``
        """
        returned, _coming = self._get_returned_quantities()
        result = {}
        if not returned:
            return result
        for line, rest in chain(*(left[move].lines.items() for move in left)):
            unit = line.product_uom_id
            # sudo: order lines of an invoice that was chosen here; compared by id.
            for order_line in line.sudo().sale_line_ids:
                if returned.get(order_line, 0) <= 0 or rest.quantity <= 0:
                    continue
                quantity = order_line.product_uom_id._compute_quantity(
                    returned[order_line],
                    unit or order_line.product_uom_id,
                    round=False,
                )
                quantity = min(quantity, rest.quantity)
                if not line._prepare_refund_part(rest, quantity):
                    continue
                result[line] = unit.round(quantity) if unit else quantity
                returned[order_line] -= line._convert_quantity(
                    quantity, order_line.product_uom_id
                )
                break
        return result

    def _get_returned_notice(self, returned):
        """Return the sentence what of ``{invoice line: quantity}`` the credit note
        will hold, or ``False``. What hasn't arrived yet isn't called returned."""
        if not returned:
            return False
        _returned, coming = self._get_returned_quantities()
        here, underway = [], []
        for line, quantity in returned.items():
            unit = line.product_uom_id
            late = 0.0
            # sudo: order lines of an invoice that was chosen here; compared by id.
            for order_line in line.sudo().sale_line_ids:
                late = order_line.product_uom_id._compute_quantity(
                    coming.get(order_line, 0.0),
                    unit or order_line.product_uom_id,
                    round=False,
                )
            late = min(late, quantity)
            for amount, names in ((quantity - late, here), (late, underway)):
                if not (unit.is_zero(amount) if unit else not amount):
                    figure = format_quantity(self.env, amount)
                    names.append(
                        f"{figure} {line.product_id.display_name or line.name}"
                    )
        sentences = []
        if here:
            sentences.append(
                self.env._(
                    "Returned on this ticket and not credited yet: %(products)s.",
                    products=", ".join(here),
                )
            )
        if underway:
            sentences.append(
                self.env._(
                    "On its way back on this ticket, not received yet: %(products)s.",
                    products=", ".join(underway),
                )
            )
        sentences.append(
            self.env._("It is what the lines below hold, unless you change them.")
        )
        return " ".join(sentences)

    def _get_whole_notice(self):
        """Return the sentence that more than the product of the ticket will be
        credited, or ``False``."""
        product = self.helpdesk_product_id
        chosen = self.helpdesk_line_ids.filtered("quantity").move_line_id
        others = chosen.filtered(
            lambda line: line.price_subtotal > 0 and line.product_id != product
        )
        if not product or product not in chosen.product_id or not others:
            return False
        return self.env._(
            "Reverse credits all the lines below, not only %(product)s: choose what "
            "the ticket is about, or enter 0 for the others.",
            product=product.display_name,
        )

    def _get_date_notice(self):
        """Return the sentence that the credit note waits for its date, or ``False``."""
        if not self.date or self.date <= fields.Date.context_today(self):
            return False
        return self.env._(
            "The credit note stays a draft until %(date)s, and is posted on that day; "
            "until then the invoice stays due.",
            date=format_date(self.env, self.date),
        )

    def _get_empty_notice(self):
        """Return why no invoice can be chosen, or ``False`` when there is one (S25)."""
        # sudo: see _filter_purchased; what is told of them is that nothing is left.
        invoices = self.env["account.move"].sudo()
        found = invoices.search(self._purchase_domain("account.move"), limit=20)
        if found:
            if found._filter_refundable():
                return False
            return "\n".join(move._get_refund_refusal() for move in found[:3])
        anything = self.helpdesk_ticket_id._any_purchase_domain("account.move")
        names = {
            "customer": self.helpdesk_commercial_partner_id.display_name,
            "company": self.helpdesk_ticket_id.company_id.display_name,
        }
        if not invoices.search_count(anything, limit=1):
            return self.env._(
                "%(customer)s has no posted invoice by %(company)s. Post the invoice "
                "first, then refund it here.",
                **names,
            )
        return self.env._(
            "No posted invoice of %(customer)s by %(company)s fits the order, product "
            "or lot above. Empty one of them to see more invoices.",
            **names,
        )

    @api.onchange("helpdesk_sale_order_id", "helpdesk_product_id", "helpdesk_lot_id")
    def _onchange_helpdesk_purchase(self):
        if not self.helpdesk_ticket_id:
            return
        # sudo: the lot was offered to this user; its product is compared only.
        lot = self.helpdesk_lot_id.sudo()
        if lot and lot.product_id != self.helpdesk_product_id:
            self.helpdesk_lot_id = False
        self.move_ids = self._filter_purchased(self.move_ids._origin)

    def _filter_purchased(self, invoices):
        """Return those of ``invoices`` that the customer has, as chosen above."""
        # sudo: users of Invoicing may not read the deliveries and lots that the domain
        # compares with. Nothing but a part of the given invoices leaves.
        purchased = (
            self.env["account.move"]
            .sudo()
            .search(
                self._purchase_domain("account.move") & Domain("id", "in", invoices.ids)
            )
        )
        return invoices.filtered(lambda invoice: invoice in purchased)

    @api.model
    def _get_purchase_scope_fields(self):
        return {
            "sale_order": "helpdesk_sale_order_id",
            "product": "helpdesk_product_id",
            "lot": "helpdesk_lot_id",
        }

    @api.model_create_multi
    def create(self, vals_list):
        # Made without the pop-up, through RPC: the same proposals.
        for index, vals in enumerate(vals_list):
            if ticket_id := vals.get("helpdesk_ticket_id"):
                wizards = self.with_context(default_helpdesk_ticket_id=ticket_id)
                vals_list[index] = wizards.default_get([*self._fields]) | vals
        wizards = super().create(vals_list)
        # Lines are of who opens the pop-up, not of whoever comes to compute them.
        wizards.mapped("helpdesk_line_ids")
        return wizards

    # -- Refund --------------------------------------------------------------

    @asks_rules
    def reverse_moves(self, is_modify=False):
        """Return the action that opens what was made.

        On a ticket: never more than is left of the invoices, once per wizard, linked
        to the ticket (S33 to S38, X1). Opened from an invoice: as in Odoo.

        :raises UserError: with a sentence why an invoice can't be refunded
        """
        if not self.helpdesk_ticket_id:
            return super().reverse_moves(is_modify)
        self._check_ready()
        self._lock(self.move_ids)
        if made := self._open_result():
            return made
        self._check_refund()
        wizard = self._without_defaults()
        left = self.move_ids._get_refund_left()
        if is_modify:
            self._check_modify()
        elif wizard.helpdesk_returned_only and self.helpdesk_take != "none":
            self._check_returned(left)
        plans = self._get_refund_plans(left, whole=is_modify)
        # Worked out once, while the invoices are held: for the copies, and for posting.
        known = self.env.cr.precommit.data
        known[PLANS] = plans
        try:
            action = super(AccountMoveReversal, wizard).reverse_moves(is_modify)
            if is_modify:
                self._after_modify(plans)
        finally:
            known.pop(PLANS, None)
        self._approve_request(self.new_move_ids)
        # The context of this wizard must not follow the user into the document.
        return self.new_move_ids._get_records_action(
            context={"default_move_type": self.new_move_ids[:1].move_type},
            **({"name": action["name"]} if len(self.new_move_ids) > 1 else {}),
        )

    def _get_settled_lines(self):
        # sudo: compared only
        refunded = self.new_move_ids.sudo().invoice_line_ids
        return (
            super()
            ._get_settled_lines()
            .filtered(
                lambda line: (
                    line.sale_line_id in refunded.sale_line_ids
                    or line.product_id in refunded.product_id
                )
            )
        )

    def _check_refund(self):
        """Refuse what can't be refunded, with the sentence that the pop-up shows."""
        if not self.move_ids:
            for move in self._get_unposted_moves():
                raise UserError(move._get_refund_refusal())
            raise UserError(
                self._get_empty_notice() or self.env._("Choose the invoices to refund.")
            )
        if not self.date:
            raise UserError(self.env._("Choose the reversal date."))
        for invoice in self.move_ids:
            if refusal := invoice._get_refund_refusal():
                raise UserError(refusal)
        if foreign := self.move_ids - self._filter_purchased(self.move_ids):
            raise UserError(
                self.env._(
                    "%(invoices)s: not an invoice of %(customer)s by %(company)s for "
                    "what was chosen above.",
                    invoices=", ".join(foreign.mapped("display_name")),
                    customer=self.helpdesk_commercial_partner_id.display_name,
                    company=self.helpdesk_ticket_id.company_id.display_name,
                )
            )

    def _prepare_default_reversal(self, move):
        values = super()._prepare_default_reversal(move)
        if self.helpdesk_ticket_id:
            values["helpdesk_ticket_id"] = self.helpdesk_ticket_id.id
            values["helpdesk_reason_id"] = self.helpdesk_reason_id.id
            lang = move.partner_id.lang or self.env.lang
            if self.reason == self._get_default_reason(self.helpdesk_ticket_id):
                # As proposed: in the language of the customer, as Odoo's own words.
                wizard = self.with_context(lang=lang)
                values["ref"] = wizard.env._(
                    "Reversal of: %(move_name)s, %(reason)s",
                    move_name=move.name,
                    reason=wizard._get_default_reason(self.helpdesk_ticket_id),
                )
            values["helpdesk_plan"] = self.env.cr.precommit.data[PLANS][move]
        return values

    def _modify_default_reverse_values(self, origin_move):
        values = super()._modify_default_reverse_values(origin_move)
        if self.helpdesk_ticket_id:
            values["helpdesk_replaced"] = self.env.cr.precommit.data[PLANS][origin_move]
        return values

    def _after_modify(self, plans):
        """Give earlier credit notes back their place, and tell of the new invoices.

        Odoo takes the whole reconciliation of an invoice apart before it cancels it;
        what an earlier credit note had settled is settled by it again.
        """
        sentences = []
        for new in self.new_move_ids:
            lines = new.invoice_line_ids.helpdesk_refunded_line_id
            invoice = lines.move_id or self.move_ids[:1]
            # The one that was just made; with a date to come it isn't posted yet.
            note = invoice.reversal_move_ids.sorted("id")[-1:]
            if not note.helpdesk_is_replaced:
                note.helpdesk_is_replaced = True
            new._fit_replacement(note)
            for before in plans[invoice].left.notes:
                if before.state == "posted":
                    invoice._reconcile_reversed_moves(before, False)
            sentences.append(note._get_replaced_sentence(new))
        self.helpdesk_ticket_id._message_log(body=Markup("<br/>").join(sentences))
