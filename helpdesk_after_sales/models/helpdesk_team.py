import logging
from ast import literal_eval
from collections import Counter

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.modules.registry import Registry
from odoo.tools import SQL

from odoo.addons.mail.tools.alias_error import AliasError

_logger = logging.getLogger(__name__)


class HelpdeskTeam(models.Model):
    _name = "helpdesk.team"
    _inherit = ["mail.alias.mixin", "mail.thread", "rating.parent.mixin"]
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
    reopen_on_reply = fields.Boolean(
        string="Reopen on Reply",
        default=True,
        help="A closed ticket opens again when its customer answers to it.",
    )
    follow_carbon_copy = fields.Boolean(
        string="People in Copy Follow",
        help="Contacts and colleagues who are in copy of a customer's mail follow its "
        "ticket: they get the answers, too.",
    )
    allow_portal_requests = fields.Boolean(
        string="Requests in the Portal",
        default=True,
        help="Customers ask in the portal for a return or a repair of what was "
        "delivered to them, where the service is on. An agent approves or declines.",
    )
    allow_public_form = fields.Boolean(
        string="Public Form",
        help="Visitors who are not logged in may send a ticket from the website.",
    )
    public_form_url = fields.Char(
        string="Address of the Form", compute="_compute_public_form_url"
    )
    answer_hours = fields.Float(
        string="Promised Answer",
        help="Hours until customers get a first answer. Mail and portal say so; empty "
        "promises nothing.",
    )
    use_rating = fields.Boolean(
        string="Customer Ratings",
        help="Customers are asked by e-mail how happy they are when a ticket is "
        "closed.",
    )
    warranty_restarts = fields.Boolean(
        string="New Warranty for Replacements",
        help="What is delivered as a replacement is under warranty from its own "
        "delivery. Otherwise it goes on with the warranty of the first delivery.",
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

    service_notices = fields.Json(
        compute="_compute_service_notices",
        export_string_translation=False,
        help="What saving installs, by the switch of each service that needs it.",
    )
    blocked_services = fields.Json(
        compute="_compute_service_notices",
        export_string_translation=False,
        help="The switches that this user can't use, since they install something.",
    )

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

    @api.model
    def _search_user_sees_tickets(self, operator, value):
        """Return a domain of ids, which leads to tickets without a join: where many
        are counted the ids themselves, which are compared faster, else a subquery."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        user = self.env.user
        # sudo: see _compute_user_sees_tickets.
        query = (
            self.sudo()
            .with_context(active_test=False)
            ._search(
                Domain("privacy_visibility", "!=", "invited_internal")
                | Domain("member_ids", "in", user.ids)
                | Domain("message_partner_ids", "in", user.partner_id.ids)
            )
        )
        counting = self.env.context.get("helpdesk_counting")
        return Domain("id", "in", query.get_result_ids() if counting else query)

    def _compute_ticket_counts(self):
        """Count for all teams by one query; its two halves read an index each."""
        # sudo: whoever sees a team sees its tickets, see the record rules of both.
        tickets = self.env["helpdesk.ticket"].sudo()
        teams = Domain("team_id", "in", self.ids)
        team = SQL.identifier("helpdesk_ticket", "team_id")
        still_open = tickets._search(teams & Domain("close_date", "=", False))
        closed = tickets._search(teams & Domain("close_date", ">=", "today -7d"))
        still_open.groupby = closed.groupby = team
        counts = {
            team_id: numbers
            for team_id, *numbers in self.env.execute_query(
                SQL(
                    """
                    SELECT team_id, SUM(open), SUM(unassigned), SUM(urgent), SUM(closed)
                      FROM (%(still_open)s UNION ALL %(closed)s) AS counts
                     GROUP BY team_id
                    """,
                    still_open=still_open.select(
                        SQL("%s AS team_id", team),
                        SQL("COUNT(*) AS open"),
                        SQL("COUNT(*) FILTER (WHERE user_id IS NULL) AS unassigned"),
                        SQL("COUNT(*) FILTER (WHERE priority = '3') AS urgent"),
                        SQL("0 AS closed"),
                    ),
                    closed=closed.select(
                        team, SQL("0"), SQL("0"), SQL("0"), SQL("COUNT(*)")
                    ),
                )
            )
        }
        for record in self:
            (
                record.open_ticket_count,
                record.unassigned_ticket_count,
                record.urgent_ticket_count,
                record.closed_ticket_count,
            ) = map(int, counts.get(record._origin.id, (0, 0, 0, 0)))

    @api.depends_context("uid", "lang")
    def _compute_service_notices(self):
        """Say for each service that isn't installed what saving would install (S11)."""
        notices, blocked = {}, []
        installer = self.env.user.has_group("base.group_system")
        services = self._after_sales_services() if self.has_access("create") else {}
        for switch, addon in services.items():
            modules, obstacle = self._get_service_installation({addon})
            if not modules and not obstacle:
                continue
            if obstacle:
                notice = self.env._("Can't be installed: %(reason)s.", reason=obstacle)
            elif installer:
                notice = self._describe_installation(modules)
            else:
                notice = self.env._(
                    "Not installed; %(administrators)s may do it. %(notice)s",
                    notice=self._describe_installation(modules),
                    administrators=self._get_installers(),
                )
            if obstacle or not installer:
                blocked.append(switch)
            notices[switch] = notice
        self.service_notices = notices
        self.blocked_services = blocked

    # -- CRUD ----------------------------------------------------------------

    @api.private
    def init(self):
        """Let PostgreSQL know how many teams there are. It analyzes a table by itself
        from 50 changes on: until then it takes the teams that customers see for a few
        out of hundreds, and reads all tickets of a customer to show the newest."""
        self.env.cr.execute(
            "ALTER TABLE helpdesk_team SET (autovacuum_analyze_threshold = 1)"
        )
        return super().init()

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        if self._install_after_sales_services(vals_list):
            # The installation has replaced the registry: go on with the new model.
            return self.env[self._name].create(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self.check_access("write")
        if self._install_after_sales_services([vals]):
            return self.env[self._name].browse(self.ids).write(vals)
        self._check_company_change(vals)
        return super().write(vals)

    def web_save(self, vals, specification, next_id=None):
        # What is read after saving is read by the new model, too.
        self.check_access("write" if self else "create")
        if self._install_after_sales_services([vals]):
            self = self.env[self._name].browse(self.ids)
            return self.web_save(vals, specification, next_id=next_id)
        return super().web_save(vals, specification, next_id=next_id)

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
                        "documents: make a new team for the other company.",
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
        members = team.member_ids.filtered("active").sorted("id")
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

    # -- Installing services -------------------------------------------------

    @api.model
    def _get_service_installation(self, addons):
        """Return ``(addons that installing these would install, obstacle)``.

        :param addons: names of bridge addons
        :return: an empty recordset when everything is installed; the obstacle is the
            end of a sentence, or ``False``
        """
        # sudo: helpdesk managers read no addons; titles and states are worked out.
        modules = self.env["ir.module.module"].sudo()
        found = modules.search(Domain("name", "in", [*addons]))
        if unknown := addons - set(found.mapped("name")):
            return modules, self.env._(
                "it needs an addon that is not on this server (%(addons)s); ask the "
                "administrator to add it and to update the list of apps",
                addons=", ".join(sorted(unknown)),
            )
        wanted = found.filtered(lambda m: m.state not in ("installed", "to upgrade"))
        if not wanted:
            return modules, False
        to_install = wanted._get_addons_to_install()
        return to_install, to_install._get_install_obstacle()

    @api.model
    def _describe_installation(self, modules):
        """Return the sentence that names what saving installs, by title."""
        modules = modules.sorted("shortdesc")
        applications = modules.filtered("application")
        addons = ", ".join((modules - applications).mapped("shortdesc"))
        if not applications:
            return self.env._("Saving installs %(addons)s.", addons=addons)
        return self.env._(
            "Saving installs %(applications)s (applications), with %(addons)s.",
            applications=", ".join(applications.mapped("shortdesc")),
            addons=addons,
        )

    @api.model
    def _get_installers(self):
        # sudo: the names of those who can help, nothing else.
        administrators = self.env.ref("base.group_system").sudo().all_user_ids
        return ", ".join(administrators.filtered("active").mapped("name"))

    @api.model
    def _install_after_sales_services(self, vals_list):
        """Install the bridge addons of the services that ``vals_list`` switches on.

        The installation commits and is done before the values are written, so that a
        failed one leaves the switch off and the team untouched (S11).

        :return: whether something was installed; the registry is a new one then
        :raises UserError: with one sentence why it can't be installed
        :raises AccessError: when the user may not install addons
        """
        services = {
            switch: addon
            for switch, addon in self._after_sales_services().items()
            if any(vals.get(switch) for vals in vals_list)
        }
        # While addons are being loaded their data may switch their services on.
        if not services or not self.env.registry.ready:
            return False
        to_install, obstacle = self._get_service_installation({*services.values()})
        if obstacle:
            raise UserError(self._explain_failure(services, obstacle))
        if not to_install:
            return False
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(
                self.env._(
                    "%(notice)s Only an administrator may do that (Settings rights): "
                    "%(administrators)s.",
                    notice=self._describe_installation(to_install),
                    administrators=self._get_installers(),
                )
            )
        if "_import_current_module" in self.env.context:
            raise UserError(
                self._explain_failure(
                    services,
                    self.env._(
                        "an import can't install addons; switch it on in the settings "
                        "of a team first"
                    ),
                )
            )
        wanted = to_install.filtered(lambda m: m.name in services.values())
        planned = dict(to_install.mapped(lambda m: (m.name, m.shortdesc)))
        try:
            # Without sudo: Odoo itself checks the administrator once more, and logs
            # them.
            wanted.sudo(False).button_immediate_install()
        except SerializationFailure:
            # Somebody else installs something: Odoo tries the request once more.
            self._leave_failed_installation()
            raise
        except Exception as error:  # noqa: B902 (anything can happen in an addon)
            _logger.info("%s could not be installed", [*planned], exc_info=True)
            self._leave_failed_installation()
            reason = self._get_failure_reason(error, planned)
            raise UserError(self._explain_failure(services, reason)) from error
        return True

    @api.model
    def _leave_failed_installation(self):
        """Get back to a registry that fits the database, on every server.

        Odoo has set back the states of the addons and dropped the registry; but each
        addon that was complete before the failure is committed, and nobody was told.
        """
        self.env.cr.rollback()
        registry = Registry(self.env.cr.dbname)
        if registry is not self.env.registry:
            registry.registry_invalidated = True
            registry.signal_changes()
            self.env.cr.reset()
            if request and request.db == self.env.cr.dbname:
                request.registry = registry

    @api.model
    def _get_failure_reason(self, error, planned):
        """Return the end of a sentence that says why an installation failed.

        :param planned: ``{name: title}`` of the addons that were to be installed
        """
        if isinstance(error, UserError):
            reason = str(error).strip().splitlines()[0].rstrip(".")
        else:
            cause = error.__cause__ or error
            reason = self.env._(
                "%(error)s; the details are in the log of the server",
                error=f"{type(cause).__name__}: {cause}".strip().splitlines()[0],
            )
        # sudo: see _get_service_installation.
        done = (
            self.env["ir.module.module"]
            .sudo()
            .search(
                Domain("name", "in", [*planned]) & Domain("state", "=", "installed")
            )
        )
        if done:
            reason = self.env._(
                "%(reason)s (%(addons)s, needed for it, stay installed)",
                reason=reason,
                addons=", ".join(done.mapped("shortdesc")),
            )
        return reason

    @api.model
    def _explain_failure(self, services, reason):
        return self.env._(
            "%(services)s could not be switched on: %(reason)s.",
            services=", ".join(self._get_switch_label(switch) for switch in services),
            reason=reason,
        )

    @api.model
    def _get_switch_label(self, switch):
        return self._fields[switch]._description_string(self.env)

    @api.model
    def _service_addons_uninstalled(self, modules):
        """Switch the services of these bridge addons off, while they are uninstalled.

        The links from documents to tickets go with the addon: each team's chatter says
        how many there were. What the chatters of tickets and documents say, stays.
        """
        names = set(modules.mapped("name"))
        # sudo: an administrator uninstalls for every company.
        everybody = self.sudo().with_context(active_test=False).search(Domain.TRUE)
        for switch, addon in self._after_sales_services().items():
            if addon not in names or switch not in self._fields:
                continue
            teams = everybody.filtered(switch)
            teams.write({switch: False})
            links = self.sudo()._count_links_of(addon)
            for team in everybody.filtered(
                lambda t, on=teams, n=links: t in on or n[t]
            ):
                team._message_log(
                    body=self.env._(
                        "%(service)s: switched off, since %(addon)s was uninstalled. "
                        "Documents that have lost their link to a ticket of this team: "
                        "%(count)s; the messages of both sides still name it.",
                        service=self._get_switch_label(switch),
                        addon=modules.filtered(
                            lambda m, a=addon: m.name == a
                        ).shortdesc,
                        count=links[team],
                    )
                )

    @api.model
    def _count_links_of(self, addon):
        """Return ``{team: number of documents}`` that an addon links to tickets."""
        owned = self.env["ir.model.data"].search(
            Domain("module", "=", addon) & Domain("model", "=", "ir.model.fields")
        )
        fields = self.env["ir.model.fields"].browse(owned.mapped("res_id"))
        counts = Counter()
        for field in fields.filtered(lambda f: f.name == "helpdesk_ticket_id"):
            model = self.env[field.model].with_context(active_test=False)
            if not field.store or model._transient:
                continue
            for ticket, number in model._read_group(
                Domain("helpdesk_ticket_id", "!=", False),
                ["helpdesk_ticket_id"],
                ["__count"],
            ):
                counts[ticket.team_id] += number
        return counts

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
