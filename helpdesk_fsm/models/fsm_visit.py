import hashlib
import logging
import uuid
from datetime import timedelta
from urllib.parse import quote_plus

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, format_time

_logger = logging.getLogger(__name__)

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


class ProjectTask(models.Model):
    """When somebody comes to the customer, and how customer and technician learn it.

    The invitation is sent a moment later by a scheduled action: whoever moves a visit
    three times sends one mail, and planning doesn't wait for the mail server.
    """

    _inherit = "project.task"

    planned_date_begin = fields.Datetime(
        string="Planned Start", copy=False, tracking=True
    )
    fsm_done = fields.Boolean(
        string="Visit Done", readonly=True, copy=False, tracking=True
    )
    fsm_work_started_on = fields.Datetime(string="Work Started", copy=False)
    fsm_work_ended_on = fields.Datetime(string="Work Ended", copy=False)
    fsm_access_token = fields.Char(
        string="Link of the Customer", copy=False, groups="base.group_system"
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

    # What the customer was told last. A visit whose invitation is to be sent, changed
    # or taken back is marked, and the scheduled action compares.
    fsm_notice_pending = fields.Boolean(copy=False, readonly=True)
    fsm_notice_sequence = fields.Integer(copy=False, readonly=True)
    fsm_told_begin = fields.Datetime(copy=False, readonly=True)
    fsm_told_end = fields.Datetime(copy=False, readonly=True)
    fsm_told_partner_id = fields.Many2one(
        comodel_name="res.partner",
        copy=False,
        readonly=True,
        index="btree_not_null",
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
        for task in self:
            # sudo: the address of the customer to go to, also for who sees the task
            # by the ticket only.
            partner = task.partner_id.sudo()
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

    # -- Work on site --------------------------------------------------------

    def action_fsm_start(self):
        """Note that the work on site begins now. Returns ``True``."""
        self.ensure_one()
        if not self.fsm_work_started_on:
            self.fsm_work_started_on = fields.Datetime.now()
        stages = self.project_id.sudo().type_ids  # the stages of their own task
        stage = self.env.ref("helpdesk_fsm.project_task_type_in_progress", False)
        if stage and stage in stages and self.stage_id != stage:
            self.stage_id = stage
        self.fsm_work_ended_on = False
        return True

    def action_fsm_stop(self):
        """Note that the work on site ends now. Returns ``True``.

        :raises UserError: when it was not started
        """
        self.ensure_one()
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

    # -- Invitations ---------------------------------------------------------

    @api.model
    def _get_notice_fields(self):
        """Return the fields whose change may concern the customer's calendar."""
        return {
            "planned_date_begin",
            "date_deadline",
            "partner_id",
            "state",
            "active",
            "project_id",
        }

    def _mark_visit_notice(self):
        """Have the scheduled action look at those visits whose customer is to be told
        something: one that has dates, or had."""
        # sudo: technical fields, written for whoever plans or moves a visit.
        visits = self.sudo().filtered(
            lambda task: (
                task.is_fsm
                and not task.fsm_notice_pending
                and task._get_visit_to_tell() != task._get_visit_told()
            )
        )
        if visits:
            visits.fsm_notice_pending = True
            cron = self.env.ref("helpdesk_fsm.ir_cron_visit_notices", False)
            if cron:
                # sudo: whoever changed the visit lets Odoo send its notice soon.
                cron.sudo()._trigger()

    def _get_visit_to_tell(self):
        """Return ``(begin, end, customer)`` as the customer should know it, empty
        when there is no visit (any more)."""
        self.ensure_one()
        nothing = (False, False, self.env["res.partner"])
        if (
            not self.is_fsm
            or not self.active
            or self.state == "1_canceled"
            or not (self.planned_date_begin and self.partner_id)
        ):
            return nothing
        end = self.date_deadline or self.planned_date_begin + VISIT_LENGTH
        return (self.planned_date_begin, end, self.partner_id)

    def _get_visit_told(self):
        self.ensure_one()
        return (self.fsm_told_begin, self.fsm_told_end, self.fsm_told_partner_id)

    @api.model
    def _cron_send_visit_notices(self, limit=100):
        """Send the invitations that are due, each visit in a transaction of its own.

        One that can't be sent stays marked and doesn't hold up the others.
        """
        pending = Domain("fsm_notice_pending", "=", True)
        visits = self.with_context(active_test=False).search(pending, limit=limit)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(visits))
        for visit in visits:
            try:
                with self.env.cr.savepoint():
                    visit._send_visit_notice()
            except Exception:
                _logger.warning("No notice of visit %s", visit.id, exc_info=True)
            cron._commit_progress(1)

    def _send_visit_notice(self):
        """Send the customer what changed since the last notice, as a mail with a
        calendar file; assignees read it too, since they follow the task."""
        self.ensure_one()
        self.fsm_notice_pending = False
        told, due = self._get_visit_told(), self._get_visit_to_tell()
        if told == due:
            return
        past = fields.Datetime.now()
        if told[2] and told[2] != due[2]:
            if told[1] > past and not self.fsm_done:
                self._post_visit_notice("cancelled", *told)
        if due[2] and due[1] > past and not self.fsm_done:
            kind = "moved" if told[2] == due[2] else "planned"
            self._post_visit_notice(kind, *due)
        self.write(
            {
                "fsm_told_begin": due[0],
                "fsm_told_end": due[1],
                "fsm_told_partner_id": due[2].id,
            }
        )

    def _post_visit_notice(self, kind, begin, end, partner):
        """Post the message of one kind: ``planned``, ``moved`` or ``cancelled``."""
        self.fsm_notice_sequence += 1
        task = self.with_context(lang=partner.lang or self.env.lang)
        when = format_moment(task.env, begin, task._get_visit_tz(partner))
        values = {
            "kind": kind,
            "task": task,
            "when": when,
            "timezone": task._get_visit_tz(partner),
            "technicians": ", ".join(
                name.split()[0] for name in self.user_ids.mapped("name") if name.split()
            ),
            "url": task._get_visit_url() if kind != "cancelled" else False,
        }
        subjects = {
            "planned": task.env._("Our visit on %(when)s", when=when),
            "moved": task.env._("Our visit was moved to %(when)s", when=when),
            "cancelled": task.env._("Our visit on %(when)s was cancelled", when=when),
        }
        company = self.company_id or self.env.company
        task.message_post(
            author_id=company.partner_id.id,
            body=task.env["ir.qweb"]._render(
                "helpdesk_fsm.visit_notice", values, minimal_qcontext=True
            ),
            subject=subjects[kind],
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=partner.ids,
            email_layout_xmlid="mail.mail_notification_light",
            attachments=[
                ("visit.ics", task._get_visit_ics(kind, begin, end, partner).encode())
            ],
        )
        if kind != "planned":
            self._after_sales_tell_ticket({self: subjects[kind]})

    def _get_visit_tz(self, partner):
        """Return the time zone in which the customer reads times."""
        company = self.company_id or self.env.company
        return partner.tz or company.partner_id.tz or self.env.user.tz or "UTC"

    def _get_visit_ics(self, kind, begin, end, partner):
        """Return the calendar file of one notice (RFC 5545).

        The identity of the event stays the same through all notices, so that calendars
        move or remove what they hold.
        """
        self.ensure_one()
        company = self.company_id or self.env.company
        # sudo: only its hash leaves this method.
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        identity = hashlib.sha256(
            f"{database}:{self._name}:{self.id}:{partner.id}".encode()
        ).hexdigest()[:32]

        def stamp(moment):
            return moment.strftime("%Y%m%dT%H%M%SZ")

        cancelled = kind == "cancelled"
        url = "" if cancelled else self._get_visit_url()
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Helpdesk After-Sales//helpdesk_fsm//EN",
            f"METHOD:{'CANCEL' if cancelled else 'REQUEST'}",
            "BEGIN:VEVENT",
            f"UID:{identity}@helpdesk-fsm",
            f"SEQUENCE:{self.fsm_notice_sequence}",
            f"DTSTAMP:{stamp(fields.Datetime.now())}",
            f"DTSTART:{stamp(begin)}",
            f"DTEND:{stamp(end)}",
            f"SUMMARY:{_ics_text(f'{company.name}: {self.name}')}",
            f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        ]
        if self.fsm_partner_address:
            lines.append(f"LOCATION:{_ics_text(self.fsm_partner_address)}")
        if url:
            lines.append(f"DESCRIPTION:{_ics_text(url)}")
        if company.email:
            lines.append(
                f"ORGANIZER;CN={_ics_param(company.name)}:mailto:{_ics_uri(company.email)}"
            )
        if partner.email:
            lines.append(
                f"ATTENDEE;CN={_ics_param(partner.name)};RSVP=FALSE"
                f":mailto:{_ics_uri(partner.email)}"
            )
        lines += ["END:VEVENT", "END:VCALENDAR"]
        return "".join(f"{folded}\r\n" for line in lines for folded in _ics_fold(line))


def _ics_text(text):
    for char, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r", "")):
        text = text.replace(char, escaped)
    return text.replace("\n", "\\n")


def _ics_param(text):
    """Return a quoted parameter: neither quotes nor line breaks may be in it."""
    clean = "".join(char for char in text or "" if char.isprintable() and char != '"')
    return f'"{clean}"'


def _ics_uri(text):
    return "".join(char for char in text if char.isprintable() and char not in ' "<>')


def _ics_fold(line):
    """Yield the line in pieces of at most 75 bytes, never within a character."""
    piece = ""
    for char in line:
        if len((piece + char).encode()) > 75:
            yield piece
            piece = " "
        piece += char
    yield piece
