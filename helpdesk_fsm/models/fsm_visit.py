import uuid
from datetime import timedelta
from urllib.parse import quote_plus

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, format_time

from odoo.addons.helpdesk_after_sales.tools.reading import check_one
from odoo.addons.project.models.project_task import CLOSED_STATES

#: how long a visit takes whose end nobody planned
VISIT_LENGTH = timedelta(hours=1)


def format_moment(env, moment, tz=None):
    """Return date and time as people read them, without seconds.

    :param moment: in UTC, or nothing
    :param tz: of the reader; that of the context or user by default
    """
    if not moment:
        return ""
    local = fields.Datetime.context_timestamp(
        env["res.users"].with_context(tz=tz or env.context.get("tz") or env.user.tz),
        moment,
    )
    clock = format_time(env, local.time(), time_format="short")
    return f"{format_date(env, local.date())} {clock}"


def format_span(env, begin, end, tz=None):
    """Return when a visit is, as people read it: its start, and its end where that is
    on another day. See :func:`format_moment`."""
    moments = [format_moment(env, moment, tz) for moment in (begin, end)]
    days = {
        fields.Datetime.context_timestamp(
            env["res.users"].with_context(tz=tz or env.context.get("tz")), moment
        ).date()
        for moment in (begin, end)
        if moment
    }
    if len(days) < 2:
        return moments[0]
    return env._("%(begin)s to %(end)s", begin=moments[0], end=moments[1])


class ProjectTask(models.Model):
    """When somebody comes to the customer, and who."""

    _inherit = "project.task"

    planned_date_begin = fields.Datetime(
        string="Planned Start", copy=False, tracking=True
    )
    fsm_done = fields.Boolean(
        string="Visit Done",
        readonly=True,
        server_only=True,
        copy=False,
        tracking=True,
    )
    fsm_work_started_on = fields.Datetime(string="Work Started", copy=False)
    fsm_work_ended_on = fields.Datetime(string="Work Ended", copy=False)
    fsm_access_token = fields.Char(
        string="Customer's Link",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_system",
    )
    fsm_partner_address = fields.Char(
        string="Visit Address", compute="_compute_fsm_partner_address"
    )
    fsm_partner_map_url = fields.Char(
        string="Map", compute="_compute_fsm_partner_address"
    )

    fsm_overlap_notice = fields.Text(
        string="Overlapping Visits", compute="_compute_fsm_overlap_notice"
    )
    fsm_planning_notice = fields.Text(
        string="Planning Issues", compute="_compute_fsm_planning_notice"
    )
    fsm_planned_hours = fields.Float(
        string="Planned Length",
        compute="_compute_fsm_planned_hours",
        export_string_translation=False,
        help="Technical: a visit that is moved in the form keeps its length.",
    )

    @api.constrains("planned_date_begin", "date_deadline")
    def _check_planned_dates(self):
        for task in self.filtered("is_fsm"):
            begin, end = task.planned_date_begin, task.date_deadline
            if begin and end and end < begin:
                raise ValidationError(
                    self.env._(
                        "%(task)s: the visit would end before it starts. Choose an end "
                        "after the start.",
                        task=task.name,
                    )
                )

    @api.depends("partner_id")
    def _compute_fsm_partner_address(self):
        # Who may write the task could point it to any contact: they see the address of
        # those that they may read.
        writable = self._origin._filtered_access("write") if not self.env.su else []
        for task in self:
            partner = task.partner_id
            if task._origin and task._origin not in writable:
                # sudo: the address of the customer to go to, for who sees the task by
                # the ticket only, and can't change it.
                partner = partner.sudo()
            else:
                partner = partner._filtered_access("read")
            lines = partner._display_address(without_company=True) if partner else ""
            address = ", ".join(filter(None, map(str.strip, lines.splitlines())))
            task.fsm_partner_address = address
            task.fsm_partner_map_url = (
                f"https://www.openstreetmap.org/search?query={quote_plus(address)}"
                if address
                else False
            )

    @api.depends("user_ids", "planned_date_begin", "date_deadline")
    def _compute_fsm_overlap_notice(self):
        for task in self:
            task.fsm_overlap_notice = task.is_fsm and task._describe_overlaps(
                task.user_ids._origin,
                task.planned_date_begin,
                task.date_deadline,
                task._origin.ids,
            )

    @api.depends("user_ids", "partner_id.email", "planned_date_begin", "date_deadline")
    def _compute_fsm_planning_notice(self):
        for task in self:
            over = task.fsm_done or task.state in CLOSED_STATES
            task.fsm_planning_notice = (
                task.is_fsm
                and not over
                and task._describe_planning(
                    task.user_ids,
                    task.partner_id,
                    task.planned_date_begin,
                    task.date_deadline,
                )
            )

    # Of the end only: when the start is moved, the length is that from before.
    @api.depends("date_deadline")
    def _compute_fsm_planned_hours(self):
        for task in self:
            begin, end = task.planned_date_begin, task.date_deadline
            length = end - begin if begin and end and end > begin else VISIT_LENGTH
            task.fsm_planned_hours = length.total_seconds() / 3600

    @api.onchange("planned_date_begin")
    def _onchange_planned_date_begin(self):
        if self.is_fsm and self.planned_date_begin:
            seconds = round(self.fsm_planned_hours * 3600)
            self.date_deadline = self.planned_date_begin + timedelta(seconds=seconds)

    def _prepare_next_visit_values(self, deadline, delta):
        """Return the values of the next visit of a recurrence.

        :param deadline: the end of the next one as Project plans it, or nothing
        :param delta: from one visit to the next
        """
        self.ensure_one()
        begin, end = self.planned_date_begin, self.date_deadline
        if not begin:
            return {}
        # Not each by itself: the last days of short months would shorten the visit.
        begin = deadline - (end - begin) if deadline and end else begin + delta
        values = {"planned_date_begin": begin}
        if stage := self.project_id._get_fsm_stage("planned"):
            values["stage_id"] = stage.id
        return values

    def _fsm_tell(self, sentence):
        """Tell who follows this visit from outside of Project; by itself nobody does.

        :param sentence: text or markup
        """

    # -- Work on site --------------------------------------------------------

    def action_fsm_start(self):
        """Note that the work on site begins now. Returns ``True``."""
        check_one(self)
        if not self.fsm_work_started_on:
            self.fsm_work_started_on = fields.Datetime.now()
        # sudo: the project of their own task.
        stage = self.project_id.sudo()._get_fsm_stage("in_progress")
        if stage and self.stage_id != stage:
            self.stage_id = stage.sudo(False)
        self.fsm_work_ended_on = False
        return True

    def action_fsm_stop(self):
        """Note that the work on site ends now. Returns ``True``.

        :raises UserError: when it was not started
        """
        check_one(self)
        if not self.fsm_work_started_on:
            raise UserError(
                self.env._("Start the work first, so that the report shows its time.")
            )
        self.fsm_work_ended_on = fields.Datetime.now()
        return True

    # -- Overlaps ------------------------------------------------------------

    @api.model
    def _get_overlaps(self, users, begin, end, but=()):
        """Return the open visits of ``users`` between ``begin`` and ``end``.

        :param users: technicians
        :param begin, end: of the visit in question, in UTC
        :param but: ids of tasks that don't count
        :return: tasks under ``sudo()``: show their times and assignees, not more
        """
        if not users or not begin:
            # sudo: nothing to see here; as below.
            return self.browse().sudo()
        end = max(end or begin + VISIT_LENGTH, begin + timedelta(minutes=1))
        # sudo: whether a colleague is free, not what they do there.
        return self.sudo().search(
            Domain("is_fsm", "=", True)
            & Domain("user_ids", "in", users.ids)
            & Domain("planned_date_begin", "<", end)
            & (
                Domain("date_deadline", ">", begin)
                | Domain("date_deadline", "=", False)
                & Domain("planned_date_begin", ">", begin - VISIT_LENGTH)
            )
            & Domain("state", "not in", ("1_done", "1_canceled"))
            & Domain("id", "not in", list(but)),
            order="planned_date_begin",
            limit=10,
        )

    @api.model
    def _describe_overlaps(self, users, begin, end, but=()):
        """Return a line per visit that ``users`` have in that time, or ``False``."""
        lines = [
            self.env._(
                "%(technicians)s: another visit from %(begin)s to %(end)s.",
                technicians=", ".join((visit.user_ids & users).mapped("name")),
                begin=format_moment(self.env, visit.planned_date_begin),
                end=format_moment(
                    self.env,
                    visit.date_deadline or visit.planned_date_begin + VISIT_LENGTH,
                ),
            )
            for visit in self._get_overlaps(users, begin, end, but)
        ]
        return "\n".join(lines) or False

    # -- What planners should know --------------------------------------------

    @api.model
    def _get_users_without_visits(self, users):
        """Return those of ``users`` who could not work on a visit of theirs: see it,
        and nothing more."""
        return users.filtered(
            lambda user: (
                not user.has_groups(
                    "helpdesk_fsm.group_fsm_user,project.group_project_user"
                )
            )
        )

    @api.model
    def _describe_planning(self, users, partner, begin, end):
        """Return a line per thing that is in the way of such a visit, or ``False``."""
        # Only of whom the user may read: a pop-up takes any id.
        users = users._origin._filtered_access("read")
        partner = partner._origin._filtered_access("read")
        # sudo: the roles of who was chosen, nothing else.
        unable = self._get_users_without_visits(users.sudo())
        lines = [self._get_unable_sentence(user) for user in unable]
        if partner and not partner.email:
            lines.append(
                self.env._(
                    "%(customer)s has no email address: tell them of the visit "
                    "yourself.",
                    customer=partner.display_name,
                )
            )
        if end and not begin:
            lines.append(
                self.env._("The visit has an end but no start, so it isn't planned.")
            )
        if begin and (end or begin + VISIT_LENGTH) < fields.Datetime.now():
            lines.append(self.env._("This time has passed: nobody will be notified."))
        return "\n".join(lines) or False

    @api.model
    def _get_unable_sentence(self, user):
        return self.env._(
            "%(user)s can see this visit, but can't work on it: ask an administrator "
            "to give them the Technician role of Field Service.",
            user=user.name,
        )

    def _tell_unable_assignees(self, former=None):
        """Say in the chatter which new assignees can't work on their visits, and let an
        administrator know who lacks which role.

        :param former: ``{task: users}`` who were assigned before
        """
        # sudo: who plans a visit needs no rights on users; roles are asked, and told.
        for task in self.sudo():
            new = task.user_ids - (former or {}).get(task, task.user_ids.browse())
            for user in self._get_users_without_visits(new):
                task._message_log(body=self._get_unable_sentence(user))
                self._ask_for_role(user, task.company_id or self.env.company)

    @api.model
    def _ask_for_role(self, user, company):
        """Give an administrator the activity to let ``user`` work on visits, once.
        Called under ``sudo()``."""
        kind = "helpdesk_fsm.mail_activity_type_technician"
        admins = self.env.ref("base.group_erp_manager").all_user_ids.filtered(
            lambda admin: admin.active and company in admin.company_ids
        )
        partner = user.partner_id
        if not admins or partner.activity_search([kind]):
            return
        admin = admins.sorted("id")[0]
        partner.activity_schedule(
            kind,
            user_id=admin.id,
            note=self.with_context(lang=admin.lang)._get_unable_sentence(user),
        )

    # -- Link of the customer ------------------------------------------------

    def _get_visit_url(self):
        """Return the absolute address at which the customer sees this visit.

        Who has it may read the visit and its worksheet, and sign: give it to the
        customer only. It isn't the link of Project's own portal pages.
        """
        self.ensure_one()
        # sudo: only administrators read tokens; this one goes to the task's customer.
        task = self.sudo()
        if not task.fsm_access_token:
            task.fsm_access_token = str(uuid.uuid4())
        return (
            f"{task.get_base_url()}/my/visits/{task.id}"
            f"?access_token={task.fsm_access_token}"
        )
