from odoo import api, models
from odoo.tools import SQL


class HelpdeskAfterSalesReport(models.Model):
    _inherit = "helpdesk.after.sales.report"

    _depends = {
        "account.analytic.line": ["amount", "unit_amount"],
        "project.task": [
            "company_id",
            "fsm_done",
            "fsm_work_ended_on",
            "fsm_work_started_on",
            "helpdesk_reason_id",
            "helpdesk_ticket_id",
            "is_fsm",
            "planned_date_begin",
        ],
    }

    @api.model
    def _selection_act(self):
        return [*super()._selection_act(), ("visit", self.env._("Visit"))]

    @api.model
    def _get_parts(self):
        """Visits that are done. Where Timesheets is installed, its hours at the cost of
        the employees; else the hours that technicians noted, whose cost nobody knows.
        """
        noted = SQL(
            "GREATEST(EXTRACT(EPOCH FROM task.fsm_work_ended_on - "
            "task.fsm_work_started_on) / 3600.0, 0)"
        )
        sheets = "task_id" in self.env["account.analytic.line"]._fields
        booked = (
            "SELECT SUM({}) FROM account_analytic_line sheet WHERE task_id = task.id"
        )
        return super()._get_parts() | {
            "visit": {
                "id": SQL("task.id"),
                "act": SQL("'visit'"),
                "date": self._get_day(
                    SQL(
                        "COALESCE(task.fsm_work_ended_on, task.planned_date_begin, "
                        "task.write_date)"
                    )
                ),
                "company_id": SQL("COALESCE(task.company_id, ticket.company_id)"),
                "ticket_id": SQL("task.helpdesk_ticket_id"),
                "reason_id": SQL("task.helpdesk_reason_id"),
                "res_model": SQL("'project.task'"),
                "res_id": SQL("task.id"),
                "hours": SQL(
                    "COALESCE((%s), %s)", SQL(booked.format("unit_amount")), noted
                )
                if sheets
                else noted,
                "cost": SQL("(%s)", SQL(booked.format("-amount")))
                if sheets
                else SQL("NULL"),
                "from": SQL(
                    "project_task task "
                    "JOIN helpdesk_ticket ticket ON ticket.id = task.helpdesk_ticket_id"
                ),
                "where": SQL(
                    "task.helpdesk_ticket_id IS NOT NULL AND task.is_fsm "
                    "AND task.fsm_done"
                ),
            }
        }
