from odoo import fields, models
from odoo.exceptions import UserError


class HelpdeskAfterSalesApprovalDecline(models.TransientModel):
    _name = "helpdesk.after.sales.approval.decline"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Decline an approval"

    approval_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.approval", ondelete="cascade"
    )
    reason = fields.Text(help="For the colleague who asked.")

    def action_decline(self):
        """Decline, and tell the colleague why. Returns the action that closes the
        pop-up.

        :raises AccessError: for whoever may not approve it
        :raises UserError: without a reason, or when it was answered already
        """
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why."))
        self.approval_id._decline(reason)
        return {"type": "ir.actions.act_window_close"}
