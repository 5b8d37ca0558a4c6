from odoo import fields, models


class ProjectProject(models.Model):
    _inherit = "project.project"

    is_fsm = fields.Boolean(
        string="Field Service",
        help="The tasks of this project are visits to customers. Interventions are "
        "planned in it from helpdesk tickets.",
    )
    allow_worksheets = fields.Boolean(
        string="Worksheets",
        default=True,
        help="Technicians report their work on a worksheet that the customer signs.",
    )
    worksheet_template_id = fields.Many2one(
        comodel_name="fsm.worksheet.template",
        string="Default Worksheet Template",
        index="btree_not_null",
        check_company=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=?', company_id)]",
    )
