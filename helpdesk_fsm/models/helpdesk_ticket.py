from odoo import api, fields, models
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    fsm_task_ids = fields.One2many(
        comodel_name="project.task",
        inverse_name="helpdesk_ticket_id",
        string="Field Service Tasks",
        domain=[("is_fsm", "=", True)],
        copy=False,
    )
    fsm_task_count = fields.Integer(
        string="Number of Field Service Tasks",
        compute="_compute_fsm_task_count",
        groups="base.group_user",
    )

    def _compute_fsm_task_count(self):
        count = self._after_sales_count("project.task", Domain("is_fsm", "=", True))
        for ticket in self:
            ticket.fsm_task_count = count.get(ticket._origin, 0)

    @api.readonly
    def action_plan_intervention(self):
        """Return the action that opens **Create a Field Service task** (S104, S105).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the service is off for the team, or there is no customer
        """
        self.ensure_one()
        return self._open_after_sales_wizard(
            "helpdesk.intervention.wizard",
            "use_fsm",
            self.env._("Create a Field Service task"),
        )

    @api.readonly
    def action_view_fsm_tasks(self):
        """Return the action for the tasks of this ticket: a form for one, a list for
        several (S117)."""
        self.ensure_one()
        action = self._open_after_sales_documents(
            "project.task", Domain("is_fsm", "=", True)
        )
        return self.env["project.task"]._with_fsm_views(action) | {
            "name": self.env._("Tasks"),
            # Plan Intervention makes them.
            "context": {"create": False},
        }
