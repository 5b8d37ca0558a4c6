from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundWizard(HelpdeskRefundCommon):
    def test_s18_s19_button_opens_a_popup_titled_refund(self):
        action = self.ticket_a.with_user(self.billing_agent).action_refund()
        self.assertEqual(action["name"], "Refund")
        self.assertEqual(action["target"], "new")

    def test_s20_s24_s27_popup_is_filled_from_the_ticket(self):
        wizard = self._wizard()
        self.assertEqual(wizard.helpdesk_sale_order_id, self.order_a)
        self.assertEqual(wizard.move_ids, self.invoice_a)
        self.assertEqual(wizard.journal_id, self.invoice_a.journal_id)
        self.assertEqual(wizard.reason, f"Helpdesk Ticket #{self.ticket_a.ticket_ref}")

    def test_s33_s35_reverse_makes_a_draft_credit_note(self):
        note = self._refund()
        self.assertRecordValues(
            note,
            [
                {
                    "move_type": "out_refund",
                    "state": "draft",
                    "amount_total": 400.0,
                    "reversed_entry_id": self.invoice_a.id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "company_id": self.company.id,
                }
            ],
        )

    def test_s36_s37_s38_reverse_and_create_invoice(self):
        self.invoice_a.button_draft()
        self.invoice_a.invoice_line_ids = [
            Command.create({"display_type": "line_section", "name": "Furniture"}),
            Command.create({"display_type": "line_note", "name": "Handle with care"}),
        ]
        self.invoice_a.action_post()
        wizard = self._wizard()
        action = wizard.modify_moves()
        new = self.env["account.move"].browse(action["res_id"])
        self.assertRecordValues(
            new, [{"move_type": "out_invoice", "state": "draft", "amount_total": 400}]
        )
        self.assertEqual(
            new.invoice_line_ids.mapped("display_type"),
            self.invoice_a.invoice_line_ids.mapped("display_type"),
        )
        note = self.ticket_a.credit_note_ids
        self.assertEqual(note.state, "posted")
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertFalse(new.helpdesk_ticket_id)

    def test_x1_second_full_refund_is_refused_with_the_first_one_named(self):
        note = self._refund()
        with self.assertRaisesRegex(UserError, "already been credited in full"):
            self._wizard(invoices=self.invoice_a).refund_moves()
        self.assertEqual(self.invoice_a.reversal_move_ids, note)

    def test_x1_t3_second_partial_refund_holds_what_is_left(self):
        note = self._refund()
        lamps = note.invoice_line_ids.filtered(
            lambda line: line.product_id == self.lamp
        )
        desks = note.invoice_line_ids - lamps
        note.invoice_line_ids = [
            Command.update(lamps.id, {"quantity": 1}),
            Command.delete(desks.id),
        ]
        note.action_post()
        self.assertEqual(self.invoice_a.amount_left_to_refund, 350)
        rest = self._refund(invoices=self.invoice_a)
        self.assertEqual(rest.amount_total, 350)
        self.assertEqual(
            {line.product_id: line.quantity for line in rest.invoice_line_ids},
            {self.lamp: 3, self.desk: 1},
        )
        self.assertEqual(self.invoice_a.amount_left_to_refund, 0)

    def test_x1_modify_after_a_partial_refund(self):
        note = self._refund()
        note.invoice_line_ids[0].quantity = 1
        note.invoice_line_ids[1].unlink()
        note.action_post()
        self._wizard(invoices=self.invoice_a).modify_moves()
        self.assertEqual(self.invoice_a.payment_state, "reversed")
        self.assertEqual(note.payment_state, "paid")

    def test_x1_posting_a_raised_draft_is_refused(self):
        note = self._refund()
        note.invoice_line_ids[0].quantity += 1
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            note.action_post()

    def test_s31_s32_future_date_auto_posts(self):
        future = fields.Date.add(fields.Date.today(), days=3)
        note = self._refund(date=future)
        self.assertEqual(note.auto_post, "at_date")

    def test_t2_second_click_opens_what_exists(self):
        wizard = self._wizard()
        first = wizard.refund_moves()
        second = wizard.refund_moves()
        self.assertEqual(first["res_id"], second["res_id"])

    def test_s2_agent_without_invoicing_is_refused(self):
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.agent).action_refund()

    def test_s23_lot_is_asked_for_tracked_products_only(self):
        form = self._form()
        self.assertTrue(form._get_modifier("helpdesk_lot_id", "invisible"))
        form.helpdesk_sale_order_id = self.env["sale.order"]
        form.helpdesk_product_id = self.phone
        self.assertFalse(form._get_modifier("helpdesk_lot_id", "invisible"))

    def test_s21_s22_s25_choosing_a_product_narrows_the_invoices(self):
        """Without rights to Inventory: the deliveries are compared all the same."""
        phones = self._sell(self.contact_a2, (self.phone, 1), serials=self.serials[0])
        invoice = self._invoice(phones)
        # The other one was delivered, and isn't on these invoices.
        self._sell(self.contact_a2, (self.phone, 1), serials=self.serials[1])
        form = self._form(self._ticket(self.customer_a))
        self.assertFalse(form.helpdesk_notice)
        form.move_ids = self.invoice_a + invoice
        form.helpdesk_product_id = self.phone
        self.assertEqual(form.move_ids[:], invoice)
        form.helpdesk_lot_id = self.serials[0]
        self.assertEqual(form.move_ids[:], invoice)
        form.helpdesk_lot_id = self.serials[1]
        self.assertFalse(form.move_ids[:])
        self.assertIn("fits the order, product or lot", form.helpdesk_notice)
        form.helpdesk_product_id = self.lamp
        self.assertFalse(form.helpdesk_lot_id, "it is of another product")

    def test_s24_s32_fields_that_must_be_filled(self):
        form = self._form(self._ticket(self.customer_a))
        for name in ("move_ids", "date", "journal_id"):
            self.assertTrue(form._get_modifier(name, "required"), name)

    def test_s28_s29_another_journal_stays_when_an_invoice_is_added(self):
        sales = self.invoice_a.journal_id.copy({"code": "SAL4"})
        second = self._invoice(self._sell(self.contact_a1, (self.lamp, 1)))
        form = self._form(self._ticket(self.customer_a))
        form.move_ids = self.invoice_a
        self.assertEqual(form.journal_id, self.invoice_a.journal_id)
        form.move_ids = self.invoice_a + second
        form.journal_id = sales
        wizard = form.save()
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.journal_id, sales)

    def test_t2_both_buttons_of_one_wizard_make_one_document(self):
        wizard = self._wizard()
        first = wizard.refund_moves()
        self.assertEqual(wizard.modify_moves()["res_id"], first["res_id"])
        self.assertEqual(len(self.invoice_a.reversal_move_ids), 1)

    # -- Pressed on a line of the tab Purchases (X6) -------------------------

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

    # -- What the agent reads: the table of cases/money.md --------------------

    def test_money_t1_number_and_amount_are_told_without_the_reference(self):
        note = self._refund()
        self.assertIn("400.00", self.ticket_a.message_ids[0].body)
        note.action_post()
        told = self.ticket_a.message_ids[0].body
        self.assertIn(note.name, told)
        self.assertIn("400.00", told)
        for body in self.ticket_a.message_ids.mapped("body"):
            self.assertNotIn(note.ref, body)
        for customer in (False, True):
            values = note._prepare_timeline_values(customer=customer)
            self.assertIn(note.name, values["title"])
            self.assertNotIn(note.ref, values["title"])

    def test_money_t2_t19_what_is_left_and_what_the_note_will_be(self):
        """Partly credited, and something came back: one figure each, both true."""
        note = self._refund()
        note.invoice_line_ids.filtered(lambda li: li.product_id != self.lamp).unlink()
        note.invoice_line_ids.quantity = 1
        note.action_post()
        line = self.order_a.order_line.filtered(lambda li: li.product_id == self.lamp)
        self.patch(
            type(self.ticket_a), "_get_returned_purchases", lambda *_args: {line: 2}
        )
        form = self._form()
        self.assertEqual(form.helpdesk_total, 50)
        self.assertIn("350.00", form.helpdesk_notice)
        self.assertIn(note.name, form.helpdesk_notice)
        wizard = form.save()
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.amount_total, 50)

    def test_money_t16_two_reasons_have_two_names(self):
        arch = etree.fromstring(
            self.env["account.move.reversal"].get_view(
                self.env.ref("helpdesk_refund.account_move_reversal_view_form").id
            )["arch"]
        )
        names = {
            node.get("name"): node.get("string")
            for node in arch.xpath("//field[contains(@name, 'reason')]")
        }
        self.assertTrue(names["helpdesk_reason_id"])
        self.assertNotEqual(names["helpdesk_reason_id"], names["reason"])

    def test_money_t19_each_invoice_with_its_amount(self):
        other = self._invoice(self._sell(self.contact_a1, (self.lamp, 1)))
        ticket = self._ticket(self.contact_a1)
        form = self._form(ticket)
        form.move_ids = self.invoice_a + other
        for invoice, amount in ((self.invoice_a, "400.00"), (other, "50.00")):
            self.assertIn(invoice.name, form.helpdesk_totals)
            self.assertIn(amount, form.helpdesk_totals)
        self.assertEqual(form.helpdesk_total, 450)

    def test_money_t20_the_company_is_named_that_has_no_invoice(self):
        """The invoice is a branch's, the ticket of the head office."""
        branch = self._create_company(name="Branch West", parent_id=self.company.id)
        invoice = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.customer_b.id,
                "company_id": branch.id,
                "invoice_line_ids": [Command.create({"name": "x", "price_unit": 9})],
            }
        )
        invoice.action_post()
        self.assertEqual(invoice.company_id, branch)
        notice = self._form(self._ticket(self.customer_b)).helpdesk_notice
        self.assertIn(self.company.display_name, notice)
        self.assertIn(self.customer_b.display_name, notice)
        self.assertNotIn("Branch West", notice)
