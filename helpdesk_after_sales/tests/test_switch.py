from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.tests import Form, tagged

from .common import HelpdeskAfterSalesCommon


class _Undone(Exception):
    """Takes a savepoint back."""


@tagged("post_install", "-at_install")
class TestSwitch(HelpdeskAfterSalesCommon):
    """What switching a service on says and asks for; tests/ really installs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = cls._new_user(
            "after_sales_administrator",
            "base.group_system,helpdesk_after_sales.group_helpdesk_manager",
        )
        cls.application, cls.bridge, cls.companion, cls.foreign = cls.env[
            "ir.module.module"
        ].create(
            [
                {"name": f"helpdesk_test_{name}", "state": "uninstalled"} | values
                for name, values in (
                    ("crates", {"shortdesc": "Crates", "application": True}),
                    ("bridge", {"shortdesc": "Crates from Tickets"}),
                    ("both", {"shortdesc": "Crates Dashboard", "auto_install": True}),
                    ("country", {"shortdesc": "Elsewhere", "auto_install": True}),
                )
            ]
        )
        cls._depend(cls.application, "base")
        cls._depend(cls.bridge, cls.application.name, "helpdesk_after_sales")
        for automatic in (cls.companion, cls.foreign):
            cls._depend(automatic, cls.bridge.name, "base")
            automatic.dependencies_id.auto_install_required = True
        cls.foreign.country_ids = cls.env["res.country"].create(
            {"name": "Nowhere", "code": "XX"}
        )

    @classmethod
    def _depend(cls, module, *names):
        module.dependencies_id = [Command.create({"name": name}) for name in names]

    def setUp(self):
        super().setUp()
        services = self.env["helpdesk.team"]._after_sales_services()
        self.services = dict.fromkeys(services, "base") | {"use_fsm": self.bridge.name}
        self.patch(
            type(self.env["helpdesk.team"]),
            "_after_sales_services",
            lambda team: self.services,
        )

    def _patch_installation(self, **kwargs):
        return patch.object(
            type(self.env["ir.module.module"]), "button_immediate_install", **kwargs
        )

    def test_s11_addons_are_worked_out_from_the_module_graph(self):
        self.assertEqual(
            self.bridge._get_addons_to_install(),
            self.application + self.bridge + self.companion,
        )
        self.assertFalse(
            self.env.ref("base.module_base")._get_addons_to_install(),
        )

    def test_s11_worked_out_is_what_odoo_marks(self):
        names = ("repair", "mrp", "website_sale", "website_sale_loyalty", "project")
        names += ("sale_project", "hr_holidays", "helpdesk_test_bridge")
        modules = self.env["ir.module.module"]
        checked = 0
        for module in modules.search(
            [("state", "=", "uninstalled"), ("name", "in", names)]
        ):
            expected = module._get_addons_to_install()
            before = modules.search([("state", "=", "to install")])
            try:
                with self.env.cr.savepoint():
                    module.button_install()
                    marked = modules.search([("state", "=", "to install")]) - before
                    self.assertEqual(
                        set(expected.mapped("name")), set(marked.mapped("name"))
                    )
                    checked += 1
                    raise _Undone
            except (UserError, _Undone):
                modules.invalidate_model()
        self.assertTrue(checked)

    def test_s11_form_names_what_saving_installs(self):
        with Form(self.team.with_user(self.administrator)) as form:
            self.assertEqual(
                form.service_notices,
                {
                    "use_fsm": "Saving installs Crates (applications), with Crates "
                    "Dashboard, Crates from Tickets."
                },
            )
            self.assertFalse(form.blocked_services)
        new = Form(self.env["helpdesk.team"].with_user(self.administrator))
        self.assertIn("use_fsm", new.service_notices)

    def test_s11_manager_without_settings_reads_who_can(self):
        team = self.team.with_user(self.manager)
        self.assertEqual(team.blocked_services, ["use_fsm"])
        self.assertIn(self.administrator.name, team.service_notices["use_fsm"])
        with self._patch_installation() as install:
            for act in (
                lambda: team.write({"use_fsm": True}),
                lambda: team.web_save({"use_fsm": True}, {}),
                lambda: team.create({"name": "New", "use_fsm": True}),
                lambda: team.copy({"use_fsm": True}),
            ):
                with self.assertRaisesRegex(AccessError, self.administrator.login):
                    act()
            install.assert_not_called()
        self.assertFalse(self.team.use_fsm)

    def test_s11_installed_service_is_a_plain_boolean(self):
        self.services["use_fsm"] = "base"
        self.assertFalse(self.team.with_user(self.manager).service_notices)
        with Form(self.team.with_user(self.manager)) as form:
            form.use_fsm = True
        self.assertTrue(self.team.use_fsm)
        with Form(self.team.with_user(self.manager)) as form:
            form.use_fsm = False
        self.assertFalse(self.team.use_fsm)

    def test_s11_who_may_not_edit_the_team_installs_nothing(self):
        only_settings = self._new_user("after_sales_settings", "base.group_system")
        with self._patch_installation() as install:
            for user in (only_settings, self.agent, self.employee):
                with self.assertRaises(AccessError):
                    self.team.with_user(user).use_fsm = True
                with self.assertRaises(AccessError):
                    self.team.with_user(user).web_save({"use_fsm": True}, {})
                with self.assertRaises(AccessError):
                    self.env["helpdesk.team"].with_user(user).create(
                        {"name": "New", "use_fsm": True}
                    )
            install.assert_not_called()

    def test_s11_agents_read_no_notices(self):
        self.assertFalse(self.team.with_user(self.agent).service_notices)

    def test_s11_dependency_that_is_not_on_the_server(self):
        self._depend(self.application, "helpdesk_test_lost")
        team = self.team.with_user(self.administrator)
        self.assertEqual(team.blocked_services, ["use_fsm"])
        self.assertIn("helpdesk_test_lost", team.service_notices["use_fsm"])
        with self._patch_installation() as install:
            with self.assertRaisesRegex(
                UserError, r"^Field Service could not be .*helpdesk_test_lost"
            ):
                team.use_fsm = True
            install.assert_not_called()

    def test_s11_python_package_that_is_missing(self):
        sentence = "A package is missing:\nneeded_package"

        def check(module, name, newstate="to install"):
            raise UserError(sentence)

        self.patch(
            type(self.env["ir.module.module"]), "check_external_dependencies", check
        )
        with (
            self._patch_installation() as install,
            self.assertRaisesRegex(UserError, "could not be .*needed_package"),
        ):
            self.team.with_user(self.administrator).use_fsm = True
        install.assert_not_called()

    def test_s11_import_installs_nothing(self):
        teams = self.env["helpdesk.team"].with_user(self.administrator)
        with self._patch_installation() as install:
            result = teams.load(["name", "use_fsm"], [["Imported", "1"]])
            install.assert_not_called()
        self.assertFalse(result["ids"])
        self.assertIn("an import can't install", result["messages"][0]["message"])

    def test_s11_installation_comes_before_writing_and_saves_the_rest(self):
        team = self.team.with_user(self.administrator)

        def install(modules):
            self.assertEqual(modules, self.bridge)
            self.assertEqual(modules.env.uid, self.administrator.id)
            self.assertFalse(modules.env.su)
            self.assertNotEqual(self.team.name, "Renamed")
            everything = modules._get_addons_to_install()
            everything.sudo().state = "installed"

        with self._patch_installation(autospec=True, side_effect=install) as button:
            [values] = team.web_save(
                {"use_fsm": True, "name": "Renamed"}, {"name": {}, "use_fsm": {}}
            )
        button.assert_called_once()
        self.assertEqual((values["name"], values["use_fsm"]), ("Renamed", True))

    def test_s11_failure_says_why_in_one_sentence(self):
        team = self.team.with_user(self.administrator)
        cause = ValueError("no such field\nand more")
        error = RuntimeError("while parsing")
        error.__cause__ = cause
        for raised, expected in (
            (
                error,
                "Field Service could not be switched on: ValueError: no such field",
            ),
            (UserError("It is busy.\nTry again."), "switched on: It is busy."),
        ):
            with (
                self._patch_installation(side_effect=raised),
                patch.object(type(team), "_leave_failed_installation") as leave,
                self.assertRaises(UserError) as caught,
            ):
                team.write({"use_fsm": True, "name": "Renamed"})
            leave.assert_called_once()
            self.assertIn(expected, str(caught.exception))
            self.assertNotIn("\n", str(caught.exception))
        self.assertFalse(self.team.use_fsm)
        self.assertNotEqual(self.team.name, "Renamed")

    def test_s11_failure_names_what_stays_installed(self):
        def fail(_modules):
            self.application.state = "installed"
            raise ValueError("the bridge is broken")

        with (
            self._patch_installation(autospec=True, side_effect=fail),
            patch.object(type(self.team), "_leave_failed_installation"),
            self.assertRaisesRegex(UserError, r"\(Crates, needed for it, stay"),
        ):
            self.team.with_user(self.administrator).use_fsm = True

    def test_s2_s10_switching_off_refuses_what_was_allowed(self):
        self.services["use_fsm"] = "base"
        ticket = self._ticket(self.contact_a1).with_user(self.agent)
        self.team.use_fsm = True
        self.assertTrue(ticket.use_fsm)
        ticket._check_after_sales("use_fsm")
        self.team.with_user(self.manager).use_fsm = False
        self.assertFalse(ticket.use_fsm)
        with self.assertRaisesRegex(UserError, "switched off for the team"):
            ticket._check_after_sales("use_fsm")

    def test_t30_uninstalling_a_bridge_switches_its_teams_off(self):
        self.services["use_fsm"] = "base"
        archived = self.team.copy({"name": "Archived", "active": False})
        other = self.team.copy({"name": "Other", "use_coupons": True})
        (self.team + archived).use_fsm = True
        self.services["use_fsm"] = self.bridge.name
        self.env["helpdesk.team"]._service_addon_uninstalled(self.bridge.name)
        self.assertFalse(any((self.team + archived).mapped("use_fsm")))
        self.assertTrue(other.use_coupons)
        self.assertIn("uninstalled", self.team.message_ids[0].body)

    def test_t30_only_administrators_reach_the_uninstallation(self):
        self.services["use_fsm"] = "base"
        self.team.use_fsm = True
        self.services["use_fsm"] = self.bridge.name
        for user in (self.manager, self.agent, self.employee):
            with (
                self.assertRaises(AccessDenied),
                self.assertLogs("odoo.addons.base.models.ir_module", "WARNING"),
            ):
                self.bridge.with_user(user).module_uninstall()
        self.assertTrue(self.team.use_fsm)
