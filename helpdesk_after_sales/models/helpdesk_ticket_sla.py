from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_datetime

from ..tools.sla_clock import ANSWERS, Clock, Facts

# What decides which policies a ticket has, and what their clocks depend on.
SCOPE = {"team_id", "priority", "tag_ids", "partner_id"}
COURSE = {"stage_id", "team_id", "close_date", "active", "last_word"}
# While tickets are created, not only thought of.
CREATING = "helpdesk_after_sales.creating"


class HelpdeskTicket(models.Model):
    """Promises to the customer of a ticket, and how far they are (X28).

    A deadline is planned when a clock begins to run, and stored; nothing is planned
    again while it runs. Late is what is past it, without a scheduled action.
    """

    _inherit = "helpdesk.ticket"

    use_sla = fields.Boolean(
        related="team_id.use_sla",
        string="Use SLA Policies",
        groups="base.group_user",
    )
    sla_status_ids = fields.One2many(
        comodel_name="helpdesk.sla.status",
        inverse_name="ticket_id",
        string="SLA Status",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )
    sla_ids = fields.Many2many(
        comodel_name="helpdesk.sla",
        string="SLA Policies",
        compute="_compute_sla_ids",
        search="_search_sla_ids",
        groups="base.group_user",
    )
    sla_deadline = fields.Datetime(
        string="SLA Deadline",
        compute="_compute_sla_deadline",
        store=True,
        precompute=True,
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="The next running deadline. Empty while all clocks are paused.",
    )
    sla_deadline_hours = fields.Float(
        string="Hours to SLA Deadline",
        compute="_compute_sla_deadline_hours",
        groups="base.group_user",
        help="Working hours until the next deadline.",
    )
    sla_reached = fields.Boolean(
        string="SLA Reached",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="A promise was kept in time.",
    )
    sla_reached_late = fields.Boolean(
        string="SLA Reached Late",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="A promise was kept after its deadline.",
    )
    sla_fail = fields.Boolean(
        string="SLA Failed",
        compute="_compute_sla_fail",
        search="_search_sla_fail",
        groups="base.group_user",
    )
    sla_success = fields.Boolean(
        string="SLA Kept",
        compute="_compute_sla_fail",
        search="_search_sla_success",
        groups="base.group_user",
    )

    # Late, and due today: few of all.
    _sla_deadline_idx = models.Index(
        "(sla_deadline) INCLUDE (team_id, user_id, company_id, priority, id) "
        "WHERE sla_deadline IS NOT NULL AND active IS TRUE"
    )

    # -- Computes ------------------------------------------------------------

    def _compute_sla_deadline(self):
        """Plan the first deadline of a new ticket. From then on the clocks set it, see
        :meth:`_show_sla`."""
        creating = CREATING in self.env.cr.precommit.data
        for ticket in self:
            # The form of a new ticket tells nothing of teams that its user can't see.
            clocks = ticket._begin_clocks() if creating else ()
            ticket.sla_deadline = min(
                filter(None, (clock.values["deadline"] for clock in clocks)),
                default=False,
            )

    @api.depends("sla_status_ids")
    def _compute_sla_ids(self):
        for ticket in self:
            ticket.sla_ids = ticket.sla_status_ids.sla_id

    def _search_sla_ids(self, operator, value):
        return Domain("sla_status_ids.sla_id", operator, value)

    @api.depends("sla_deadline")
    def _compute_sla_deadline_hours(self):
        now = fields.Datetime.now()
        for ticket in self:
            # sudo: the hours in which the team works, which are in the deadline, too.
            calendar = ticket.sudo().team_id.resource_calendar_id
            deadline = ticket.sla_deadline
            ticket.sla_deadline_hours = deadline and calendar._helpdesk_count(
                now, deadline
            ) - calendar._helpdesk_count(deadline, now)

    @api.depends("sla_status_ids.status")
    def _compute_sla_fail(self):
        for ticket in self:
            states = set(ticket.sla_status_ids.mapped("status"))
            ticket.sla_fail = "failed" in states
            ticket.sla_success = "reached" in states and "failed" not in states

    def _search_sla_fail(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain("sla_status_ids", "any", Domain("status", "=", "failed"))

    def _search_sla_success(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain("sla_status_ids", "any", Domain("status", "=", "reached")) & ~(
            self._search_sla_fail("in", [True])
        )

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self.env.cr.precommit.data[CREATING] = True
        try:
            tickets = super().create(vals_list)
        finally:
            self.env.cr.precommit.data.pop(CREATING, None)
        self.env["helpdesk.sla.status"].sudo().create(  # sudo: begun by the policies
            [
                clock.values | {"ticket_id": ticket.id, "sla_id": clock.policy.id}
                for ticket in tickets
                for clock in ticket._begin_clocks()
            ]
        )
        return tickets

    def write(self, vals):
        if vals.keys().isdisjoint(SCOPE | COURSE) or not self._has_sla():
            return super().write(vals)
        # sudo: whoever changes the ticket moves its clocks.
        before = {ticket: ticket._get_sla_facts() for ticket in self.sudo()}
        result = super().write(vals)
        tickets = self.sudo().exists() if "active" in vals else self.sudo()
        if not vals.keys().isdisjoint(SCOPE):
            tickets._choose_sla()
        for ticket in tickets:
            facts = ticket._get_sla_facts()
            if facts != before[ticket]:
                ticket._follow_sla(before[ticket], facts)
        return result

    # -- Policies ------------------------------------------------------------

    def _has_sla(self):
        """Return whether one of these tickets may have clocks: most teams promise
        nothing, and pay nothing for it."""
        return bool(self.env["helpdesk.sla"]._get_policies())

    def _get_sla_policies(self):
        """Return the calendar and the policies of this ticket. Called with sudo."""
        self.ensure_one()
        calendars = self.env["resource.calendar"].sudo()  # sudo: hours of the team
        # sudo: what the policies ask for; new records have all of it.
        ticket = self.sudo()
        calendar_id, policies = (
            self.env["helpdesk.sla"]._get_policies().get(ticket.team_id.id, (False, ()))
        )
        if not policies:
            return calendars, ()
        about_tags = any(policy.tags for policy in policies)
        tags = ticket.tag_ids.ids if about_tags else ()
        partner = ticket.partner_id
        partners = (
            {partner.id, partner.parent_id.id, partner.commercial_partner_id.id}
            if any(policy.partners for policy in policies)
            else ()
        )
        return calendars.browse(calendar_id or ()), tuple(
            policy
            for policy in policies
            if policy.fits(ticket.priority, tags, partners)
        )

    def _get_sla_facts(self):
        self.ensure_one()
        return Facts(
            stage_id=self.stage_id.id,
            last_word=self.last_word,
            ended=bool(self.close_date or not self.active),
        )

    def _begin_clocks(self):
        """Return the clocks of a new ticket."""
        self.ensure_one()
        calendar, policies = self._get_sla_policies()
        if not policies:
            return []
        facts = self.sudo()._get_sla_facts()  # sudo: what the clocks depend on
        if facts.ended:
            return []
        # As create_date: the deadline is planned twice, and must be the same.
        now = self.env.cr.now().replace(microsecond=0)
        clocks = [
            Clock(policy, calendar)
            for policy in policies
            if policy.target != "next_answer"
        ]
        for clock in clocks:
            clock.follow(facts, now)
        return clocks

    # -- Going on ------------------------------------------------------------

    def _follow_sla(self, before, facts):
        """Move the clocks of this ticket, which has just changed. Called with sudo."""
        self.ensure_one()
        now = fields.Datetime.now()
        calendar, policies = self._get_sla_policies()
        if not policies:
            return
        by_id = {policy.id: policy for policy in policies}
        changed = False
        for status in self.sla_status_ids:
            if policy := by_id.get(status.sla_id.id):
                clock = status._get_clock(policy, calendar)
                clock.follow(facts, now)
                changed |= status._set_clock(clock)
        if before.last_word == "us" and facts.last_word == "customer":
            changed |= self._begin_next_answers(policies, calendar, facts, now)
        if changed:
            self._show_sla()

    def _begin_next_answers(self, policies, calendar, facts, now):
        """Begin a round: the customer has answered."""
        rounds = []
        waiting = self.sla_status_ids.filtered(lambda s: not s.reached_datetime)
        for policy in policies:
            if policy.target == "next_answer" and policy.id not in waiting.sla_id.ids:
                clock = Clock(policy, calendar)
                clock.follow(facts, now)
                rounds.append(
                    clock.values | {"ticket_id": self.id, "sla_id": policy.id}
                )
        self.env["helpdesk.sla.status"].create(rounds)
        return bool(rounds)

    def _show_sla(self):
        """Show on the tickets what their clocks say. Called with sudo."""
        for ticket in self:
            rows = ticket.sla_status_ids
            reached = rows.filtered("reached_datetime")
            vals = {
                "sla_deadline": min(
                    filter(None, (rows - reached).mapped("deadline")), default=False
                ),
                "sla_reached": any(row.exceeded_hours <= 0 for row in reached),
                "sla_reached_late": any(row.exceeded_hours > 0 for row in reached),
            }
            vals = {name: val for name, val in vals.items() if ticket[name] != val}
            if vals:
                ticket.write(vals)

    # -- Other policies ------------------------------------------------------

    def _choose_sla(self):
        """End the clocks of policies that these tickets have no longer, and begin those
        that they have now. Called with sudo."""
        gone = self.env["helpdesk.sla.status"]
        for ticket in self:
            _calendar, policies = ticket._get_sla_policies()
            ids = {policy.id for policy in policies}
            gone |= ticket.sla_status_ids.filtered(
                lambda row, ids=ids: (
                    row.sla_id.id not in ids and not row.reached_datetime
                )
            )
        gone._end()
        self._begin_sla_later()

    def _begin_sla_later(self):
        """Begin the policies that these tickets don't have yet, from when each ticket
        was created: their clocks go through its history. Called with sudo."""
        wanted = {}
        for ticket in self:
            calendar, policies = ticket._get_sla_policies()
            known = set(ticket.sla_status_ids.sla_id.ids)
            policies = [policy for policy in policies if policy.id not in known]
            if policies and not ticket.close_date:
                wanted[ticket] = calendar, policies
        tickets = self.browse(ticket.id for ticket in wanted)
        if not tickets:
            return
        history = tickets._get_sla_history()
        rows = []
        for ticket, (calendar, policies) in wanted.items():
            for policy in policies:
                clock = self._replay_sla(policy, calendar, history[ticket])
                if clock:
                    rows.append(
                        clock.values | {"ticket_id": ticket.id, "sla_id": policy.id}
                    )
        self.env["helpdesk.sla.status"].create(rows).ticket_id._show_sla()

    @api.model
    def _replay_sla(self, policy, calendar, history):
        """Return the clock of a policy at the end of a history of ``(moment, facts)``,
        or ``None``: nobody waits for a next answer."""
        clock = None if policy.target == "next_answer" else Clock(policy, calendar)
        before = None
        for moment, facts in history:
            if policy.target == "next_answer":
                asked = before and before.last_word == "us"
                if asked and facts.last_word == "customer":
                    clock = Clock(policy, calendar)
                elif facts.last_word == "us":
                    # Rounds of the past are past.
                    clock = None
            if clock:
                clock.follow(facts, moment)
            before = facts
        return clock

    def _get_sla_history(self):
        """Return ``{ticket: [(moment, facts)]}`` from the messages of these tickets:
        which stage they were in, and who had the word."""
        self.env.flush_all()
        events = defaultdict(list)
        messages = self.env["mail.message"].search(
            Domain("model", "=", self._name)
            & Domain("res_id", "in", self.ids)
            & (
                Domain("message_type", "in", ("comment", "email"))
                | Domain("tracking_value_ids.field_id.name", "=", "stage_id")
            ),
            # The date of a mail is what its sender says.
            order="create_date, id",
        )
        comment = self.env.ref("mail.mt_comment")
        by_id = {ticket.id: ticket for ticket in self}
        for message in messages:
            ticket = by_id[message.res_id]
            for value in message.tracking_value_ids:
                if value.field_id.name == "stage_id":
                    stages = value.old_value_integer, value.new_value_integer
                    events[ticket].append((message.create_date, "stage", stages))
            if message.subtype_id == comment and not message.tracking_value_ids:
                if word := ticket._get_word(message):
                    events[ticket].append((message.create_date, "word", word))
        return {ticket: ticket._get_sla_course(events[ticket]) for ticket in self}

    def _get_sla_course(self, events):
        """Return ``[(moment, facts)]`` from the events of this ticket."""
        folded = {stage.id for stage in self.team_id.stage_ids if stage.fold}
        stage_id = next(
            (value[0] for _moment, kind, value in events if kind == "stage"),
            self.stage_id.id,
        )
        begun = self.last_word and not any(kind == "word" for _m, kind, _v in events)
        word = self.last_word if begun else False
        # The words of a ticket made of a mail begin with it.
        course = [(self.create_date, Facts(stage_id, word, stage_id in folded))]
        for moment, kind, value in events:
            stage_id = value[1] if kind == "stage" else stage_id
            word = value if kind == "word" else word
            course.append((moment, Facts(stage_id, word, stage_id in folded)))
        course.append((fields.Datetime.now(), self._get_sla_facts()))
        return course

    def _take_over_sla(self, others):
        """Let the promises to tickets that are merged into this one go on: the earlier
        ones. Called with sudo."""
        self.ensure_one()
        now = fields.Datetime.now()
        calendar = self.team_id.resource_calendar_id
        for row in self.sla_status_ids.filtered(lambda row: not row.reached_datetime):
            same = others.sla_status_ids.filtered(
                lambda other, row=row: (
                    other.sla_id == row.sla_id and not other.reached_datetime
                )
            )
            used = max(
                (
                    other.consumed_hours
                    + calendar._helpdesk_count(other.running_since or now, now)
                    for other in same | row
                ),
                default=0,
            )
            if row.running_since and same:
                deadline = calendar._helpdesk_plan(row.time - used, now)
                row.write(
                    {
                        "consumed_hours": used,
                        "running_since": now,
                        "deadline": min(deadline, row.deadline),
                    }
                )
        others.sla_status_ids.filtered(lambda row: not row.reached_datetime).unlink()
        (self | others)._show_sla()

    # -- Said to customers ---------------------------------------------------

    def _get_promises(self):
        """Return what customers are told of, the next deadline first, under sudo."""
        self.ensure_one()
        # sudo: promises to the customer of this ticket, whom its page shows them.
        return self.sudo().sla_status_ids.filtered(
            lambda row: row.sla_id.promised and not row.reached_datetime
        )

    def _describe_promised_answer(self):
        """Return until when the customer gets the answer that they wait for, as they
        read it, or ``False``."""
        self.ensure_one()
        promise = self._get_promises().filtered(
            lambda row: row.target_type in ANSWERS and row.deadline
        )[:1]
        return promise and self._describe_deadline(promise.deadline)

    def _describe_deadline(self, deadline):
        # sudo: the time zone of the customer, else of the team.
        ticket = self.sudo()
        zone = (
            ticket.partner_id.tz
            or ticket.team_id.resource_calendar_id.tz
            or ticket.company_id.partner_id.tz
            or "UTC"
        )
        moment = format_datetime(self.env, deadline, tz=zone, dt_format="short")
        return f"{moment} ({zone})"

    def _describe_pending_answer(self):
        """Return the sentence about what the customer may wait for, or ``False``."""
        if self.close_date:
            return False
        if promised := self._describe_promised_answer():
            return self.env._("Answer by %(date)s", date=promised)
        for promise in self._get_promises():
            if promise.deadline:
                return self.env._(
                    "%(stage)s by %(date)s",
                    stage=promise.sla_stage_id.name,
                    date=self._describe_deadline(promise.deadline),
                )
            if self.sudo().last_word == "us":  # sudo: whose turn it is, as they see
                return self.env._("Waiting for your answer")
        return False
