import math

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..tools.rules import Policy


class HelpdeskAfterSalesRule(models.Model):
    """What may be given to whom (X10). Of the rules in their order the first one that
    fits answers; where none fits nothing is limited."""

    _name = "helpdesk.after.sales.rule"
    _inherit = "helpdesk.chosen.mixin"
    _description = "After-Sales Rule"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name="res.company",
        default=lambda self: self.env.company,
        index="btree_not_null",
        help="Empty: for every company, amounts in the currency of each.",
    )
    currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_currency_id"
    )

    # -- When it fits. What is chosen can't be deleted: the rule would fit more.
    team_ids = fields.Many2many(
        comodel_name="helpdesk.team",
        relation="helpdesk_after_sales_rule_team_rel",
        column1="rule_id",
        column2="team_id",
        string="Teams",
        check_company=True,
        ondelete="restrict",
        help="Empty: any team.",
    )
    services = fields.Many2many(
        comodel_name="helpdesk.after.sales.service",
        relation="helpdesk_after_sales_rule_service_rel",
        column1="rule_id",
        column2="service_id",
        help="Empty: any service.",
    )
    product_ids = fields.Many2many(
        comodel_name="product.product",
        relation="helpdesk_after_sales_rule_product_rel",
        column1="rule_id",
        column2="product_id",
        string="Products",
        check_company=True,
        ondelete="restrict",
        help="Empty: any product.",
    )
    product_category_ids = fields.Many2many(
        comodel_name="product.category",
        relation="helpdesk_after_sales_rule_category_rel",
        column1="rule_id",
        column2="category_id",
        string="Product Categories",
        ondelete="restrict",
        help="With what is below them. Empty: any category.",
    )
    reason_ids = fields.Many2many(
        comodel_name="helpdesk.after.sales.reason",
        relation="helpdesk_after_sales_rule_reason_rel",
        column1="rule_id",
        column2="reason_id",
        string="Reasons",
        check_company=True,
        ondelete="restrict",
        help="Empty: any reason, and none.",
    )
    partner_category_ids = fields.Many2many(
        comodel_name="res.partner.category",
        relation="helpdesk_after_sales_rule_partner_category_rel",
        column1="rule_id",
        column2="category_id",
        string="Customer Tags",
        ondelete="restrict",
        help="Tags of the customer's company, if they belong to one. Empty: any "
        "customer.",
    )
    country_ids = fields.Many2many(
        comodel_name="res.country",
        relation="helpdesk_after_sales_rule_country_rel",
        column1="rule_id",
        column2="country_id",
        string="Countries",
        ondelete="restrict",
        help="Of the customer's company, if they belong to one. Empty: any country.",
    )
    days_since_delivery = fields.Integer(
        string="Days since Delivery",
        help="At most so many days after the delivery. 0: at any time, also without a "
        "delivery.",
    )
    under_warranty = fields.Selection(
        selection=[("yes", "Under warranty"), ("no", "Not under warranty")],
        string="Warranty",
        help="Of what was delivered. Empty: either.",
    )
    amount_max = fields.Monetary(
        string="Amount up to",
        help="With taxes, together with what the customer got on the same ticket and "
        "in the last days on others. 0: any amount.",
    )
    amount_days = fields.Integer(
        string="Within Days",
        default=365,
        help="What the customer got in so many days counts, on whatever ticket. 0: "
        "only what they got on the same ticket.",
    )

    # -- What it says
    verdict = fields.Selection(
        selection=[
            ("allow", "Allowed"),
            ("ask", "Ask for approval"),
            ("refuse", "Refused"),
        ],
        required=True,
        default="allow",
    )
    approver_ids = fields.Many2many(
        comodel_name="res.users",
        relation="helpdesk_after_sales_rule_approver_rel",
        column1="rule_id",
        column2="user_id",
        string="Approvers",
        domain="[('share', '=', False)]",
        help="They also need the rights of the application, and to see the ticket. "
        "Empty: the administrators of Helpdesk. Nobody approves what they asked for.",
    )
    fee_percent = fields.Float(
        string="Fee (%)",
        digits=(16, 6),
        help="Percent that a refund keeps back at least, of what was paid for the "
        "goods.",
    )
    message = fields.Char(
        string="Sentence",
        translate=True,
        help="What agents and customers read.",
    )
    shadow_notice = fields.Char(compute="_compute_shadow_notice")

    _check_numbers = models.Constraint(
        "CHECK (days_since_delivery >= 0 AND amount_days >= 0 AND amount_max >= 0)",
        "Days and amounts of a rule are 0 or more.",
    )
    _check_fee = models.Constraint(
        "CHECK (fee_percent >= 0 AND fee_percent < 100)",
        "The fee of a rule is from 0 to less than 100 percent.",
    )

    # -- Computes and checks -------------------------------------------------

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for rule in self:
            rule.currency_id = (rule.company_id or self.env.company).currency_id

    @api.constrains("amount_max", "fee_percent")
    def _check_figures(self):
        for rule in self:
            if not (math.isfinite(rule.amount_max) and rule.amount_max < 1e12):
                raise ValidationError(
                    self.env._("%(rule)s: this is no amount.", rule=rule.name)
                )

    @api.depends(
        "active",
        "amount_days",
        "amount_max",
        "company_id",
        "country_ids",
        "days_since_delivery",
        "partner_category_ids",
        "product_category_ids",
        "product_ids",
        "reason_ids",
        "sequence",
        "services",
        "team_ids",
        "under_warranty",
    )
    @api.depends_context("lang")
    def _compute_shadow_notice(self):
        """Say which earlier rule answers wherever this one would."""
        # sudo: rules of all companies stand in one order.
        others = self.sudo().search(Domain.TRUE)
        policies = {rule: rule._as_policy() for rule in others}
        earlier, shadows = [], {}
        for rule, policy in policies.items():
            shadows[rule.id] = next(
                (other for other in earlier if policies[other].covers(policy)), False
            )
            earlier.append(rule)
        for rule in self:
            shadow = shadows.get(rule._origin.id)
            rule.shadow_notice = shadow and self.env._(
                "Never asked: %(rule)s answers before it.", rule=shadow.name
            )

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        self.env.registry.clear_cache()
        return rules

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", rule.name))
            for rule, vals in zip(self, vals_list, strict=True)
        ]

    # -- As they are asked ---------------------------------------------------

    @api.model
    @ormcache("company_id")
    def _get_policies(self, company_id):
        """Return the rules of a company in their order, as :class:`Policy`: kept in
        memory, since each document of a ticket asks for them."""
        # sudo: the rules decide, nobody is shown them.
        rules = self.sudo().search(Domain("company_id", "in", (False, company_id)))
        return tuple(rule._as_policy() for rule in rules)

    def _as_policy(self):
        self.ensure_one()
        return Policy(
            id=self.id,
            company=self.company_id.id or 0,
            services=frozenset(self.services.mapped("switch")),
            teams=frozenset(self.team_ids.ids),
            products=frozenset(self.product_ids.ids),
            categories=frozenset(self.product_category_ids.ids),
            reasons=frozenset(self.reason_ids.ids),
            tags=frozenset(self.partner_category_ids.ids),
            countries=frozenset(self.country_ids.ids),
            days=self.days_since_delivery,
            warranty=self.under_warranty or "",
            amount=self.amount_max,
            amount_days=self.amount_days,
            verdict=self.verdict,
            fee=self.fee_percent,
        )


class HelpdeskAfterSalesService(models.Model):
    _inherit = "helpdesk.after.sales.service"

    def unlink(self):
        # Without its services a rule would be about all of them.
        rules = self.env["helpdesk.after.sales.rule"].sudo()  # sudo: nothing is read
        rules = rules.search(Domain("services", "in", self.ids))
        for rule in rules:
            if rule.services <= self:
                rule.active = False
        self.env.registry.clear_cache()
        return super().unlink()
