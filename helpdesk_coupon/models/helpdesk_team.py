from odoo import api, fields, models
from odoo.exceptions import ValidationError


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    coupon_customer_only = fields.Boolean(
        string="Coupons for the Customer Only",
        default=True,
        help="A code that was made on a ticket is refused in the orders of any other "
        "customer. Anybody at the customer's own company can use it.",
    )
    use_gift_cards = fields.Boolean(
        string="Gift Cards Instead of Money",
        help="Agents may also give a gift card of at most what is left to refund of "
        "an invoice.",
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    coupon_limit_number = fields.Integer(
        string="Codes per Ticket",
        help="How many codes agents may make on one ticket; 0 for any number. "
        "Helpdesk administrators are not limited.",
    )
    coupon_limit_value = fields.Monetary(
        string="Value per Ticket",
        help="What the codes that agents make on one ticket may be worth in all; 0 for "
        "any value. Fixed discounts, free products and gift cards have a value; a "
        "percentage has one if the program sets a maximum. Helpdesk administrators are "
        "not limited.",
    )

    @api.constrains("coupon_limit_number", "coupon_limit_value")
    def _check_coupon_limits(self):
        for team in self:
            if team.coupon_limit_number < 0 or team.coupon_limit_value < 0:
                raise ValidationError(
                    self.env._("Coupon limits must be 0 (no limit) or more.")
                )
