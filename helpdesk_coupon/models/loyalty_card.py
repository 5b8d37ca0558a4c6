from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date


class LoyaltyCard(models.Model):
    _name = "loyalty.card"
    _inherit = [
        "helpdesk.named.mixin",
        "helpdesk.after.sales.document",
        "helpdesk.readable.mixin",
        "loyalty.card",
    ]
    _helpdesk_ticket_path = "helpdesk_ticket_id"

    helpdesk_customer_only = fields.Boolean(
        string="For This Customer Only",
        copy=False,
        readonly=True,
        server_only=True,
        help="This code is refused in the orders of other customers, also in Point "
        "of Sale. Anybody at the customer's own company can use it.",
    )
    helpdesk_invoice_id = fields.Many2one(
        comodel_name="account.move",
        string="Compensates Invoice",
        index="btree_not_null",
        copy=False,
        readonly=True,
        server_only=True,
        help="The invoice that this gift card refunds in part, instead of money.",
    )
    helpdesk_value = fields.Monetary(
        string="Value",
        copy=False,
        readonly=True,
        server_only=True,
        help="What the code was worth when it was made on the ticket; 0 for a "
        "percentage without a maximum.",
    )
    helpdesk_withdrawal = fields.Text(
        string="Void Reason", copy=False, readonly=True, server_only=True
    )
    helpdesk_expiry_told = fields.Boolean(
        copy=False, readonly=True, server_only=True, export_string_translation=False
    )

    coupon_state = fields.Selection(
        selection=[
            ("valid", "Valid"),
            ("used", "Used"),
            ("expired", "Expired"),
            ("early", "Not Yet Valid"),
            ("over", "Program Ended"),
            ("withdrawn", "Withdrawn"),
        ],
        string="State",
        compute="_compute_coupon_state",
        compute_sudo=True,
    )
    coupon_valid_until = fields.Date(
        string="Valid Until",
        compute="_compute_coupon_valid_until",
        compute_sudo=True,
        help="The last day on which the code can be used: its own, or that of its "
        "program when that ends before.",
    )
    coupon_balance = fields.Char(
        string="Balance",
        compute="_compute_coupon_texts",
        compute_sudo=True,
    )
    coupon_summary = fields.Char(
        string="Reward",
        compute="_compute_coupon_texts",
        compute_sudo=True,
        help="What the customer gets with this code.",
    )
    coupon_orders = fields.Char(
        string="Used On",
        compute="_compute_coupon_texts",
        compute_sudo=True,
    )
    coupon_can_share = fields.Boolean(compute="_compute_coupon_can_share")

    # -- Computes ------------------------------------------------------------

    def _get_short_name(self):
        # Codes are as good as money.
        return self.program_id.name

    # sudo: agents read the cards of their tickets, not programs, rewards and histories.

    @api.depends(
        "active",
        "expiration_date",
        "points",
        "program_id.active",
        "program_id.date_from",
        "program_id.date_to",
        "program_id.sale_ok",
        "program_id.limit_usage",
        "program_id.max_usage",
        "program_id.reward_ids.required_points",
    )
    def _compute_coupon_state(self):
        today = fields.Date.context_today(self)
        for card in self:
            program = card.program_id
            if not card.active:
                card.coupon_state = "withdrawn"
            elif card.points < program._get_helpdesk_points():
                card.coupon_state = "used"
            elif card.expiration_date and card.expiration_date < today:
                card.coupon_state = "expired"
            elif program._is_over(card._get_company_of_use()):
                card.coupon_state = "over"
            elif program.date_from and program.date_from > today:
                card.coupon_state = "early"
            else:
                card.coupon_state = "valid"

    def _get_company_of_use(self):
        return self.helpdesk_ticket_id.company_id or self.company_id or self.env.company

    @api.depends("expiration_date", "program_id.date_to")
    def _compute_coupon_valid_until(self):
        for card in self:
            ends = [card.expiration_date, card.program_id.date_to]
            card.coupon_valid_until = min(filter(None, ends), default=False)

    @api.depends("points", "program_id", "history_ids.used")
    @api.depends_context("lang")
    def _compute_coupon_texts(self):
        for card in self:
            card.coupon_balance = card.points_display
            card.coupon_summary = (
                card.currency_id.format(card.helpdesk_value)
                if card.program_type == "gift_card"
                else card.program_id._get_helpdesk_summary(card.points)
            )
            used = card.history_ids.filtered(lambda line: line.used > 0)
            card.coupon_orders = ", ".join(
                line._get_order_description() if line.order_model else line.description
                for line in used
            )

    def _compute_coupon_can_share(self):
        self.coupon_can_share = not self.env[
            "helpdesk.ticket"
        ]._get_coupon_shop_notice()

    # -- Expiry --------------------------------------------------------------

    def write(self, vals):
        result = super().write(vals)
        if "expiration_date" in vals:
            # With another date it may expire again, and is told again.
            # sudo: the user has just written the date.
            self.sudo().helpdesk_expiry_told = False
        return result

    @api.model
    def _tell_tickets_of_expiry(self):
        """Tell the tickets of codes that expired unused: a scheduled action, daily."""
        self.search(
            Domain("helpdesk_ticket_id", "!=", False)
            & Domain("helpdesk_expiry_told", "=", False)
            & Domain("expiration_date", "<", fields.Date.context_today(self))
        )._tell_helpdesk_expiry()

    def _tell_helpdesk_expiry(self):
        """Tell the tickets of those codes that have expired, once."""
        # sudo: whoever looks at the ticket first; only what time has done is told.
        expired = self.sudo().filtered(
            lambda card: (
                card.coupon_state == "expired" and not card.helpdesk_expiry_told
            )
        )
        expired.helpdesk_expiry_told = True
        expired._after_sales_tell_ticket(
            {
                card: self.env._(
                    "%(coupon)s expired on %(date)s without being used.",
                    coupon=card._get_html_link(),
                    date=format_date(self.env, card.expiration_date),
                )
                for card in expired
            }
        )

    # -- Actions -------------------------------------------------------------

    def action_helpdesk_send(self):
        """Return the action of the composer with this code for the customer.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the code can't be used any more
        """
        self._check_helpdesk_usable()
        return self._compose_helpdesk_email()

    def action_helpdesk_share(self):
        """Return the action of the pop-up **Share Coupons** with this code's link.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: without eCommerce, or when the code can't be used any more
        """
        self._check_helpdesk_usable()
        wizard = self.env["helpdesk.coupon.wizard"].create(
            {
                "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                "coupon_id": self.id,
            }
        )
        return wizard._open_share_link()

    # -- Sending -------------------------------------------------------------

    def _check_helpdesk_access(self):
        """Raise unless the user may work on the ticket of this code.

        :raises AccessError: when they may not, or the code wasn't made on a ticket
        """
        self.ensure_one()
        card = self.sudo(False)
        card.check_access("read")
        if not card.helpdesk_ticket_id:
            raise UserError(self.env._("This code was not made on a helpdesk ticket."))
        card.helpdesk_ticket_id.check_access("write")

    def _check_helpdesk_usable(self):
        """Raise unless this code can be given to the customer of its ticket."""
        self._check_helpdesk_owner()
        states = dict(self._fields["coupon_state"]._description_selection(self.env))
        if self.coupon_state == "early":
            raise UserError(
                self.env._(
                    "The program of the code %(code)s begins on %(date)s: send the "
                    "code then.",
                    code=self.code,
                    # sudo: a date, of a code whose ticket is the user's.
                    date=format_date(self.env, self.sudo().program_id.date_from),
                )
            )
        if self.coupon_state != "valid":
            raise UserError(
                self.env._(
                    "The code %(code)s can't be used any more (%(state)s). Generate a "
                    "new one on the ticket.",
                    code=self.code,
                    state=states[self.coupon_state],
                )
            )

    def _check_helpdesk_owner(self):
        """Raise unless the ticket is the user's to work on, and of the customer that
        this code was made for."""
        self._check_helpdesk_access()
        owner = self.partner_id.commercial_partner_id
        if owner and owner != self.helpdesk_ticket_id.commercial_partner_id:
            raise UserError(
                self.env._(
                    "The code %(code)s was made for %(customer)s, and the ticket now "
                    "belongs to %(other)s. Withdraw it, and generate a new one.",
                    code=self.code,
                    customer=owner.display_name,
                    other=self.helpdesk_ticket_id.partner_id.display_name,
                )
            )

    def _compose_helpdesk_email(self):
        """Return the action of the composer on the ticket, filled for the customer.

        The message is posted on the ticket, so that answers come back to it. The
        caller has checked that the user may work on the ticket.
        """
        ticket = self.helpdesk_ticket_id
        lang = self.partner_id.lang or self.env.lang
        # sudo: the caller proved the right to this one card; its text is made from
        # program and rewards, which agents may not read.
        template = self._get_helpdesk_template().sudo()
        rendered = {
            field: template._render_field(field, self.ids, set_lang=lang)[self.id]
            for field in ("subject", "body_html")
        }
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send the Code"),
            "res_model": "mail.compose.message",
            "views": [
                (self.env.ref("mail.email_compose_message_wizard_form").id, "form")
            ],
            "target": "new",
            "context": {
                "default_model": ticket._name,
                "default_res_ids": ticket.ids,
                "default_composition_mode": "comment",
                "default_subject": rendered["subject"],
                "default_body": rendered["body_html"],
                "default_partner_ids": (
                    self.partner_id | ticket._get_coupon_recipients()
                ).ids,
                # Who is proposed can be taken off again, followers too.
                "default_notify_skip_followers": True,
                "default_email_layout_xmlid": "mail.mail_notification_light",
                "default_lang": lang,
                "force_email": True,
            },
        }

    def _get_helpdesk_template(self):
        """Return the template of the message with this code.

        That is the program's own one, if somebody wrote one. Odoo's two standard
        templates congratulate, which isn't what people with a complaint want to read.
        """
        self.ensure_one()
        # sudo: the program belongs to a card that the caller may send.
        template = self.sudo()._get_default_template()
        standard = (
            "loyalty.mail_template_loyalty_card",
            "loyalty.mail_template_gift_card",
        )
        to_id = self.env["ir.model.data"]._xmlid_to_res_id
        if template and template.id not in map(to_id, standard):
            return template
        return self.env.ref("helpdesk_coupon.mail_template_coupon")

    def _get_helpdesk_share_link(self, website=None, redirect="/shop"):
        """Return the link that applies this code to the cart, or ``False`` without
        eCommerce.

        :param website: a record of ``website``; by default the program's, or the
            first of the ticket's company
        """
        self.ensure_one()
        if "coupon.share" not in self.env:
            return False
        # sudo: links are made by sales managers; Odoo's own code makes this one.
        card = self.sudo()
        website = website or card._get_helpdesk_websites()[:1]
        if not website:
            return False
        return (
            self.env["coupon.share"]
            .sudo()
            .new(
                {
                    "program_id": card.program_id.id,
                    "coupon_id": card.id,
                    "website_id": website.id,
                    "redirect": redirect,
                }
            )
            .share_link
        )

    def _get_helpdesk_websites(self):
        """Return the websites on which this code can be used; only with eCommerce."""
        self.ensure_one()
        program = self.program_id
        if not program.ecommerce_ok:
            return self.env["website"]
        company = self.helpdesk_ticket_id.company_id
        if website := program.website_id:
            return website.filtered(lambda site: site.company_id == company)
        return self.env["website"].search(Domain("company_id", "in", company.ids))

    # -- Use in orders -------------------------------------------------------

    def _after_sales_kind(self):
        if self.program_type == "gift_card":
            return self.env._("Gift card")
        return self.env._("Coupon")

    def _get_helpdesk_refusal(self, order):
        """Return the sentence why ``order`` can't have this code, or ``False`` (X2).

        Only codes that were made on tickets are refused here; Odoo's own rules for
        dates, points and programs stay Odoo's.
        """
        self.ensure_one()
        card = self.sudo()  # buyers and sellers may not read the ticket's side of it
        if not card.active and card.helpdesk_withdrawal:
            return self.env._("The code %(code)s was withdrawn.", code=card.code)
        if not card.helpdesk_customer_only or card._is_for_partner(order.partner_id):
            return False
        return card._get_helpdesk_refusal_for(order.partner_id)

    def _get_helpdesk_refusal_for(self, partner):
        """Return the sentence that refuses this code, of another customer, to
        ``partner``. The code is under ``sudo()``."""
        if self.env.user._is_internal():
            return self.env._(
                "The code %(code)s was made for %(customer)s and can't be used in the "
                "order of %(other)s.",
                code=self.code,
                customer=self.partner_id.commercial_partner_id.display_name,
                other=partner.display_name,
            )
        return self.env._(
            "The code %(code)s was made for another customer. Sign in as the customer "
            "who got it.",
            code=self.code,
        )

    def _is_for_partner(self, partner):
        """Return whether ``partner`` may use this code: people of the customer's
        company, a cart whose owner isn't known yet, and a guest who gives the
        customer's email address. A guest has no user who could have typed that of
        somebody else into a profile and be somebody else all the same.
        """
        self.ensure_one()
        owner = self.partner_id
        if not owner or partner.is_public:
            return True
        if partner.commercial_partner_id == owner.commercial_partner_id:
            return True
        return bool(
            owner.email_normalized
            and partner.email_normalized == owner.email_normalized
            and not partner.commercial_partner_id.user_ids
            and not partner.user_ids
        )

    # -- Timeline (X7) -------------------------------------------------------

    def _prepare_timeline_values(self, customer=False):
        values = super()._prepare_timeline_values(customer)
        states = dict(self._fields["coupon_state"]._description_selection(self.env))
        values["state"] = states[self.coupon_state]
        values["style"] = "success" if self.coupon_state == "valid" else "secondary"
        values["title"] = f"{self._after_sales_kind()} {self.code}"
        values["detail"] = self.coupon_summary
        if self.coupon_state != "valid":
            return values
        if self.coupon_valid_until:
            values["promised"] = self.coupon_valid_until
            values["promise"] = self.env._("Valid until %(date)s")
        if customer and (link := self._get_helpdesk_share_link()):
            values["url"] = link
            values["url_label"] = self.env._("Use it")
        return values
