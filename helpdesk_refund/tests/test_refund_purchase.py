from odoo import Command
from odoo.tests import Form, tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundPurchase(HelpdeskRefundCommon):
    """X6: Refund is ready to press on a line of the tab Purchases."""

    def _actions(self, user, ticket):
        return {
            (row["order"], row["product"]): [
                action
                for action in row["actions"]
                if action["method"] == "action_refund"
            ]
            for row in ticket.with_user(user).get_purchases()["rows"]
        }

    def test_x6_refund_of_the_order_that_was_pressed(self):
        other = self._sell(self.contact_a2, (self.lamp, 2))
        invoice = self._invoice(other)
        unbilled = self._sell(self.contact_a2, (self.desk, 2))
        ticket = self._ticket(self.contact_a1)
        actions = self._actions(self.billing_agent, ticket)
        self.assertEqual(actions[unbilled.name, "Desk"], [])
        [action] = actions[other.name, "Lamp"]
        opened = ticket.with_user(self.billing_agent).action_refund()
        form = Form(
            self.env[opened["res_model"]]
            .with_user(self.billing_agent)
            .with_context(**opened["context"], **action["context"]),
            view=opened["views"][0][0],
        )
        self.assertEqual(form.helpdesk_sale_order_id, other)
        self.assertEqual(form.helpdesk_product_id, self.lamp)
        # Of the two invoices of this customer the one that can be meant.
        self.assertEqual(form.move_ids[:], invoice)

    def test_x6_the_line_that_was_pressed_is_proposed(self):
        """money T18: of two lines of one product, too."""
        order = self._sell(self.contact_a1, (self.lamp, 2), (self.lamp, 3))
        invoice = self._invoice(order)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        rows = ticket.with_user(self.billing_agent).get_purchases()["rows"]
        self.assertEqual(len(rows), 2)
        for row in rows:
            [action] = [a for a in row["actions"] if a["method"] == "action_refund"]
            opened = ticket.with_user(self.billing_agent).action_refund()
            form = Form(
                self.env[opened["res_model"]]
                .with_user(self.billing_agent)
                .with_context(**opened["context"], **action["context"]),
                view=opened["views"][0][0],
            )
            self.assertEqual(form.helpdesk_total, 50 * row["ordered"])
            wizard = form.save()
            wizard.refund_moves()
            note = wizard.new_move_ids
            self.assertEqual(note.invoice_line_ids.sale_line_ids.id, row["id"])
            note.action_post()
        self.assertFalse(invoice.amount_left_to_refund)

    def test_t14_down_payments_are_no_purchase(self):
        """money T14"""
        order = self._sell(self.contact_a1, (self.lamp, 2))
        self.env["sale.advance.payment.inv"].create(
            {
                "advance_payment_method": "percentage",
                "amount": 30,
                "sale_order_ids": [Command.set(order.ids)],
            }
        ).create_invoices()
        order.invoice_ids.action_post()
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        rows = ticket.with_user(self.billing_agent).get_purchases()["rows"]
        self.assertEqual([row["id"] for row in rows], order.order_line[0].ids)

    def test_x6_nothing_to_press_where_nothing_is_left_or_allowed(self):
        ticket = self._ticket(self.contact_a1)
        key = self.order_a.name, "Lamp"
        self.assertTrue(self._actions(self.billing_agent, ticket)[key])
        self.assertFalse(self._actions(self.agent, ticket)[key])
        note = self._refund()
        # A draft counts, as in what is left to refund (X1).
        for _state in ("draft", "posted"):
            self.assertFalse(self._actions(self.billing_agent, ticket)[key])
            [lamp] = [
                row
                for row in ticket.with_user(self.billing_agent).get_purchases()["rows"]
                if row["product"] == "Lamp"
            ]
            self.assertEqual((lamp["invoiced"], lamp["credited"]), (4, 4))
            self.assertEqual(lamp["links"]["credited"]["ids"], note.ids)
            if note.state == "draft":
                note.action_post()
        self.team.use_credit_notes = False
        self.assertFalse(any(self._actions(self.billing_agent, ticket).values()))
