"""Whatever was invoiced, and however it is refunded in parts: what we propose can be
posted, and the parts make up the invoice to the last cent, tax by tax (X1, X11).

    setup/test -m slow tests/test_refund_random.py

500 of them; HELPDESK_RANDOM=12:112 takes those seeds instead.
"""

import os
import random
import traceback

import pytest

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged

try:
    from odoo.addons.helpdesk_refund.tests.common import HelpdeskRefundCommon
except ImportError:
    pytest.skip("helpdesk_refund is not there", allow_module_level=True)

QUANTITIES = (1, 1, 2, 3, 7, 12, 0.5, 1.33, 40)
SEEDS = range(*map(int, os.environ.get("HELPDESK_RANDOM", "12:512").split(":")))
DISCOUNTS = (0, 0, 0, 10, 33, 33.33)


@tagged("post_install", "-at_install")
class TestRefundRandom(HelpdeskRefundCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        taxes = [
            ("21 %", 21, "percent", "tax_excluded"),
            ("21 % in", 21, "percent", "tax_included"),
            ("6 %", 6, "percent", "tax_excluded"),
            ("10 % in", 10, "percent", "tax_included"),
            ("0.50", 0.5, "fixed", "tax_excluded"),
        ]
        cls.taxes = cls.env["account.tax"].create(
            [
                {
                    "name": name,
                    "amount": amount,
                    "amount_type": kind,
                    "price_include_override": mode,
                    "sequence": number,
                }
                for number, (name, amount, kind, mode) in enumerate(taxes)
            ]
        )
        cls.rounding = cls.env["account.cash.rounding"].create(
            {
                "name": "0.05",
                "rounding": 0.05,
                "strategy": "add_invoice_line",
                "rounding_method": "HALF-UP",
                "profit_account_id": cls.company_data["default_account_revenue"].id,
                "loss_account_id": cls.company_data["default_account_expense"].id,
            }
        )
        cls.euro = cls.setup_other_currency("EUR", rates=[("2016-01-01", 1.7)])
        cls.ticket_b = cls._ticket(cls.customer_b)

    def _random_invoice(self, dice):
        """Return a posted invoice, or none when chance made it worth nothing."""
        lines, sums = [], {}
        for number in range(dice.randint(1, 5)):
            taxes = dice.choice([(), (0,), (0,), (1,), (2,), (3,), (0, 4), (4,)])
            line = {
                "name": f"Line {number}",
                "product_id": self.lamp.id if dice.random() < 0.4 else False,
                "quantity": dice.choice(QUANTITIES),
                "price_unit": round(dice.uniform(0.01, 90), 2),
                "discount": dice.choice(DISCOUNTS),
                "tax_ids": [Command.set([self.taxes[index].id for index in taxes])],
            }
            worth = line["quantity"] * line["price_unit"] * (1 - line["discount"] / 100)
            sums[taxes] = sums.get(taxes, 0) + worth
            lines.append(line)
            if dice.random() < 0.15:
                lines.append({"display_type": "line_note", "name": "About it"})
        if dice.random() < 0.4:
            percent = dice.choice((0.05, 0.1, 0.2, 0.33))
            for taxes, worth in sums.items():
                rates = [index for index in taxes if index != 4]
                lines.append(
                    {
                        "name": "Discount",
                        "price_unit": -round(worth * percent, 2),
                        "tax_ids": [Command.set([self.taxes[i].id for i in rates])],
                    }
                )
        if dice.random() < 0.15:
            gift = -round(sum(sums.values()) * dice.uniform(0.05, 0.5), 2)
            lines.append({"name": "Gift card", "price_unit": gift, "tax_ids": False})
        if dice.random() < 0.2:
            lines.insert(0, {"display_type": "line_section", "name": "Kitchen"})
        self.company.tax_calculation_rounding_method = dice.choice(
            ("round_per_line", "round_globally")
        )
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_b.id,
                "invoice_date": fields.Date.today(),
                "currency_id": (
                    self.euro if dice.random() < 0.2 else self.company.currency_id
                ).id,
                "invoice_cash_rounding_id": dice.random() < 0.15 and self.rounding.id,
                "invoice_line_ids": [
                    Command.create({"sequence": number} | line)
                    for number, line in enumerate(lines)
                ],
            }
        )
        tax = invoice.line_ids.filtered(lambda line: line.display_type == "tax")[:1]
        if tax and dice.random() < 0.1:
            cents = dice.choice((-0.02, -0.01, 0.01, 0.02))
            invoice.line_ids = [
                Command.update(tax.id, {"amount_currency": tax.amount_currency + cents})
            ]
        if invoice.amount_total <= 0.05:
            invoice.unlink()
            return invoice.browse()
        invoice.action_post()
        return invoice

    def _propose(self, invoice, taken=None):
        wizard = self._open(invoice)
        if taken:
            for line in wizard.helpdesk_line_ids:
                line.quantity = taken.get(line.move_line_id, 0.0)
        return self._reverse(wizard)

    def _open(self, invoice):
        return self.env["account.move.reversal"].create(
            {
                "helpdesk_ticket_id": self.ticket_b.id,
                "move_ids": [Command.set(invoice.ids)],
            }
        )

    def _reverse(self, wizard):
        """Return the draft, after a look at the total that the pop-up has shown."""
        shown = wizard.helpdesk_total
        wizard.refund_moves()
        note = wizard.new_move_ids
        self.assertFalse(
            note.currency_id.compare_amounts(note.amount_total, shown),
            (note.amount_total, shown),
        )
        return note

    def _choose(self, dice, invoice):
        """Return the draft of lines by quantity or amount, of an amount, or with a fee,
        or none."""
        wizard = self._open(invoice)
        for line in wizard.helpdesk_line_ids:
            source = line.move_line_id
            quantity = dice.choice((0, 0.3, 0.5, 1, 1)) * line.quantity
            quantity = self._round(source, quantity)
            line.quantity = min(quantity, line.quantity)
            if dice.random() < 0.2:
                line.amount = round(line.amount * dice.uniform(0.1, 0.95), 2)
        total = wizard.helpdesk_total
        kind = dice.choice(("lines", "amount", "fee", "percent"))
        if kind == "amount":
            wizard.helpdesk_amount = round(total * dice.uniform(0.05, 1), 2)
        elif kind == "fee":
            wizard.helpdesk_fee = round(total * dice.uniform(0.05, 0.5), 2)
        elif kind == "percent":
            wizard.helpdesk_fee_percent = dice.choice((5, 10, 33.33))
        if wizard.helpdesk_choice_refusal or wizard.helpdesk_total <= 0:
            return invoice.browse()
        typed = wizard.helpdesk_amount
        note = self._reverse(wizard)
        if typed:
            self.assertFalse(
                invoice.currency_id.compare_amounts(typed, note.amount_total)
            )
        return note

    def _round(self, line, quantity):
        unit = line.product_uom_id
        return unit.round(quantity) if unit else round(quantity, 2)

    def _random_part(self, dice, invoice):
        kind = dice.choice(("returned", "lowered", "goodwill", "chosen", "chosen"))
        if kind == "chosen":
            self._choose(dice, invoice).action_post()
            return
        rest = invoice._get_refund_left()[invoice].lines
        left = {
            line: dice.choice((1, 0.5, 0.3)) * left.quantity
            for line, left in rest.items()
            if left.quantity > 0 and line.price_subtotal > 0 and dice.random() < 0.7
        }
        left = {
            line: self._round(line, quantity) or rest[line].quantity
            for line, quantity in left.items()
            if line._prepare_refund_part(rest[line], quantity)
        }
        if kind == "returned":
            if not left:
                return
            note = self._propose(invoice, left)
            if note.amount_total > 0:
                note.action_post()
            else:
                note.unlink()
            return
        note = self._propose(invoice)
        goods = note.invoice_line_ids.filtered(
            lambda line: line.display_type == "product" and line.price_subtotal > 0
        )
        if kind == "goodwill":
            goods = goods[:1]
            (note.invoice_line_ids - goods).unlink()
            goods.price_unit = round(goods.price_unit * dice.uniform(0.1, 0.9), 2)
        else:
            for line in goods:
                line.quantity = self._round(line, line.quantity * 0.5) or 1
        total = note.amount_total
        others = invoice._get_credit_notes() - note
        if not goods or total <= 0 or total > invoice._get_left_to_refund(others):
            note.unlink()
        else:
            note.action_post()

    def _check_invoice(self, seed):
        dice = random.Random(seed)
        invoice = self._random_invoice(dice)
        if not invoice:
            return
        for _number in range(dice.randint(0, 3)):
            if invoice._get_refund_refusal():
                break
            self._random_part(dice, invoice)
            invoice.invalidate_recordset()
        # What was kept back, or given for lines, may need one more.
        for _number in range(3):
            if not invoice._get_refund_refusal():
                self._propose(invoice).action_post()
                invoice.invalidate_recordset()
        invoice.invalidate_recordset()
        notes = invoice._get_credit_notes()
        currency = invoice.currency_id
        self.assertTrue(currency.is_zero(invoice.amount_left_to_refund))
        self.assertTrue(
            currency.is_zero(sum(notes.mapped("amount_total")) - invoice.amount_total)
        )
        self.assertFalse(invoice.amount_residual)
        given = {}
        for note in notes:
            for key, lines in note._group_tax_lines().items():
                amount = sum(lines.mapped("amount_currency"))
                given[key] = given.get(key, 0) + amount
        for key, lines in invoice._group_tax_lines().items():
            given[key] = given.get(key, 0) + sum(lines.mapped("amount_currency"))
        for key, difference in given.items():
            self.assertTrue(currency.is_zero(difference), (key, difference))

    def _check_invoices(self, seeds):
        failed = []
        for seed in seeds:
            # Each by itself: what piles up on one ticket and customer makes the last
            # ones many times slower than the first.
            try:
                with self.env.cr.savepoint() as savepoint:
                    self._check_invoice(seed)
                    savepoint.rollback()
            except (AssertionError, UserError) as error:
                self.env.invalidate_all()
                where = traceback.extract_tb(error.__traceback__)
                lines = [f"{frame.name}:{frame.lineno}" for frame in where[1:4]]
                failed.append((seed, lines, str(error)[-160:]))
            self.env.invalidate_all(flush=False)
        self.assertFalse(failed, f"{len(failed)} of {len(seeds)}: {failed[:12]}")

    def test_some_random_invoices(self):
        self._check_invoices(range(12))

    @pytest.mark.slow
    def test_random_invoices(self):
        self._check_invoices(SEEDS)
