from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.helpdesk_after_sales.tools.reading import check_one


class ProjectTask(models.Model):
    _inherit = "project.task"

    is_fsm = fields.Boolean(
        related="project_id.is_fsm", string="Field Service", store=True
    )
    allow_worksheets = fields.Boolean(related="project_id.allow_worksheets")
    # Neither is computed before there is a task: customers who create one in a project
    # that is shared with them may not read the fields that Odoo asks for then.
    worksheet_template_id = fields.Many2one(
        comodel_name="fsm.worksheet.template",
        compute="_compute_worksheet_template_id",
        store=True,
        readonly=False,
        copy=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="['|', ('company_id', '=', False), ('company_id', '=?', company_id)]",
    )
    worksheet_properties = fields.Properties(
        definition="worksheet_template_id.properties_definition",
        string="Worksheet",
        precompute=False,
        copy=False,
    )
    worksheet_photo_ids = fields.One2many(
        comodel_name="fsm.task.photo", inverse_name="task_id", string="Photos"
    )

    _fsm_planning_idx = models.Index("(planned_date_begin, date_deadline) WHERE is_fsm")
    _fsm_notice_idx = models.Index("(id) WHERE fsm_notice_pending")

    @property
    def TASK_PORTAL_READABLE_FIELDS(self):
        # Odoo asks for the definition of the properties of a new task.
        return super().TASK_PORTAL_READABLE_FIELDS | {"worksheet_template_id"}

    @api.depends("project_id")
    def _compute_worksheet_template_id(self):
        for task in self:
            # sudo: technicians and agents may not read every project.
            project = task.project_id.sudo()
            if (
                not task.worksheet_template_id
                and project.is_fsm
                and project.allow_worksheets
            ):
                task.worksheet_template_id = project.worksheet_template_id

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        tasks = super().create(vals_list)
        # sudo: customers who share a project may not read what is compared here.
        visits = tasks.sudo().filtered("is_fsm")
        visits._tell_unable_assignees()
        visits.filtered("planned_date_begin")._mark_visit_notice()
        return tasks

    def write(self, vals):
        self._check_worksheet_write(vals)
        if not vals.keys() & (self._get_notice_fields() | {"user_ids"}):
            return super().write(vals)
        # sudo: customers who share a project may not read what is compared here.
        former = {task: task.partner_id for task in self.sudo()}
        assigned = {task: task.user_ids for task in self.sudo()}
        result = super().write(vals)
        visits = self.sudo().filtered("is_fsm")
        visits._mark_visit_notice()
        visits._tell_unable_assignees(assigned)
        for task in visits:
            if task.fsm_access_token and task.partner_id != former[task]:
                # The link of the former customer must not open the visit any more.
                task.fsm_access_token = False
        return result

    def unlink(self):
        # Before the files of the task are deleted, which are sealed as well.
        self._unlink_except_signed_worksheet()
        return super().unlink()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed_worksheet(self):
        for task in self.sudo():  # whether it was signed, nothing else
            # A later version was signed before it was opened again.
            if task.worksheet_signed_on or task.worksheet_version > 1:
                raise UserError(
                    self.env._(
                        "%(task)s holds a worksheet that was signed. Archive the task "
                        "instead of deleting it.",
                        task=task.name,
                    )
                )

    # -- Views ---------------------------------------------------------------

    def get_formview_id(self, access_uid=None):
        if len(self) == 1 and self.sudo().is_fsm:  # a flag of the task to open
            return self.with_user(access_uid or self.env.user)._get_fsm_form_view().id
        return super().get_formview_id(access_uid)

    @api.model
    def _get_fsm_form_view(self):
        """Return the form of field service. Agents only read the tasks of their
        tickets: in theirs nothing can be typed that the server would refuse then."""
        works = self.env.user.has_groups(
            "helpdesk_fsm.group_fsm_user,project.group_project_user"
        )
        suffix = "" if works else "_readonly"
        return self.env.ref(f"helpdesk_fsm.project_task_view_form_fsm{suffix}")

    @api.model
    def _with_fsm_views(self, action):
        """Return ``action`` with the list and form of field service."""
        views = {
            "list": self.env.ref("helpdesk_fsm.project_task_view_list_fsm").id,
            "form": self._get_fsm_form_view().id,
        }
        return action | {
            "views": [(views.get(kind, view), kind) for view, kind in action["views"]]
        }

    def action_open_visit(self):
        """Return the action that opens this task in the form of field service.

        :raises AccessError: when the task isn't the user's to read
        """
        check_one(self)
        self.check_access("read")
        return self._with_fsm_views(self._get_records_action())

    # -- Visit ---------------------------------------------------------------

    def action_fsm_validate(self):
        """Mark the visit as done, and tell the ticket.

        Asks first when required fields or the signature are missing: returns the
        action of a pop-up then, else ``True``.

        :raises AccessError: when the task isn't the user's to change
        :raises UserError: when the visit was cancelled or is no field service task
        """
        check_one(self)
        self.check_access("write")
        if self._get_validation_doubts():
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Mark as done?"),
                "res_model": "fsm.task.validate",
                "views": [(False, "form")],
                "target": "new",
                "context": {"default_task_id": self.id},
            }
        self._fsm_validate()
        return True

    def _get_validation_doubts(self):
        """Return sentences about what is missing before the visit is done."""
        self.ensure_one()
        if not self.is_fsm:
            raise UserError(self.env._("This is not a field service task."))
        if self.state == "1_canceled":
            raise UserError(
                self.env._("This visit was cancelled. Plan it again before it is done.")
            )
        if not self.worksheet_template_id or self.worksheet_signed_on:
            return []
        doubts = []
        if missing := self._get_missing_labels():
            doubts.append(
                self.env._(
                    "These fields of the worksheet are empty: %(labels)s.",
                    labels=", ".join(missing),
                )
            )
        doubts.append(self.env._("The customer has not signed the worksheet."))
        return doubts

    def _fsm_validate(self):
        """Mark the visit as done and move it to the stage for that."""
        self.ensure_one()
        self.check_access("write")
        if self.fsm_done:
            return
        # sudo: write access was checked; what is done is marked by this method only.
        task = self.sudo()
        vals = {"fsm_done": True, "state": "1_done"}
        if (
            task.fsm_work_started_on
            and not task.fsm_work_ended_on
            and not task.worksheet_signed_on
        ):
            vals["fsm_work_ended_on"] = fields.Datetime.now()
        if stage := task.project_id._get_fsm_stage("done"):
            vals["stage_id"] = stage.id
        task.write(vals)

    def action_fsm_reopen(self):
        """Take back that the visit is done. Returns ``True``."""
        self.check_access("write")
        # sudo: write access was checked; see action_fsm_validate.
        for task in self.sudo().filtered("fsm_done"):
            project = task.project_id
            ended = project._get_fsm_stage("done") | project._get_fsm_stage("cancelled")
            open_stages = project.type_ids.filtered(lambda stage: not stage.fold)
            stage = (open_stages - ended).sorted()[:1]
            task.write(
                {
                    "fsm_done": False,
                    "state": "01_in_progress",
                    **({"stage_id": stage.id} if stage else {}),
                }
            )
        return True

    def action_fsm_cancel(self):
        """Cancel the visit: the customer is told, and the ticket. Returns ``True``."""
        self.state = "1_canceled"
        for task in self:
            # sudo: the project of a task that the user could just write.
            if stage := task.project_id.sudo()._get_fsm_stage("cancelled"):
                task.stage_id = stage.sudo(False)
        return True

    def action_reopen_worksheet(self):
        """Return the action that asks why a signed worksheet is opened again."""
        check_one(self)
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reopen the worksheet"),
            "res_model": "fsm.worksheet.reopen",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_task_id": self.id},
        }

    def action_print_worksheet(self):
        """Return the action that prints the worksheet report (S111).

        :raises AccessError: when the task isn't the user's to read
        """
        check_one(self)
        self.check_access("read")
        return self.env.ref("helpdesk_fsm.action_report_worksheet").report_action(self)

    def _is_fsm_user(self):
        return any(
            map(
                self.env.user.has_group,
                ("helpdesk_fsm.group_fsm_user", "project.group_project_user"),
            )
        )

    def action_send_worksheet(self):
        """Send the customer the report, and the link to read and sign it (S110, S111).

        Returns ``True``.

        :raises AccessError: when the task isn't the user's to change
        :raises UserError: without a worksheet, or without the customer's address
        """
        check_one(self)
        self.check_access("write")
        if not self._is_fsm_user():
            # Everybody has tasks of their own.
            raise AccessError(
                self.env._("Only field service and project users can send worksheets.")
            )
        if not self.is_fsm or not self.worksheet_template_id:
            raise UserError(self.env._("This task has no worksheet to send."))
        # sudo: write access was checked. The report and the link go to the customer of
        # this very task.
        task = self.sudo()
        if not task.partner_id.email:
            raise UserError(
                self.env._(
                    "%(task)s: the customer has no email address. Add one to the "
                    "contact, or have the worksheet signed here.",
                    task=task.name,
                )
            )
        task.worksheet_shared_on = fields.Datetime.now()
        # sudo: the user may write the task (checked above); the report reads
        # names of its project and template.
        pdf, _kind = (
            self.env["ir.actions.report"]
            .sudo()
            ._render_qweb_pdf("helpdesk_fsm.report_worksheet", task.ids)
        )
        partner = task.partner_id
        translated = task.with_context(lang=partner.lang or self.env.lang)
        translated.message_post(
            body=translated.env["ir.qweb"]._render(
                "helpdesk_fsm.worksheet_notice",
                {"task": translated, "url": translated._get_visit_url()},
                minimal_qcontext=True,
            ),
            subject=translated.env._("Worksheet: %(task)s", task=task.name),
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=partner.ids,
            email_layout_xmlid="mail.mail_notification_light",
            attachments=[(f"worksheet-{task.id}.pdf", pdf)],
        )
        return True
