from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.mail.tools.alias_error import AliasError


class HelpdeskTeam(models.Model):
    _name = "helpdesk.team"
    _inherit = [
        "helpdesk.chosen.mixin",
        "mail.alias.mixin",
        "mail.thread",
        "rating.parent.mixin",
    ]
    _description = "Helpdesk Team"
    _order = "sequence, name, id"
    _check_company_auto = True
    _rating_satisfaction_days = 30

    def _default_stage_ids(self):
        """Start every team with the stages that came with the addon."""
        stages = self.env["helpdesk.stage"]
        for name in ("new", "in_progress", "on_hold", "solved", "cancelled"):
            stage = self.env.ref(f"helpdesk_after_sales.helpdesk_stage_{name}", False)
            stages |= stage or stages
        return stages.filtered("active")

    active = fields.Boolean(default=True)
    name = fields.Char(required=True, translate=True, tracking=True)
    description = fields.Html(translate=True)
    company_id = fields.Many2one(
        comodel_name="res.company",
        required=True,
        default=lambda self: self.env.company,
        index=True,
    )
    sequence = fields.Integer(default=10)
    color = fields.Integer(string="Color Index")
    member_ids = fields.Many2many(
        comodel_name="res.users",
        string="Team Members",
        default=lambda self: self.env.user,
        domain=lambda self: self.env["helpdesk.ticket"]._get_user_domain(),
        help="Agents who take care of the tickets of this team.",
    )
    stage_ids = fields.Many2many(
        comodel_name="helpdesk.stage",
        relation="helpdesk_team_stage_rel",
        column1="team_id",
        column2="stage_id",
        string="Stages",
        default=lambda self: self._default_stage_ids(),
    )
    privacy_visibility = fields.Selection(
        selection=[
            ("invited_internal", "Invited internal users"),
            ("internal", "All internal users"),
            ("portal", "Invited portal users and all internal users"),
        ],
        string="Visibility",
        required=True,
        default="portal",
        tracking=True,
        help="Who sees the tickets of this team. Helpdesk users are invited as members "
        "or followers of the team, or as followers of a single ticket. Customers see "
        "their own tickets in the portal only with the last choice.",
    )
    auto_assignment = fields.Boolean(
        string="Automatic Assignment",
        help="New tickets are assigned to a member of the team automatically.",
    )
    assign_method = fields.Selection(
        selection=[
            ("randomly", "Each member is assigned an equal number of tickets"),
            ("balanced", "Each member has an equal number of open tickets"),
        ],
        string="Assignment Method",
        required=True,
        default="randomly",
    )
    allow_portal_ticket_closing = fields.Boolean(
        string="Customers Can Close",
        help="Customers may close their tickets in the portal.",
    )
    reopen_on_reply = fields.Boolean(
        string="Reopen on Reply",
        default=True,
        help="A closed ticket is reopened when its customer replies.",
    )
    follow_carbon_copy = fields.Boolean(
        string="Add CC as Followers",
        help="Contacts and colleagues in CC of a customer's email follow its ticket, "
        "so they get the replies as well.",
    )
    allow_portal_requests = fields.Boolean(
        string="Requests in the Portal",
        default=True,
        help="In the portal, customers can request a return or repair of what was "
        "delivered to them, if the service is on. An agent approves or declines it.",
    )
    allow_public_form = fields.Boolean(
        string="Public Form",
        help="Visitors can send a ticket from the website without logging in.",
    )
    public_form_url = fields.Char(
        string="Address of the Form", compute="_compute_public_form_url"
    )
    use_rating = fields.Boolean(
        string="Customer Ratings",
        help="Customers are asked for a rating by email when their ticket is closed.",
    )
    warranty_restarts = fields.Boolean(
        string="New Warranty for Replacements",
        help="Replacements get a new warranty from the day of their own delivery. "
        "Otherwise they keep the warranty of the first delivery.",
    )
    require_reason = fields.Boolean(
        string="Mandatory Reasons",
        help="Refunds, returns and repairs need a reason from the list of reasons.",
    )
    ticket_properties = fields.PropertiesDefinition()

    user_sees_tickets = fields.Boolean(
        compute="_compute_user_sees_tickets",
        search="_search_user_sees_tickets",
        export_string_translation=False,
        help="Technical: for the record rule of tickets.",
    )
    open_ticket_count = fields.Integer(
        string="Open Tickets", compute="_compute_ticket_counts"
    )
    unassigned_ticket_count = fields.Integer(
        string="Unassigned Tickets", compute="_compute_ticket_counts"
    )
    urgent_ticket_count = fields.Integer(
        string="Urgent Tickets", compute="_compute_ticket_counts"
    )
    closed_ticket_count = fields.Integer(
        string="Tickets Closed in the Last 7 Days", compute="_compute_ticket_counts"
    )
    late_ticket_count = fields.Integer(
        string="Late Tickets", compute="_compute_ticket_counts"
    )

    # -- Computes ------------------------------------------------------------

    def _compute_public_form_url(self):
        for team in self:
            team.public_form_url = f"{team.get_base_url()}/helpdesk/{team._origin.id}"

    @api.depends("privacy_visibility", "member_ids", "message_partner_ids")
    @api.depends_context("uid")
    def _compute_user_sees_tickets(self):
        user = self.env.user
        for record in self:
            # sudo: whether the user sees the tickets of a team, nothing of the team.
            team = record.sudo()
            record.user_sees_tickets = (
                team.privacy_visibility != "invited_internal"
                or user in team.member_ids
                or user.partner_id in team.message_partner_ids
            )

    # -- CRUD ----------------------------------------------------------------

    def write(self, vals):
        self._check_company_change(vals)
        return super().write(vals)

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", team.name))
            for team, vals in zip(self, vals_list, strict=True)
        ]

    def _check_company_change(self, vals):
        """Refuse another company for a team that has tickets of its former one."""
        if "company_id" not in vals:
            return
        moved = self.filtered(lambda team: team.company_id.id != vals["company_id"])
        # sudo: tickets that the user doesn't see count as well; archived ones, too.
        tickets = self.env["helpdesk.ticket"].sudo().with_context(active_test=False)
        for team in moved:
            if tickets.search_count(Domain("team_id", "=", team.id), limit=1):
                # sudo: the name of the company that the team may not leave.
                raise UserError(
                    self.env._(
                        "%(team)s has tickets of %(company)s, with its orders and "
                        "documents: create a new team for the other company.",
                        team=team.display_name,
                        company=team.sudo().company_id.display_name,
                    )
                )

    # -- Assignment ----------------------------------------------------------

    def _get_members_present(self):
        """Return the members of this team who take new tickets: not those who are out
        of office today or, where Odoo's time off is there, on leave. When everybody is
        away, all of them."""
        self.ensure_one()
        # sudo: the members take turns, also those whom the user doesn't see.
        team = self.with_company(self.sudo().company_id).sudo()
        members = team._get_working_members().sorted("id")
        away = members.filtered("is_out_of_office")
        if "leave_date_to" in members._fields:
            away |= members.filtered("leave_date_to")
        return members - away or members

    # -- Actions -------------------------------------------------------------

    @api.readonly
    def action_view_ratings(self):
        """Return the action for what customers said about tickets of this team.

        :raises AccessError: when the team isn't the user's to see
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.rating_rating_action"
        )
        return action | {
            "domain": [
                ("parent_res_model", "=", self._name),
                ("parent_res_id", "=", self.id),
                ("consumed", "=", True),
            ],
        }

    # -- Mail alias ----------------------------------------------------------

    def _alias_get_creation_values(self):
        values = super()._alias_get_creation_values()
        values["alias_model_id"] = self.env["ir.model"]._get_id("helpdesk.ticket")
        if self.id:
            values["alias_defaults"] = defaults = literal_eval(
                self.alias_defaults or "{}"
            )
            defaults["team_id"] = self.id
        return values

    def _alias_get_error(self, message, message_dict, alias):
        # Mail to an archived team would make tickets that nobody sees (T24).
        if self and not self.active:
            return AliasError(
                "error_archived_team",
                self.env._("nobody reads the mail to this address any more"),
            )
        return super()._alias_get_error(message, message_dict, alias)
