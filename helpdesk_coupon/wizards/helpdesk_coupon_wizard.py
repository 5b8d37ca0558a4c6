import math

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import format_datetime

from odoo.addons.helpdesk_after_sales.tools import asks_rules


class HelpdeskCouponWizard(models.TransientModel):
    _name = "helpdesk.coupon.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Coupon from a helpdesk ticket"

    _after_sales_switch = "use_coupons"
    _after_sales_result = "coupon_id"

    company_id = fields.Many2one(related="helpdesk_ticket_id.company_id")
    partner_id = fields.Many2one(related="helpdesk_ticket_id.partner_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    use_gift_cards = fields.Boolean(related="helpdesk_ticket_id.team_id.use_gift_cards")

    program_type = fields.Selection(
        selection=[
            ("coupons", "Coupon"),
            ("gift_card", "Gift card instead of money"),
        ],
        string="Compensation",
        required=True,
        default="coupons",
    )
    program_id = fields.Many2one(
        comodel_name="loyalty.program",
        compute="_compute_program_id",
        store=True,
        readonly=False,
        help="The programs that can be used now.",
    )
    program_summary = fields.Char(string="Reward", compute="_compute_program_summary")
    valid_until = fields.Date(
        compute="_compute_valid_until",
        store=True,
        readonly=False,
        help="Leave it empty for a code that is valid as long as its program.",
    )

    invoice_id = fields.Many2one(
        comodel_name="account.move",
        compute="_compute_invoice_id",
        store=True,
        readonly=False,
        help="The posted invoice that the gift card refunds in part.",
    )
    amount_left = fields.Monetary(
        string="Left to Refund", compute="_compute_amount_left"
    )
    amount_due = fields.Monetary(compute="_compute_amount_left")
    amount_paid = fields.Monetary(
        string="Paid and Not Refunded", compute="_compute_amount_left"
    )
    # Not Monetary: that field fails with a trace on what no currency can round (T4).
    amount = fields.Float(compute="_compute_amount", store=True, readonly=False)

    notice = fields.Text(compute="_compute_notice")
    unused_notice = fields.Text(compute="_compute_unused_notice")
    limit_notice = fields.Text(compute="_compute_limit_notice")
    can_create_program = fields.Boolean(compute="_compute_notice")
    can_share = fields.Boolean(compute="_compute_notice")
    share_notice = fields.Char(compute="_compute_notice")

    coupon_id = fields.Many2one(
        comodel_name="loyalty.card", readonly=True, server_only=True, copy=False
    )
    # -- Computes ------------------------------------------------------------

    def _get_programs(self):
        """Return the programs that can be given on this ticket, under ``sudo()``."""
        # sudo: agents may not read programs. They are offered by name, and described
        # by what they give; the same holds for the invoices of the customer below.
        programs = self.env["loyalty.program"].sudo()
        ticket = self.helpdesk_ticket_id
        if not ticket or not ticket.has_access("read"):
            return programs
        return programs._get_helpdesk_programs(
            ticket.company_id, self.program_type, ticket.partner_id
        )

    @api.model
    def _get_offer_domain(self, field, ticket):
        if ticket and field.comodel_name == "loyalty.program":
            # Which can be given now is for the button to say. sudo: see _get_programs.
            companies = ticket.sudo().company_id.parent_ids
            return Domain("company_id", "in", [False, *companies.ids])
        return super()._get_offer_domain(field, ticket)

    @api.depends("helpdesk_ticket_id", "program_type")
    def _compute_program_id(self):
        for wizard in self:
            programs = wizard._get_programs()
            if wizard.program_id.sudo() not in programs or not wizard.program_id:
                # The one that can be meant is chosen already.
                wizard.program_id = programs if len(programs) == 1 else False

    @api.depends("program_id", "program_type")
    def _compute_program_summary(self):
        for wizard in self:
            program = wizard.program_id.sudo()
            offered = program and program in wizard._get_programs()
            wizard.program_summary = (
                program._get_helpdesk_summary()
                if offered and wizard.program_type == "coupons"
                else False
            )

    @api.depends("program_id")
    def _compute_valid_until(self):
        for wizard in self:
            wizard.valid_until = wizard._get_last_day()

    def _get_last_day(self):
        """Return until when the code can be used: no code outlives its program."""
        # sudo: a date of a program that is offered (_check_coupon), or was just chosen.
        program = self.program_id.sudo()
        end = program in self._get_programs() and program.date_to
        return min(filter(None, (self.valid_until, end)), default=False)

    @api.depends("helpdesk_ticket_id", "coupon_id")
    def _compute_unused_notice(self):
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id
            wizard.unused_notice = False
            if wizard.coupon_id or not ticket or not ticket.has_access("read"):
                continue
            # sudo: codes of a ticket that may be read, as its button shows them.
            codes = ticket.sudo().coupon_ids.filtered(
                lambda card: (
                    card.coupon_state == "valid"
                    and not card.history_ids.filtered(lambda line: line.used > 0)
                )
            )
            wizard.unused_notice = bool(codes) and self.env._(
                "Made on this ticket and not used yet: %(codes)s. Send it again from "
                "the button Coupons instead of making another one.",
                codes=", ".join(
                    f"{card.code} ({format_datetime(self.env, card.create_date)})"
                    for card in codes.sorted("id")[-3:]
                ),
            )

    def _get_invoices(self, limit=None, **anything):
        """Return invoices of the customer that the ticket may be about, under
        ``sudo()``."""
        ticket = self.helpdesk_ticket_id
        # sudo: invoices of the customer of a ticket that may be read (below).
        invoices = self.env["account.move"].sudo()
        if not ticket or not ticket.has_access("read"):
            return invoices
        return invoices.search(
            ticket._purchase_domain("account.move", **anything), limit=limit
        )

    @api.depends("program_type")
    def _compute_invoice_id(self):
        for wizard in self:
            if wizard.program_type != "gift_card":
                wizard.invoice_id = False
            elif not wizard.invoice_id:
                invoices = wizard._get_invoices(limit=2)
                wizard.invoice_id = invoices if len(invoices) == 1 else False

    def _get_customer_invoice(self):
        """Return the chosen invoice under ``sudo()`` if it is this customer's."""
        # sudo: what comes back is an invoice of the ticket's customer, or nothing.
        invoice = self.invoice_id._origin.sudo()
        domain = self.helpdesk_ticket_id._any_purchase_domain("account.move")
        return invoice.search(domain & Domain("id", "=", invoice.id))

    @api.depends("invoice_id")
    def _compute_amount_left(self):
        for wizard in self:
            invoice = wizard.invoice_id and wizard._get_customer_invoice()
            left = invoice and max(invoice.amount_left_to_refund, 0.0)
            paid = invoice and max(invoice._get_left_of_payments(), 0.0)
            wizard.amount_left = wizard._convert_amount(invoice, left)
            wizard.amount_paid = wizard._convert_amount(invoice, paid)
            wizard.amount_due = wizard._convert_amount(
                invoice, invoice and invoice.amount_residual
            )

    def _convert_amount(self, invoice, amount):
        if not invoice:
            return 0.0
        return invoice.currency_id._convert(
            amount,
            self.currency_id,
            self.company_id,
            fields.Date.context_today(self),
        )

    @api.depends("invoice_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.amount_paid

    def _get_amount(self):
        """Return the amount as rounded by the currency; 0 for what is no amount."""
        if not math.isfinite(self.amount) or abs(self.amount) > 1e15:
            return 0.0
        return self.currency_id.round(self.amount)

    @api.depends("helpdesk_ticket_id", "program_type")
    def _compute_notice(self):
        share_notice = self.env["helpdesk.ticket"]._get_coupon_shop_notice()
        can_create = self.env["loyalty.program"].has_access("create")
        for wizard in self:
            wizard.notice = (
                wizard._get_invoice_notice()
                if wizard._get_programs()
                else wizard._get_empty_notice()
            )
            wizard.can_create_program = can_create
            wizard.can_share = not share_notice
            wizard.share_notice = share_notice

    def _get_empty_notice(self):
        """Return why there is nothing to give, and who can change that (S48)."""
        if self.env["loyalty.program"].has_access("create"):
            return self.env._(
                "No program can be used now: create one under Sales > Products > "
                "Discount & Loyalty, or Gift cards & eWallet."
            )
        # sudo: names of those who can help, nothing else.
        group = self.env.ref("sales_team.group_sale_manager").sudo()
        managers = group.all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        )
        return self.env._(
            "No program can be used now. These colleagues can create one: "
            "%(managers)s.",
            managers=", ".join(managers[:5].mapped("name")) or "-",
        )

    def _get_invoice_notice(self):
        """Return why no invoice can be proposed for a gift card, or ``False``."""
        ticket = self.helpdesk_ticket_id
        if self.program_type != "gift_card" or not ticket:
            return False
        ticket.check_access("read")
        anything = {
            "product": self.env["product.product"],
            "lot": self.env["stock.lot"],
        }
        # sudo: the name of the order of a ticket that may be read.
        order = ticket.sudo().sale_order_id
        if order and not self._get_invoices(limit=1, **anything):
            return self.env._(
                "Nothing of %(order)s has been invoiced yet: a gift card replaces "
                "the refund of a posted invoice. Post the invoice of the order "
                "first.",
                order=order.name,
            )
        anything["sale_order"] = self.env["sale.order"]
        if not self._get_invoices(limit=1, **anything):
            return self.env._(
                "%(customer)s has no posted invoice by %(company)s: a gift card "
                "replaces the refund of an invoice. Post the invoice first.",
                customer=self.helpdesk_commercial_partner_id.display_name,
                company=self.company_id.display_name,
            )
        return False

    @api.depends("program_id", "program_type", "amount")
    def _compute_limit_notice(self):
        for wizard in self:
            wizard.limit_notice = bool(wizard.program_id) and wizard._get_limit_notice()

    def _get_limit_notice(self):
        """Return why this is more than the user may give, or ``False`` (X10)."""
        if self.coupon_id:
            return False
        program = self.program_id.sudo()  # compared by value, which is not shown
        if self.program_type == "gift_card":
            value, currency = self._get_amount(), self.currency_id
        else:
            value, currency = program._get_helpdesk_value(), program.currency_id
        return self.helpdesk_ticket_id._get_coupon_limit_notice(value, currency)

    def _get_own_coupon(self):
        """Return the coupon of this wizard under ``sudo()``, if the user may see it.

        A client may send any id: codes are as good as money.
        """
        # sudo: after the user's own rights let the coupon through.
        coupon = self.coupon_id._origin.sudo(False)._filtered_access("read").sudo()
        return coupon.filtered(
            lambda card: card.helpdesk_ticket_id == self.helpdesk_ticket_id.sudo()
        )

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        wizards._check_coupon_access()
        return wizards

    def write(self, vals):
        result = super().write(vals)
        if "coupon_id" in vals:
            self._check_coupon_access()
        return result

    def _check_coupon_access(self):
        for wizard in self.filtered("coupon_id"):
            if not wizard._get_own_coupon():
                raise AccessError(
                    self.env._("This code belongs to another ticket, or to none.")
                )

    # -- Actions -------------------------------------------------------------

    @asks_rules
    def action_send_by_email(self):
        """Make the code, once, and return the action of the composer with it (S54).

        :raises AccessError, UserError: see :meth:`_check_coupon`
        """
        return self._get_coupon()._compose_helpdesk_email()

    def action_ask_manager(self):
        """Ask a helpdesk administrator by an activity to give what is more than the
        user may give (X10). Returns the action that closes the pop-up."""
        self._check_ready()
        ticket = self.helpdesk_ticket_id
        notice = self._get_limit_notice()
        manager = ticket._get_coupon_managers()[:1]
        if not notice or not manager:
            return {"type": "ir.actions.act_window_close"}
        ticket.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Approve a coupon"),
            note=self.env._(
                "%(user)s would like to give %(program)s to %(customer)s. %(notice)s",
                user=self.env.user.name,
                program=self.program_id.display_name,
                customer=ticket.partner_id.display_name,
                notice=notice,
            ),
            user_id=manager.id,
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "%(manager)s was asked for approval.", manager=manager.name
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_open_programs(self):
        """Return the action for the programs, for users who may create them (S48)."""
        self.env["loyalty.program"].check_access("create")
        xmlid = "loyalty.loyalty_program_discount_loyalty_action"
        if self.program_type == "gift_card":
            xmlid = "loyalty.loyalty_program_gift_ewallet_action"
        return self.env["ir.actions.act_window"]._for_xml_id(xmlid)
