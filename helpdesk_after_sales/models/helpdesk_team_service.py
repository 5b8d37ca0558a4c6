import logging
from collections import Counter

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.modules.registry import Registry

_logger = logging.getLogger(__name__)


class HelpdeskTeam(models.Model):
    """The services of a team: its switches, and installing what they need (S11)."""

    _inherit = "helpdesk.team"

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

    @api.model
    def _after_sales_services(self):
        """Return ``{switch field of the team: name of its bridge addon}``: the records
        of ``helpdesk.after.sales.service`` (S5 to S9)."""
        # sudo: names of fields and addons; customers ask for services, too.
        services = self.env["helpdesk.after.sales.service"].sudo().search(Domain.TRUE)
        return {service.switch: service.addon for service in services}

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
                    "Not installed; %(administrators)s can install it. %(notice)s",
                    notice=self._describe_installation(modules),
                    administrators=self._get_installers(),
                )
            if obstacle or not installer:
                blocked.append(switch)
            notices[switch] = notice
        self.service_notices = notices
        self.blocked_services = blocked

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        if self._install_after_sales_services(vals_list):
            # The installation has replaced the registry: go on with the new model.
            return self.env[self._name].create(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        """Install what ``vals`` switches on, then write as Odoo does.

        An installation *commits* what the transaction did so far: a server action, an
        import or a script that switches a service on should do it first.
        """
        self.check_access("write")
        if self._install_after_sales_services([vals]):
            return self.env[self._name].browse(self.ids).write(vals)
        return super().write(vals)

    def web_save(self, vals, specification, next_id=None):
        # What is read after saving is read by the new model, too.
        self.check_access("write" if self else "create")
        if self._install_after_sales_services([vals]):
            self = self.env[self._name].browse(self.ids)
            return self.web_save(vals, specification, next_id=next_id)
        return super().web_save(vals, specification, next_id=next_id)

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
                    "%(notice)s Only administrators with Settings rights can do "
                    "that: %(administrators)s.",
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
                "%(error)s; the details are in the server log",
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
    def _service_addon_uninstalled(self, addon):
        """Switch the services of a bridge addon off. Its ``uninstall_hook`` calls this.

        The links from documents to tickets go with the addon: each team's chatter says
        how many there were. What the chatters of tickets and documents say, stays.

        :param addon: the name of the bridge
        """
        # sudo: an administrator uninstalls for every company; Odoo has checked who.
        everybody = self.sudo().with_context(active_test=False).search(Domain.TRUE)
        links = everybody._count_links_of(addon)
        title = self.env["ir.module.module"].sudo()._get(addon).shortdesc  # sudo: name
        for switch, bridge in self._after_sales_services().items():
            if addon != bridge or switch not in self._fields:
                continue
            teams = everybody.filtered(switch)
            teams.write({switch: False})
            for team in teams | everybody.filtered(links.get):
                team._message_log(
                    body=self.env._(
                        "%(service)s: switched off, since %(addon)s was uninstalled. "
                        "Documents that have lost their link to a ticket of this team: "
                        "%(count)s; the messages of both sides still name it.",
                        service=self._get_switch_label(switch),
                        addon=title,
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
