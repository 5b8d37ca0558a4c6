from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class HelpdeskTeam(models.Model):
    _name = "helpdesk.team"
    _inherit = ["mail.alias.mixin", "mail.thread"]
    _description = "Helpdesk Team"
    _order = "sequence, name, id"
    _check_company_auto = True

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
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
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
        help="New tickets get a member of the team as their responsible by themselves.",
    )
    assign_method = fields.Selection(
        selection=[
            ("randomly", "Each member the same number of tickets"),
            ("balanced", "Each member the same number of open tickets"),
        ],
        string="Assignment Method",
        required=True,
        default="randomly",
    )
    allow_portal_ticket_closing = fields.Boolean(
        string="Closure by Customers",
        help="Customers may close their tickets in the portal.",
    )
    require_reason = fields.Boolean(
        string="Mandatory Reasons",
        help="Refunds, returns and repairs need a reason from the list of reasons.",
    )
    ticket_properties = fields.PropertiesDefinition()

    use_credit_notes = fields.Boolean(
        string="Refunds", help="Issue credit notes from tickets."
    )
    use_coupons = fields.Boolean(
        string="Coupons",
        help="Generate coupons of existing coupon programs from tickets.",
    )
    use_product_returns = fields.Boolean(
        string="Returns", help="Return delivered products from tickets."
    )
    use_product_repairs = fields.Boolean(
        string="Repairs", help="Create repair orders from tickets."
    )
    use_fsm = fields.Boolean(
        string="Field Service", help="Plan interventions on site from tickets."
    )

    @api.model
    def _after_sales_services(self):
        """Return ``{switch field of the team: name of its bridge addon}``.

        The one table of services: installing and the related fields of the ticket
        read it. An addon that brings a service of its own extends the result of
        ``super()`` (S5 to S9).
        """
        return {
            "use_credit_notes": "helpdesk_refund",
            "use_coupons": "helpdesk_coupon",
            "use_product_returns": "helpdesk_return",
            "use_product_repairs": "helpdesk_repair",
            "use_fsm": "helpdesk_fsm",
        }

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        if self._install_after_sales_services(vals_list):
            # The installation has replaced the registry: go on with the new model.
            return self.env[self._name].create(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        if self._install_after_sales_services([vals]):
            return self.env[self._name].browse(self.ids).write(vals)
        return super().write(vals)

    # -- Installing services -------------------------------------------------

    @api.model
    def _install_after_sales_services(self, vals_list):
        """Install the bridge addons of the services that ``vals_list`` switches on.

        The installation commits and is done before the values are written, so that a
        failed one leaves the switch off and the team untouched (S11).

        :return: whether something was installed; the registry is a new one then
        :raises UserError: when an addon isn't on the server
        :raises AccessError: when the user may not install addons
        """
        wanted = {
            addon
            for switch, addon in self._after_sales_services().items()
            if any(vals.get(switch) for vals in vals_list)
        }
        # While addons are being loaded their data may switch their services on.
        if not wanted or not self.env.registry.ready:
            return False
        # sudo: reads the state of the wanted addons only.
        modules = (
            self.env["ir.module.module"].sudo().search([("name", "in", [*wanted])])
        )
        unknown = wanted - set(modules.mapped("name"))
        uninstallable = modules.filtered(lambda m: m.state == "uninstallable")
        if unknown or uninstallable:
            raise UserError(
                self.env._(
                    "This service needs an addon that is not on this server: "
                    "%(addons)s. Ask the administrator to add it to the addons path "
                    "and to update the list of apps.",
                    addons=", ".join(
                        sorted(unknown | set(uninstallable.mapped("name")))
                    ),
                )
            )
        missing = modules.filtered(
            lambda module: module.state not in ("installed", "to upgrade")
        )
        if not missing:
            return False
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "Switching this service on installs %(addons)s. Only an "
                    "administrator may do that (Settings rights): %(administrators)s.",
                    addons=", ".join(missing.mapped("shortdesc")),
                    administrators=", ".join(
                        self.env.ref("base.group_system")
                        .sudo()  # names of those who can help, nothing else
                        .all_user_ids.filtered("active")
                        .mapped("name")
                    ),
                )
            )
        # Without sudo: Odoo itself checks the administrator once more, and logs him.
        missing.sudo(False).button_immediate_install()
        return True

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
