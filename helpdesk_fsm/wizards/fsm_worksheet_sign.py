from odoo import api, fields, models
from odoo.http import request


class FsmWorksheetSign(models.TransientModel):
    """The customer signs on the technician's phone or tablet (S110)."""

    _name = "fsm.worksheet.sign"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Sign a worksheet"

    task_id = fields.Many2one(
        comodel_name="project.task", required=True, ondelete="cascade"
    )
    signed_by = fields.Char(string="Name", required=True)
    signature = fields.Binary(attachment=False)
    work_goes_on = fields.Boolean(
        string="Work Continues", compute="_compute_work_goes_on"
    )

    @api.depends("task_id")
    def _compute_work_goes_on(self):
        for wizard in self:
            task = wizard.task_id
            wizard.work_goes_on = (
                task.fsm_work_started_on and not task.fsm_work_ended_on
            )

    def action_sign(self):
        """Seal the worksheet. Returns the action that closes the pop-up.

        :raises AccessError: when the task isn't the user's to change
        :raises UserError: see ``project.task._sign_worksheet``
        """
        self.ensure_one()
        self.task_id.check_access("write")
        self.task_id._sign_worksheet(
            self.signed_by,
            self.with_context(bin_size=False).signature,
            request.httprequest.remote_addr if request else False,
        )
        return {"type": "ir.actions.act_window_close"}
