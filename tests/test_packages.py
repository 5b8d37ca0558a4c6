"""Each addon is a package, and the metapackage brings them all to an Odoo."""

import contextlib
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import pytest
from server import Client, Ground, sql

ROOT = Path(__file__).resolve().parents[1]
ADDONS = sorted(path.parent.name for path in ROOT.glob("helpdesk_*/__manifest__.py"))
META = "odoo-addons-helpdesk-after-sales"


def database_with(prefix):
    """Return a template of setup/ that others of these tests start from, if any."""
    found = sql(
        "postgres", "SELECT datname FROM pg_database WHERE datname ^@ %s", prefix
    )
    return found[0][0] if found else None


def complaints(ground):
    """Return the warnings and errors of what ``ground`` logged, as to our addons."""
    return [
        line
        for line in ground.log.read_text().splitlines()
        if re.search(r" (WARNING|ERROR|CRITICAL) .*helpdesk", line)
        # The folder for addons of the test is empty.
        and "odoo.tools.config" not in line
    ]


class Installed(Ground):
    """A ground whose addons are those of the installed packages, not this checkout."""

    def _addons_path(self):
        return [path for path in super()._addons_path() if path != str(ROOT)]


@pytest.mark.slow
class TestPackages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not (ROOT / ".git").exists():
            # whool packs the files that git knows.
            raise unittest.SkipTest("not a checkout of the repository")
        cls.ground = Installed([], database_with("helpdesk_basedemo_"))
        cls.addClassCleanup(cls.ground.drop)
        cls.wheels = cls.ground.folder / "wheels"
        cls._pip("wheel", "--no-deps", "-w", cls.wheels, *(ROOT / a for a in ADDONS))
        # setuptools leaves its traces beside what it builds: in a folder of its own.
        project = (ROOT / "setup" / "_metapackage" / "pyproject.toml").read_text()
        # This Odoo is Debian's, whose requirements have other names on PyPI.
        odoo = 'name = "odoo"\nversion = "19.0"\n[tool.setuptools]\npackages = []\n'
        for name, content in (("meta", project), ("odoo", f"[project]\n{odoo}")):
            folder = cls.ground.folder / name
            folder.mkdir()
            (folder / "pyproject.toml").write_text(content)
            cls._pip("wheel", "--no-deps", "-w", cls.wheels, folder)

    @classmethod
    def _pip(cls, *words):
        result = subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", *words],
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise AssertionError(result.stderr[-3000:])
        return result.stdout

    def test_metapackage_brings_every_addon_and_the_demo_database_runs(self):
        # Nothing comes from elsewhere: what the wheels require, these wheels are.
        self._pip(
            *("install", "--no-index", "--find-links", self.wheels),
            *("--target", self.ground.packages, META),
        )
        folder = self.ground.packages / "odoo" / "addons"
        self.assertEqual(sorted(path.name for path in folder.iterdir()), ADDONS)
        for addon in ADDONS:
            names = {path.name for path in (folder / addon).rglob("*")}
            self.assertIn("icon.png", names)
            self.assertIn(f"{addon}.pot", names)

        self.ground.create()
        self.ground.run(
            *("-i", ",".join(ADDONS), "--with-demo", "--stop-after-init", "--no-http")
        )
        self.assertFalse(complaints(self.ground))
        states = self.ground.sql(
            "SELECT name FROM ir_module_module WHERE state = 'installed' AND name = "
            "ANY(%s) ORDER BY name",
            ADDONS,
        )
        self.assertEqual([name for [name] in states], ADDONS)
        with contextlib.ExitStack() as stack:
            address = stack.enter_context(self.ground.serve())
            agent = Client(address, self.ground.database, "agent")
            tickets = agent.call("helpdesk.ticket", "search", [])
            self.assertGreaterEqual(len(tickets), 12)
            self._check_story(agent)

    def _check_story(self, agent):
        """The demo data is as the tour of setup/demo tells it."""
        tickets = agent.call(
            "helpdesk.ticket",
            "search_read",
            [],
            ["name", "stage_id", "message_attachment_count", "description"],
        )
        stages = agent.call("helpdesk.stage", "search", [])
        self.assertEqual({ticket["stage_id"][0] for ticket in tickets}, {*stages})
        self.assertTrue(all(ticket["description"] for ticket in tickets))
        self.assertGreaterEqual(
            sum(bool(ticket["message_attachment_count"]) for ticket in tickets), 6
        )
        [lamp] = [t for t in tickets if t["name"] == "The desk lamp arrived broken"]
        purchases = agent.call("helpdesk.ticket", "get_purchases", [lamp["id"]])
        [row] = purchases["rows"]
        self.assertEqual((row["delivered"], row["invoiced"]), (4, 4))
        self.assertIn("action_refund", [action["method"] for action in row["actions"]])
        amounts = self.ground.sql(
            "SELECT m.payment_state, c.name FROM account_move m "
            "JOIN res_currency c ON c.id = m.currency_id "
            "WHERE m.move_type = 'out_invoice' AND m.state = 'posted' "
            "AND EXISTS (SELECT FROM sale_order WHERE name = m.invoice_origin)"
        )
        states = {state for state, _currency in amounts}
        self.assertIn("not_paid", states)
        self.assertTrue(states & {"paid", "in_payment"})
        self.assertEqual(len({currency for _state, currency in amounts}), 2)
