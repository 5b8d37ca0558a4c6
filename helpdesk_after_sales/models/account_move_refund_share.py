"""Which invoices a credit note credits, and how much of each: one as a rule, several
when it was made from an order that was invoiced in parts (X1)."""

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _find_refunded_invoices(self):
        """Return the invoices that the lines of this credit note lead to. Lines of down
        payments lead to several, as a rule: the others tell.

        Called with ``sudo()``: ids of order lines are compared.
        """
        lines = self._get_refund_lines()
        lines = lines.filtered(lambda line: not line.is_downpayment) or lines
        invoices = self.browse()
        for line in lines:
            invoices |= line._find_credited_lines().move_id
        return invoices

    def _get_amount_credited(self, invoice):
        """Return how much of this credit note is for ``invoice``, with taxes, in the
        currency of the credit note."""
        self.ensure_one()
        if len(shares := self._share_over_invoices()) < 2:
            return self.amount_total
        amounts = {
            move: self.currency_id.round(
                sum(line.price_total * part for line, part in parts.items())
            )
            for move, parts in shares.items()
        }
        # Roundings are the last one's.
        *_others, last = amounts
        amounts[last] += self.amount_total - sum(amounts.values())
        return amounts.get(invoice, 0.0)

    def _get_lines_credited(self, invoice):
        """Return ``{line: part}``: the lines of this credit note that are for
        ``invoice``, and which part of each is, from 0 to 1."""
        self.ensure_one()
        shares = self._share_over_invoices()
        if len(shares) < 2:
            return dict.fromkeys(self._get_refund_lines(), 1.0)
        parts = shares.get(invoice, {})
        return {line.with_env(self.env): part for line, part in parts.items()}

    def _share_over_invoices(self):
        """Return ``{invoice: {line: part}}`` of a credit note without a link to the
        invoice that it reverses, the oldest invoice first; ``{}`` with a link, or when
        it leads nowhere. Of one invoice all lines are. With ``sudo()``."""
        # sudo: ids of order lines and quantities are compared; parts of lines leave,
        # of a credit note that the caller has.
        note = self.sudo()
        if note.reversed_entry_id:
            return {}
        invoices = note._find_refunded_invoices()
        if len(invoices) < 2:
            return dict.fromkeys(invoices, {})
        shares = {
            invoice: {} for invoice in invoices.sorted(lambda m: (m.invoice_date, m.id))
        }
        beside = []
        for line in note._get_refund_lines():
            parts = line._share_over_lines(shares)
            if not parts:
                beside.append(line)
            for invoice, part in parts.items():
                shares[invoice][line] = part
        shares = {invoice: parts for invoice, parts in shares.items() if parts} or {
            invoices[0]: {}
        }
        *_others, last = shares
        shares[last].update(dict.fromkeys(beside, 1.0))
        return shares
