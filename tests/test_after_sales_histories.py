"""X31: random histories of one order over two tickets, goods and money together: after
every step the balance is what a slow and simple count of the raw moves, invoice lines
and gift cards says, everybody who tells what is left tells the same, and nothing can be
given beyond it.

Needs the addons of refunds, coupons and returns, which don't know each other.
"""

import os
import random

import pytest
from cards import make_gift_card_program

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import (
    AGENT,
    HelpdeskAfterSalesCommon,
)

SEEDS = int(os.environ.get("HELPDESK_HISTORIES", "1"))
STEPS = 16


@tagged("post_install", "-at_install")
class TestAfterSalesHistories(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pop_ups = {"helpdesk.return.wizard", "helpdesk.coupon.wizard"}
        if not pop_ups <= set(cls.env) or (
            "helpdesk_ticket_id" not in cls.env["account.move.reversal"]._fields
        ):
            pytest.skip("refunds, coupons and returns are not all installed")
        cls.user = cls._new_user(
            "histories_agent",
            f"{AGENT},account.group_account_invoice",
        )
        cls.team.member_ids += cls.user
        cls.team.write(
            {
                "use_credit_notes": True,
                "use_coupons": True,
                "use_product_returns": True,
            }
        )
        cls.team.use_gift_cards = True
        cls.warehouse.reception_steps = "one_step"
        cls.env["loyalty.program"].search([]).active = False
        cls.cards = make_gift_card_program(cls.env)
        cls.tax = cls.env["account.tax"].create(
            {"name": "Histories 21%", "amount": 21, "type_tax_use": "sale"}
        )

    def _make(self, dice):
        for product in (self.lamp, self.desk):
            product.invoice_policy = dice.choice(["order", "delivery"])
        self.order = self._sell(
            self.contact_a1, (self.lamp, 5), (self.desk, 2), deliver=False
        )
        self.lines = self.order.order_line
        for line in self.lines:
            line.price_unit = dice.choice([9.99, 50.0, 33.35])
            line.discount = dice.choice([0, 0, 15])
            line.tax_ids = dice.choice([self.tax, self.tax.browse()])
        self.tickets = [
            self._ticket(self.contact_a1, sale_order_id=self.order.id) for _ in "ab"
        ]

    def _invoices(self, state="posted"):
        return self.order.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state == state
        ).sorted("id")

    def _notes(self, state):
        notes = self.order.invoice_ids | self._invoices().reversal_move_ids
        return notes.filtered(
            lambda move: move.move_type == "out_refund" and move.state == state
        ).sorted("id")

    # -- Steps ---------------------------------------------------------------

    def step_deliver(self, dice):
        """Deliver all that is open, or one piece less with a backorder."""
        for picking in self.order.picking_ids.filtered(
            lambda p: (
                p.state not in ("done", "cancel") and p.picking_type_code != "incoming"
            )
        )[:1]:
            picking.action_assign()
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty - (dice.random() < 0.3)
                move.picked = True
            if sum(picking.move_ids.mapped("quantity")):
                picking.with_context(
                    skip_backorder=True, skip_sms=True
                ).button_validate()

    def step_invoice(self, dice):
        """Invoice as Sales does; what came back makes a credit note of the order."""
        if not any(line.qty_to_invoice for line in self.lines):
            return
        move = self.order._create_invoices(final=True)
        if dice.random() < 0.8:
            move.action_post()

    def step_post(self, dice):
        for move in (self._invoices("draft") | self._notes("draft"))[:1]:
            move.action_post()

    def step_pay(self, _dice):
        for invoice in self._invoices().filtered("amount_residual")[:1]:
            self.env["account.payment.register"].with_context(
                active_model="account.move", active_ids=invoice.ids
            ).create({}).action_create_payments()

    def step_cancel_note(self, dice):
        if drafts := self._notes("draft"):
            dice.choice(drafts).button_cancel()

    def step_refund(self, dice):
        """Refund on a ticket what it proposes."""
        wizard = self._pop_up(dice.choice(self.tickets), "refund")
        if wizard.move_ids:
            wizard.refund_moves()
            if dice.random() < 0.6:
                wizard.new_move_ids.filtered(lambda m: m.state == "draft").action_post()

    def step_reverse(self, dice):
        """Credit an invoice as Accounting does, whole or one line in part."""
        if not (invoices := self._invoices()):
            return
        invoice = dice.choice(invoices)
        if invoice.amount_left_to_refund <= 0 or invoice._get_credit_notes():
            return
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        wizard.refund_moves()
        note = wizard.new_move_ids
        line = note.invoice_line_ids.filtered("quantity")[:1]
        if dice.random() < 0.7 and line.quantity > 1:
            note.invoice_line_ids = [
                Command.delete(other.id) for other in note.invoice_line_ids - line
            ] + [Command.update(line.id, {"quantity": 1})]
        note.action_post()

    def step_gift_card(self, dice):
        ticket = dice.choice(self.tickets)
        paid = self._invoices().filtered(lambda move: move._get_left_of_payments() >= 1)
        if not paid:
            return
        wizard = self._pop_up(
            ticket,
            "generate_coupon",
            program_type="gift_card",
            program_id=self.cards.id,
            invoice_id=paid[0].id,
        )
        wizard.amount = round(
            min(wizard.amount_left, paid[0]._get_left_of_payments())
            * dice.choice([0.1, 0.5]),
            2,
        )
        if wizard.amount:
            wizard.action_send_by_email()

    def step_return(self, dice):
        if not any(self.lines.mapped("qty_delivered")):
            return  # the pop-up says so
        wizard = self._pop_up(dice.choice(self.tickets), "return")
        for line in wizard.line_ids:
            line.quantity = dice.randint(0, min(int(line.returnable_quantity), 2))
        if sum(wizard.line_ids.mapped("quantity")):
            wizard.action_return()

    def step_receive(self, dice):
        for picking in self.order.picking_ids.filtered(
            lambda p: p.state == "assigned" and p.location_id.usage == "customer"
        )[:1]:
            for move in picking.move_ids:
                move.picked = True
            picking.with_context(skip_backorder=True, skip_sms=True).button_validate()

    def step_too_much(self, dice):
        """More than is left is refused, in money and goods (T2, T4)."""
        invoices = self._invoices()
        if not invoices:
            return
        invoice = dice.choice(invoices)
        left = invoice._get_left_of_payments()
        with self.assertRaises(UserError), self.cr.savepoint():
            wizard = self._pop_up(
                self.tickets[0],
                "generate_coupon",
                program_type="gift_card",
                program_id=self.cards.id,
                invoice_id=invoice.id,
            )
            wizard.amount = max(left, 0) + 0.01
            wizard.action_send_by_email()
        self.env.invalidate_all()

    def _pop_up(self, ticket, service, **values):
        """Return the pop-up of a service as the web client saves it."""
        action = getattr(ticket.with_user(self.user), f"action_{service}")()
        return (
            self.env[action["res_model"]]
            .with_user(self.user)
            .with_context(**action["context"])
            .create(values)
        )

    # -- The slow count ------------------------------------------------------

    def _count(self, line):
        """Return the figures of an order line from raw records."""
        result = dict.fromkeys(("delivered", "returning", "returned", "invoiced"), 0.0)
        for move in self.env["stock.move"].search([("sale_line_id", "=", line.id)]):
            out = move.location_dest_id.usage == "customer"
            if move.state == "cancel" or (out and move.state != "done"):
                continue
            kind = "delivered"
            if not out:
                kind = "returned" if move.state == "done" else "returning"
            result[kind] += (
                move.quantity if move.state == "done" else move.product_uom_qty
            )
        for document in line.invoice_lines:
            if document.parent_state != "cancel" and (
                document.move_type == "out_invoice"
            ):
                result["invoiced"] += document.quantity
        return result

    def _check(self):
        self.env.flush_all()
        self.env.invalidate_all()
        balances = self.lines.sudo()._get_after_sales_balance()
        for line in self.lines:
            balance = balances[line]
            for name, quantity in self._count(line).items():
                self.assertAlmostEqual(balance[name], quantity, 6, name)
            for name in ("left_to_return", "left_to_refund", "credited", "instead"):
                self.assertGreaterEqual(balance[name], -1e-6, name)
            self.assertLessEqual(
                balance["left_to_refund"], balance["invoiced"] + 1e-6, "of what?"
            )
        cards = self.env["loyalty.card"].search(
            [("helpdesk_ticket_id", "in", [ticket.id for ticket in self.tickets])]
        )
        for invoice in self._invoices():
            notes = self.env["account.move"].search(
                [("reversed_entry_id", "=", invoice.id), ("state", "!=", "cancel")]
            )
            given = sum(
                cards.filtered(lambda c, i=invoice: c.helpdesk_invoice_id == i).mapped(
                    "helpdesk_value"
                )
            )
            left = invoice.amount_total - sum(notes.mapped("amount_total")) - given
            self.assertAlmostEqual(invoice.amount_left_to_refund, left, 2)
            self.assertGreaterEqual(round(left, 2), 0.0, "more was given than invoiced")
            rest = invoice._get_refund_left()[invoice].lines
            for line, figures in rest.items():
                self.assertGreaterEqual(round(figures.quantity, 6), 0, line.name)

    def _check_offers(self):
        """What the pop-ups of both tickets offer is what is left."""
        for ticket in self.tickets:
            wizard = self._pop_up(ticket, "refund")
            offered = wizard.sudo().move_ids
            self.assertLessEqual(offered, self._invoices())
            for invoice in offered:
                self.assertGreater(invoice.amount_left_to_refund, 0)

    def _check_rest(self):
        """All that is left can be credited, to the last cent."""
        ticket = self.tickets[0]
        drafts = self._notes("draft")
        drafts.button_cancel()
        for invoice in self._invoices():
            if invoice.currency_id.is_zero(invoice.amount_left_to_refund):
                continue
            wizard = self._pop_up(ticket, "refund", move_ids=[Command.set(invoice.ids)])
            if "helpdesk_returned_only" in wizard._fields:
                wizard.helpdesk_returned_only = False
            wizard.refund_moves()
            wizard.new_move_ids.filtered(lambda m: m.state == "draft").action_post()
            self.env.invalidate_all()
            self.assertAlmostEqual(invoice.amount_left_to_refund, 0, 2)

    def test_x31_money_and_goods_of_random_histories(self):
        steps = sorted(name for name in dir(self) if name.startswith("step_"))
        weights = [3 if n in ("step_deliver", "step_invoice") else 1 for n in steps]
        for seed in range(SEEDS):
            dice = random.Random(seed)
            with self.subTest(seed=seed), self.cr.savepoint() as savepoint:
                self._make(dice)
                history = []
                for _number in range(STEPS):
                    name = dice.choices(steps, weights)[0]
                    history.append(name)
                    with self.subTest(history=history):
                        getattr(self, name)(dice)
                        self._check()
                with self.subTest(history=history, step="the rest"):
                    self._check_offers()
                    self._check_rest()
                savepoint.rollback()
                self.env.invalidate_all()
