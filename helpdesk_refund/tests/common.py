from odoo.tests import Form

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.helpdesk_after_sales.tests.common import (
    AGENT,
    HelpdeskAfterSalesCommon,
)


class HelpdeskRefundCommon(HelpdeskAfterSalesCommon, AccountTestInvoicingCommon):
    """Orders that were invoiced, and an agent who may make invoices."""

    @classmethod
    def setup_independent_company(cls, **kwargs):
        # A chart of accounts of its own takes longer than most tests here.
        if cls.env.company.chart_template:
            return None
        return super().setup_independent_company(**kwargs)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.billing_agent = cls._new_user(
            "after_sales_billing_agent", f"{AGENT},account.group_account_invoice"
        )
        cls.team.member_ids += cls.billing_agent
        cls.team.use_credit_notes = True
        cls.order_a = cls._sell(cls.contact_a1, (cls.lamp, 4), (cls.desk, 1))
        cls.invoice_a = cls._invoice(cls.order_a)
        cls.ticket_a = cls._ticket(cls.contact_a1, sale_order_id=cls.order_a.id)

    @classmethod
    def _invoice(cls, order, post=True):
        """Return the invoice of everything that can be invoiced of ``order``."""
        invoice = order._create_invoices()
        if post:
            invoice.action_post()
        return invoice

    def _form(self, ticket=None, user=None):
        """Return the pop-up as the web client opens it."""
        ticket = (ticket or self.ticket_a).with_user(user or self.billing_agent)
        action = ticket.action_refund()
        return Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"]),
            view=action["views"][0][0],
        )

    def _wizard_by_rpc(self, ticket=None, user=None, **values):
        """Return a wizard made without the form, with what the form would refuse."""
        ticket = ticket or self.ticket_a
        values = {"helpdesk_ticket_id": ticket.id} | values
        wizards = self.env["account.move.reversal"]
        return wizards.with_user(user or self.billing_agent).create(values)

    def _wizard(self, ticket=None, user=None, invoices=None, **values):
        """Return the pop-up as the web client opens, fills and saves it."""
        form = self._form(ticket, user)
        if invoices is not None:
            form.move_ids = invoices
        for name, value in values.items():
            setattr(form, name, value)
        return form.save()

    def _refund(self, **kwargs):
        """Return the draft credit notes that **Reverse** makes."""
        wizard = self._wizard(**kwargs)
        wizard.refund_moves()
        return wizard.new_move_ids
