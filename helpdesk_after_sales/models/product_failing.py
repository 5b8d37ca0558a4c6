from odoo import api, fields, models

from ..tools.failing import find_failing
from ..tools.reading import check_one


class ProductProduct(models.Model):
    """The scheduled action that finds what fails too often (X13)."""

    _inherit = "product.product"

    @api.model
    def _cron_raise_failing(self):
        """Flag products and lots, company by company."""
        teams = self.env["helpdesk.team"].with_context(active_test=False)
        companies = teams._read_group([("company_id", "!=", False)], ["company_id"])
        for number, (company,) in enumerate(companies, 1):
            self.with_company(company)._find_and_raise_failing()
            self.env["ir.cron"]._commit_progress(1, remaining=len(companies) - number)

    @api.model
    def _find_and_raise_failing(self):
        """Flag what fails too often in this company: lots compared with the others of
        their product, products with all others."""
        # sudo: all deliveries and tickets of the company; who may read the product or
        # the lot sees how many.
        for model in (self.sudo(), self.env["stock.lot"].sudo()):
            cases = model._count_failing_cases()
            delivered = model._count_failing_delivered()
            chances = model._get_failing_chances(cases, delivered)
            for record in find_failing(chances):
                record._raise_failing(cases[record], delivered[record][0])


class ProductTemplate(models.Model):
    """What its variants have."""

    _name = "product.template"
    _inherit = ["helpdesk.figures.mixin", "product.template"]
    _helpdesk_figures_field = "product_tmpl_id"

    helpdesk_failing_since = fields.Date(
        string="Fails Too Often Since",
        compute="_compute_helpdesk_failing",
        groups="base.group_user",
    )
    helpdesk_failing_cases = fields.Integer(
        string="Tickets When It Was Noticed",
        compute="_compute_helpdesk_failing",
        groups="base.group_user",
    )

    @api.depends_context("company")
    @api.depends("product_variant_ids.helpdesk_failing_since")
    def _compute_helpdesk_failing(self):
        for template in self:
            failing = template.product_variant_ids.filtered("helpdesk_failing_since")
            days = failing.mapped("helpdesk_failing_since")
            template.helpdesk_failing_since = min(days, default=False)
            template.helpdesk_failing_cases = sum(
                failing.mapped("helpdesk_failing_cases")
            )

    def action_view_failing_tickets(self):
        """Return the action for the tickets about the variants in the last 365 days.

        :raises AccessError: for users who may not read tickets
        """
        check_one(self)
        return self.product_variant_ids._view_failing_tickets()

    def action_dismiss_failing(self):
        """Take the flag away; twice as many tickets raise it anew. Returns ``True``.

        :raises AccessError: when the product isn't the user's to change
        """
        return self.product_variant_ids.action_dismiss_failing()
