from odoo import api, fields, models


class ProjectProject(models.Model):
    _name = "project.project"
    _inherit = ["helpdesk.chosen.mixin", "project.project"]
    _chosen_ours = True

    is_fsm = fields.Boolean(
        string="Field Service",
        help="The tasks of this project are visits to customers. Interventions are "
        "planned in it from helpdesk tickets.",
    )
    allow_worksheets = fields.Boolean(
        string="Worksheets",
        default=True,
        help="Technicians report their work on a worksheet that the customer signs.",
    )
    worksheet_template_id = fields.Many2one(
        comodel_name="fsm.worksheet.template",
        string="Default Worksheet Template",
        groups="base.group_user",
        index="btree_not_null",
        check_company=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=?', company_id)]",
    )

    def _get_fsm_stage(self, kind):
        """Return the stage of this project for visits of one kind, or no record.

        Our own stage, or one of its name in any language. Else, for the end of a visit,
        what is left of the folded ones: never the stage of the other end (goods C7).

        :param kind: ``planned``, ``in_progress``, ``done`` or ``cancelled``
        """
        self.ensure_one()
        # sudo: which stage it is, for who works on a task of the project.
        stages = self.sudo().type_ids.sorted()
        if known := self._get_known_fsm_stages(stages, kind):
            return known[:1]
        if kind not in ("done", "cancelled"):
            return stages.browse()
        other = "cancelled" if kind == "done" else "done"
        other = self._get_known_fsm_stages(stages, other)
        folded = stages.filtered("fold") - other
        if kind == "done":
            return folded[:1]
        # One folded stage that has no known name is that of finished work.
        return folded[-1:] if other or len(folded) > 1 else folded.browse()

    @api.model
    def _get_known_fsm_stages(self, stages, kind):
        """Return those of ``stages`` that are our own stage ``kind``, else those that
        have its name."""
        own = self.env.ref(f"helpdesk_fsm.project_task_type_{kind}", False)
        if own and own.id in stages.ids:
            return stages.browse(own.id)
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        names = {"canceled", "cancelled"} if kind == "cancelled" else set()
        for code in languages:
            names.add(self._get_fsm_stage_name(kind, code).casefold())
        return stages.filtered(
            lambda stage: any(
                stage.with_context(lang=code).name.strip().casefold() in names
                for code in languages
            )
        )

    @api.model
    def _get_fsm_stage_name(self, kind, code):
        """Return what people who read the language ``code`` call a stage."""
        env = self.with_context(lang=code).env
        return {
            "planned": env._("Planned"),
            "in_progress": env._("In Progress"),
            "done": env._("Done"),
            "cancelled": env._("Cancelled"),
        }[kind]
