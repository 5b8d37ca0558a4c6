from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class LoyaltyCard(models.Model):
    """Codes made on a ticket are withdrawn, or extended after they expired."""

    _inherit = "loyalty.card"

    # -- Withdrawing ---------------------------------------------------------

    def action_helpdesk_withdraw(self):
        """Return the action of the pop-up that withdraws this code."""
        self._check_helpdesk_withdrawable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Withdraw the Code"),
            "res_model": "helpdesk.coupon.withdraw",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_coupon_id": self.id},
        }

    def _check_helpdesk_withdrawable(self):
        """Raise for what can't be withdrawn any more. What expired unused can: a gift
        card gives back the money that it stands for."""
        self._check_helpdesk_access()
        if self.coupon_state not in ("valid", "expired", "early", "over"):
            self._check_helpdesk_usable()

    def _get_given_instead(self):
        """Return the money that the customer got with this gift card, in its currency:
        all of its value, or what was used of it before it was withdrawn."""
        self.ensure_one()
        if self.active:
            return self.helpdesk_value
        return max(self.helpdesk_value - max(self.points, 0.0), 0.0)

    def _withdraw_from_helpdesk(self, reason, tell_customer=False):
        """Make this code unusable. Whoever calls has checked the right to do so.

        :param reason: kept on the card, told on the ticket
        :param tell_customer: send the reason to the customer
        :raises UserError: when it was used meanwhile
        """
        self.ensure_one()
        ticket = self.helpdesk_ticket_id
        # A cart that uses the code at this moment waits, or makes us try again.
        ticket._lock_after_sales(self)
        # sudo: see above; the history of a card isn't for agents.
        card = self.sudo()
        used = card.history_ids.filtered(lambda line: line.used > 0)
        # Of a gift card the rest can be withdrawn.
        if used and (card.program_type != "gift_card" or card.points <= 0):
            raise UserError(
                self.env._(
                    "The code %(code)s was used on %(orders)s: it can't be withdrawn "
                    "any more.",
                    code=card.code,
                    orders=card.coupon_orders,
                )
            )
        card.helpdesk_withdrawal = reason
        card.action_archive()
        card._after_sales_tell_ticket(
            {
                card: self.env._(
                    "%(coupon)s was withdrawn: %(reason)s",
                    coupon=card._get_html_link(),
                    reason=reason,
                )
            }
        )
        if tell_customer:
            customer = self.partner_id.with_context(lang=self.partner_id.lang)
            ticket.message_post(
                body=customer.env._(
                    "The code %(code)s can't be used any more: %(reason)s",
                    code=self.code,
                    reason=reason,
                ),
                partner_ids=customer.ids,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                notify_skip_followers=True,
            )

    # -- Extending -----------------------------------------------------------

    def action_helpdesk_extend(self):
        """Return the action of the pop-up that lets this expired code be used again.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when it was used, withdrawn, or its program is over
        """
        self._check_helpdesk_extendable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Extend the Code"),
            "res_model": "helpdesk.coupon.extend",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_coupon_id": self.id},
        }

    def _check_helpdesk_extendable(self):
        """Raise unless this code can be used, or has only expired."""
        self._check_helpdesk_owner()
        # sudo: a yes or no, of a code whose ticket is the user's.
        card = self.sudo()
        if card.program_id._is_over(card._get_company_of_use()):
            raise UserError(
                self.env._(
                    "The program of the code %(code)s has ended: withdraw the code, "
                    "and give another one.",
                    code=self.code,
                )
            )
        if self.coupon_state != "expired":
            self._check_helpdesk_usable()

    def _extend_from_helpdesk(self, valid_until):
        """Let this code be valid until ``valid_until``, or as long as its program.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when it can't be used again, or the day can't be
        """
        self.ensure_one()
        self._check_helpdesk_extendable()
        self.helpdesk_ticket_id._lock_after_sales(self)
        # sudo: the user may work on the ticket of this code, as was just checked; its
        # date is written, and nothing else.
        card = self.sudo()
        if valid_until and valid_until < fields.Date.context_today(self):
            raise UserError(
                self.env._("Valid Until is in the past. Choose today or a later day.")
            )
        end = card.program_id.date_to
        if end and valid_until and valid_until > end:
            raise UserError(
                self.env._(
                    "The program of the code ends on %(date)s: choose that day or an "
                    "earlier one.",
                    date=format_date(self.env, end),
                )
            )
        card.expiration_date = valid_until or end
        card._after_sales_tell_ticket(
            {
                card: self.env._(
                    "%(coupon)s was extended until %(date)s.",
                    coupon=card._get_html_link(),
                    date=format_date(self.env, card.expiration_date),
                )
                if card.expiration_date
                else self.env._(
                    "%(coupon)s was extended: it no longer expires.",
                    coupon=card._get_html_link(),
                )
            }
        )
