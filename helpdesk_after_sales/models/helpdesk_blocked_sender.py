from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize


class HelpdeskBlockedSender(models.Model):
    """Whose mail is spam: it becomes an archived ticket that nobody hears of."""

    _name = "helpdesk.blocked.sender"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Blocked Sender"
    _rec_name = "email"
    _order = "id desc"

    email = fields.Char(required=True, index=True)
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )

    _email_uniq = models.Constraint(
        "UNIQUE(company_id, email)", "This sender is already blocked."
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._normalize(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._normalize(vals))

    @api.model
    def _normalize(self, vals):
        if "email" not in vals:
            return vals
        email = email_normalize(vals["email"])
        if not email:
            raise ValidationError(
                self.env._("Enter an email address, such as news@example.com.")
            )
        return vals | {"email": email}
