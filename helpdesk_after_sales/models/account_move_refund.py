"""What is left to refund of an invoice (X1): its total, and line by line."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import formatLang


class LineLeft(NamedTuple):
    """What no credit note has credited yet of one line of an invoice."""

    #: in the unit of the line; an amount that was given for the line leaves it
    quantity: float
    #: before taxes, in the currency of the invoice
    subtotal: float
    #: with taxes
    total: float


class Unmatched(NamedTuple):
    """What a credit note holds beside the lines of the invoice: an amount in words of
    its own, a fee (negative), or more than its line was invoiced for."""

    line: models.BaseModel
    subtotal: float
    total: float


class RefundLeft(NamedTuple):
    """What is left of one invoice, worked out once for all that asks for it."""

    #: ``{line: LineLeft}`` of every line that was invoiced
    lines: dict
    #: ``[Unmatched]``
    unmatched: list
    #: the credit notes that count
    notes: models.BaseModel
    #: what the customer got instead of money
    instead: float
    #: all of it, with taxes
    total: float


class AccountMove(models.Model):
    _inherit = "account.move"

    amount_left_to_refund = fields.Monetary(
        groups="base.group_user",
        compute="_compute_amount_left_to_refund",
        help="The total of the invoice less its credit notes, and less what was given "
        "instead of money. Drafts count.",
    )

    @api.depends(
        "amount_total", "reversal_move_ids.amount_total", "reversal_move_ids.state"
    )
    def _compute_amount_left_to_refund(self):
        notes = self._get_credit_notes_by_invoice()
        for move in self:
            move.amount_left_to_refund = move._get_left_to_refund(notes[move])

    def _get_left_to_refund(self, notes):
        """Return what ``notes``, its credit notes, and what was given instead leave of
        the total of this invoice, in its currency."""
        return self._deduct_notes(notes, self._get_amount_instead())

    def _deduct_notes(self, notes, instead):
        self.ensure_one()
        return self.currency_id.round(
            self.amount_total
            - sum(
                note._convert_refunded(note._get_amount_credited(self), self)
                for note in notes
            )
            - instead
        )

    def _get_amount_instead(self):
        """Return what the customer got for this invoice instead of money."""
        return sum(amount for amount, _sentence in self._get_given_instead())

    def _get_left_of_payments(self):
        """Return how much of what was paid for this invoice can be given back: what is
        left to refund less what is still due."""
        self.ensure_one()
        return self.amount_left_to_refund - self.amount_residual

    def _convert_refunded(self, amount, invoice):
        """Return ``amount`` of this credit note in the currency of ``invoice``."""
        return self.currency_id._convert(
            amount,
            invoice.currency_id,
            invoice.company_id,
            self.invoice_date or self.date or invoice.date,
        )

    def _get_given_instead(self):
        """Return ``[(amount, sentence)]``: what the customer got for this invoice
        instead of money. It counts as refunded (X1).

        Bridges add to it, in the currency of the invoice, and add to the dependencies
        of what is left to refund. The sentence says what it was and by whom.
        """
        self.ensure_one()
        return []

    def _is_after_sales_refund(self):
        """Return whether this is the credit note of a ticket: what bridges do with it
        they do for those only."""
        self.ensure_one()
        return False

    def _is_after_sales_replaced(self):
        """Return whether a new invoice takes the place of what this credit note
        reverses: nothing is given back then."""
        self.ensure_one()
        return False

    def _get_refund_notices(self):
        """Return sentences for who is about to refund this invoice: what else will
        happen. Bridges add theirs."""
        self.ensure_one()
        return []

    def _get_settlement_sentences(self):
        """Return in words, for the customer, what becomes of the money of this credit
        note: a list, to which bridges add."""
        self.ensure_one()
        return []

    # -- Credit notes --------------------------------------------------------

    def _get_credit_notes(self):
        """Return the credit notes that count against these invoices (X1): drafts too,
        and those made outside of tickets; cancelled ones don't."""
        notes = self._get_credit_notes_by_invoice().values()
        return self.browse().union(*notes)

    def _get_credit_notes_by_invoice(self):
        """Return ``{invoice: credit notes}``, see :meth:`_get_credit_notes`.

        Odoo links a credit note to the invoice that it reverses. One that it makes from
        an order has no such link (but in some countries), nor has a copy of one: their
        lines tell the invoice, by the line that was copied or the order line.
        """
        result = {
            move: move.reversal_move_ids.filtered(
                lambda note: note.move_type == "out_refund" and note.state != "cancel"
            )
            for move in self
        }
        # sudo: users of Invoicing may not read orders; the ids of order lines are
        # compared, nothing of them is told.
        lines = self.sudo()._get_refund_lines()
        others = lines.search_fetch(
            Domain("move_type", "=", "out_refund")
            & Domain("parent_state", "!=", "cancel")
            & Domain("move_id.reversed_entry_id", "=", False)
            & (
                Domain("helpdesk_refunded_line_id", "in", lines.ids)
                | Domain("sale_line_ids", "in", lines.sale_line_ids.ids)
            ),
            ["move_id"],
        ).move_id
        for note in others:
            for invoice in note._share_over_invoices():
                if invoice in result:
                    result[invoice] += note.sudo(False)
        return {
            move: notes.with_env(self.env).sorted("id")
            for move, notes in result.items()
        }

    # -- Line by line --------------------------------------------------------

    def _get_refund_left(self, but=None):
        """Return ``{invoice: RefundLeft}``: line by line, what is left of each.

        A line of a credit note counts for the line that it was copied from, else for
        one with its order line, else for the likest one. Goods are those that are
        credited at their price, or for all that is left; anything less is an amount,
        and leaves the quantity to be credited.

        :param but: a credit note that doesn't count
        """
        result = {}
        for move, notes in self._get_credit_notes_by_invoice().items():
            rest = {
                line: LineLeft(line.quantity, line.price_subtotal, line.price_total)
                for line in move._get_refund_lines()
            }
            unmatched = []
            notes = notes - but if but else notes
            for note in notes:
                for credited, part in note._get_lines_credited(move).items():
                    unmatched += move._deduct_credited(rest, credited, part)
            instead = move._get_amount_instead()
            total = move._deduct_notes(notes, instead)
            result[move] = RefundLeft(rest, unmatched, notes, instead, total)
        return result

    def _get_refund_lines(self):
        # All lines are read for the credit note anyway: in one query.
        return self.line_ids.filtered(lambda line: line.display_type == "product")

    def _deduct_credited(self, rest, credited, share=1.0):
        """Take ``share`` of a line of a credit note off ``{line: LineLeft}``, and
        return what of it belongs to none of them: ``[Unmatched]``."""
        note = credited.move_id
        subtotal = note._convert_refunded(credited.price_subtotal, self) * share
        total = note._convert_refunded(credited.price_total, self) * share
        lines = self._match_credited(rest, credited)
        if not lines:
            return [Unmatched(credited, subtotal, total)]
        quantity = credited.quantity * share
        for line in lines:
            left = rest[line]
            unit, own = line.product_uom_id, credited.product_uom_id
            taken = quantity
            if unit and own and unit != own:
                taken = own._compute_quantity(quantity, unit, round=False)
            part = 1.0
            if line != lines[-1] and taken and abs(taken) > abs(left.quantity):
                part = left.quantity / taken
            goods = line._is_credited_as_goods(left, taken * part, subtotal * part)
            rest[line] = LineLeft(
                left.quantity - (taken * part if goods else 0.0),
                left.subtotal - subtotal * part,
                left.total - total * part,
            )
            quantity *= 1 - part
            subtotal *= 1 - part
            total *= 1 - part
            if part == 1.0:
                break
        return []

    @api.model
    def _match_credited(self, rest, credited):
        """Return the lines, of those in ``rest``, that ``credited`` can be for: the one
        that it was copied from, then those that it may have been enlarged by."""
        source = credited.helpdesk_refunded_line_id
        # sudo: ids of order lines are compared, see _get_credit_notes_by_invoice.
        orders = credited.sudo().sale_line_ids
        same = [line for line in rest if line.sudo().sale_line_ids & orders]
        if not same:
            likeness = {line: line._get_likeness(source or credited) for line in rest}
            best = max(likeness.values(), default=0)
            same = [line for line in rest if best and likeness[line] == best]
        if source in rest:
            same = [source] + [line for line in same if line != source]
        return same

    # -- In words ------------------------------------------------------------

    def _format_refund(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _get_refund_name(self):
        """Return the number of this credit note, or that it is a draft."""
        self.ensure_one()
        if self.name and self.name != "/":
            return self.name
        return self.env._("a draft")

    def _get_refund_refusal(self):
        """Return the sentence why this document can't be refunded, or ``False`` (X4).

        Pop-up and server use the same.
        """
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted":
            return self.env._(
                "%(document)s is not a posted customer invoice; only those can be "
                "refunded.",
                document=self.display_name,
            )
        if self.currency_id.compare_amounts(self.amount_left_to_refund, 0) > 0:
            return False
        if self.currency_id.is_zero(self.amount_total):
            return self.env._(
                "There is nothing to refund on %(invoice)s: its total is %(total)s.",
                invoice=self.name,
                total=self._format_refund(self.amount_total),
            )
        return self.env._(
            "%(invoice)s of %(total)s has already been credited in full: %(notes)s.",
            invoice=self.name,
            total=self._format_refund(self.amount_total),
            notes=self._get_given_back_sentence(),
        )

    def _get_given_back_sentence(self, but=()):
        """Return in words what of this invoice was given back already: its credit
        notes, less those in ``but``, and what was given instead of money (X1)."""
        self.ensure_one()
        notes = self._get_credit_notes().filtered(lambda note: note not in but)
        instead = [sentence for _amount, sentence in self._get_given_instead()]
        return ", ".join(filter(None, [notes._get_credited_sentence(self), *instead]))

    def _get_credited_sentence(self, invoice):
        """Return these credit notes of ``invoice`` in words: the last three by amount,
        number, and who made them; those before as a sum."""
        last = self.sorted("id")[-3:]
        before = self - last
        sentences = [
            self.env._(
                "%(amount)s with %(note)s by %(user)s",
                amount=note._format_refund(note._get_amount_credited(invoice)),
                note=note._get_refund_name(),
                user=note.create_uid.name,
            )
            for note in last
        ]
        if before:
            total = sum(
                n._convert_refunded(n._get_amount_credited(invoice), invoice)
                for n in before
            )
            sentences.insert(
                0,
                self.env._(
                    "%(amount)s with %(number)s earlier credit notes",
                    amount=invoice._format_refund(total),
                    number=len(before),
                ),
            )
        return ", ".join(sentences)
