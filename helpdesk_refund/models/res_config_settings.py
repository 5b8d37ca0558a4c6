from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    helpdesk_fee_product_id = fields.Many2one(
        related="company_id.helpdesk_fee_product_id", readonly=False
    )
