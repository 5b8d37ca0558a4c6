from odoo import api, fields, models


class FsmTaskValidate(models.TransientModel):
    _name = "fsm.task.validate"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Mark a visit as done although something is missing"

    task_id = fields.Many2one(
        comodel_name="project.task", required=True, ondelete="cascade"
    )
    message = fields.Text(compute="_compute_message")

    @api.depends("task_id")
    def _compute_message(self):
        for wizard in self:
            doubts = wizard.task_id and wizard.task_id._get_validation_doubts()
            wizard.message = "\n".join(doubts or ())

    def action_confirm(self):
        """Mark the visit as done as it is; what was missing goes into its chatter.

        Returns the action that closes the pop-up.
        """
        self.ensure_one()
        doubts = self.task_id._get_validation_doubts()
        self.task_id._fsm_validate()
        for doubt in doubts:
            self.task_id._message_log(body=doubt)
        return {"type": "ir.actions.act_window_close"}
