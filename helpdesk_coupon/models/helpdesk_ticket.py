from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    coupon_ids = fields.One2many(
        comodel_name="loyalty.card",
        inverse_name="helpdesk_ticket_id",
        string="Coupon Codes",
        copy=False,
        context={"active_test": False},
        groups="helpdesk_after_sales.group_helpdesk_user",
    )
    coupons_count = fields.Integer(
        string="Number of Coupons",
        compute="_compute_coupons_count",
        groups="base.group_user",
    )

    coupon_limit_team_ids = fields.Many2many(
        comodel_name="helpdesk.team",
        relation="helpdesk_ticket_coupon_limit_team_rel",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_system",
        help="Technical: teams with limits that this ticket was in. They go on.",
    )

    def write(self, vals):
        limited = {}
        if "team_id" in vals:
            # sudo: whether the team that they leave has limits.
            for ticket in self.sudo():
                team = ticket.team_id
                if team.coupon_limit_number or team.coupon_limit_value:
                    limited[ticket] = team
        result = super().write(vals)
        for ticket, team in limited.items():
            if ticket.team_id != team:
                ticket.coupon_limit_team_ids = [Command.link(team.id)]
        return result

    def _compute_coupons_count(self):
        # Withdrawn coupons are archived, and shown as what they are.
        tickets = self.with_context(active_test=False)
        counts = tickets._after_sales_count("loyalty.card")
        for ticket in self:
            ticket.coupons_count = counts.get(ticket._origin, 0)

    @api.readonly
    def action_generate_coupon(self):
        """Return the action that opens **Generate a Coupon** on this ticket (S45).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when coupons are off for the team, or there is no customer
        """
        self.ensure_one()
        return self._open_after_sales_wizard(
            "helpdesk.coupon.wizard",
            "use_coupons",
            self.env._("Generate a Coupon"),
        )

    @api.readonly
    def action_view_coupons(self):
        """Return the action for the coupons of this ticket: a form for one, a list for
        several (S62)."""
        self.ensure_one()
        action = self.with_context(active_test=False)._open_after_sales_documents(
            "loyalty.card"
        )
        xmlids = {
            "form": "helpdesk_coupon.loyalty_card_view_form",
            "list": "helpdesk_coupon.loyalty_card_view_list",
        }
        return action | {
            "name": self.env._("Coupons"),
            "views": [
                (self.env.ref(xmlids[view_type]).id, view_type)
                for _id, view_type in action["views"]
            ],
            "context": {"active_test": False, "create": False},
        }

    def _get_coupon_recipients(self):
        """Return who a coupon of this ticket is sent to: the customer, and everybody
        who follows the ticket's messages, colleagues too (S55)."""
        self.ensure_one()
        # sudo: followers are proposed by name, as the composer of the ticket does.
        followers = self.sudo().message_follower_ids.filtered(
            lambda follower: self.env.ref("mail.mt_comment") in follower.subtype_ids
        )
        following = followers.partner_id.filtered("active")
        return (self.partner_id | following).sudo(False)

    # -- Limits of the team (X10) --------------------------------------------

    def _get_coupon_limit_notice(self, value, currency):
        """Return the sentence why the user may not give one more code of ``value`` on
        this ticket, or ``False``. It names who may.

        :param value: what the code is worth in ``currency``; 0 for a code without a
            value in money
        """
        self.ensure_one()
        teams = self._get_coupon_limit_teams()
        if not teams:
            return False
        coupons = self._get_limited_coupons()
        return next(
            filter(
                None,
                (
                    self._get_team_limit_notice(team, coupons, value, currency)
                    for team in teams
                ),
            ),
            False,
        )

    def _get_coupon_limit_teams(self):
        """Return the teams, under ``sudo()``, whose limits hold for the user."""
        if self.env.user.has_group("helpdesk_after_sales.group_helpdesk_manager"):
            return self.env["helpdesk.team"]
        # sudo: limits of the teams that this ticket was in, too.
        teams = (self.team_id | self.sudo().coupon_limit_team_ids).sudo()
        return teams.filtered(lambda t: t.coupon_limit_number or t.coupon_limit_value)

    def _get_limited_coupons(self):
        """Return the codes, under ``sudo()``, that count for the limits: those of this
        ticket, and what the user gave this customer on other tickets since yesterday.
        Withdrawn ones don't count."""
        # sudo: their number and value; agents may not see the other tickets.
        ticket = self.sudo()
        others = ticket.env["loyalty.card"].search(
            Domain("create_uid", "=", self.env.uid)
            & Domain("create_date", ">=", fields.Datetime.now() - timedelta(days=1))
            & Domain("helpdesk_ticket_id", "!=", False)
            & Domain(
                "helpdesk_ticket_id.commercial_partner_id",
                "=",
                ticket.commercial_partner_id.id,
            )
        )
        return ticket.coupon_ids.filtered("active") | others

    def _get_team_limit_notice(self, team, coupons, value, currency):
        """Return the sentence for the limits of one team, or ``False``."""
        if team.coupon_limit_number and len(coupons) >= team.coupon_limit_number:
            return self.env._(
                "The team %(team)s gives at most %(number)s codes per ticket, and this "
                "customer has them already. These colleagues may give more: "
                "%(managers)s.",
                team=team.display_name,
                number=team.coupon_limit_number,
                managers=self._get_coupon_manager_names(),
            )
        if not team.coupon_limit_value or not value:
            return False
        today = fields.Date.context_today(self)
        company = self.company_id
        total = currency._convert(value, team.currency_id, company, today) + sum(
            coupon.currency_id._convert(
                coupon.helpdesk_value, team.currency_id, company, today
            )
            for coupon in coupons
        )
        if team.currency_id.compare_amounts(total, team.coupon_limit_value) <= 0:
            return False
        return self.env._(
            "The codes of this ticket would be worth %(total)s; agents of the team "
            "%(team)s give at most %(limit)s per ticket. These colleagues may give "
            "more: %(managers)s.",
            total=team.currency_id.format(total),
            team=team.display_name,
            limit=team.currency_id.format(team.coupon_limit_value),
            managers=self._get_coupon_manager_names(),
        )

    def _get_coupon_managers(self):
        """Return the helpdesk administrators of this ticket's company, those of the
        team first. The users are under ``sudo()``, to be named or assigned."""
        # sudo: agents may not read groups.
        group = self.env.ref("helpdesk_after_sales.group_helpdesk_manager").sudo()
        managers = group.all_user_ids.filtered(
            lambda user: (
                user.active and not user.share and self.company_id in user.company_ids
            )
        )
        return managers.sorted(
            lambda user: (user not in self.team_id.sudo().member_ids, user.name)
        )

    def _get_coupon_manager_names(self):
        return ", ".join(self._get_coupon_managers()[:5].mapped("name")) or "-"

    @api.model
    def _check_coupon_shop(self):
        """Raise unless there is an eCommerce that takes codes by link (S58).

        The model of the links comes with it: nothing here depends on it.
        """
        if "coupon.share" not in self.env:
            raise UserError(self._get_coupon_shop_notice())

    @api.model
    def _get_coupon_shop_notice(self):
        """Return what is missing for share links, or ``False``."""
        if "coupon.share" in self.env:
            return False
        return self.env._(
            "Share links need Odoo eCommerce with coupons (the app "
            "website_sale_loyalty), which is not installed. Send the code by email."
        )

    def _get_money_given(self, lines):
        """A gift card that was given instead of money. Its code isn't told."""
        cards = self.coupon_ids.filtered(
            lambda card: (
                card.active
                and card.helpdesk_invoice_id.invoice_line_ids.sale_line_ids & lines
            )
        )
        names = [card.program_id.name for card in cards]
        return super()._get_money_given(lines) + names
