from odoo import fields, models
from odoo.exceptions import AccessError


class DigestDigest(models.Model):
    """What the desk did, in the digest that Odoo mails (X27)."""

    _inherit = "digest.digest"

    # Names as digests want them: kpi_*, and kpi_*_value.
    kpi_helpdesk_tickets_opened = fields.Boolean(string="New Tickets")
    kpi_helpdesk_tickets_opened_value = fields.Integer(
        compute="_compute_kpi_helpdesk_tickets_opened_value",
        export_string_translation=False,
    )
    kpi_helpdesk_tickets_closed = fields.Boolean(string="Tickets Closed")
    kpi_helpdesk_tickets_closed_value = fields.Integer(
        compute="_compute_kpi_helpdesk_tickets_closed_value",
        export_string_translation=False,
    )

    kpi_helpdesk_failure_cost = fields.Boolean(string="Cost of Failure")
    kpi_helpdesk_failure_cost_value = fields.Monetary(
        compute="_compute_kpi_helpdesk_failure_cost_value",
        export_string_translation=False,
    )

    def _check_helpdesk_kpi(self):
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            # Digests leave out what raises this.
            raise AccessError(
                self.env._("Only Helpdesk users can see the figures of tickets.")
            )

    def _compute_kpi_helpdesk_tickets_opened_value(self):
        self._check_helpdesk_kpi()
        self._calculate_company_based_kpi(
            "helpdesk.ticket", "kpi_helpdesk_tickets_opened_value"
        )

    def _compute_kpi_helpdesk_tickets_closed_value(self):
        self._check_helpdesk_kpi()
        self._calculate_company_based_kpi(
            "helpdesk.ticket",
            "kpi_helpdesk_tickets_closed_value",
            date_field="close_date",
        )

    def _compute_kpi_helpdesk_failure_cost_value(self):
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_costs"):
            # Digests leave out what raises this.
            raise AccessError(
                self.env._("Only users who may see costs get this figure.")
            )
        self._calculate_company_based_kpi(
            "helpdesk.after.sales.report",
            "kpi_helpdesk_failure_cost_value",
            date_field="date",
            sum_field="total_cost",
        )

    def _compute_kpis_actions(self, company, user):
        actions = super()._compute_kpis_actions(company, user)
        menu = self.env.ref("helpdesk_after_sales.helpdesk_menu_root").id
        action = "helpdesk_after_sales.helpdesk_ticket_report_analysis_action"
        for kpi in ("kpi_helpdesk_tickets_opened", "kpi_helpdesk_tickets_closed"):
            actions[kpi] = f"{action}?menu_id={menu}"
        action = "helpdesk_after_sales.helpdesk_after_sales_report_action"
        actions["kpi_helpdesk_failure_cost"] = f"{action}?menu_id={menu}"
        return actions
