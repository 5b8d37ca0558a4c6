from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import formatLang


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "helpdesk.after.sales.document"]

    def copy_data(self, default=None):
        """Copy only what is left to refund of invoices that were refunded in part.

        Works while a ticket's credit note is made: the wizard says in the context what
        is left (X1). Taxes and the amount due follow from the lines.
        """
        vals_list = super().copy_data(default)
        left = self.env.context.get("helpdesk_refund_left") or {}
        for move, vals in zip(self, vals_list, strict=True):
            if move.id in left:
                vals["line_ids"] = [
                    command
                    for command in vals.get("line_ids", ())
                    if command[2]["display_type"]
                    in ("line_section", "line_subsection", "line_note")
                    or (
                        command[2]["display_type"] == "product"
                        and command[2]["quantity"]
                    )
                ]
        return vals_list

    def _post(self, soft=True):
        refunds = self.filtered(
            lambda move: move.helpdesk_ticket_id and move.move_type == "out_refund"
        )
        refunds._check_within_invoice()
        posted = super()._post(soft)
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "Credit note %(document)s of %(amount)s was posted.",
                    document=move._get_html_link(),
                    amount=move._format_refund(move.amount_total),
                )
                for move in posted & refunds
            }
        )
        return posted

    def button_cancel(self):
        result = super().button_cancel()
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "Credit note %(document)s was cancelled.",
                    document=move._get_html_link(),
                )
                for move in self
            }
        )
        return result

    @api.ondelete(at_uninstall=False)
    def _tell_ticket_of_deletion(self):
        self._after_sales_tell_ticket(
            {
                move: self.env._(
                    "Credit note %(document)s was deleted.",
                    document=move.display_name,
                )
                for move in self
            }
        )

    def _after_sales_kind(self):
        return self.env._("Credit note")

    def _check_within_invoice(self):
        """Refuse to post a ticket's credit note that passes the total of its invoice.

        A draft may have been raised since it was made (X1). Credit notes without a
        ticket behave as in Odoo.

        :raises UserError: with the amount that is left, in the invoice's currency
        """
        invoices = self.reversed_entry_id
        self.env["helpdesk.ticket"]._lock_after_sales(invoices)
        for note in self:
            invoice = note.reversed_entry_id
            left = invoice.amount_left_to_refund
            if invoice.currency_id.compare_amounts(left, 0) < 0:
                raise UserError(
                    self.env._(
                        "%(note)s passes what was invoiced with %(invoice)s "
                        "(%(total)s) by %(excess)s, counting its other credit notes: "
                        "%(others)s. Lower the draft before you post it.",
                        note=note.display_name,
                        invoice=invoice.name,
                        total=invoice._format_refund(invoice.amount_total),
                        excess=invoice._format_refund(-left),
                        others=", ".join(
                            (invoice._get_credit_notes() - note).mapped("display_name")
                        )
                        or "-",
                    )
                )

    def _format_refund(self, amount):
        return formatLang(self.env, amount, currency_obj=self.currency_id)

    def _get_refund_refusal(self):
        """Return the sentence why this document can't be refunded, or ``False`` (X4).

        Pop-up and server use the same.
        """
        self.ensure_one()
        if self.move_type != "out_invoice" or self.state != "posted":
            return self.env._(
                "%(document)s is not a posted customer invoice; only those can be "
                "refunded.",
                document=self.display_name,
            )
        if self.currency_id.compare_amounts(self.amount_left_to_refund, 0) > 0:
            return False
        return self.env._(
            "%(invoice)s of %(total)s is credited in full already: %(notes)s.",
            invoice=self.name,
            total=self._format_refund(self.amount_total),
            notes=", ".join(
                self.env._(
                    "%(note)s by %(user)s",
                    note=note.display_name,
                    user=note.create_uid.name,
                )
                for note in self._get_credit_notes()
            ),
        )
