from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import format_date

from .common import HelpdeskRefundCommon


class RefundCases(HelpdeskRefundCommon):
    """Kettles and toasters, taxed, and what befalls them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.env["account.tax"].create({"name": "15 %", "amount": 15})
        cls.kettle, cls.toaster = cls.env["product.product"].create(
            [
                {
                    "name": name,
                    "type": "consu",
                    "is_storable": True,
                    "list_price": price,
                    "invoice_policy": "delivery",
                    "taxes_id": [Command.set(cls.tax.ids)],
                }
                for name, price in (("Kettle", 40), ("Toaster", 25))
            ]
        )

    def _sold(self, *lines, **values):
        """Return a ticket about an order that was delivered and invoiced."""
        order = self._sell(self.contact_a1, *lines, **values)
        self._invoice(order)
        return self._ticket(self.contact_a1, sale_order_id=order.id)

    def _come_back(self, order, *lines):
        """Receive ``(product, quantity)`` back by Odoo's own return."""
        delivery = order.picking_ids.filtered(lambda p: p.state == "done")[:1]
        wizard = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        for line in wizard.product_return_moves:
            line.quantity = dict(lines).get(line.product_id, 0)
        self._deliver(wizard._create_return())

    def _bill(self, *lines, **values):
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_b.id,
                "invoice_date": fields.Date.today(),
                "invoice_line_ids": [
                    Command.create({"tax_ids": [Command.clear()]} | line)
                    for line in lines
                ],
            }
            | values
        )
        invoice.action_post()
        return invoice, self._ticket(self.customer_b)

    def _goods(self, move):
        return [
            (line.name, line.quantity, line.price_subtotal)
            for line in move.invoice_line_ids
            if line.display_type == "product"
        ]

    def _keep(self, note, *names):
        """Take all lines off a draft but those of these products or labels."""
        note.invoice_line_ids.filtered(
            lambda line: (line.product_id.name or line.name) not in names
        ).unlink()

    def _discount(self, order, **values):
        values = {"sale_order_id": order.id, "discount_type": "so_discount"} | values
        self.env["sale.order.discount"].create(values).action_apply_discount()

    def _refund_back(self, ticket, *taken):
        """Return the draft of what came back: ``(product, quantity)``."""
        lines = ticket.sale_order_id.order_line
        back = {
            line: dict(taken)[line.product_id]
            for line in lines
            if line.product_id in dict(taken)
        }
        self.patch(type(ticket), "_get_returned_purchases", lambda *_args: dict(back))
        wizard = self._wizard(
            ticket=ticket,
            invoices=ticket.sale_order_id.invoice_ids.filtered(
                lambda move: move.move_type == "out_invoice"
            ),
        )
        wizard.refund_moves()
        return wizard.new_move_ids


@tagged("post_install", "-at_install")
class TestRefundCases(RefundCases):
    """What failed in ordinary shops, one or two of each kind ("money F1" and so on)."""

    # -- F1 ------------------------------------------------------------------

    def test_f1_the_orders_own_credit_note_counts(self):
        ticket = self._sold((self.kettle, 3), (self.toaster, 1))
        order = ticket.sale_order_id
        invoice = order.invoice_ids
        self._come_back(order, (self.kettle, 3))
        native = order._create_invoices(final=True)
        native.action_post()
        self.assertFalse(native.reversed_entry_id)
        self.assertEqual(native.amount_total, 138)
        self.assertEqual(invoice.amount_left_to_refund, 28.75)
        for about in (ticket, self._ticket(self.contact_a1, sale_order_id=order.id)):
            with self.subTest(ticket=about):
                notice = self._form(about).helpdesk_notice
                self.assertIn(native.name, notice)
                self.assertNotIn(
                    "Kettle", notice, "the tab and the pop-up say the same"
                )
        note = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(self._goods(note)[0][1:], (1, 25))
        note.action_post()
        self.assertEqual(order.order_line.mapped("qty_invoiced"), [0, 1])
        balance = order.order_line._get_after_sales_balance()
        self.assertEqual(
            [balance[line]["credited"] for line in order.order_line], [3, 1]
        )
        self.assertEqual(
            [balance[line]["left_to_refund"] for line in order.order_line], [0, 0]
        )

    def test_f1_a_copy_of_a_credit_note_counts(self):
        note = self._refund()
        note.invoice_line_ids[0].quantity = 1
        note.action_post()
        copy = note.copy()
        self.assertFalse(copy.reversed_entry_id)
        self.invoice_a.invalidate_recordset()
        self.assertIn(copy, self.invoice_a._get_credit_notes())

    # -- F2, F3 --------------------------------------------------------------

    def test_f3_a_share_of_the_orders_discount_goes_with_the_goods(self):
        order = self._sell(self.contact_a1, (self.kettle, 10), deliver=False)
        order.order_line.price_unit = 5
        self._discount(order, discount_percentage=0.2)
        self._deliver(order.picking_ids)
        self._invoice(order)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        self.assertEqual(order.invoice_ids.amount_total, 46)
        half = self._refund_back(ticket, (self.kettle, 5))
        self.assertEqual(half.amount_total, 23)
        half.action_post()
        rest = self._refund_back(ticket, (self.kettle, 10))
        self.assertEqual(rest.amount_total, 23)
        rest.action_post()

    def test_f2_f3_down_payment(self):
        order = self._sell(
            self.contact_a1, (self.kettle, 8), (self.toaster, 2), deliver=False
        )
        self.env["sale.advance.payment.inv"].create(
            {
                "advance_payment_method": "percentage",
                "amount": 30,
                "sale_order_ids": [Command.set(order.ids)],
            }
        ).create_invoices()
        order.invoice_ids.action_post()
        self._deliver(order.picking_ids)
        final = order._create_invoices(final=True)
        final.action_post()
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        back = {order.order_line[0]: 8, order.order_line[1]: 2}
        self.patch(type(ticket), "_get_returned_purchases", lambda *_args: dict(back))
        form = self._form(ticket)
        form.move_ids = final
        self.assertTrue(form.helpdesk_returned_found)
        wizard = form.save()
        wizard.refund_moves()
        note = wizard.new_move_ids
        self.assertEqual(note.amount_total, final.amount_total)
        note.action_post()
        self.assertFalse(final.amount_left_to_refund)

    # -- F5 to F8 ------------------------------------------------------------

    def test_f5_lines_of_one_product_are_told_apart(self):
        service = {"product_id": self.lamp.id, "tax_ids": [Command.set(self.tax.ids)]}
        invoice, ticket = self._bill(
            service | {"name": "Inspection", "price_unit": 80},
            service | {"name": "Labour", "quantity": 6, "price_unit": 60},
            service | {"name": "Travel", "quantity": 40, "price_unit": 0.5},
        )
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids[:2].unlink()
        note.action_post()
        self.assertEqual(note.amount_total, 23)
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(self._goods(rest), [("Inspection", 1, 80), ("Labour", 6, 360)])
        rest.action_post()
        self.assertFalse(invoice.amount_left_to_refund)

    def test_f6_the_last_part_takes_the_cents(self):
        included = self.env["account.tax"].create(
            {
                "name": "21 % included",
                "amount": 21,
                "price_include_override": "tax_included",
            }
        )
        invoice, ticket = self._bill(
            {
                "name": "Cup",
                "quantity": 3,
                "price_unit": 9.99,
                "discount": 33,
                "tax_ids": [Command.set(included.ids)],
            }
        )
        for _part in range(3):
            note = self._refund(ticket=ticket, invoices=invoice)
            if note.invoice_line_ids[0].quantity > 1:
                note.invoice_line_ids[0].quantity = 1
            note.action_post()
        self.assertFalse(invoice.amount_left_to_refund)
        self.assertFalse(invoice.amount_residual)
        notes = invoice._get_credit_notes()
        self.assertAlmostEqual(sum(notes.mapped("amount_tax")), invoice.amount_tax)

    def test_f6_tax_that_was_taken_off_the_first_half(self):
        tax = [Command.set(self.tax.ids)]
        invoice, ticket = self._bill(
            {"name": "Cup", "quantity": 2, "price_unit": 50, "tax_ids": tax}
        )
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.write({"quantity": 1, "tax_ids": [Command.clear()]})
        note.action_post()
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(rest.amount_total, 65)
        rest.action_post()
        self.assertFalse(invoice.amount_left_to_refund)

    def test_f7_tax_that_was_corrected_by_hand(self):
        for button in ("refund_moves", "modify_moves"):
            with self.subTest(button=button):
                invoice = self.env["account.move"].create(
                    {
                        "move_type": "out_invoice",
                        "partner_id": self.customer_b.id,
                        "invoice_date": fields.Date.today(),
                        "invoice_line_ids": [
                            Command.create(
                                {
                                    "name": "Cup",
                                    "price_unit": 20.66,
                                    "tax_ids": [Command.set(self.tax.ids)],
                                }
                            )
                        ],
                    }
                )
                tax = invoice.line_ids.filtered("tax_line_id")
                invoice.line_ids = [
                    Command.update(tax.id, {"amount_currency": -3.08, "balance": -3.08})
                ]
                invoice.action_post()
                self.assertEqual(invoice.amount_total, 23.74)
                wizard = self._wizard(
                    ticket=self._ticket(self.customer_b), invoices=invoice
                )
                getattr(wizard, button)()
                note = invoice._get_credit_notes()
                if note.state == "draft":
                    note.action_post()
                self.assertEqual(note.amount_total, 23.74)
                self.assertFalse(invoice.amount_residual)

    def test_f7_fixed_tax_per_piece_and_a_price_that_was_lowered(self):
        eco = self.env["account.tax"].create(
            {"name": "Eco", "amount": 0.5, "amount_type": "fixed"}
        )
        invoice, ticket = self._bill(
            {"name": "TV", "price_unit": 300, "tax_ids": [Command.set(eco.ids)]}
        )
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.price_unit = 150
        note.action_post()
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(rest.amount_total, 150)
        rest.action_post()

    def test_f7_another_tax_on_the_first_part(self):
        invoice, ticket = self._bill({"name": "Cup", "quantity": 2, "price_unit": 60})
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.write(
            {"quantity": 1, "tax_ids": [Command.set(self.tax.ids)]}
        )
        note.action_post()
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(rest.amount_total, 51)
        rest.action_post()

    def test_f8_goodwill_first_and_a_return_later(self):
        ticket = self._sold((self.kettle, 3))
        invoice = ticket.sale_order_id.invoice_ids
        note = self._refund(ticket=ticket)
        note.invoice_line_ids[0].write({"quantity": 1, "price_unit": 20})
        note.action_post()
        self.assertEqual(note.amount_total, 23)
        line = ticket.sale_order_id.order_line
        balance = line._get_after_sales_balance()[line]
        self.assertEqual((balance["credited"], balance["left_to_refund"]), (0, 2.5))
        rest = self._refund_back(ticket, (self.kettle, 3))
        self.assertEqual(rest.amount_total, 115)
        self.assertEqual(sum(rest.invoice_line_ids.mapped("quantity")), 3)
        rest.action_post()
        self.assertFalse(invoice.amount_left_to_refund)

    # -- F9, F10, F15 --------------------------------------------------------

    def test_f9_order_that_is_billed_to_somebody_else(self):
        order = self._sell(
            self.contact_a1, (self.kettle, 1), partner_invoice_id=self.customer_b.id
        )
        invoice = self._invoice(order)
        ticket = self._ticket(self.contact_a1, sale_order_id=order.id)
        note = self._refund(ticket=ticket)
        self.assertEqual(note.reversed_entry_id, invoice)
        self.assertEqual(note.partner_id, self.customer_b)

    def test_f10_draft_of_an_invoice_that_was_cancelled(self):
        note = self._refund()
        self.invoice_a.button_draft()
        with self.assertRaisesRegex(UserError, self.invoice_a.name):
            note.action_post()
        self.invoice_a.button_cancel()
        with self.assertRaisesRegex(UserError, self.invoice_a.name):
            note.action_post()

    def test_f15_nothing_left_is_said_at_once(self):
        note = self._refund()
        note.action_post()
        form = self._form()
        self.assertFalse(form.move_ids[:])
        self.assertIn(note.name, form.helpdesk_notice)

    def test_t3_what_is_used_up_does_not_hide_what_can_be_meant(self):
        other = self._invoice(self._sell(self.contact_a1, (self.lamp, 1)))
        self._refund().action_post()
        ticket = self._ticket(self.contact_a1)
        self.assertEqual(self._form(ticket).move_ids[:], other)
        ticket = ticket.with_user(self.billing_agent)
        names = dict(ticket.search_purchases("account.move"))
        self.assertIn("nothing left", names[self.invoice_a.id])
        self.assertNotIn("nothing left", names[other.id])

    def test_t18_more_than_the_product_of_the_ticket_is_credited(self):
        self.ticket_a.product_id = self.lamp
        self.assertIn(self.lamp.name, self._form().helpdesk_notice)
        order = self._sell(self.contact_a1, (self.lamp, 1))
        self._invoice(order)
        ticket = self._ticket(
            self.contact_a1, sale_order_id=order.id, product_id=self.lamp.id
        )
        self.assertFalse(self._form(ticket).helpdesk_notice)

    def test_t9_cancelled_notes_are_not_counted(self):
        ticket = self.ticket_a.with_user(self.billing_agent)
        self._refund().button_cancel()
        ticket.invalidate_recordset()
        self.assertEqual(ticket.credit_notes_count, 0)
        note = self._refund(invoices=self.invoice_a)
        ticket.invalidate_recordset()
        self.assertEqual(ticket.credit_notes_count, 1)
        self.assertEqual(ticket.action_view_credit_notes()["res_id"], note.id)

    def test_t5_t11_language_of_the_customer_and_a_date_to_come(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.contact_a1.lang = "fr_FR"
        day = fields.Date.add(fields.Date.today(), days=5)
        form = self._form()
        self.assertFalse(form.helpdesk_notice)
        form.date = day
        self.assertIn(format_date(self.env, day), form.helpdesk_notice)
        wizard = form.save()
        proposed = wizard.reason
        wizard.refund_moves()
        note = wizard.new_move_ids
        self.assertIn(self.ticket_a.ticket_ref, note.ref)
        self.assertNotIn(proposed, note.ref)
        self.assertEqual((note.state, note.date), ("draft", day))

    def test_t15_sections_and_notes_go_with_their_lines(self):
        invoice, ticket = self._bill(
            {"display_type": "line_section", "name": "Kitchen", "sequence": 1},
            {"name": "A", "price_unit": 10, "sequence": 2},
            {"display_type": "line_note", "name": "About A", "sequence": 3},
            {"display_type": "line_section", "name": "Bath", "sequence": 4},
            {"name": "B", "price_unit": 20, "sequence": 5},
            {"display_type": "line_note", "name": "About B", "sequence": 6},
        )
        note = self._refund(ticket=ticket, invoices=invoice)
        note.invoice_line_ids.filtered(lambda line: line.name == "B").unlink()
        rest = self._refund(ticket=ticket, invoices=invoice)
        self.assertEqual(
            rest.invoice_line_ids.sorted("sequence").mapped("name"),
            ["Bath", "B", "About B"],
        )

    def test_t8_many_credit_notes_are_summed_up(self):
        invoice, ticket = self._bill({"name": "Cup", "quantity": 9, "price_unit": 10})
        for _number in range(6):
            note = self._refund(ticket=ticket, invoices=invoice)
            note.invoice_line_ids.quantity = 1
            note.action_post()
        notes = invoice._get_credit_notes()
        notice = self._form(ticket).helpdesk_notice
        self.assertNotIn(notes[0].name, notice)
        self.assertIn(notes[-1].name, notice)
        self.assertRegex(notice, r"\$.30\.00 with 3")

    # -- X19, X20 ------------------------------------------------------------

    def _assert_to_invoice(self, ticket, *quantities):
        lines = ticket.sale_order_id.order_line
        self.env.invalidate_all()
        self.assertEqual(lines.mapped("qty_to_invoice"), list(quantities))
        self.assertEqual(
            ticket.sale_order_id.invoice_status,
            "to invoice" if any(quantities) else "invoiced",
        )

    def test_x19_refund_and_nothing_comes_back(self):
        for policy in ("delivery", "order"):
            with self.subTest(policy=policy):
                self.kettle.invoice_policy = policy
                ticket = self._sold((self.kettle, 3), (self.lamp, 1))
                note = self._refund(ticket=ticket)
                self._assert_to_invoice(ticket, 0, 0)
                note.invoice_line_ids[0].price_unit = 20
                note.action_post()
                self._assert_to_invoice(ticket, 0, 0)
                order = ticket.sale_order_id
                self.assertFalse(any(order.order_line.mapped("amount_to_invoice")))

    def test_x19_return_before_and_after_the_refund(self):
        for policy in ("delivery", "order"):
            for first in ("return", "refund"):
                with self.subTest(policy=policy, first=first):
                    self.kettle.invoice_policy = policy
                    ticket = self._sold((self.kettle, 3))
                    order = ticket.sale_order_id
                    if first == "return":
                        self._come_back(order, (self.kettle, 2))
                    note = self._refund(ticket=ticket)
                    note.invoice_line_ids[0].quantity = 2
                    note.action_post()
                    if first == "refund":
                        self._assert_to_invoice(ticket, 0)
                        self._come_back(order, (self.kettle, 2))
                    self._assert_to_invoice(ticket, 0)

    def test_x19_reverse_and_create_invoice_keeps_odoos_way(self):
        ticket = self._sold((self.kettle, 3))
        wizard = self._wizard(ticket=ticket)
        wizard.modify_moves()
        self._assert_to_invoice(ticket, 0)
        wizard.new_move_ids.unlink()
        self._assert_to_invoice(ticket, 3)

    def test_x19_credit_note_without_a_ticket_is_odoos(self):
        ticket = self._sold((self.kettle, 3))
        native = (
            self.env["account.move.reversal"]
            .with_context(
                active_model="account.move",
                active_ids=ticket.sale_order_id.invoice_ids.ids,
            )
            .create({"journal_id": self.invoice_a.journal_id.id})
        )
        native.refund_moves()
        self._assert_to_invoice(ticket, 3)

    def test_x20_every_field_of_odoos_pop_up_is_in_ours(self):
        wizards = self.env["account.move.reversal"]
        views = [
            wizards.get_view(self.env.ref(xmlid).id)["models"]["account.move.reversal"]
            for xmlid in (
                "account.view_account_move_reversal",
                "helpdesk_refund.account_move_reversal_view_form",
            )
        ]
        self.assertFalse(set(views[0]) - set(views[1]))
