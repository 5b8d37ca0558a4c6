"""X19: whatever was refunded and returned on tickets, *Orders to Invoice* asks for what
is owed and for nothing else, and invoicing all of it at once makes no document that a
person would call wrong.

    setup/test -m slow tests/test_order_histories.py

100 of them; HELPDESK_RANDOM=4:24 takes those seeds instead.
"""

import os
import random

import pytest

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import (
    AGENT,
    HelpdeskAfterSalesCommon,
)

SEEDS = range(*map(int, os.environ.get("HELPDESK_RANDOM", "4:104").split(":")))


@tagged("post_install", "-at_install")
class TestOrderHistories(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not {"helpdesk.return.wizard", "helpdesk.refund.line"} <= set(cls.env):
            pytest.skip("helpdesk_refund and helpdesk_return are not both installed")
        cls.user = cls._new_user(
            "orders_agent", f"{AGENT},account.group_account_invoice"
        )
        cls.team.member_ids += cls.user
        cls.team.write({"use_credit_notes": True, "use_product_returns": True})
        cls.warehouse.reception_steps = "one_step"
        cls.tax = cls.env["account.tax"].create({"name": "15 %", "amount": 15})
        cls.by_order, cls.service = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": kind,
                    "list_price": 30,
                    "invoice_policy": "order",
                    "taxes_id": False,
                }
                for name, kind in (("Kettle", "consu"), ("Cleaning", "service"))
            ]
        )

    def _make(self, dice):
        """Return an order, delivered and invoiced: some with a tax, a discount on all
        of it, or a down payment."""
        self.lamp.invoice_policy = "delivery"
        self.lamp.taxes_id = self.tax if dice.random() < 0.5 else False
        # A customer each: a pop-up looks at all that its customer has bought.
        customer = self.env["res.partner"].create({"name": "Customer of one order"})
        order = self._sell(
            customer,
            (self.lamp, 4),
            (self.by_order, 3),
            (self.service, 2),
            deliver=False,
        )
        if dice.random() < 0.4:
            self.env["sale.order.discount"].create(
                {
                    "sale_order_id": order.id,
                    "discount_type": "so_discount",
                    "discount_percentage": dice.choice((0.1, 0.33)),
                }
            ).action_apply_discount()
        if dice.random() < 0.3:
            self.env["sale.advance.payment.inv"].create(
                {
                    "advance_payment_method": "percentage",
                    "amount": 30,
                    "sale_order_ids": [(6, 0, order.ids)],
                }
            ).create_invoices()
            order.invoice_ids.action_post()
        self._deliver(order.picking_ids)
        order._create_invoices(final=True).action_post()
        return order

    def _pop_up(self, ticket, service):
        action = getattr(ticket.with_user(self.user), f"action_{service}")()
        return (
            self.env[action["res_model"]]
            .with_user(self.user)
            .with_context(**action["context"])
            .create({})
        )

    def _drafts(self, order):
        return order.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "draft"
        )

    # -- Steps ---------------------------------------------------------------

    def step_refund(self, dice, ticket, order):
        """By lines, by amount, with a fee; posted now or later."""
        wizard = self._pop_up(ticket, "refund")
        invoices = order.invoice_ids.filtered(
            lambda move: (
                move.move_type == "out_invoice"
                and move.state == "posted"
                and move.amount_left_to_refund > 0
            )
        )
        if not invoices:
            return
        wizard.move_ids = dice.choice(invoices.sorted("id"))
        kind = dice.choice(("proposed", "lines", "amount", "fee", "modify"))
        if kind == "lines":
            wizard.helpdesk_take = "all"
            for line in wizard.helpdesk_line_ids:
                line.quantity = dice.randint(0, int(line.quantity))
        elif kind == "amount":
            wizard.helpdesk_amount = min(5, wizard.helpdesk_total)
        elif kind == "fee":
            wizard.helpdesk_fee_percent = 10
        if kind == "modify":
            wizard.modify_moves()
            return
        if wizard.helpdesk_choice_refusal:
            return
        shown = wizard.helpdesk_total
        wizard.refund_moves()
        self.assertAlmostEqual(wizard.new_move_ids.amount_total, shown, 2)
        if dice.random() < 0.7:
            wizard.new_move_ids.action_post()

    def step_post_or_cancel(self, dice, _ticket, order):
        for note in self._drafts(order)[:1]:
            note.action_post() if dice.random() < 0.5 else note.button_cancel()

    def step_return(self, dice, ticket, order):
        if not any(order.order_line.mapped("qty_delivered")):
            return
        wizard = self._pop_up(ticket, "return")
        for line in wizard.line_ids:
            line.quantity = dice.randint(0, int(line.returnable_quantity))
        if sum(wizard.line_ids.mapped("quantity")):
            wizard.action_return()

    def step_receive(self, _dice, _ticket, order):
        for picking in order.picking_ids.filtered(
            lambda p: p.state == "assigned" and p.location_id.usage == "customer"
        )[:1]:
            picking.move_ids.picked = True
            picking.with_context(skip_sms=True).button_validate()

    def step_credit_of_the_order(self, _dice, _ticket, order):
        """The seller presses Create Invoice on what came back."""
        if any(order.order_line.mapped("qty_to_invoice")):
            order._create_invoices(final=True).action_post()

    # -- What is owed --------------------------------------------------------

    def _check(self, order):
        """The order never asks for money once more; and it asks to give back what came
        back and wasn't credited, where what was delivered counts."""
        self.env.flush_all()
        self.env.invalidate_all()
        balance = order.order_line.sudo()._get_after_sales_balance()
        replaced = order.invoice_ids.filtered("helpdesk_is_replaced")
        for line in order.order_line:
            self.assertLessEqual(line.qty_to_invoice, 0, line.name)
            if line.is_downpayment or line.product_id.invoice_policy == "order":
                self.assertEqual(line.qty_to_invoice, 0, line.name)
            elif not replaced:
                back = line.product_uom_qty - line.qty_delivered
                credited = sum(
                    document.quantity
                    for document in line.invoice_lines
                    if document.move_type == "out_refund"
                    and document.parent_state == "posted"
                )
                self.assertEqual(
                    line.qty_to_invoice, -max(back - credited, 0), (line.name, balance)
                )

    def _check_mass_invoicing(self, orders):
        """What invoicing all of them makes: what came back and isn't credited."""
        owed = {
            line: line.qty_to_invoice
            for line in orders.order_line
            if line.qty_to_invoice
        }
        due = orders.filtered(lambda order: order.invoice_status == "to invoice")
        self.assertEqual(due, orders & orders.browse(line.order_id.id for line in owed))
        if not due:
            return
        made = due._create_invoices(final=True)
        self.assertEqual(set(made.mapped("move_type")), {"out_refund"})
        quantities = {}
        for document in made.invoice_line_ids:
            for line in document.sale_line_ids:
                quantities[line] = quantities.get(line, 0) - document.quantity
        self.assertEqual(quantities, owed)

    def _check_histories(self, seeds):
        steps = sorted(name for name in dir(self) if name.startswith("step_"))
        orders = self.env["sale.order"]
        failed = []
        for seed in seeds:
            dice = random.Random(seed)
            order = self._make(dice)
            ticket = self._ticket(order.partner_id, sale_order_id=order.id)
            history = []
            for _number in range(6):
                name = dice.choice(steps)
                history.append(name)
                try:
                    with self.env.cr.savepoint():
                        getattr(self, name)(dice, ticket, order)
                        self._check(order)
                except (AssertionError, UserError) as error:
                    self.env.invalidate_all()
                    failed.append((seed, history, str(error)[-200:]))
                    break
            orders += order
        self.assertFalse(failed, f"{len(failed)} of {len(seeds)}: {failed[:8]}")
        self._check_mass_invoicing(orders)

    def test_some_histories(self):
        self._check_histories(range(4))

    @pytest.mark.slow
    def test_histories(self):
        self._check_histories(SEEDS)
