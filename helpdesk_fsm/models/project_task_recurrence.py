from odoo import api, models


class ProjectTaskRecurrence(models.Model):
    _inherit = "project.task.recurrence"

    @api.model
    def _create_next_occurrences_values(self, recurrence_by_task):
        """The next visit is planned whole, as the one before it: a start makes it part
        of somebody's plan, and tells the customer of it."""
        next_values = super()._create_next_occurrences_values(recurrence_by_task)
        for (task, recurrence), values in zip(
            recurrence_by_task.items(), next_values, strict=True
        ):
            # sudo: customers who share a project may not read what is carried over; the
            # next task is made by the system, as Project does.
            visit = task.sudo()
            if visit.is_fsm:
                values.update(
                    visit._prepare_next_visit_values(
                        values.get("date_deadline"), recurrence._get_recurrence_delta()
                    )
                )
        return next_values
