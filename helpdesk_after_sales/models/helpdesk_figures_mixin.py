from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.reading import check_one


class HelpdeskFiguresMixin(models.AbstractModel):
    """What failures of this cost, and how much of it comes back, for who may see it
    (X13). Of the last 365 days."""

    _name = "helpdesk.figures.mixin"
    _description = "Figures of failures"

    #: the field of the reports that leads here
    _helpdesk_figures_field = None

    helpdesk_failure_cost = fields.Char(
        string="Cost of Failure",
        compute="_compute_helpdesk_failure_cost",
        groups="helpdesk_after_sales.group_helpdesk_costs",
        help="What it cost to deal with it in the last 365 days.",
    )
    helpdesk_return_rate = fields.Float(
        string="Return Rate",
        compute="_compute_helpdesk_return_rate",
        groups="helpdesk_after_sales.group_helpdesk_manager",
        help="How much of what was delivered in the last 365 days has come back.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_failure_cost(self):
        # As the user: their tickets, their companies.
        report = self.env["helpdesk.after.sales.report"].sudo(False)
        texts = report._get_cost_texts(self._helpdesk_figures_field, self.ids)
        for record in self:
            record.helpdesk_failure_cost = texts.get(record.id, False)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_return_rate(self):
        name = self._helpdesk_figures_field
        begin = fields.Date.context_today(self) - timedelta(days=365)
        rates = dict(
            self.env["helpdesk.return.rate.report"]
            .sudo(False)
            ._read_group(
                Domain(name, "in", self.ids) & Domain("date", ">=", begin),
                [name],
                ["return_rate:avg"],
            )
        )
        for record in self:
            record.helpdesk_return_rate = rates.get(record._origin) or 0.0

    @api.readonly
    def action_view_failure_cost(self):
        """Return the action of the report **Cost of Failure** about this.

        :raises AccessError: for users who may not see it
        """
        check_one(self)
        self.check_access("read")
        report = self.env["helpdesk.after.sales.report"]
        report.check_access("read")
        return report._open_for(self._helpdesk_figures_field, self.ids)

    @api.readonly
    def action_view_return_rate(self):
        """Return the action of the report **Return Rate** about this.

        :raises AccessError: for users who may not see it
        """
        check_one(self)
        self.check_access("read")
        self.env["helpdesk.return.rate.report"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_return_rate_report_action"
        )
        return action | {"domain": [(self._helpdesk_figures_field, "in", self.ids)]}
