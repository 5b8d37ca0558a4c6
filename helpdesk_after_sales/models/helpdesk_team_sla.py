from odoo import api, fields, models
from odoo.fields import Domain


class HelpdeskTeam(models.Model):
    """What a team promises its customers, and when it works."""

    _inherit = "helpdesk.team"

    use_sla = fields.Boolean(
        string="SLA Policies",
        help="Deadlines for answers and stages, by the policies of this team.",
    )
    resource_calendar_id = fields.Many2one(
        comodel_name="resource.calendar",
        string="Working Hours",
        check_company=True,
        index="btree_not_null",
        help="Promises count these hours only. Without them, the clock also runs at "
        "night.",
    )
    sla_policy_ids = fields.One2many(
        comodel_name="helpdesk.sla", inverse_name="team_id", string="Policies"
    )
    answer_hours = fields.Float(
        string="Promised Answer",
        compute="_compute_answer_hours",
        inverse="_inverse_answer_hours",
        help="Hours within which customers get a first answer, as shown in emails "
        "and in the portal; 0 for no promise. This is the policy for first answers "
        "that covers all tickets of the team.",
    )

    @api.depends("use_sla", "sla_policy_ids.time", "sla_policy_ids.promised")
    def _compute_answer_hours(self):
        for team in self:
            promise = team._get_answer_policy() if team.use_sla else None
            team.answer_hours = promise.time if promise else 0

    def _inverse_answer_hours(self):
        for team in self:
            hours = team.answer_hours
            promise = team._get_answer_policy()
            if hours <= 0:
                promise.unlink()
            elif promise:
                promise.time = hours
            else:
                team.sla_policy_ids.create(
                    {
                        "name": self.env._("First answer"),
                        "team_id": team.id,
                        "target_type": "first_answer",
                        "time": hours,
                        "promised": True,
                    }
                )
            if hours > 0:
                team.use_sla = True

    def _get_answer_policy(self):
        """Return the policy that tells all customers of this team until when they get
        an answer."""
        self.ensure_one()
        return self.sla_policy_ids.filtered_domain(
            Domain("target_type", "=", "first_answer")
            & Domain("promised", "=", True)
            & Domain("priority", "=", False)
            & Domain("tag_ids", "=", False)
            & Domain("partner_ids", "=", False)
        )[:1]

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(
            ("use_sla", "resource_calendar_id", "stage_ids", "active")
        ):
            self.env.registry.clear_cache()
        if vals.get("use_sla") is False:
            self.sla_policy_ids._end_open()
        return result

    @api.readonly
    def action_view_sla(self):
        """Return the action for the policies of this team.

        :raises AccessError: when the team isn't the user's to see
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_sla_action"
        )
        return action | {
            "domain": [("team_id", "=", self.id)],
            "context": {"default_team_id": self.id},
        }
