from odoo import api, fields, models


class HelpdeskCouponExtend(models.TransientModel):
    _name = "helpdesk.coupon.extend"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Extend a code that was made on a ticket"

    coupon_id = fields.Many2one(
        comodel_name="loyalty.card", required=True, ondelete="cascade"
    )
    valid_until = fields.Date(
        compute="_compute_valid_until",
        store=True,
        readonly=False,
        help="Leave it empty for a code that is valid as long as its program.",
    )

    @api.depends("coupon_id")
    def _compute_valid_until(self):
        today = fields.Date.context_today(self)
        for wizard in self:
            # sudo: whether its program ends, of a code that the user may read.
            end = wizard.coupon_id.sudo().program_id.date_to
            month = fields.Date.add(today, months=1)
            wizard.valid_until = min(end, month) if end else month

    def action_extend(self):
        """Let the code be valid until another day, and close the pop-up.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the code was used or withdrawn, its program is over, or
            the day can't be
        """
        self.ensure_one()
        self.coupon_id._extend_from_helpdesk(self.valid_until)
        return {"type": "ir.actions.act_window_close"}
