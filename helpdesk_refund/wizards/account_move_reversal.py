from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class AccountMoveReversal(models.TransientModel):
    _name = "account.move.reversal"
    _inherit = ["account.move.reversal", "helpdesk.after.sales.wizard"]

    _after_sales_switch = "use_credit_notes"
    _after_sales_result = "new_move_ids"

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
        string="Only what was returned",
        default=True,
        help="Reverse credits what came back on this ticket, not all that is left.",
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
        invoices = invoices.search(domain, limit=2).sudo(False)
        if len(invoices) > 1:
            # sudo: the ticket is the user's to read; order lines are compared only.
            returned = [line.id for line in ticket.sudo()._get_returned_purchases()]
            returned = Domain("invoice_line_ids.sale_line_ids", "in", returned)
            invoices = invoices.sudo().search(domain & returned, limit=2).sudo(False)
        # The one invoice that can be meant is chosen already.
        if len(invoices) != 1 or invoices._get_refund_refusal():
            invoices = invoices.browse()
        journals = self.env["account.journal"]
        journal = invoices.journal_id.filtered("active") or journals.search(
            Domain("company_id", "=", company.id) & Domain("type", "=", "sale"),
            limit=1,
        )
        return {
            "company_id": company.id,
            "reason": self.env._(
                "Helpdesk Ticket #%(number)s", number=ticket.ticket_ref
            ),
            "move_ids": [Command.set(invoices.ids)],
            "journal_id": journal.id,
        }

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
        "move_ids", "helpdesk_sale_order_id", "helpdesk_product_id", "helpdesk_lot_id"
    )
    def _compute_helpdesk_notice(self):
        for wizard in self:
            invoices = wizard.move_ids._origin
            wizard.helpdesk_chosen_move_ids = invoices
            wizard.helpdesk_notice = wizard.helpdesk_returned_found = False
            if not wizard.helpdesk_ticket_id:
                continue
            if invoices:
                returned = wizard._get_returned_lines()
                wizard.helpdesk_returned_found = bool(returned)
                sentences = [
                    invoice._get_refund_refusal() or invoice._get_partial_notice()
                    for invoice in invoices
                ] + [wizard._get_returned_notice(returned)]
                wizard.helpdesk_notice = "\n".join(filter(None, sentences))
            else:
                wizard.helpdesk_notice = wizard._get_empty_notice()

    def _get_returned_lines(self):
        """Return ``{invoice line: quantity}``: what was returned on this ticket and
        isn't credited on it yet, of the chosen invoices."""
        ticket = self.helpdesk_ticket_id
        ticket.check_access("read")
        # sudo: users of Invoicing may not read transfers; what of the chosen invoices
        # came back on a ticket that the user sees is all that is told.
        returned = dict(ticket.sudo()._get_returned_purchases())
        if not returned:
            return {}
        notes = ticket.sudo().credit_note_ids.filtered(lambda n: n.state != "cancel")
        for credited in notes.invoice_line_ids:
            for order_line in credited.sale_line_ids:
                if order_line in returned:
                    returned[order_line] -= credited.product_uom_id._compute_quantity(
                        credited.quantity, order_line.product_uom_id, round=False
                    )
        result = {}
        for invoice in self.move_ids._origin:
            for line, (values, *_amount) in invoice._get_lines_left_to_refund()[
                0
            ].items():
                if "sale_line_ids" in values:
                    continue  # an amount is left, not a quantity
                for order_line in line.sudo().sale_line_ids:
                    unit = line.product_uom_id
                    quantity = order_line.product_uom_id._compute_quantity(
                        max(returned.get(order_line, 0), 0), unit, round=False
                    )
                    quantity = unit.round(min(quantity, values["quantity"]))
                    if not unit.is_zero(quantity):
                        result[line] = quantity
                        returned[order_line] -= unit._compute_quantity(
                            quantity, order_line.product_uom_id, round=False
                        )
                        break
        return result

    def _get_returned_notice(self, returned):
        """Return the sentence what of ``{invoice line: quantity}`` the credit note
        will hold, or ``False``."""
        return bool(returned) and self.env._(
            "Returned on this ticket and not credited yet: %(products)s. Reverse "
            "credits just that, unless you untick it below.",
            products=", ".join(
                f"{format_quantity(self.env, quantity)} "
                f"{line.product_id.display_name or line.name}"
                for line, quantity in returned.items()
            ),
        )

    def _get_empty_notice(self):
        """Return why no invoice can be chosen, or ``False`` when there is one (S25)."""
        # sudo: see _filter_purchased; whether there is one is all that is asked.
        invoices = self.env["account.move"].sudo()
        if invoices.search_count(self._purchase_domain("account.move"), limit=1):
            return False
        anything = self.helpdesk_ticket_id._purchase_domain(
            "account.move",
            sale_order=self.env["sale.order"],
            product=self.env["product.product"],
            lot=self.env["stock.lot"],
        )
        customer = self.helpdesk_commercial_partner_id.display_name
        if not invoices.search_count(anything, limit=1):
            return self.env._(
                "%(customer)s has no posted invoice. Post the invoice first, then "
                "refund it here.",
                customer=customer,
            )
        return self.env._(
            "No posted invoice of %(customer)s fits the order, product or lot above. "
            "Empty one of them to see more invoices.",
            customer=customer,
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
        return super().create(vals_list)

    # -- Refund --------------------------------------------------------------

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
        # What is replaced by a new invoice is reversed as a whole.
        only_returned = self.helpdesk_returned_only and not is_modify
        left = self._prepare_refund_left(
            self._get_returned_lines() if only_returned else {}
        )
        former_notes = {move: move._get_credit_notes() for move in self.move_ids}
        wizard = self._without_defaults(helpdesk_refund_left=left)
        action = super(AccountMoveReversal, wizard).reverse_moves(is_modify)
        if is_modify:
            self._after_modify(former_notes)
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

    def _prepare_refund_left(self, returned):
        """Return ``{invoice id: what is left}`` for partly credited invoices.

        :param returned: ``{invoice line: quantity}``: credit no more than this; empty
            for all that is left

        ``lines`` are the values that replace those of a copied line, by its id;
        ``unmatched`` the values of lines to add: what is left of a line beside its
        quantity, and what takes off again what was credited without a line of the
        invoice, or given instead of money. Invoices of
        which nothing was given back are not in it: Odoo's copy of them is exact as it
        is.

        :raises UserError: for an invoice that nothing was returned of
        """
        result = {}
        for invoice in self.move_ids:
            notes = invoice._get_credit_notes()
            instead = sum(amount for amount, _sentence in invoice._get_given_instead())
            if not notes and not instead and not returned:
                continue
            left, unmatched = invoice._get_lines_left_to_refund()
            if returned:
                left = {
                    line: [values | {"quantity": returned[line]}]
                    for line, (values, *_amount) in left.items()
                    if line in returned
                }
                unmatched = unmatched.browse()
                if not left:
                    raise UserError(
                        self.env._(
                            "Nothing of %(invoice)s was returned on this ticket: take "
                            "it off the list, or untick that only what was returned "
                            "is credited.",
                            invoice=invoice.name,
                        )
                    )
            result[invoice.id] = {
                "lines": {line.id: values[0] for line, values in left.items()},
                "unmatched": [
                    self._prepare_amount_left(line, values)
                    for line, (_quantity, *amount) in left.items()
                    for values in amount
                ]
                + [self._prepare_unmatched(line) for line in unmatched],
            }
            if instead:
                result[invoice.id]["unmatched"].append(
                    self._prepare_given_instead(invoice, instead)
                )
        return result

    def _prepare_given_instead(self, invoice, amount):
        """Return the values of the line that takes off what the customer got instead
        of money. It has no taxes: the amount was given as it is."""
        lines = invoice.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        return {
            "display_type": "product",
            "name": self.env._("Given already instead of money"),
            "account_id": lines[:1].account_id.id,
            "quantity": -1.0,
            "price_unit": amount,
            "tax_ids": [Command.clear()],
        }

    def _prepare_amount_left(self, line, values):
        """Return the values of the line for what is left of the invoice's ``line``
        beside its quantity."""
        return {
            "display_type": "product",
            "name": line.name,
            "product_id": line.product_id.id,
            "product_uom_id": line.product_uom_id.id,
            "account_id": line.account_id.id,
            "discount": line.discount,
            "tax_ids": [Command.set(line.tax_ids.ids)],
            "analytic_distribution": line.analytic_distribution,
        } | values

    def _prepare_unmatched(self, line):
        return {
            "display_type": "product",
            "name": self.env._(
                "Credited already with %(note)s: %(line)s",
                note=line.move_id.display_name,
                line=line.name or line.product_id.display_name,
            ),
            "product_id": line.product_id.id,
            "product_uom_id": line.product_uom_id.id,
            "account_id": line.account_id.id,
            "quantity": -line.quantity,
            "price_unit": line.price_unit,
            "discount": line.discount,
            "tax_ids": [Command.set(line.tax_ids.ids)],
        }

    def _prepare_default_reversal(self, move):
        values = super()._prepare_default_reversal(move)
        if self.helpdesk_ticket_id:
            values["helpdesk_ticket_id"] = self.helpdesk_ticket_id.id
            values["helpdesk_reason_id"] = self.helpdesk_reason_id.id
        return values

    def _after_modify(self, former_notes):
        """Give earlier credit notes back their place, and tell of the new invoices.

        Odoo takes the whole reconciliation of an invoice apart before it cancels it;
        what an earlier credit note had settled is settled by it again.
        """
        for invoice, notes in former_notes.items():
            posted = notes.filtered(lambda note: note.state == "posted")
            for note in posted:
                invoice._reconcile_reversed_moves(note, False)
        ticket = self.helpdesk_ticket_id
        for invoice in self.new_move_ids:
            ticket._message_log(
                body=self.env._(
                    "Draft invoice %(invoice)s was created to replace a refunded one.",
                    invoice=invoice._get_html_link(),
                )
            )
