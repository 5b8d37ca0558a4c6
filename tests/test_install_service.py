"""Switching a service on installs its addon, over HTTP, on a server with two workers.

The bridges are stand-ins that lie before the real ones on the addons path, so that each
can fail in its own way.
"""

import contextlib
import threading
import unittest

import pytest
from server import Client, Ground, ServerError, connection

STAND_IN = {
    "__init__.py": "from . import models\n",
    "models.py": (
        "from odoo import fields, models\n\n\n"
        "class Part(models.Model):\n"
        '    _name = "{name}.part"\n'
        '    _description = "Part"\n'
        "    name = fields.Char()\n"
    ),
    "ir.model.access.csv": (
        "id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink\n"
        "access_part,part,model_{name}_part,base.group_user,1,1,1,1\n"
    ),
    "data.xml": (
        '<odoo><record id="part" model="{name}.part">'
        '<field name="name">Part</field></record></odoo>\n'
    ),
}
SENTENCE = r"^{} could not be switched on: [^\n]*\.$"


@pytest.mark.slow
class TestInstallService(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ground = Ground(["helpdesk_after_sales"])
        cls.addClassCleanup(cls.ground.drop)
        cls._stand_in("helpdesk_coupon", "maintenance")
        cls._break_data_file()
        cls._stand_in("helpdesk_return", "helpdesk_test_lost")
        cls._stand_in("helpdesk_repair", python=["helpdesk-test-package"])
        cls._stand_in("helpdesk_fsm")
        cls.ground.create()
        cls.ground.sql("UPDATE res_users SET password = login")
        cls.address = cls.enterClassContext(cls.ground.serve())
        cls.admin = cls._login("admin")
        cls.admin.call(
            "res.users",
            "create",
            [
                {
                    "name": "Max",
                    "login": "manager",
                    "password": "manager",
                    "group_ids": [(6, 0, [cls._id("group_helpdesk_manager")])],
                }
            ],
        )

    @classmethod
    def _login(cls, login):
        return Client(cls.address, cls.ground.database, login)

    @classmethod
    def _id(cls, name):
        [[record_id]] = cls.ground.sql(
            "SELECT res_id FROM ir_model_data WHERE name = %s", name
        )
        return record_id

    @classmethod
    def _stand_in(cls, name, *depends, python=()):
        folder = cls.ground.addons / name
        folder.mkdir()
        for file, content in STAND_IN.items():
            folder.joinpath(file).write_text(
                content.replace("{name}.", name.replace("_", ".") + ".").replace(
                    "{name}", name
                )
            )
        manifest = {
            "name": f"Stand-in {name}",
            "version": "19.0.1.0.0",
            "author": "Test",
            "license": "LGPL-3",
            "depends": ["helpdesk_after_sales", *depends],
            "external_dependencies": {"python": list(python)},
            "data": ["ir.model.access.csv", "data.xml"],
        }
        folder.joinpath("__manifest__.py").write_text(repr(manifest))

    @classmethod
    def _break_data_file(cls):
        file = cls.ground.addons / "helpdesk_coupon" / "data.xml"
        file.write_text(file.read_text().replace('name="name"', 'name="no_such_field"'))

    def setUp(self):
        super().setUp()
        [self.team_id] = self.admin.call(
            "helpdesk.team", "create", [{"name": f"Team of {self.id()[-30:]}"}]
        )

    # -- What the tests look at ----------------------------------------------

    def _save(self, switch, client=None, **values):
        """Save the form of the team as the web client does."""
        [saved] = (client or self.admin).call(
            "helpdesk.team",
            "web_save",
            [self.team_id],
            {switch: True, "description": "Edited in the same form"} | values,
            {switch: {}, "description": {}, "service_notices": {}},
        )
        return saved

    def _state(self, addon):
        [[state]] = self.ground.sql(
            "SELECT state FROM ir_module_module WHERE name = %s", addon
        )
        return state

    def _tables(self, addon):
        return self.ground.sql(
            "SELECT 1 FROM pg_class WHERE relname = %s", f"{addon}_part"
        )

    def _assert_refused(self, switch, title, reason, client=None):
        """Saving is refused by one sentence, and nothing of it stays."""
        addon = dict(self.services)[switch]
        with self.assertRaises(ServerError) as caught:
            self._save(switch, client)
        self.assertRegex(str(caught.exception), SENTENCE.format(title))
        self.assertIn(reason, str(caught.exception))
        self._assert_nothing_stays(switch, addon)

    def _assert_nothing_stays(self, switch, addon):
        [values] = self.admin.call(
            "helpdesk.team", "read", [self.team_id], [switch, "description"]
        )
        self.assertFalse(values[switch])
        self.assertFalse(values["description"])
        self.assertEqual(self._state(addon), "uninstalled")
        self.assertFalse(self._tables(addon))
        self.assertFalse(
            self.ground.sql(
                "SELECT name FROM ir_module_module "
                "WHERE state IN ('to install', 'to upgrade', 'to remove')"
            )
        )
        self._assert_everybody_works()

    def _assert_works(self, switch):
        addon = dict(self.services)[switch]
        saved = self._save(switch)
        self.assertTrue(saved[switch])
        self.assertIn("Edited in the same form", saved["description"])
        self.assertNotIn(switch, saved["service_notices"] or {})
        self.assertEqual(self._state(addon), "installed")
        self.assertTrue(self._tables(addon))
        model = f"{addon.replace('_', '.')}.part"
        self._assert_everybody_works(model)

    def _assert_everybody_works(self, *models):
        """Both workers answer, and know the models that were installed."""
        problems = []

        def ask():
            client = self._login("admin")
            for _turn in range(5):
                for model in ("helpdesk.team", "helpdesk.ticket", *models):
                    try:
                        client.call(model, "web_search_read", [], {"display_name": {}})
                        client.call(model, "get_views", [[False, "form"]])
                    except Exception as error:  # noqa: B902 (told below)
                        problems.append(f"{model}: {error}")

        threads = [threading.Thread(target=ask) for _worker in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(problems)

    services = {
        "use_credit_notes": "helpdesk_refund",
        "use_coupons": "helpdesk_coupon",
        "use_product_returns": "helpdesk_return",
        "use_product_repairs": "helpdesk_repair",
        "use_fsm": "helpdesk_fsm",
    }

    @contextlib.contextmanager
    def _held(self, statement):
        """Hold a lock as somebody else on the database."""
        with contextlib.closing(connection(self.ground.database)) as link:
            link.autocommit = False
            link.cursor().execute(statement)
            yield

    # -- Tests ---------------------------------------------------------------

    def test_s11_exception_in_a_data_file(self):
        [values] = self.admin.call(
            "helpdesk.team", "read", [self.team_id], ["service_notices"]
        )
        self.assertRegex(
            values["service_notices"]["use_coupons"],
            r"^Saving installs Maintenance \(applications\), with .*helpdesk_coupon",
        )
        file = self.ground.addons / "helpdesk_coupon" / "data.xml"
        self._assert_refused("use_coupons", "Coupons", "no_such_field")
        # The application was complete before: both workers know it, and it is named.
        self.assertEqual(self._state("maintenance"), "installed")
        self._assert_everybody_works("maintenance.request")
        self._assert_refused("use_coupons", "Coupons", "no_such_field")
        file.write_text(file.read_text().replace("no_such_field", "name"))
        self._assert_works("use_coupons")

    def test_s11_dependency_that_is_not_on_the_server(self):
        self._assert_refused("use_product_returns", "Returns", "helpdesk_test_lost")
        self._stand_in("helpdesk_test_lost")
        self.admin.call("ir.module.module", "update_list")
        self._assert_works("use_product_returns")

    def test_s11_python_package_that_is_missing(self):
        self._assert_refused("use_product_repairs", "Repairs", "helpdesk-test-package")
        package = self.ground.packages / "helpdesk_test_package-1.0.dist-info"
        package.mkdir()
        package.joinpath("METADATA").write_text(
            "Metadata-Version: 2.1\nName: helpdesk-test-package\nVersion: 1.0\n"
        )
        self._assert_works("use_product_repairs")

    def test_s11_cron_active_or_module_operation_running(self):
        with self._held("SELECT FROM ir_cron FOR UPDATE"):
            self._assert_refused("use_fsm", "Field Service", "scheduled action")
        with self._held("LOCK ir_module_module IN EXCLUSIVE MODE"):
            self._assert_refused("use_fsm", "Field Service", "module operation")
        self.ground.sql(
            "UPDATE ir_module_module SET state = 'to install' WHERE name = 'lunch'"
        )
        with self.assertRaisesRegex(ServerError, "module operation"):
            self._save("use_fsm")
        self.ground.sql(
            "UPDATE ir_module_module SET state = 'uninstalled' WHERE name = 'lunch'"
        )
        self._assert_nothing_stays("use_fsm", "helpdesk_fsm")
        self._assert_works("use_fsm")

    def test_s11_manager_without_settings_and_then_two_at_once(self):
        manager = self._login("manager")
        with self.assertRaisesRegex(ServerError, "Mitchell Admin|Administrator"):
            self._save("use_credit_notes", manager)
        with self.assertRaises(ServerError):
            manager.call(
                "helpdesk.team", "create", [{"name": "New", "use_credit_notes": True}]
            )
        self._assert_nothing_stays("use_credit_notes", "helpdesk_refund")
        # Two administrators make a team with the service in the same moment.
        made, refused = [], []

        def create(number):
            client = self._login("admin")
            try:
                made.append(
                    client.call(
                        "helpdesk.team",
                        "web_save",
                        [],
                        {"name": f"Twin {number}", "use_credit_notes": True},
                        {"name": {}, "use_credit_notes": {}},
                    )
                )
            except ServerError as error:
                refused.append(str(error))

        threads = [threading.Thread(target=create, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(made, refused)
        self.assertTrue(all(team["use_credit_notes"] for [team] in made))
        for sentence in refused:
            self.assertIn("module operation", sentence)
        self.assertEqual(self._state("helpdesk_refund"), "installed")
        self._assert_everybody_works("account.move")
        # A plain boolean now: the manager switches it alone.
        self.assertTrue(self._save("use_credit_notes", manager)["use_credit_notes"])
