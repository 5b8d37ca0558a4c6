"""Coupons and gift cards follow the refund of the order that they were used or sold on
(issue 16 D): when the credit note is posted, until it is reset to draft."""

from odoo import fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        for note in posted:
            if note._is_after_sales_refund() and not note._is_after_sales_replaced():
                note._change_cards()
        return posted

    def button_draft(self):
        for note in self:
            if note.state == "posted" and note._is_after_sales_refund():
                note._change_cards_back()
        return super().button_draft()

    def _get_refund_notices(self):
        notices = super()._get_refund_notices()
        for card, amount in self._get_cards_paid_with().items():
            notices.append(self._get_card_notice(card, amount))
        if sold := self._get_cards_sold():
            notices.append(
                self.env._(
                    "Gift cards were sold with %(invoice)s, with %(amount)s left on "
                    "them: those that are refunded can't be used any more.",
                    invoice=self.name,
                    amount=self.currency_id.format(sum(sold.mapped("points"))),
                )
            )
        # sudo: users of Invoicing may not read programs; a sentence leaves.
        order_lines = self.sudo().invoice_line_ids.sale_line_ids
        if order_lines.reward_id.program_id.filtered("helpdesk_give_back"):
            notices.append(
                self.env._(
                    "The coupon that %(invoice)s was made with can be used again when "
                    "all of it is refunded.",
                    invoice=self.name,
                )
            )
        return notices

    def _get_card_notice(self, card, amount):
        """Return what becomes of ``amount`` that ``card``, under ``sudo()``, paid."""
        values = {"amount": card.currency_id.format(amount), "invoice": self.name}
        if card.program_type == "ewallet":
            return self.env._(
                "%(amount)s of %(invoice)s was paid with an eWallet: Reverse puts its "
                "share back there, and doesn't pay it out.",
                **values,
            )
        end = card.coupon_valid_until
        if not card.active or (end and end < fields.Date.context_today(self)):
            return self.env._(
                "%(amount)s of %(invoice)s was paid with a gift card that can't be "
                "used any more: Reverse puts its share back on the card anyway. Ask "
                "a sales administrator to extend it.",
                **values,
            )
        return self.env._(
            "%(amount)s of %(invoice)s was paid with a gift card: Reverse puts its "
            "share back on the card, and doesn't pay it out.",
            **values,
        )

    def _get_settlement_sentences(self):
        sentences = super()._get_settlement_sentences()
        if self.state != "posted" or not self._is_after_sales_refund():
            return sentences
        # sudo: what posting this credit note did with cards, see _change_cards; codes
        # aren't told.
        for line in self._get_card_changes():
            card = line.card_id
            if card.program_id.is_payment_program and line.issued:
                amount = card.currency_id.format(line.issued)
                sentences.append(
                    self.env._(
                        "%(amount)s is put back on the eWallet that you paid with.",
                        amount=amount,
                    )
                    if card.program_type == "ewallet"
                    else self.env._(
                        "%(amount)s is put back on the gift card that you paid with.",
                        amount=amount,
                    )
                )
            elif line.issued:
                sentences.append(
                    self.env._("The coupon of your order can be used again.")
                )
        # sudo: an amount leaves.
        cards = self.sudo().reversed_entry_id.with_context(active_test=False)
        for card in cards.helpdesk_gift_card_ids:
            amount = card._get_given_instead()
            if not card.currency_id.is_zero(amount):
                sentences.append(
                    self.env._(
                        "%(amount)s of %(invoice)s was given to you as a gift card.",
                        amount=card.currency_id.format(amount),
                        invoice=self.reversed_entry_id.name,
                    )
                )
        return sentences

    def _get_card_changes(self):
        """Return the lines, with ``sudo()``, that posting these credit notes left in
        the histories of cards."""
        # sudo: whoever may post or send this credit note; its cards follow it.
        history = self.env["loyalty.history"].sudo()
        return history.search(
            [("order_model", "=", self._name), ("order_id", "in", self.ids)]
        )

    def _get_cards_paid_with(self):
        """Return ``{gift card: amount}``, with ``sudo()``: what each paid of this
        document, in its currency."""
        paid = {}
        # sudo: see _get_refund_notices.
        for line in self.sudo().invoice_line_ids:
            for order_line in line.sale_line_ids:
                card = order_line.coupon_id
                if card and order_line.reward_id.program_id.is_payment_program:
                    amount = self.currency_id._convert(
                        -line.price_total,
                        card.currency_id,
                        self.company_id,
                        self.invoice_date or self.date,
                    )
                    paid[card] = paid.get(card, 0.0) + amount
        return paid

    def _get_cards_sold(self):
        """Return the gift cards that were sold with this document, with ``sudo()``."""
        # sudo: see _get_refund_notices.
        order_lines = self.sudo().invoice_line_ids.sale_line_ids
        cards = self.env["loyalty.card"].sudo()
        if not order_lines.product_id.filtered(lambda p: p.type == "service"):
            return cards
        orders = order_lines.order_id
        cards = cards.search([("order_id", "in", orders.ids)])
        # An eWallet is topped up by many orders.
        cards |= orders.coupon_point_ids.coupon_id
        return cards.filtered(
            lambda card: (
                card.program_type in ("gift_card", "ewallet")
                and card.program_id.trigger_product_ids & order_lines.product_id
            )
        )

    def _change_cards(self):
        """Give cards back what they paid of what this credit note refunds, and take
        the value of those that were sold with it.

        :raises UserError: when a card that was sold has been used since
        """
        changes = self._get_cards_to_pay_back()
        for card, points in self._get_coupons_given_back().items():
            changes[card] = changes.get(card, 0.0) + points
        for card, points in self._get_cards_taken().items():
            changes[card] = changes.get(card, 0.0) - points
        self.env["helpdesk.ticket"]._lock_after_sales(
            *(card for card, points in changes.items() if points)
        )
        # sudo: the cards of these credit notes, which were found and locked above.
        history = self.env["loyalty.history"].sudo()
        for card, points in changes.items():
            if not points:
                continue
            # sudo: the user may post this credit note; the card follows it.
            card.points += points
            history.create(
                {
                    "card_id": card.id,
                    "description": self.name,
                    "issued": max(points, 0.0),
                    "used": max(-points, 0.0),
                    "order_model": self._name,
                    "order_id": self.id,
                }
            )

    def _get_cards_to_pay_back(self):
        """Return ``{gift card: amount}`` that this credit note pays back: never more
        than the card has paid of the invoice, whatever was changed in the draft."""
        invoice = self.reversed_entry_id
        wanted = self._get_cards_paid_with()
        if not wanted or not invoice:
            return {}
        paid = invoice._get_cards_paid_with()
        for line in (invoice._get_credit_notes() - self)._get_card_changes():
            if line.card_id in paid:
                paid[line.card_id] -= line.issued
        return {
            card: max(min(amount, paid.get(card, 0.0)), 0.0)
            for card, amount in wanted.items()
        }

    def _get_coupons_given_back(self):
        """Return ``{coupon: points}`` that can be used again, since all that they took
        off the invoice is refunded now and their program says so."""
        given = {}
        invoice = self.reversed_entry_id
        # sudo: see _get_refund_notices.
        programs = self.sudo().invoice_line_ids.sale_line_ids.reward_id.program_id
        if not invoice or not programs.filtered("helpdesk_give_back"):
            return given
        unused = set()
        for line, rest in invoice._get_refund_left()[invoice].lines.items():
            # sudo: see _get_refund_notices.
            for order_line in line.sudo().sale_line_ids:
                card = order_line.coupon_id
                program = order_line.reward_id.program_id
                if not program.helpdesk_give_back or program.is_payment_program:
                    continue
                if not self.currency_id.is_zero(rest.subtotal):
                    # A discount has a line for each tax.
                    unused.add(card)
                given[card] = given.get(card, 0.0) + order_line.points_cost
        before = (invoice._get_credit_notes() - self)._get_card_changes().card_id
        return {
            card: points
            for card, points in given.items()
            if card not in unused and card not in before
        }

    def _get_cards_taken(self):
        """Return ``{gift card: points}``: the value of cards that were sold and are
        refunded by this credit note.

        :raises UserError: when less is left on them
        """
        cards = self._get_cards_sold()
        products = cards.program_id.trigger_product_ids
        # sudo: see _get_refund_notices.
        due = sum(
            line.price_total
            for line in self.sudo().invoice_line_ids
            if line.product_id in products
        )
        taken = {}
        # The fullest first: those that nobody has used.
        for card in cards.sorted(lambda card: (-card.points, card.id)):
            rate = self.currency_id._convert(
                1.0, card.currency_id, self.company_id, self.date, round=False
            )
            points = min(max(card.points, 0.0), due * rate)
            if points and not card.currency_id.is_zero(points):
                taken[card] = points
                due -= points / rate
        if cards and self.currency_id.compare_amounts(due, 0) > 0:
            raise UserError(
                self.env._(
                    "%(amount)s of the gift cards refunded here has already been "
                    "spent: lower the credit note by that amount.",
                    amount=self.currency_id.format(due),
                )
            )
        return taken

    def _change_cards_back(self):
        """Undo what posting this credit note did with cards.

        :raises UserError: when what was given back was used since
        """
        history = self._get_card_changes()
        for line in history:
            card = line.card_id
            points = line.issued - line.used
            if card.currency_id.compare_amounts(card.points, points) < 0:
                raise UserError(
                    self.env._(
                        "%(note)s put %(amount)s back on a gift card that was used "
                        "since: it can't be taken back.",
                        note=self.display_name,
                        amount=card.currency_id.format(points),
                    )
                )
            card.points -= points
        history.unlink()
