from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    use_product_replacements = fields.Boolean(
        string="Replacements",
        help="Send products once more from tickets, though nothing comes back.",
    )
    use_foreign_returns = fields.Boolean(
        string="Take Back Goods from Elsewhere",
        help="Goods that were not delivered here can be returned, too. No refund "
        "follows by itself.",
    )
    return_window_managers = fields.Boolean(
        string="Late Returns by Administrators Only",
        help="What can't be returned any more is taken back by administrators of "
        "Helpdesk only. Else agents say why.",
    )
    return_expiry_days = fields.Integer(
        string="Returns End After",
        help="Days after which a return that hasn't come is cancelled. 0: never.",
    )
    return_reminder_days = fields.Integer(
        string="Remind Before",
        default=3,
        help="Days before the end when the customer is told by mail. 0: nobody is.",
    )

    exchange_unreturned = fields.Selection(
        selection=[
            ("activity", "Ask a colleague to invoice it"),
            ("invoice", "Invoice it, as a draft"),
        ],
        string="Replaced and Not Come Back",
        required=True,
        default="activity",
        help="What happens when a return ends for which a replacement was sent.",
    )

    @api.constrains("return_expiry_days", "return_reminder_days")
    def _check_return_expiry(self):
        for team in self:
            if team.return_expiry_days < 0 or team.return_reminder_days < 0:
                raise ValidationError(self.env._("Enter 0 days or more."))
            if 0 < team.return_expiry_days <= team.return_reminder_days:
                raise ValidationError(
                    self.env._(
                        "Customers are reminded after at least a day: let returns end "
                        "later, or remind closer to it."
                    )
                )
