from lxml import etree

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT, MANAGER

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundAccess(HelpdeskRefundCommon):
    """The button is shown to whom the server lets refund, and to nobody else (T28)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        billing = "account.group_account_invoice"
        cls.accountant, cls.billing_manager = cls._new_users(
            {
                "after_sales_accountant": billing,
                "after_sales_billing_manager": f"{MANAGER},{billing}",
            }
        )
        cls.portal_user = cls._new_user(
            "after_sales_refund_portal",
            "base.group_portal",
            partner_id=cls.contact_a1.id,
        )

    def _button_shown(self, user):
        tickets = self.env["helpdesk.ticket"].with_user(user)
        arch = etree.fromstring(tickets.get_view(view_type="form")["arch"])
        return bool(arch.xpath("//button[@name='action_refund']"))

    def test_s2_t28_button_is_shown_to_whom_the_server_allows(self):
        for user, allowed in (
            (self.billing_agent, True),
            (self.billing_manager, True),
            (self.agent, False),
            (self.manager, False),
        ):
            self.assertEqual(self._button_shown(user), allowed, user.login)
            ticket = self.ticket_a.with_user(user)
            if allowed:
                self.assertTrue(ticket.action_refund())
            else:
                with self.assertRaises(AccessError):
                    ticket.action_refund()

    def test_t28_others_are_refused_through_rpc(self):
        for user in (
            self.accountant,
            self.employee,
            self.seller,
            self.stock_user,
            self.portal_user,
        ):
            with self.assertRaises(AccessError):
                self.ticket_a.with_user(user).action_refund()

    def test_t28_wizard_through_rpc_without_the_button(self):
        """Who fills the pop-up by hand meets the same checks when they press."""
        values = {"move_ids": [Command.set(self.invoice_a.ids)]}
        for user in (self.agent, self.employee, self.portal_user):
            with self.assertRaises(AccessError):
                self._wizard_by_rpc(user=user, **values)
        with self.assertRaises(AccessError):
            self._wizard_by_rpc(user=self.accountant, **values)
        wizard = self._wizard_by_rpc(**values)
        for user in (self.agent, self.employee, self.portal_user, self.accountant):
            with self.assertRaises(AccessError):
                wizard.with_user(user).refund_moves()
        self.assertFalse(self.invoice_a.reversal_move_ids)

    def test_t28_ticket_of_a_team_that_is_not_visible(self):
        wizard = self._wizard()
        self.team.write(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(self.agent.ids)],
            }
        )
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.billing_agent).action_refund()
        with self.assertRaises(AccessError):
            self._wizard_by_rpc()
        with self.assertRaises(AccessError):
            wizard.refund_moves()
        with self.assertRaises(AccessError):
            self.env["account.move.reversal"].with_user(
                self.billing_agent
            ).with_context(default_helpdesk_ticket_id=self.ticket_a.id).default_get(
                ["reason", "helpdesk_ticket_id", "move_ids"]
            )

    def test_s2_service_that_is_off_is_refused(self):
        wizard = self._wizard()
        self.team.use_credit_notes = False
        with self.assertRaisesRegex(UserError, "Refunds is switched off"):
            wizard.refund_moves()
        with self.assertRaisesRegex(UserError, "Refunds is switched off"):
            self.ticket_a.with_user(self.billing_agent).action_refund()
        self.assertFalse(self.invoice_a.reversal_move_ids)

    def test_t4_invoice_of_another_company(self):
        other = self._create_company(name="Elsewhere")
        invoice = self.init_invoice(
            "out_invoice",
            partner=self.contact_a1,
            amounts=[100],
            post=True,
            company=other,
        )
        with self.assertRaises(AccessError):
            self._wizard_by_rpc(move_ids=[Command.set(invoice.ids)]).refund_moves()
        # Nor when the user works in both.
        self.billing_agent.company_ids += other
        wizard = self._wizard_by_rpc().with_context(
            allowed_company_ids=(self.company + other).ids
        )
        wizard.move_ids = invoice
        with self.assertRaisesRegex(UserError, "not an invoice of Alder"):
            wizard.refund_moves()
        self.assertFalse(invoice.reversal_move_ids)

    def test_two_companies_open_the_wizard_acts_in_the_tickets_own(self):
        other = self._create_company(name="Elsewhere")
        self.billing_agent.write({"company_ids": [Command.link(other.id)]})
        ticket = self.ticket_a.with_user(self.billing_agent).with_company(other)
        action = ticket.with_context(
            allowed_company_ids=(other + self.company).ids
        ).action_refund()
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.billing_agent)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(wizard.company_id, self.company)
        wizard.refund_moves()
        self.assertEqual(wizard.new_move_ids.company_id, self.company)

    def test_s39_reading_invoices_shows_the_credit_notes_without_the_button(self):
        reader = self._new_user(
            "after_sales_reader", f"{AGENT},account.group_account_readonly"
        )
        note = self._refund()
        ticket = self.ticket_a.with_user(reader)
        self.assertEqual(ticket.credit_notes_count, 1)
        self.assertEqual(ticket.action_view_credit_notes()["res_id"], note.id)
        self.assertFalse(self._button_shown(reader))
        with self.assertRaises(AccessError):
            ticket.action_refund()

    def test_linking_a_document_does_not_open_a_foreign_ticket(self):
        """Nobody reaches another ticket's chatter by linking their own credit note."""
        note = self._refund()
        other = self._ticket(self.customer_a)
        with self.assertRaises(AccessError):
            note.with_user(self.accountant).helpdesk_ticket_id = other
        note.with_user(self.billing_agent).helpdesk_ticket_id = other
        self.assertIn("Credit note", other.message_ids[0].body)

    def test_agents_without_invoicing_do_not_read_credit_notes(self):
        note = self._refund()
        with self.assertRaises(AccessError):
            note.with_user(self.agent).read(["amount_total"])
        ticket = self.ticket_a.with_user(self.agent)
        with self.assertRaises(AccessError):
            ticket.read(["credit_notes_count"])
        with self.assertRaises(AccessError):
            ticket.action_view_credit_notes()

    def test_pop_up_from_an_invoice_stays_as_it_was(self):
        action = self.invoice_a.action_reverse()
        self.assertNotIn("Refund", action["name"])
        wizard = (
            self.env["account.move.reversal"]
            .with_user(self.accountant)
            .with_context(active_model="account.move", active_ids=self.invoice_a.ids)
            .create({"journal_id": self.invoice_a.journal_id.id})
        )
        self.assertFalse(wizard.reason)
        self.assertFalse(wizard.helpdesk_notice)
        arch = wizard.get_view(
            self.env.ref("account.view_account_move_reversal").id, "form"
        )["arch"]
        self.assertNotIn("helpdesk", arch)
        wizard.refund_moves()
        self.assertFalse(wizard.new_move_ids.helpdesk_ticket_id)

    def test_t30_deleting_the_ticket_keeps_the_credit_note(self):
        note = self._refund()
        self.ticket_a.unlink()
        self.assertTrue(note.exists())
        self.assertFalse(note.helpdesk_ticket_id)
        note.action_post()

    def test_t7_document_and_link_are_one_statement(self):
        """The link is among the values that the credit note is created with: no
        moment exists in which one is there without the other."""
        created = []
        moves = type(self.env["account.move"])
        original = moves.create

        def create(model, vals_list):
            created.extend(vals_list)
            return original(model, vals_list)

        self.patch(moves, "create", create)
        self._refund()
        self.assertEqual(
            [vals.get("helpdesk_ticket_id") for vals in created], [self.ticket_a.id]
        )

    def test_helpdesk_agent_group_alone_gives_no_accounting(self):
        user = self._new_user("after_sales_plain", AGENT)
        for model in ("account.move", "account.move.reversal"):
            self.assertFalse(self.env[model].with_user(user).has_access("read"), model)
