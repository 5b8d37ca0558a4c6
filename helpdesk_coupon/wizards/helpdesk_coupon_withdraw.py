from odoo import fields, models
from odoo.exceptions import UserError


class HelpdeskCouponWithdraw(models.TransientModel):
    _name = "helpdesk.coupon.withdraw"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Withdraw a code that was made on a ticket"

    coupon_id = fields.Many2one(
        comodel_name="loyalty.card", required=True, ondelete="cascade"
    )
    reason = fields.Text(required=True)
    tell_customer = fields.Boolean(
        string="Notify the Customer",
        help="Sends the reason to the customer of the code.",
    )

    def action_withdraw(self):
        """Make the code unusable, and close the pop-up.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the code was used or withdrawn
        """
        self.ensure_one()
        self.coupon_id._check_helpdesk_withdrawable()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Enter the reason for withdrawing the code."))
        self.coupon_id._withdraw_from_helpdesk(self.reason.strip(), self.tell_customer)
        return {"type": "ir.actions.act_window_close"}
