from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .account_move_refund_total import PLANS


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["helpdesk.after.sales.document", "account.move"]

    helpdesk_is_replaced = fields.Boolean(
        groups="base.group_user",
        string="Replaced by a New Invoice",
        readonly=True,
        server_only=False,
        copy=False,
        help="Made by Reverse and Create Invoice: the order is invoiced once more.",
    )

    def _post(self, soft=True):
        refunds = self.filtered(
            lambda move: move.helpdesk_ticket_id and move.move_type == "out_refund"
        )
        refunds._check_within_invoice()
        refunds._check_after_sales_rules()
        posted = super()._post(soft)
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "Credit note %(document)s of %(amount)s was posted.",
                    document=move._get_html_link(title=move.name),
                    amount=move._format_refund(move.amount_total),
                )
                for move in posted & refunds
                if not move._is_told_with_replacement()
            }
        )
        (posted & refunds)._send_refunds()
        return posted

    def _reverse_moves(self, default_values_list=None, cancel=False):
        if cancel:
            # Reverse and Create Invoice: a ticket's invoice is reversed as a whole.
            for values in default_values_list or ():
                if values.get("helpdesk_ticket_id"):
                    values["helpdesk_is_replaced"] = True
        return super()._reverse_moves(default_values_list, cancel)

    def button_draft(self):
        posted = self.filtered(
            lambda move: move.helpdesk_ticket_id and move.state == "posted"
        )
        result = super().button_draft()
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "Credit note %(document)s of %(amount)s was reset to draft: it "
                    "isn't paid back yet.",
                    document=move._get_html_link(title=move.name),
                    amount=move._format_refund(move.amount_total),
                )
                for move in posted
            }
        )
        return result

    def button_cancel(self):
        result = super().button_cancel()
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "%(document)s of %(amount)s was cancelled.",
                    document=move._get_html_link(title=move._get_refund_title()),
                    amount=move._format_refund(move.amount_total),
                )
                for move in self.filtered("helpdesk_ticket_id")
            }
        )
        return result

    @api.ondelete(at_uninstall=False)
    def _tell_ticket_of_deletion(self):
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "%(document)s of %(amount)s was deleted.",
                    document=move._get_refund_title(),
                    amount=move._format_refund(move.amount_total),
                )
                for move in self.filtered("helpdesk_ticket_id")
            }
        )

    @api.model
    def _after_sales_open_domain(self):
        return Domain("move_type", "=", "out_refund") & Domain("state", "=", "draft")

    def _after_sales_kind(self):
        return self.env._("Credit note")

    def _check_within_invoice(self):
        """Refuse to post a ticket's credit note that passes the total of its invoice,
        or whose invoice isn't posted any more.

        A draft may have been raised since it was made (X1). Credit notes without a
        ticket behave as in Odoo.

        :raises UserError: with the amount that is left, in the invoice's currency
        """
        planned = self.env["account.move"].union(*self._get_plans())
        self.env["helpdesk.ticket"]._lock_after_sales(self.reversed_entry_id - planned)
        for note in self.filtered("reversed_entry_id"):
            invoice = note.reversed_entry_id
            if invoice.state != "posted":
                raise UserError(
                    self.env._(
                        "%(note)s reverses %(invoice)s, which was cancelled or reset "
                        "to draft: there is nothing to pay back. Cancel or delete it.",
                        note=note._get_refund_title(),
                        invoice=invoice.display_name,
                    )
                )
            left = invoice._get_left_beside(note)
            total = note._convert_refunded(note.amount_total, invoice)
            if invoice.currency_id.compare_amounts(total, left) > 0:
                raise UserError(
                    self.env._(
                        "%(note)s of %(amount)s exceeds what is left of %(invoice)s "
                        "by %(excess)s: %(total)s was invoiced, and %(others)s has "
                        "already been credited. Lower the draft to %(left)s before "
                        "posting it.",
                        note=note._get_refund_title(),
                        amount=note._format_refund(note.amount_total),
                        invoice=invoice.name,
                        total=invoice._format_refund(invoice.amount_total),
                        excess=invoice._format_refund(total - left),
                        left=invoice._format_refund(max(left, 0.0)),
                        others=invoice._get_given_back_sentence(but=note)
                        or invoice._format_refund(0.0),
                    )
                )

    @api.model
    def _get_plans(self):
        """Return the plans of the pop-up that is making credit notes, by invoice, which
        it holds: ``{}`` otherwise."""
        return self.env.cr.precommit.data.get(PLANS, {})

    def _get_left_beside(self, note):
        """Return what is left of this invoice without ``note``."""
        if plan := self._get_plans().get(self):
            return plan.left.total
        return self._get_left_to_refund(self._get_credit_notes() - note)

    def _is_after_sales_refund(self):
        # sudo: whether there is a ticket is all that is asked.
        return (
            self.move_type == "out_refund" and bool(self.sudo().helpdesk_ticket_id)
        ) or super()._is_after_sales_refund()

    def _is_after_sales_replaced(self):
        return self.helpdesk_is_replaced or super()._is_after_sales_replaced()

    def _get_refund_title(self):
        """Return what this credit note is called at the beginning of a line."""
        if self.name and self.name != "/":
            return f"{self._after_sales_kind()} {self.name}"
        return self.env._("Credit note (draft)")

    def _filter_refundable(self):
        """Return those of these invoices of which something is left to refund."""
        return self.filtered(lambda move: not move._get_refund_refusal())

    def _get_partial_notice(self):
        """Return the sentence what of this invoice is credited already, or ``False``
        (X1)."""
        self.ensure_one()
        given_back = self._get_given_back_sentence()
        return bool(given_back) and self.env._(
            "%(left)s of %(total)s is left to refund on %(invoice)s; already "
            "credited: %(notes)s.",
            left=self._format_refund(self.amount_left_to_refund),
            total=self._format_refund(self.amount_total),
            invoice=self.name,
            notes=given_back,
        )

    def _is_told_with_replacement(self):
        """Return whether this credit note is being made, and posted at once, by Reverse
        and Create Invoice: the pop-up tells of both in one line."""
        return self.helpdesk_is_replaced and self.reversed_entry_id in self._get_plans()

    def _after_sales_tell_created(self):
        told = self.filtered(lambda move: not move._is_told_with_replacement())
        return super(AccountMove, told)._after_sales_tell_created()

    def _get_created_sentence(self):
        if self.move_type != "out_refund":
            return super()._get_created_sentence()
        return self.env._(
            "%(note)s of %(amount)s was created.",
            note=self._get_html_link(title=self._get_refund_title()),
            amount=self._format_refund(self.amount_total),
        )

    def _get_replaced_sentence(self, invoice):
        """Return the line that tells of this credit note, and of the draft ``invoice``
        in place of the one that it reverses."""
        values = {"invoice": invoice._get_html_link()}
        if self.state != "posted":
            return self.env._(
                "Draft invoice %(invoice)s was created to replace a refunded one.",
                **values,
            )
        return self.env._(
            "Credit note %(document)s of %(amount)s was posted, and the draft "
            "invoice %(invoice)s was created to replace the refunded one.",
            document=self._get_html_link(title=self.name),
            amount=self._format_refund(self.amount_total),
            **values,
        )

    # -- Timeline (X7) -------------------------------------------------------

    def _prepare_timeline_values(self, customer=False):
        refund = self.move_type == "out_refund"
        if customer and (self.state == "draft" or not refund):
            # The invoice that follows a credit note is sent as any other.
            return False
        values = super()._prepare_timeline_values(customer)
        states = {
            "draft": (self.env._("Draft"), "info"),
            "posted": (self.env._("Posted"), "success"),
            "cancel": (self.env._("Cancelled"), "secondary"),
        }
        values["state"], values["style"] = states[self.state]
        values["detail"] = self._format_refund(self.amount_total)
        values["title"] = self._get_refund_title() if refund else self.display_name
        if self.state == "draft" and self.auto_post != "no":
            values["promised"] = self.date
            values["promise"] = self.env._("Will be posted on %(date)s")
        if customer and self.state == "posted":
            values["url"] = self.get_portal_url(report_type="pdf", download=True)
            values["url_label"] = self.env._("Credit note (PDF)")
        return values
