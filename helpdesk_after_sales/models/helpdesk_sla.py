from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..tools.sla_clock import ANSWERS, Policy


class HelpdeskSla(models.Model):
    """What a team promises: to answer, or to reach a stage, within hours of work (X28).

    Models and fields carry the names of Odoo's own Helpdesk. It has no answers, no
    warnings, and no clock that pauses while the customer has the word.
    """

    _name = "helpdesk.sla"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Helpdesk SLA Policy"
    _order = "team_id, time, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    description = fields.Html(translate=True)
    active = fields.Boolean(default=True)
    team_id = fields.Many2one(
        comodel_name="helpdesk.team",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env["helpdesk.ticket"]._default_team_id(),
    )
    company_id = fields.Many2one(
        related="team_id.company_id", store=True, precompute=True, index=True
    )
    target_type = fields.Selection(
        selection=[
            ("stage", "Reach a stage"),
            ("first_answer", "First answer"),
            ("next_answer", "Next answers"),
        ],
        string="Target",
        required=True,
        default="stage",
        help="Next answers are replies to what the customer writes after our first "
        "answer.",
    )
    stage_id = fields.Many2one(
        comodel_name="helpdesk.stage",
        string="Target Stage",
        index="btree_not_null",
        domain="[('team_ids', '=', team_id)]",
        ondelete="restrict",
        help="The stage that a ticket has to reach, or a later one.",
    )
    time = fields.Float(
        string="Within",
        required=True,
        default=0.0,
        help="Working hours of the team's calendar; without one, plain hours.",
    )
    warning_hours = fields.Float(
        string="Warn Before",
        help="Working hours before the deadline at which the assignee is warned; 0 "
        "for no warning.",
    )
    priority = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.ticket"]._fields["priority"].selection
        ),
        help="Only tickets of this priority. Leave empty for all priorities.",
    )
    tag_ids = fields.Many2many(
        comodel_name="helpdesk.tag",
        relation="helpdesk_sla_helpdesk_tag_rel",
        string="Tags",
        help="Only tickets with one of these tags. Leave empty for all tickets.",
    )
    partner_ids = fields.Many2many(
        comodel_name="res.partner",
        relation="helpdesk_sla_res_partner_rel",
        string="Customers",
        check_company=True,
        help="Only tickets of these customers and their contacts. Leave empty for "
        "all customers.",
    )
    exclude_stage_ids = fields.Many2many(
        comodel_name="helpdesk.stage",
        relation="helpdesk_sla_helpdesk_stage_rel",
        string="Excluding Stages",
        domain="[('team_ids', '=', team_id), ('id', '!=', stage_id)]",
        help="The time in these stages isn't counted.",
    )
    wait_for_customer = fields.Boolean(
        string="Pause While Waiting for the Customer",
        default=True,
        help="Time isn't counted while we are waiting for the customer: from our "
        "answer until their reply.",
    )
    promised = fields.Boolean(
        string="Shown to Customers",
        help="Customers see the deadline in emails and in the portal.",
    )
    ticket_count = fields.Integer(
        string="Open Tickets", compute="_compute_ticket_count"
    )

    _check_time = models.Constraint(
        "CHECK (time > 0 AND warning_hours >= 0)",
        "Enter the hours of the promise, more than 0.",
    )

    def _compute_ticket_count(self):
        count = dict(
            self.env["helpdesk.sla.status"]._read_group(
                Domain("sla_id", "in", self.ids)
                & Domain("ticket_id.close_date", "=", False),
                ["sla_id"],
                ["ticket_id:count_distinct"],
            )
        )
        for sla in self:
            sla.ticket_count = count.get(sla._origin, 0)

    @api.constrains("target_type", "stage_id", "team_id")
    def _check_stage(self):
        for sla in self.filtered(lambda sla: sla.target_type == "stage"):
            if sla.stage_id not in sla.team_id.stage_ids or not sla.stage_id:
                raise ValidationError(
                    self.env._(
                        "%(sla)s needs a target stage of %(team)s: choose one.",
                        sla=sla.name,
                        team=sla.team_id.name,
                    )
                )

    @api.onchange("team_id")
    def _onchange_team_id(self):
        stages = self.team_id.stage_ids
        self.stage_id = self.stage_id if self.stage_id in stages else False
        self.exclude_stage_ids &= stages

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        policies = super().create(vals_list)
        self.env.registry.clear_cache()
        return policies

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        if vals.get("active") is False or "team_id" in vals:
            self._end_open()
        return result

    def unlink(self):
        self._end_open()
        self.env.registry.clear_cache()
        return super().unlink()

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", sla.name))
            for sla, vals in zip(self, vals_list, strict=True)
        ]

    def _end_open(self):
        """Stop the clocks of these policies. What was kept or missed stays known."""
        # sudo: whoever may change the policy ends it for all tickets.
        status = self.env["helpdesk.sla.status"].sudo()
        status.search(
            Domain("sla_id", "in", self.ids) & Domain("reached_datetime", "=", False)
        )._end()

    # -- Policies as clocks need them ----------------------------------------

    @api.model
    @ormcache()
    def _get_policies(self):
        """Return ``{team id: (calendar id, policies)}`` of the teams that promise
        something, see :class:`Policy`: kept in memory, since each message of a ticket
        asks for it."""
        # sudo: the policies decide, nobody is shown them.
        teams = self.env["helpdesk.team"].sudo().with_context(active_test=False)
        return {
            team.id: (
                team.resource_calendar_id.id,
                tuple(sla._as_policy() for sla in policies),
            )
            for team in teams.search(Domain("use_sla", "=", True))
            if (policies := team.sla_policy_ids.filtered("active"))
        }

    def _as_policy(self):
        self.ensure_one()
        stages = self.team_id.stage_ids
        answers = self.target_type in ANSWERS
        reached = waits = stages.browse()
        if self.stage_id in stages and not answers:
            reached = stages[[*stages].index(self.stage_id) :]
        if self.wait_for_customer and not answers:
            waits = stages.filtered("waits_for_customer")
        return Policy(
            id=self.id,
            target=self.target_type,
            hours=self.time,
            warning=self.warning_hours,
            priority=self.priority or "",
            tags=frozenset(self.tag_ids.ids),
            partners=frozenset(self.partner_ids.ids),
            reached_stages=frozenset(reached.ids),
            paused_stages=frozenset((self.exclude_stage_ids | waits).ids),
            waits_for_customer=self.wait_for_customer and not answers,
        )

    # -- Actions -------------------------------------------------------------

    def action_apply_to_open(self):
        """Begin these policies for the open tickets that they are about, from when each
        was created: what was waited for, or happened at night, isn't counted. Returns
        ``True``.

        :raises AccessError: when the user may not change the policies
        """
        self.check_access("write")
        self.env.flush_all()
        last = 0
        while True:
            # sudo: all tickets of the team, as its manager asks for.
            tickets = (
                self.env["helpdesk.ticket"]
                .sudo()
                .search(
                    Domain("team_id", "in", self.team_id.ids)
                    & Domain("close_date", "=", False)
                    & Domain("id", ">", last),
                    order="id",
                    limit=500,
                )
            )
            if not tickets:
                return True
            last = tickets[-1].id
            tickets._begin_sla_later()
            self.env.flush_all()
            self.env.invalidate_all()

    @api.readonly
    def action_view_tickets(self):
        """Return the action for the open tickets of this policy.

        :raises AccessError: when the policy isn't the user's to see
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_ticket_action"
        )
        return action | {
            "domain": [("sla_status_ids.sla_id", "=", self.id)],
            "context": {"search_default_open": 1},
        }


class HelpdeskStage(models.Model):
    _inherit = "helpdesk.stage"

    def _forget_sla(self, vals_list):
        names = ("sequence", "team_ids", "active", "waits_for_customer")
        if any(name in vals for vals in vals_list for name in names):
            self.env.registry.clear_cache()

    @api.model_create_multi
    def create(self, vals_list):
        self._forget_sla(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._forget_sla([vals])
        return super().write(vals)
