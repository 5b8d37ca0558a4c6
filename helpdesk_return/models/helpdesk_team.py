from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    use_product_replacements = fields.Boolean(
        string="Replacements",
        help="Send products again from tickets, without a return.",
    )
    use_foreign_returns = fields.Boolean(
        string="Take Back Goods from Elsewhere",
        help="Goods that were not delivered here can be returned as well. No refund "
        "is made automatically.",
    )
    return_window_managers = fields.Boolean(
        string="Late Returns by Administrators Only",
        help="Only Helpdesk administrators can take back what can't be returned any "
        "more. Otherwise agents can, with a reason.",
    )
    return_expiry_days = fields.Integer(
        string="Returns Expire After",
        help="Days after which a return that hasn't arrived is cancelled; 0 for never.",
    )
    return_reminder_days = fields.Integer(
        string="Remind Before",
        default=3,
        help="Days before the end at which the customer is reminded by email; 0 for "
        "no reminder.",
    )

    exchange_unreturned = fields.Selection(
        selection=[
            ("activity", "Ask a colleague to invoice it"),
            ("invoice", "Invoice it, as a draft"),
        ],
        string="Replaced and Never Returned",
        required=True,
        default="activity",
        help="What happens when a return expires for which a replacement was sent.",
    )

    @api.constrains("return_expiry_days", "return_reminder_days")
    def _check_return_expiry(self):
        for team in self:
            if team.return_expiry_days < 0 or team.return_reminder_days < 0:
                raise ValidationError(self.env._("Enter 0 days or more."))
            if 0 < team.return_expiry_days <= team.return_reminder_days:
                raise ValidationError(
                    self.env._(
                        "Customers can be reminded only after at least one day: let "
                        "returns expire later, or remind closer to the end."
                    )
                )
