"""What a customer is told of the credit note of a ticket."""

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _get_mail_template(self):
        # sudo: which message the team of the ticket sends is all that is read.
        teams = self.sudo().helpdesk_ticket_id.team_id
        if (
            len(teams) == 1
            and teams.refund_template_id
            and all(
                move.helpdesk_ticket_id and move.move_type == "out_refund"
                for move in self.sudo()
            )
        ):
            return teams.refund_template_id.sudo(self.env.su)
        return super()._get_mail_template()

    def _send_refunds(self):
        """Let those of these credit notes be sent whose team wants it: by Odoo's own
        scheduled action, with the document, as the customer wants invoices sent."""
        # sudo: see above.
        sent = self.filtered(
            lambda move: (
                move.state == "posted"
                and move.sudo().helpdesk_ticket_id.team_id.refund_template_id
                and move.partner_id.email
            )
        )
        if sent:
            sent.sending_data = {
                "author_user_id": self.env.user.id,
                "author_partner_id": self.env.user.partner_id.id,
            }
            self.env.ref("account.ir_cron_account_move_send")._trigger()

    def _get_refund_ticket_name(self):
        # sudo: the customer reads the subject of the own ticket.
        ticket = self.sudo().helpdesk_ticket_id
        return f"{ticket.name} (#{ticket.ticket_ref})" if ticket else ""

    def _get_settlement_sentences(self):
        sentences = super()._get_settlement_sentences()
        open_amount = self.amount_residual
        settled = self.amount_total - open_amount
        if self.move_type != "out_refund" or self.state != "posted":
            return sentences
        if self.currency_id.compare_amounts(settled, 0) > 0:
            sentences.append(
                self.env._(
                    "%(amount)s is deducted from what is due on %(invoice)s.",
                    amount=self._format_refund(settled),
                    invoice=self.reversed_entry_id.name or "",
                )
            )
        if self.currency_id.compare_amounts(open_amount, 0) > 0:
            team = self.sudo().helpdesk_ticket_id.team_id  # sudo: a setting
            amount = self._format_refund(open_amount)
            sentences.append(
                self.env._(
                    "%(amount)s is kept as credit for your next purchase.",
                    amount=amount,
                )
                if team.refund_settlement == "credit"
                else self.env._("%(amount)s is paid out to you.", amount=amount)
            )
        return sentences
