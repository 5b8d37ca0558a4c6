from odoo import api, fields, models


class HelpdeskAfterSalesReason(models.Model):
    _name = "helpdesk.after.sales.reason"
    _description = "After-Sales Reason"
    _order = "sequence, name, id"

    active = fields.Boolean(default=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        comodel_name="res.company",
        help="Empty: the reason is offered in every company.",
    )
    # The switches of the team are the services: a new one is offered here by itself.
    # Agents can't read field definitions; they only search reasons by them.
    services = fields.Many2many(
        comodel_name="ir.model.fields",
        relation="helpdesk_after_sales_reason_service_rel",
        column1="reason_id",
        column2="field_id",
        required=True,
        bypass_search_access=True,
        domain=lambda self: self._get_services_domain(),
        help="The services that offer this reason.",
    )

    @api.model
    def _get_services_domain(self):
        switches = self.env["helpdesk.team"]._after_sales_services()
        return [("model", "=", "helpdesk.team"), ("name", "in", [*switches])]
