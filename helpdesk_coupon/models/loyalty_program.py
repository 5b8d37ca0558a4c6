from odoo import api, fields, models
from odoo.fields import Domain


class LoyaltyProgram(models.Model):
    _inherit = "loyalty.program"

    helpdesk_give_back = fields.Boolean(
        string="Restore When Refunded",
        help="A coupon can be used again when all of the order that it was used on is "
        "refunded on a helpdesk ticket.",
    )

    @api.model
    @api.readonly
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Return ``[(id, name)]``; with ``helpdesk_coupon_of`` in the context only the
        programs that can be given on that ticket, by name, whatever else the user may
        read (S47).

        The context key holds the ticket's id under ``ticket_id``, and the type of the
        programs under ``program_type``.

        :raises AccessError, UserError: when the user can't give coupons on the ticket
        """
        scope = self.env.context.get("helpdesk_coupon_of")
        if not isinstance(scope, dict):
            return super().name_search(name, domain, operator, limit)
        ticket_id = scope.get("ticket_id")
        ticket = self.env["helpdesk.ticket"].browse(
            ticket_id if type(ticket_id) is int else ()
        )
        if not ticket:
            return []
        ticket._check_after_sales("use_coupons")
        # The domain of the client is left out on purpose: with sudo it could ask for
        # anything. sudo: agents get the names of what they may give, and no program.
        programs = self.sudo()
        usable = programs._get_helpdesk_programs(
            ticket.company_id, scope.get("program_type"), ticket.partner_id
        )
        return super(LoyaltyProgram, programs).name_search(
            name, Domain("id", "in", usable.ids), operator, limit
        )

    @api.model
    def _get_helpdesk_programs(self, company, program_type, partner):
        """Return the programs that can be given to ``partner`` now: of the company, in
        their dates, not used up, and of use in an order with the customer's price list
        (S47, S49).

        :param company: that gives, one record
        :param program_type: ``coupons`` or ``gift_card``
        """
        if program_type not in ("coupons", "gift_card"):
            return self.browse()
        today = fields.Date.context_today(self)
        # sudo: a branch uses the programs of its head office, as in Odoo.
        programs = self.search(
            Domain("program_type", "=", program_type)
            & Domain("company_id", "in", [False, *company.sudo().parent_ids.ids])
            & (Domain("date_from", "=", False) | Domain("date_from", "<=", today))
            & (Domain("date_to", "=", False) | Domain("date_to", ">=", today))
        )
        # sudo: the price list is compared only.
        pricelist = partner.sudo().with_company(company).property_product_pricelist
        return programs.filtered(
            lambda program: (
                not program._is_used_up()
                and program._is_sold_anywhere(company)
                and (not program.pricelist_ids or pricelist in program.pricelist_ids)
            )
        )

    def _is_used_up(self):
        self.ensure_one()
        return self.limit_usage and self.total_order_count >= self.max_usage

    def _is_sold_anywhere(self, company):
        """Return whether codes of this program can be used with ``company`` at all: in
        orders, or where other applications of Odoo sell (shop, point of sale)."""
        self.ensure_one()
        if self.sale_ok:
            return True
        if "ecommerce_ok" in self._fields and self.ecommerce_ok:
            websites = self.env["website"]
            domain = Domain("company_id", "=", company.id)
            if self.website_id:
                domain &= Domain("id", "=", self.website_id.id)
            if websites.search_count(domain, limit=1):
                return True
        if "pos_ok" in self._fields and self.pos_ok:
            tills = self.env["pos.config"]
            domain = Domain("company_id", "=", company.id)
            if self.pos_config_ids:
                domain &= Domain("id", "in", self.pos_config_ids.ids)
            return bool(tills.search_count(domain, limit=1))
        return False

    def _is_over(self, company):
        """Return whether codes can't be used with ``company`` any more."""
        self.ensure_one()
        today = fields.Date.context_today(self)
        return (
            not self.active
            or bool(self.date_to and self.date_to < today)
            or self._is_used_up()
            or not self._is_sold_anywhere(company)
        )

    def _get_helpdesk_summary(self, points=0.0):
        """Return in plain words what a code of this program gives, in the language of
        the context: "10% on your order; from $ 50.00". Of several rewards that it can
        buy the customer takes one.

        :param points: of the code; at least those of a new one count
        """
        self.ensure_one()
        points = max(points, self._get_helpdesk_points())
        rewards = self.reward_ids.filtered(
            lambda reward: reward.description and reward.required_points <= points
        )
        parts = []
        if rewards:
            texts = rewards.mapped("description")
            while len(texts) > 1:
                texts[:2] = [
                    self.env._("%(one)s or %(other)s", one=texts[0], other=texts[1])
                ]
            parts = texts
        for rule in self.rule_ids:
            if rule.minimum_amount:
                parts.append(
                    self.env._(
                        "from %(amount)s",
                        amount=self.currency_id.format(rule.minimum_amount),
                    )
                )
            if rule.minimum_qty > 1:
                parts.append(
                    self.env._("from %(number)s pieces", number=rule.minimum_qty)
                )
        return "; ".join(parts)

    def _get_helpdesk_points(self):
        """Return the points of one code: enough to be used once, and not twice."""
        self.ensure_one()
        return min(self.reward_ids.mapped("required_points"), default=1.0)

    def _get_helpdesk_value(self):
        """Return what one code is worth at most, in the program's currency (X10).

        0 for what has no value in money: a percentage without a maximum.
        """
        self.ensure_one()
        points = self._get_helpdesk_points()
        values = [0.0]
        for reward in self.reward_ids.filtered(lambda r: r.required_points <= points):
            if reward.reward_type == "product":
                prices = reward.reward_product_ids.mapped("lst_price")
                values.append(max(prices, default=0.0) * reward.reward_product_qty)
            elif reward.reward_type != "discount":
                continue
            elif reward.discount_mode == "percent":
                values.append(reward.discount_max_amount)
            elif reward.discount_mode == "per_point":
                values.append(reward.discount * points)
            else:
                values.append(reward.discount)
        return max(values)
