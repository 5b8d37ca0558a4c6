from odoo import Command, api, fields, models


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    fsm_project_id = fields.Many2one(
        comodel_name="project.project",
        string="Field Service Project",
        index="btree_not_null",
        check_company=True,
        domain="[('is_fsm', '=', True), ('is_template', '=', False),"
        " ('company_id', 'in', [company_id, False])]",
        help="Interventions are planned in this project, unless the agent chooses "
        "another one.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        teams = super().create(vals_list)
        teams._ensure_fsm_project()
        return teams

    def write(self, vals):
        result = super().write(vals)
        if vals.get("use_fsm"):
            self._ensure_fsm_project()
        return result

    def _ensure_fsm_project(self):
        """Give teams with the service on a default project: one per company, made when
        it is first needed (S102, S103)."""
        for team in self:
            if team.use_fsm and not team.fsm_project_id:
                # sudo: the manager need not see the project.
                team.sudo().fsm_project_id = team._find_fsm_project()

    def _find_fsm_project(self):
        """Return the company's field service project, made now if there is none."""
        self.ensure_one()
        # sudo: helpdesk managers switch services on without any right in Project. One
        # project of the team's company is looked up, or made.
        projects = self.env["project.project"].sudo().with_company(self.company_id)
        return projects.search(
            [
                ("is_fsm", "=", True),
                ("is_template", "=", False),
                ("company_id", "=", self.company_id.id),
            ],
            order="id",
            limit=1,
        ) or projects.create(self._prepare_fsm_project_values())

    def _prepare_fsm_project_values(self):
        """Return the values of a new field service project.

        Only who is invited sees all of its tasks: they hold people's homes.
        """
        stages = self.env["project.task.type"]
        for name in ("new", "planned", "in_progress", "done", "cancelled"):
            stages |= (
                self.env.ref(f"helpdesk_fsm.project_task_type_{name}", False) or stages
            )
        template = self.env.ref("helpdesk_fsm.fsm_worksheet_template_report", False)
        return {
            "name": self.env._("Field Service"),
            "company_id": self.company_id.id,
            "is_fsm": True,
            "allow_worksheets": True,
            "worksheet_template_id": template.id if template else False,
            "privacy_visibility": "followers",
            "type_ids": [Command.set(stages.ids)],
        }
