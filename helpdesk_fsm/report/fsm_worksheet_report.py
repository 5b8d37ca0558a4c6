from odoo import api, models
from odoo.exceptions import AccessError


class FsmWorksheetReport(models.AbstractModel):
    _name = "report.helpdesk_fsm.report_worksheet"
    _description = "Worksheet Report"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return what the report shows, for all the asked tasks or none.

        Odoo serves reports at an address of their own to whoever is logged in,
        customers too: their way is the page of the visit, which makes the report after
        its own check (T12).

        :raises AccessError: when the user may not read every one of the tasks
        """
        tasks = self.env["project.task"].browse(docids)
        if not self.env.su and not self.env.user._is_internal():
            raise AccessError(
                self.env._("Open the visit in the portal to read its worksheet.")
            )
        tasks.check_access("read")
        # sudo: each of the tasks may be read; names of project, template and customer
        # belong to the report of it.
        sheets = tasks.sudo()
        return {
            "doc_ids": docids,
            "doc_model": "project.task",
            "docs": sheets,
            "data": data or {},
            "contents": {task.id: task._get_worksheet_content() for task in sheets},
            "photos": {
                task.id: {
                    photo.id: photo.image_512 for photo in task.worksheet_photo_ids
                }
                for task in sheets
            },
        }
