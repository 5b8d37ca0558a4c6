from unittest.mock import patch

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_refund.models.account_move import AccountMove

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundPosting(HelpdeskRefundCommon):
    """What Odoo's own accounting sees of us: nothing, where no ticket is concerned."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accountant = cls._new_user(
            "after_sales_accountant", "account.group_account_invoice"
        )

    def _native_note(self, invoice):
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoice.ids)
            .create({"journal_id": invoice.journal_id.id})
        )
        wizard.refund_moves()
        return wizard.new_move_ids

    def _skipped(self, name):
        """Return the method of accounting that ours extends."""
        return lambda move, *args, **kwargs: getattr(super(AccountMove, move), name)(
            *args, **kwargs
        )

    def _count(self, method, *args):
        self.env.flush_all()
        self.env.invalidate_all()
        self.env.cr.execute("SAVEPOINT counting")
        before = self.cr.sql_log_count
        method(*args)
        self.env.flush_all()
        count = self.cr.sql_log_count - before
        self.env.cr.execute("ROLLBACK TO SAVEPOINT counting")
        self.env.invalidate_all(flush=False)
        return count

    def test_posting_and_cancelling_without_a_ticket_takes_no_query_more(self):
        notes = self._native_note(self.invoice_a) + self._native_note(
            self._invoice(self._sell(self.customer_b, (self.lamp, 1)))
        )
        for name in ("_post", "button_cancel"):
            with self.subTest(method=name):
                method = getattr(notes, name)
                self._count(method)
                ours = self._count(method)

                with patch.object(AccountMove, name, self._skipped(name)):
                    native = self._count(method)
                self.assertEqual(ours, native)

    def test_batch_of_all_kinds_is_posted_together(self):
        note = self._refund()
        native = self._native_note(
            self._invoice(self._sell(self.customer_b, (self.lamp, 1)))
        )
        bill = self.init_invoice("in_invoice", partner=self.customer_b, amounts=[10])
        entry = self.env["account.move"].create(
            {
                "line_ids": [
                    Command.create({"name": "Nothing", "account_id": account.id})
                    for account in self.company_data["default_account_revenue"]
                ]
            }
        )
        batch = note + native + bill + entry
        messages = self.ticket_a.message_ids
        batch._post()
        self.assertEqual(set(batch.mapped("state")), {"posted"})
        told = self.ticket_a.message_ids - messages
        self.assertEqual(len(told), 1)
        self.assertIn(note.name, told.body)

    def test_one_that_passes_its_invoice_holds_the_batch(self):
        native = self._native_note(
            self._invoice(self._sell(self.customer_b, (self.lamp, 1)))
        )
        note = self._refund()
        note.invoice_line_ids[0].price_unit += 1
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            (native + note)._post()
        self.assertEqual(set((native + note).mapped("state")), {"draft"})

    def test_x1_two_notes_of_one_invoice_in_one_batch(self):
        first = self._refund()
        first.invoice_line_ids[0].quantity = 1
        second = self._refund(invoices=self.invoice_a)
        second.invoice_line_ids[0].quantity += 1
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            (first + second)._post()
        second.invoice_line_ids[0].quantity -= 1
        (first + second)._post()
        self.assertEqual((first + second).mapped("state"), ["posted", "posted"])
        self.assertFalse(self.invoice_a.amount_left_to_refund)

    def test_accountant_without_helpdesk_rights_posts_and_cancels(self):
        note = self._refund().with_user(self.accountant)
        note.action_post()
        self.assertIn("was posted", self.ticket_a.message_ids[0].body)
        note.button_draft()
        note.button_cancel()
        self.assertIn("was cancelled", self.ticket_a.message_ids[0].body)
        self.assertEqual(
            self.ticket_a.message_ids[0].author_id, self.accountant.partner_id
        )

    def test_reset_to_draft_and_posted_again(self):
        note = self._refund()
        note.action_post()
        note.button_draft()
        # Review 21j: else "was posted" would be the ticket's last word.
        self.assertIn("draft", self.ticket_a.message_ids[0].body)
        note.invoice_line_ids[0].quantity += 1
        with self.assertRaisesRegex(UserError, "exceeds what is left"):
            note.action_post()
        note.invoice_line_ids[0].quantity -= 1
        note.action_post()

    def test_a_copy_of_a_credit_note_is_not_the_tickets(self):
        note = self.env["account.move"].browse(self._refund().id)
        copy = note.copy()
        self.assertFalse(copy.helpdesk_ticket_id)
        self.assertFalse(copy.reversed_entry_id)

    def test_x1_ticket_note_without_an_invoice_is_posted(self):
        """Linked by hand: there is no invoice to compare with."""
        note = self.init_invoice("out_refund", partner=self.customer_a, amounts=[10])
        note.helpdesk_ticket_id = self.ticket_a
        note.action_post()
        self.assertEqual(note.state, "posted")

    def test_t30_customers_are_merged(self):
        note = self._refund()
        note.action_post()
        ticket = self._ticket(self.customer_b)
        self.env["base.partner.merge.automatic.wizard"].create({})._merge(
            (self.customer_a + self.customer_b).ids, self.customer_a
        )
        self.env.invalidate_all()
        self.assertEqual(ticket.partner_id, self.customer_a)
        self.assertEqual(self.ticket_a.credit_note_ids, note)
        with self.assertRaisesRegex(UserError, "already been credited in full"):
            self._wizard(ticket=ticket, invoices=self.invoice_a).refund_moves()

    def test_t30_customer_of_the_ticket_is_changed(self):
        note = self._refund()
        self.ticket_a.partner_id = self.customer_b
        self.assertFalse(self.ticket_a.sale_order_id)
        self.assertEqual(self.ticket_a.credit_note_ids, note)
        note.action_post()
        wizard = self._wizard_by_rpc(move_ids=[Command.set(self.invoice_a.ids)])
        with self.assertRaises(UserError):
            wizard.refund_moves()

    def test_t30_invoice_is_reset_and_deleted_before_its_draft_credit_note(self):
        note = self._refund()
        self.invoice_a.button_draft()
        self.invoice_a.with_context(force_delete=True).unlink()
        self.assertFalse(note.reversed_entry_id)
        note.action_post()
        self.assertEqual(self.ticket_a.credit_note_ids, note)

    def test_t30_archived_team_and_ticket(self):
        note = self._refund()
        self.ticket_a.active = False
        self.team.active = False
        note.action_post()
        self.assertIn("was posted", self.ticket_a.message_ids[0].body)
        action = note.with_user(self.billing_agent).action_view_helpdesk_ticket()
        self.assertEqual(action["res_id"], self.ticket_a.id)

    def test_x7_timeline(self):
        """Customers see what is posted, with its PDF; agents the draft as well."""
        customer = self._new_user(
            "refund_timeline", "base.group_portal", partner_id=self.contact_a1.id
        )
        mine = self.ticket_a.with_user(customer)
        note = self._refund()
        self.assertEqual(len(mine.portal_timeline()), 1)
        seen = self.ticket_a.with_user(self.billing_agent).get_timeline()
        self.assertIn("Draft", seen)
        note.action_post()
        act = mine.portal_timeline()[-1]
        self.assertIn(note.name, act["title"])
        self.assertEqual(act["state"], "Posted")
        self.assertIn("400.00", act["detail"])
        self.assertIn(note.access_token, act["url"])
        # Agents without rights to Invoicing read of it, but find no link to it.
        timeline = self.ticket_a.with_user(self.agent).get_timeline()
        self.assertIn(note.name, timeline)
        self.assertNotIn(f'data-id="{note.id}"', timeline)
        self.ticket_a.partner_id = self.customer_b
        berta = self._new_user(
            "refund_berta", "base.group_portal", partner_id=self.customer_b.id
        )
        self.assertEqual(len(self.ticket_a.with_user(berta).portal_timeline()), 1)
