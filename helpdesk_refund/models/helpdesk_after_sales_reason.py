from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HelpdeskAfterSalesReason(models.Model):
    _inherit = "helpdesk.after.sales.reason"

    fee_percent = fields.Float(
        string="Restocking Fee (%)",
        digits=(5, 2),
        help="Proposed by the pop-up Refund, of what was paid for the lines.",
    )

    @api.constrains("fee_percent")
    def _check_fee_percent(self):
        for reason in self:
            if not 0 <= reason.fee_percent < 100:
                raise ValidationError(
                    self.env._(
                        "A restocking fee must be at least 0 and less than 100 percent."
                    )
                )
