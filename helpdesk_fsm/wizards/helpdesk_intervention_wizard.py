from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import asks_rules

from ..models.fsm_visit import VISIT_LENGTH


class HelpdeskInterventionWizard(models.TransientModel):
    _name = "helpdesk.intervention.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Field service task from a helpdesk ticket"

    _after_sales_switch = "use_fsm"
    _after_sales_result = "task_id"

    name = fields.Char(
        string="Title",
        compute="_compute_from_ticket",
        store=True,
        precompute=True,
        readonly=False,
    )
    company_id = fields.Many2one(related="helpdesk_ticket_id.company_id")
    project_id = fields.Many2one(
        comodel_name="project.project",
        compute="_compute_from_ticket",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('is_fsm', '=', True), ('is_template', '=', False),"
        " ('company_id', 'in', [company_id, False])]",
    )
    allow_worksheets = fields.Boolean(related="project_id.allow_worksheets")
    worksheet_template_id = fields.Many2one(
        comodel_name="fsm.worksheet.template",
        compute="_compute_worksheet_template_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('company_id', 'in', [company_id, False])]",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_from_ticket",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', helpdesk_commercial_partner_id)]",
        help="Where the technician goes: the customer of the ticket, or another "
        "address of the same company.",
    )
    partner_address = fields.Char(compute="_compute_partner_address")
    partner_phone = fields.Char(compute="_compute_partner_address")
    user_ids = fields.Many2many(
        comodel_name="res.users",
        string="Assignees",
        # As on tasks: one who has left is refused, not passed over.
        context={"active_test": False},
        domain="[('share', '=', False), ('active', '=', True),"
        " ('company_ids', 'in', company_id)]",
    )
    planned_date_begin = fields.Datetime(string="Planned Start")
    date_deadline = fields.Datetime(string="Planned End")
    overlap_notice = fields.Text(compute="_compute_overlap_notice")
    planning_notice = fields.Text(compute="_compute_planning_notice")
    free_times = fields.Text(
        compute="_compute_free_times",
        help="The next times when none of the assignees has a visit, in the working "
        "hours of the company.",
    )
    task_id = fields.Many2one(
        comodel_name="project.task", readonly=True, server_only=True, copy=False
    )

    @api.model
    def _get_offer_domain(self, field, ticket):
        # sudo: the project of the team, which agents need not see, and its preset.
        project = ticket.sudo().team_id.fsm_project_id
        if field.name == "project_id":
            return Domain("id", "in", project.ids)
        if field.name == "worksheet_template_id":
            return Domain("id", "in", project.worksheet_template_id.ids)
        return super()._get_offer_domain(field, ticket)

    # -- Computes ------------------------------------------------------------

    @api.depends("helpdesk_ticket_id")
    def _compute_from_ticket(self):
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id
            wizard.name = ticket.name
            wizard.partner_id = ticket.partner_id
            # sudo: the default project of a visible team; agents may not see teams'
            # settings of Project.
            project = ticket.team_id.sudo().fsm_project_id
            wizard.project_id = project if project.active else False

    @api.depends("project_id")
    def _compute_worksheet_template_id(self):
        for wizard in self:
            # sudo: the preset of a project that can be chosen here.
            project = wizard.project_id.sudo()
            template = project.worksheet_template_id
            wizard.worksheet_template_id = (
                template if project.allow_worksheets and template.active else False
            )

    @api.depends("partner_id")
    def _compute_partner_address(self):
        for wizard in self:
            partner = wizard.partner_id
            lines = partner._display_address(without_company=True) if partner else ""
            wizard.partner_address = ", ".join(
                filter(None, map(str.strip, lines.splitlines()))
            )
            wizard.partner_phone = partner.phone

    @api.depends("user_ids", "planned_date_begin", "date_deadline")
    def _compute_overlap_notice(self):
        for wizard in self:
            wizard.overlap_notice = self.env["project.task"]._describe_overlaps(
                wizard.user_ids._origin,
                wizard.planned_date_begin,
                wizard.date_deadline,
            )

    @api.depends("user_ids", "partner_id.email", "planned_date_begin", "date_deadline")
    def _compute_planning_notice(self):
        for wizard in self:
            wizard.planning_notice = self.env["project.task"]._describe_planning(
                wizard.user_ids,
                wizard.partner_id,
                wizard.planned_date_begin,
                wizard.date_deadline,
            )

    @api.depends("user_ids", "planned_date_begin", "date_deadline", "company_id")
    def _compute_free_times(self):
        for wizard in self:
            begin, end = wizard.planned_date_begin, wizard.date_deadline
            length = end - begin if begin and end and end > begin else VISIT_LENGTH
            # Only of whom the user may read: a pop-up takes any id.
            users = wizard.user_ids._origin._filtered_access("read")
            wizard.free_times = self.env["project.task"]._describe_free_times(
                users, wizard.company_id, begin, length
            )

    @api.onchange("planned_date_begin")
    def _onchange_planned_date_begin(self):
        begin, end = self.planned_date_begin, self.date_deadline
        if begin and (not end or end <= begin):
            self.date_deadline = begin + VISIT_LENGTH

    # -- Plan ----------------------------------------------------------------

    @asks_rules
    def action_create_task(self):
        """Create the task and stay on the ticket (S115).

        :raises AccessError, UserError: see :meth:`_create_task`
        """
        return self._create_task() or {"type": "ir.actions.act_window_close"}

    @asks_rules
    def action_create_and_view_task(self):
        """Create the task and return the action that opens it (S116).

        :raises AccessError, UserError: see :meth:`_create_task`
        """
        return self._create_task() or self._open_result()

    def _open_result(self):
        action = super()._open_result()
        return action and self.env["project.task"]._with_fsm_views(action)

    def _create_task(self):
        """Create one task of this ticket; returns the action that opens the one that
        this pop-up made before, if it did.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence what can't be planned
        """
        self._check_ready()
        # No purchase is held, and no lock is needed: two presses at once both write the
        # row of this pop-up, so that one is tried again and finds the other's task.
        if made := self._open_result():
            return made
        self._check_intervention()
        wizard = self._without_defaults().with_company(self.company_id)
        # sudo: _check_ready proved that the user may work on this ticket, and
        # _check_intervention what was chosen; helpdesk users have no rights in
        # Project, and exactly one task is made here.
        tasks = wizard.env["project.task"].sudo()
        self.sudo().task_id = tasks.create(wizard._prepare_task_values())
        self._approve_request(self.task_id)
        return False

    def _check_intervention(self):
        """Refuse what can't be planned, in one sentence.

        :raises UserError: with what to do about it
        """
        company = self.company_id
        # sudo: states and companies of what was chosen are compared, not shown.
        wizard = self.sudo()
        project, template = wizard.project_id, wizard.worksheet_template_id
        if not (self.name or "").strip():
            raise UserError(self.env._("Write a title for the visit."))
        if not project:
            raise UserError(
                self.env._(
                    "Choose a field service project. A helpdesk manager can set one "
                    "for the team %(team)s.",
                    team=self.helpdesk_ticket_id.team_id.display_name,
                )
            )
        if not project.is_fsm or not project.active or project.is_template:
            raise UserError(
                self.env._(
                    "%(project)s is not an active field service project. Choose "
                    "another one.",
                    project=project.name,
                )
            )
        if project.company_id and project.company_id != company:
            raise UserError(
                self.env._(
                    "The project belongs to another company than the ticket. Choose "
                    "one of %(company)s.",
                    company=company.display_name,
                )
            )
        if template and (
            not template.active
            or (template.company_id and template.company_id != company)
        ):
            raise UserError(
                self.env._(
                    "%(template)s is archived or belongs to another company. Choose "
                    "another worksheet template.",
                    template=template.name,
                )
            )
        customer = self.helpdesk_commercial_partner_id
        if wizard.partner_id.commercial_partner_id != customer:
            raise UserError(
                self.env._(
                    "Choose %(customer)s, or one of its contacts and addresses.",
                    customer=customer.display_name,
                )
            )
        self._check_dates()
        self._check_assignees()

    def _check_dates(self):
        begin, end = self.planned_date_begin, self.date_deadline
        if end and not begin:
            raise UserError(
                self.env._("Choose a start for the visit as well, or clear its end.")
            )
        if begin and end and end < begin:
            raise UserError(
                self.env._("The visit would end before it starts. Change its end.")
            )

    def _check_assignees(self):
        company = self.company_id
        # sudo: where colleagues work is compared.
        for user in self.sudo().user_ids:
            works_here = user.company_id == company or company in user.company_ids
            if user.share or not user.active or not works_here:
                raise UserError(
                    self.env._(
                        "%(user)s can't be sent to this visit: choose colleagues of "
                        "%(company)s.",
                        user=user.name,
                        company=company.display_name,
                    )
                )

    def _prepare_task_values(self):
        """Return the values of the new task."""
        # sudo: checked by _check_intervention.
        project = self.project_id.sudo()
        # The first stage, as Odoo finds it by a search: it reads all of them later.
        stage = project.type_ids.sorted("fold")[:1]
        if self.planned_date_begin:
            planned = self.env["ir.model.data"]._xmlid_to_res_id(
                "helpdesk_fsm.project_task_type_planned"
            )
            stage = project.type_ids.filtered(lambda s: s.id == planned) or stage
        return {
            "name": self.name.strip(),
            "project_id": project.id,
            "stage_id": stage.id,
            "partner_id": self.partner_id.id,
            "user_ids": [Command.set(self.user_ids.ids)],
            "planned_date_begin": self.planned_date_begin,
            "date_deadline": self.date_deadline
            or (self.planned_date_begin and self.planned_date_begin + VISIT_LENGTH),
            "worksheet_template_id": project.allow_worksheets
            and self.worksheet_template_id.id,
            "description": self.helpdesk_ticket_id.description,
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
        }
