from odoo import fields, models


class HelpdeskAfterSalesService(models.Model):
    """A service that teams switch on: the one table that installing, requests and
    reasons read. An addon brings a service of its own as a record."""

    _name = "helpdesk.after.sales.service"
    _description = "After-Sales Service"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    switch = fields.Char(
        required=True,
        help="Technical name of the field of the team that switches the service on.",
    )
    addon = fields.Char(
        required=True, help="Technical name of the addon that provides the service."
    )
    action = fields.Char(
        help="Technical name of the method of the ticket that opens the pop-up."
    )
    resolution_ids = fields.Many2many(
        comodel_name="helpdesk.after.sales.resolution",
        relation="helpdesk_after_sales_service_resolution_rel",
        column1="service_id",
        column2="resolution_id",
        string="Resolutions",
        help="What customers may ask for when they request this service.",
    )

    _switch_uniq = models.Constraint(
        "UNIQUE(switch)", "Another service already has this switch."
    )


class HelpdeskAfterSalesResolution(models.Model):
    """What a customer would like to get: the money back, an exchange and so on."""

    _name = "helpdesk.after.sales.resolution"
    _description = "After-Sales Resolution"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    code = fields.Char(required=True, help="Technical name, for API clients.")

    _code_uniq = models.Constraint(
        "UNIQUE(code)", "Another resolution already has this code."
    )
