from odoo import fields, models


class HelpdeskAfterSalesReason(models.Model):
    _name = "helpdesk.after.sales.reason"
    _inherit = "helpdesk.chosen.mixin"
    _description = "After-Sales Reason"
    _order = "sequence, name, id"

    active = fields.Boolean(default=True)
    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        comodel_name="res.company",
        help="Leave empty to offer the reason in every company.",
    )
    services = fields.Many2many(
        comodel_name="helpdesk.after.sales.service",
        relation="helpdesk_reason_service_rel",
        column1="reason_id",
        column2="service_id",
        required=True,
        help="The services that offer this reason.",
    )
    is_failure = fields.Boolean(
        string="Failure of the Product",
        default=True,
        help="Tickets with this reason count when looking for products and lots that "
        "fail too often.",
    )
