from odoo import Command, fields, models
from odoo.exceptions import UserError


class HelpdeskCouponWizard(models.TransientModel):
    """What is refused, in a sentence, before a code is made, and the code itself."""

    _inherit = "helpdesk.coupon.wizard"

    def _get_coupon(self):
        """Return the code of this wizard, made at the first call, for the user."""
        self._check_ready()
        ticket = self.helpdesk_ticket_id
        limited = self.env["res.partner"]
        if ticket._get_coupon_limit_teams():
            # What was given on the customer's other tickets counts, too: they are held
            # together. sudo: the row is held, and unchanged.
            limited = ticket.sudo().commercial_partner_id
        self._lock(ticket, self.invoice_id.sudo(), limited)
        # A second click, or one by the other button, gives the same code (T2).
        if not self.coupon_id:
            self._check_coupon()
            # sudo: the code that was just made here, after the checks above.
            self.sudo().coupon_id = self._create_coupon()
        return self._get_own_coupon().sudo(False)

    def _check_coupon(self):
        """Refuse what the pop-up doesn't offer.

        :raises UserError: with the sentence that says what to change
        """
        if not self.program_id:
            raise UserError(
                self.notice or self.env._("Choose the program of the code.")
            )
        # sudo: compared with what is offered, before anything else is read.
        if self.program_id.sudo() not in self._get_programs():
            raise UserError(
                self.env._(
                    "This program can't be used: it has ended, is used up, belongs "
                    "to another company, or is not of this kind. Choose one of "
                    "those offered."
                )
            )
        if not self.partner_id.active:
            raise UserError(
                self.env._(
                    "%(customer)s is archived. Choose a contact in use on the ticket.",
                    customer=self.partner_id.display_name,
                )
            )
        today = fields.Date.context_today(self)
        if self.valid_until and self.valid_until < today:
            raise UserError(
                self.env._(
                    "Valid Until is in the past. Choose today or a later day, or leave "
                    "it empty for a code that never expires."
                )
            )
        if self.program_type == "gift_card":
            self._check_gift_card()
        if notice := self._get_limit_notice():
            raise UserError(notice)

    def _check_gift_card(self):
        if not self.use_gift_cards:
            raise UserError(
                self.env._(
                    "The team %(team)s gives no gift cards. A helpdesk administrator "
                    "can allow it in the settings of the team.",
                    team=self.helpdesk_ticket_id.team_id.display_name,
                )
            )
        # sudo: the program is one that is offered (checked above).
        if self.program_id.sudo().currency_id != self.currency_id:
            raise UserError(
                self.env._(
                    "The gift cards of %(program)s are not in the currency of "
                    "%(company)s.",
                    program=self.program_id.sudo().name,
                    company=self.company_id.display_name,
                )
            )
        if not self._get_customer_invoice():
            raise UserError(
                self._get_invoice_notice()
                or self.env._(
                    "Choose a posted invoice of %(customer)s by %(company)s: the "
                    "gift card replaces its refund.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                    company=self.company_id.display_name,
                )
            )
        currency = self.currency_id
        # sudo: an invoice that _get_customer_invoice let through.
        invoice = self.invoice_id.sudo()
        if refusal := invoice._get_refund_refusal():
            raise UserError(refusal)
        if currency.compare_amounts(self._get_amount(), 0) <= 0 < self.amount_paid:
            raise UserError(
                self.env._("The amount of a gift card must be more than zero.")
            )
        # sudo: see above.
        least = self.program_id.sudo()._get_helpdesk_points()
        if currency.compare_amounts(self._get_amount(), least) < 0 < self.amount_paid:
            raise UserError(
                self.env._(
                    "A gift card of less than %(least)s can't be used: raise the "
                    "amount, or refund the money.",
                    least=currency.format(least),
                )
            )
        if currency.compare_amounts(self._get_amount(), self.amount_left) > 0:
            raise UserError(
                self.env._(
                    "At most %(left)s is left to refund of %(invoice)s, counting its "
                    "credit notes and gift cards.",
                    left=currency.format(self.amount_left),
                    invoice=invoice.name,
                )
            )
        if not self.amount_paid or (
            currency.compare_amounts(self._get_amount(), self.amount_paid) > 0
        ):
            raise UserError(
                self.env._(
                    "%(due)s of %(invoice)s is still due: a gift card of at most "
                    "%(paid)s can be given instead of the money that was paid. Credit "
                    "the rest with a refund.",
                    due=currency.format(self.amount_due),
                    invoice=invoice.name,
                    paid=currency.format(self.amount_paid),
                )
            )

    def _create_coupon(self):
        """Return the one code, under ``sudo()``. The caller has checked everything."""
        # sudo: _check_ready proved that the user may work on this ticket; loyalty
        # cards belong to sales managers, and exactly one is made here.
        # What happens to the code is told on the ticket: the agent doesn't follow it
        # as well, and "Made on the helpdesk ticket" is the first line of its chatter.
        quiet = dict.fromkeys(
            ("action_no_send_mail", "mail_create_nolog", "mail_create_nosubscribe"),
            True,
        )
        generator = (
            self._without_defaults(**quiet)
            .env["loyalty.generate.wizard"]
            .sudo()
            .create(self._prepare_generate_values())
        )
        coupon = generator.generate_coupons()
        coupon.ensure_one()
        coupon.write(self._prepare_coupon_values())
        return coupon

    def _prepare_generate_values(self):
        """Return the values of Odoo's own wizard, which makes one code for the one
        customer. Without a customer it would make one for everybody."""
        # sudo: the program is one that is offered (_check_coupon).
        program = self.program_id.sudo()
        return {
            "program_id": program.id,
            "mode": "selected",
            "customer_ids": [Command.set(self.partner_id.ids)],
            "points_granted": self._get_amount()
            if self.program_type == "gift_card"
            else program._get_helpdesk_points(),
            "valid_until": self._get_last_day(),
            "description": self.env._(
                "Helpdesk Ticket #%(number)s",
                number=self.helpdesk_ticket_id.ticket_ref,
            ),
        }

    def _prepare_coupon_values(self):
        """Return what makes the code one of this ticket."""
        ticket = self.helpdesk_ticket_id
        gift_card = self.program_type == "gift_card"
        return {
            "helpdesk_ticket_id": ticket.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
            "helpdesk_customer_only": ticket.team_id.coupon_customer_only,
            "helpdesk_invoice_id": gift_card and self.invoice_id.id,
            # sudo: the value of a program that is offered.
            "helpdesk_value": self._get_amount()
            if gift_card
            else self.program_id.sudo()._get_helpdesk_value(),
        }
