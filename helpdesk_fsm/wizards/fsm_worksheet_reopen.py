from odoo import fields, models


class FsmWorksheetReopen(models.TransientModel):
    _name = "fsm.worksheet.reopen"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Open a signed worksheet again"

    task_id = fields.Many2one(
        comodel_name="project.task", required=True, ondelete="cascade"
    )
    reason = fields.Char(required=True)

    def action_reopen(self):
        """Open the worksheet as a new version. Returns the action that closes."""
        self.ensure_one()
        self.task_id._reopen_worksheet(self.reason)
        return {"type": "ir.actions.act_window_close"}
