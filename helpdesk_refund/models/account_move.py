from odoo import Command, api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import formatLang


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["helpdesk.after.sales.document", "account.move"]

    def copy_data(self, default=None):
        """Copy only what is left to refund of invoices that were refunded in part.

        Works while a ticket's credit note is made: the wizard says in the context what
        is left (X1). Taxes, roundings and the amount due follow from the lines.
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
                ] + [Command.create(values) for values in left[move.id]["unmatched"]]
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
                for move in self.filtered("helpdesk_ticket_id")
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
                for move in self.filtered("helpdesk_ticket_id")
            }
        )

    @api.model
    def _after_sales_open_domain(self):
        return Domain("move_type", "=", "out_refund") & Domain("state", "=", "draft")

    def _after_sales_kind(self):
        return self.env._("Credit note")

    def _check_within_invoice(self):
        """Refuse to post a ticket's credit note that passes the total of its invoice.

        A draft may have been raised since it was made (X1). Credit notes without a
        ticket behave as in Odoo.

        :raises UserError: with the amount that is left, in the invoice's currency
        """
        self.env["helpdesk.ticket"]._lock_after_sales(self.reversed_entry_id)
        for note in self:
            invoice = note.reversed_entry_id
            if not invoice or not note._get_excess():
                continue
            note._take_off_rounding()
            if not (excess := note._get_excess()):
                continue
            raise UserError(
                self.env._(
                    "%(note)s passes what is left of %(invoice)s by %(excess)s: "
                    "%(total)s was invoiced, and credited already is %(others)s. Lower "
                    "the draft before it is posted.",
                    note=note.display_name,
                    invoice=invoice.name,
                    total=invoice._format_refund(invoice.amount_total),
                    excess=invoice._format_refund(excess),
                    others=invoice._get_given_back_sentence(but=note)
                    or invoice._format_refund(0.0),
                )
            )

    def _get_excess(self):
        """Return by how much the credit notes pass the invoice of this one, or 0."""
        invoice = self.reversed_entry_id
        left = invoice.amount_left_to_refund
        return -left if invoice.currency_id.compare_amounts(left, 0) < 0 else 0.0

    def _take_off_rounding(self):
        """Take off the few cents by which several credit notes may pass an invoice.

        Taxes and cash are rounded on each document anew. A line of its own shows it.
        """
        self.ensure_one()
        invoice = self.reversed_entry_id
        unit = max(
            invoice.currency_id.rounding, self.invoice_cash_rounding_id.rounding or 0.0
        )
        documents = len(invoice._get_credit_notes())
        lines = self.invoice_line_ids.filtered(
            lambda line: line.display_type == "product"
        )
        if (
            not lines
            or documents < 2
            or invoice.currency_id != self.currency_id
            or invoice.currency_id.compare_amounts(self._get_excess(), unit * documents)
            > 0
        ):
            return
        # Cash would be rounded up again.
        self.invoice_cash_rounding_id = False
        if excess := self._get_excess():
            self.invoice_line_ids = [
                Command.create(
                    {
                        "name": self.env._("Rounding"),
                        "quantity": 1.0,
                        "price_unit": -excess,
                        "account_id": lines[0].account_id.id,
                        "tax_ids": [Command.clear()],
                    }
                )
            ]

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
        if self.currency_id.is_zero(self.amount_total):
            return self.env._(
                "There is nothing to refund on %(invoice)s: its total is %(total)s.",
                invoice=self.name,
                total=self._format_refund(self.amount_total),
            )
        return self.env._(
            "%(invoice)s of %(total)s is credited in full already: %(notes)s.",
            invoice=self.name,
            total=self._format_refund(self.amount_total),
            notes=self._get_given_back_sentence(),
        )

    def _get_partial_notice(self):
        """Return the sentence what of this invoice is credited already, or ``False``
        (X1)."""
        self.ensure_one()
        given_back = self._get_given_back_sentence()
        return bool(given_back) and self.env._(
            "%(left)s of %(total)s is left to refund on %(invoice)s; credited already: "
            "%(notes)s. The credit note will hold the rest.",
            left=self._format_refund(self.amount_left_to_refund),
            total=self._format_refund(self.amount_total),
            invoice=self.name,
            notes=given_back,
        )

    def _get_given_back_sentence(self, but=()):
        """Return in words what of this invoice was given back already: its credit
        notes, less those in ``but``, and what was given instead of money (X1)."""
        self.ensure_one()
        notes = self._get_credit_notes().filtered(lambda note: note not in but)
        instead = [sentence for _amount, sentence in self._get_given_instead()]
        return ", ".join(filter(None, [notes._get_credited_sentence(), *instead]))

    def _get_credited_sentence(self):
        """Return these credit notes in words: amount, number, and by whom each was
        made."""
        return ", ".join(
            self.env._(
                "%(amount)s with %(note)s by %(user)s",
                amount=note._format_refund(note.amount_total),
                # A draft has no number yet: its reference tells it from others.
                note=note.name
                or f"{note._get_move_display_name()} ({note.ref or note.id})",
                user=note.create_uid.name,
            )
            for note in self
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
        if not refund:
            values["title"] = self.display_name
        if self.state == "draft" and self.auto_post != "no":
            values["promised"] = self.date
            values["promise"] = self.env._("Will be posted on %(date)s")
        if customer and self.state == "posted":
            values["url"] = self.get_portal_url(report_type="pdf", download=True)
            values["url_label"] = self.env._("Credit note (PDF)")
        return values
