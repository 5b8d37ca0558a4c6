from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.intervals import Intervals

from .fsm_visit import VISIT_LENGTH, format_span

#: how long before a visit its customer is reminded
REMINDED_BEFORE = timedelta(days=1)
#: who was told less than this before a visit isn't reminded of it
TOLD_JUST_NOW = timedelta(hours=36)
# As many as one run of the scheduled action takes at a time.
BATCH = 100
#: how far ahead free times are looked for, and how many are shown
LOOK_AHEAD = timedelta(days=14)
FREE_TIMES = 3


class ProjectTask(models.Model):
    """What the customer says to a planned visit, and the reminder of it."""

    _inherit = "project.task"

    fsm_answer = fields.Selection(
        selection=[
            ("confirmed", "Confirmed"),
            ("other", "Asks for another time"),
        ],
        string="Customer's Answer",
        readonly=True,
        server_only=True,
        copy=False,
        tracking=True,
    )
    fsm_wish = fields.Text(
        string="Customer's Requested Time", readonly=True, server_only=True, copy=False
    )
    fsm_reminded = fields.Boolean(
        string="Visit Reminder Sent", readonly=True, server_only=True, copy=False
    )

    def write(self, vals):
        # sudo: customers who share a project may not read what is compared here.
        moved = self.sudo() if "planned_date_begin" in vals else self.browse()
        moved = moved.filtered("fsm_answer")
        former = {task: task.planned_date_begin for task in moved}
        result = super().write(vals)
        moved = moved.filtered(lambda task: task.planned_date_begin != former[task])
        if moved:
            # Their answer was about another time.
            moved.write({"fsm_answer": False, "fsm_wish": False})
        return result

    def _get_answer_refusal(self):
        """Return why the customer can't answer to this visit now, or ``False``."""
        self.ensure_one()
        begin = self.planned_date_begin
        if (
            not begin
            or not self._get_visit_to_tell()[0]
            or self.fsm_done
            or self.fsm_work_started_on
        ):
            return self.env._("There is no planned visit to answer.")
        if begin <= fields.Datetime.now():
            return self.env._("This visit has already started: please call us.")
        return False

    def _answer_visit(self, answer, wish=""):
        """Note what the customer says to this visit, and tell who planned it. Called
        with ``sudo()`` by who has proved to be the customer.

        :param answer: ``confirmed`` or ``other``
        :param wish: when they would like it instead
        :raises UserError: when there is nothing to answer to any more
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        if answer not in ("confirmed", "other"):
            raise UserError(self.env._("Confirm the visit, or ask for another time."))
        if refusal := self._get_answer_refusal():
            raise UserError(refusal)
        wish = (wish or "").strip()[:1000] if answer == "other" else ""
        if (self.fsm_answer or False, self.fsm_wish or "") == (answer, wish):
            return
        self.write({"fsm_answer": answer, "fsm_wish": wish or False})
        when = format_span(
            self.env,
            self.planned_date_begin,
            self.date_deadline,
            self._get_visit_tz(self.partner_id),
        )
        if answer == "confirmed":
            sentence = self.env._(
                "The customer confirmed the visit on %(when)s.", when=when
            )
        else:
            sentence = self.env._(
                "The customer asks for another time than %(when)s: %(wish)s",
                when=when,
                wish=wish or "–",
            )
            planner = self._get_visit_planner()
            if planner:
                self.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=self.env._("Plan another time"),
                    note=sentence,
                    user_id=planner.id,
                )
        self._message_log(body=sentence)
        self._fsm_tell(sentence)

    def _get_visit_planner(self):
        """Return who plans another time: one of the colleagues who go there."""
        return self.user_ids[:1]

    # -- The day before -------------------------------------------------------

    def _send_visit_notice(self):
        result = super()._send_visit_notice()
        soon = fields.Datetime.now() + TOLD_JUST_NOW
        self.fsm_reminded = bool(self.fsm_told_begin and self.fsm_told_begin < soon)
        return result

    @api.model
    def _cron_remind_of_visits(self):
        """Remind the customers of the visits of the next day, some at a time."""
        seen = self.browse()
        cron = self.env["ir.cron"]
        while visits := self._get_visits_to_remind(seen):
            seen |= visits
            for visit in visits:
                begin, end, partner = due = visit._get_visit_told()
                visit.fsm_reminded = True
                if partner.email and visit._get_visit_to_tell() == due:
                    visit._post_visit_notice("reminder", begin, end, partner)
            cron._commit_progress(len(visits), remaining=len(visits))
        cron._commit_progress(remaining=0)

    @api.model
    def _get_visits_to_remind(self, seen):
        """Return some visits whose customer is to be reminded, locked.

        :param seen: without these
        """
        now = fields.Datetime.now()
        return self.search(
            Domain("is_fsm", "=", True)
            & Domain("fsm_reminded", "=", False)
            & Domain("fsm_notice_pending", "=", False)
            & Domain("fsm_told_begin", ">", now)
            & Domain("fsm_told_begin", "<=", now + REMINDED_BEFORE)
            & Domain("fsm_done", "=", False)
            & Domain("id", "not in", seen.ids),
            order="id",
            limit=BATCH,
        ).try_lock_for_update(allow_referencing=True)

    # -- Free times -----------------------------------------------------------

    @api.model
    def _get_free_times(self, users, company, after, length):
        """Return ``[(begin, end)]`` in UTC: the next times when all these colleagues
        have no visit, in the working hours of the company.

        :param users: technicians, ``sudo()`` or not: only their visits count
        :param after: not before
        :param length: of the visit
        """
        begin = max(after or fields.Datetime.now(), fields.Datetime.now())
        begin = begin.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        end = begin + LOOK_AHEAD
        # sudo: the working hours of the company, nothing else of it.
        calendar = company.sudo().resource_calendar_id
        if not calendar or not users:
            return []
        # sudo: whether colleagues are free, not what they do there.
        visits = self.sudo().search(
            Domain("is_fsm", "=", True)
            & Domain("user_ids", "in", users.ids)
            & Domain("planned_date_begin", "<", end)
            & Domain("planned_date_begin", ">", begin - LOOK_AHEAD)
            & Domain("state", "not in", ("1_done", "1_canceled"))
        )
        utc = fields.Datetime.context_timestamp(
            self.with_context(tz="UTC"), begin
        ).tzinfo
        busy = Intervals(
            (
                visit.planned_date_begin.replace(tzinfo=utc),
                (
                    visit.date_deadline or visit.planned_date_begin + VISIT_LENGTH
                ).replace(tzinfo=utc),
                visit,
            )
            for visit in visits
        )
        work = calendar._work_intervals_batch(
            begin.replace(tzinfo=utc), end.replace(tzinfo=utc)
        )[False]
        free = [
            (
                start.astimezone(utc).replace(tzinfo=None),
                stop.astimezone(utc).replace(tzinfo=None),
            )
            for start, stop, _records in work - busy
        ]
        return [(start, stop) for start, stop in free if stop - start >= length][
            :FREE_TIMES
        ]

    @api.model
    def _describe_free_times(self, users, company, after, length):
        """Return "Mon 6 May 08:00 to 12:00, ...", or ``False``."""
        times = self._get_free_times(users, company, after, length)
        return "\n".join(
            self.env._(
                "%(begin)s, until %(end)s",
                begin=format_span(self.env, start, start),
                end=format_span(self.env, stop, stop),
            )
            for start, stop in times
        )
