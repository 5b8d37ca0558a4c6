from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

INVOICING = "account.group_account_readonly,account.group_account_invoice"


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    credit_note_ids = fields.One2many(
        comodel_name="account.move",
        inverse_name="helpdesk_ticket_id",
        string="Credit Notes",
        domain=[("move_type", "=", "out_refund")],
        groups=INVOICING,
        copy=False,
    )
    credit_notes_count = fields.Integer(
        string="Number of Credit Notes",
        compute="_compute_credit_notes_count",
        groups=INVOICING,
    )
    draft_credit_notes_count = fields.Integer(
        string="Number of Draft Credit Notes",
        compute="_compute_credit_notes_count",
        groups=INVOICING,
    )

    refunds_to_pay = fields.Boolean(
        string="Refunds to Pay",
        compute="_compute_credit_notes_count",
        groups=INVOICING,
        help="Money of a posted credit note is still open.",
    )

    def _compute_credit_notes_count(self):
        credit_notes = self._get_credit_note_domain()
        drafts = credit_notes & Domain("state", "=", "draft")
        count = self._after_sales_count("account.move", credit_notes)
        draft_count = self._after_sales_count("account.move", drafts)
        for ticket in self:
            ticket.credit_notes_count = count.get(ticket._origin, 0)
            ticket.draft_credit_notes_count = draft_count.get(ticket._origin, 0)
            ticket.refunds_to_pay = False
        some = self.filtered(
            lambda t: t.credit_notes_count > t.draft_credit_notes_count
        )
        if some:
            unpaid = some._get_refunds_to_pay().helpdesk_ticket_id
            for ticket in some:
                ticket.refunds_to_pay = ticket._origin in unpaid

    def _get_refunds_to_pay(self):
        """Return the posted credit notes of these tickets of which money is open."""
        return self.env["account.move"].search(
            Domain("helpdesk_ticket_id", "in", self.ids)
            & Domain("move_type", "=", "out_refund")
            & Domain("state", "=", "posted")
            & Domain("payment_state", "in", ("not_paid", "partial"))
        )

    @api.model
    def _get_credit_note_domain(self):
        """Return the domain of the credit notes that the button counts and opens: what
        was cancelled gave nothing back."""
        return Domain("move_type", "=", "out_refund") & Domain("state", "!=", "cancel")

    @api.readonly
    def action_refund(self):
        """Return the action that opens the pop-up **Refund** on this ticket (S18).

        :raises AccessError: without the right to make invoices, or when the ticket
            isn't the user's to work on
        :raises UserError: when refunds are off for the team, or there is no customer
        """
        self.ensure_one()
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(
                self.env._(
                    "Refunds need Invoicing rights. Ask a colleague in accounting, "
                    "or ask the administrator for access."
                )
            )
        return self._open_after_sales_wizard(
            "account.move.reversal",
            "use_credit_notes",
            self.env._("Refund"),
            "helpdesk_refund.account_move_reversal_view_form",
        )

    def action_pay_refunds(self):
        """Return the action of Odoo's own payment pop-up for what is still to be paid
        out of the posted credit notes of this ticket (issue 16 E).

        :raises AccessError: without the right to register payments
        :raises UserError: when nothing is open
        """
        self.ensure_one()
        self.check_access("read")
        if not self.env.user.has_group("account.group_account_invoice"):
            raise AccessError(
                self.env._(
                    "Payments need Invoicing rights. Ask a colleague in accounting, "
                    "or ask the administrator for access."
                )
            )
        notes = self._get_refunds_to_pay()
        if not notes:
            raise UserError(
                self.env._("Nothing is left to pay out: no posted credit note is open.")
            )
        return notes.action_register_payment()

    @api.readonly
    def action_view_credit_notes(self):
        """Return the action for the credit notes of this ticket: a form for one, a
        list for several (S39)."""
        self.ensure_one()
        action = self._open_after_sales_documents(
            "account.move", self._get_credit_note_domain()
        )
        return action | {"name": self.env._("Credit Notes")}

    def _get_purchase_actions(self, line, values):
        actions = super()._get_purchase_actions(line, values)
        if (
            self.use_credit_notes
            and line.product_uom_id.compare(values["left_to_refund"], 0) > 0
            and self.env.user.has_group("account.group_account_invoice")
        ):
            actions.append(
                {
                    "method": "action_refund",
                    "label": self.env._("Refund"),
                    "context": {
                        "default_helpdesk_sale_order_id": values["order_id"],
                        "default_helpdesk_product_id": values["product_id"],
                        "default_helpdesk_proposed_line": line.id,
                    },
                }
            )
        return actions

    def _get_money_given(self, lines):
        notes = self.credit_note_ids.filtered(
            lambda note: (
                note.state == "posted" and note.invoice_line_ids.sale_line_ids & lines
            )
        )
        return super()._get_money_given(lines) + notes.mapped("name")
