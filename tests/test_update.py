"""A database of the first addons, with data, is updated and loses nothing.

The first addons come out of the repository's history. What they stored is compared row
by row and column by column, so that a migration that forgets something fails here.
"""

import io
import json
import shutil
import subprocess
import tarfile
import unittest
from pathlib import Path

import pytest
from server import Client, Ground, sql
from test_packages import complaints, database_with
from test_uninstall import SERVICES

from odoo.tools import config

ROOT = Path(__file__).resolve().parents[1]
#: the six addons as the first issues left them
GROUND = "7c7c9984d7"
#: tables of Odoo that hold something of ours, by the condition for that
SHARED = {
    "account_move": "helpdesk_ticket_id IS NOT NULL",
    "loyalty_card": "helpdesk_ticket_id IS NOT NULL",
    "stock_picking": "helpdesk_ticket_id IS NOT NULL",
    "repair_order": "helpdesk_ticket_id IS NOT NULL",
    "project_task": "helpdesk_ticket_id IS NOT NULL",
    "project_project": "is_fsm",
    "mail_message": "model ^@ 'helpdesk.' OR model ^@ 'fsm.'",
    "mail_followers": "res_model ^@ 'helpdesk.'",
    "mail_activity": "res_model ^@ 'helpdesk.'",
    "mail_alias": "position('team_id' in alias_defaults) > 0",
    "ir_attachment": "res_model ^@ 'helpdesk.' OR res_model ^@ 'fsm.'",
    "ir_sequence": "code ^@ 'helpdesk.'",
}
#: what an update may change by itself
ITS_OWN = {"write_date", "write_uid"}
#: columns that have another name today, on the tables of Odoo
RENAMED = {"reason_id": "helpdesk_reason_id"}
#: the services of reasons, which were fields, by their switches
REASONS = {
    "helpdesk_after_sales_reason_service_rel": "SELECT reason_id, field.name FROM "
    "helpdesk_after_sales_reason_service_rel JOIN ir_model_fields AS field "
    "ON field.id = field_id",
    "helpdesk_reason_service_rel": "SELECT reason_id, switch FROM "
    "helpdesk_reason_service_rel JOIN helpdesk_after_sales_service AS service "
    "ON service.id = service_id",
}

#: the external id of a record of ours, and what is asked of it
OURS = """
    SELECT data.module || '.' || data.name, {columns}
      FROM {table} AS it
      JOIN ir_model_data AS data ON data.res_id = it.id AND data.model = '{model}'
     WHERE data.module ^@ 'helpdesk_'
"""
#: what an update must bring to a database that exists, by what it is
AS_NEW = {
    "record rules": OURS.format(
        table="ir_rule",
        model="ir.rule",
        columns="""it.active, it.perm_read, it.perm_write, it.perm_create,
            it.perm_unlink, regexp_replace(it.domain_force, '\\s', '', 'g'),
            (SELECT string_agg(owner.module || '.' || owner.name, ','
                               ORDER BY owner.module, owner.name)
               FROM rule_group_rel AS rel JOIN ir_model_data AS owner
                 ON owner.res_id = rel.group_id AND owner.model = 'res.groups'
              WHERE rel.rule_group_id = it.id)""",
    ),
    "access rights": OURS.format(
        table="ir_model_access",
        model="ir.model.access",
        columns="""it.active, it.perm_read, it.perm_write, it.perm_create,
            it.perm_unlink,
            (SELECT model FROM ir_model WHERE id = it.model_id),
            (SELECT min(module || '.' || name) FROM ir_model_data
              WHERE res_id = it.group_id AND model = 'res.groups')""",
    ),
    "crons": OURS.format(
        table="ir_cron",
        model="ir.cron",
        columns="""it.active, it.interval_number, it.interval_type, it.priority,
            (SELECT code FROM ir_act_server WHERE id = it.ir_actions_server_id)""",
    ),
    "views": OURS.format(
        table="ir_ui_view",
        model="ir.ui.view",
        columns="""it.active, it.model, it.mode, it.priority,
            -- ids of actions differ
            regexp_replace(regexp_replace(it.arch_db ->> 'en_US', '\\s+', ' ', 'g'),
                           '(action|name)="\\d+"', '\\1="#"', 'g'),
            (SELECT min(module || '.' || name) FROM ir_model_data
              WHERE res_id = it.inherit_id AND model = 'ir.ui.view')""",
    ),
    "indexes": """
        SELECT indexname, indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND indexdef ~ 'helpdesk_|fsm_|warranty_'
    """,
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable
          FROM information_schema.columns
         WHERE table_schema = 'public' AND (
            table_name ~ '^(helpdesk|fsm)_'
            OR column_name ~ '^(helpdesk|fsm|warranty|worksheet|coupon)_')
    """,
}


def unpack(commit, addons, folder):
    """Write addons as they were at a commit into a folder.

    :raises unittest.SkipTest: when the commit is not in this history
    """
    tar = subprocess.run(
        ["git", "-C", ROOT, "archive", commit], capture_output=True, check=False
    )
    if tar.returncode:
        raise unittest.SkipTest(f"commit {commit} is not in this history")
    with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as archive:
        members = [m for m in archive if m.name.split("/")[0] in addons]
        archive.extractall(folder, members=members, filter="data")


@pytest.mark.slow
class TestUpdate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services = {
            switch: service
            for switch, service in SERVICES.items()
            if service[0] != "helpdesk_test_service"
        }
        cls.wanted = ["helpdesk_after_sales", *(s[0] for s in cls.services.values())]
        cls.ground = Ground([], database_with("helpdesk_base_"))
        cls.addClassCleanup(cls.ground.drop)
        unpack(GROUND, cls.wanted, cls.ground.addons)
        cls.ground.create()
        cls.ground.install(*cls.wanted)
        cls.ground.sql("UPDATE res_users SET password = login")

    def _make_data(self, admin):
        """Leave something of every kind, as people do through the web client."""

        def make(model, **values):
            [record_id] = admin.call(model, "create", [values])
            return record_id

        ids = {"partner": make("res.partner", name="Alder", email="a@example.com")}
        reason = make("helpdesk.after.sales.reason", name="Came too late")
        team = make(
            "helpdesk.team",
            name="Care",
            alias_name="care-of-old",
            privacy_visibility="invited_internal",
            auto_assignment=True,
            assign_method="balanced",
            ticket_properties=[
                {"name": "0123456789abcdef", "type": "char", "string": "Shelf"}
            ],
            **dict.fromkeys(self.services, True),
        )
        [project] = admin.call("helpdesk.team", "read", [team], ["fsm_project_id"])
        stage = make("helpdesk.stage", name="Waiting", team_ids=[(4, team)], sequence=9)
        tag = make("helpdesk.tag", name="Glass", color=3)
        ticket = make(
            "helpdesk.ticket",
            name="Lamp",
            team_id=team,
            partner_id=ids["partner"],
            description="<p>Broken</p>",
            priority="2",
            tag_ids=[(4, tag)],
            properties={"0123456789abcdef": "B4"},
        )
        admin.call("helpdesk.ticket", "write", [ticket], {"stage_id": stage})
        make("helpdesk.ticket", name="Old", team_id=team, active=False)
        photo = make(
            "ir.attachment",
            name="photo.txt",
            raw="broken",
            res_model="helpdesk.ticket",
            res_id=ticket,
        )
        admin.call(
            "helpdesk.ticket",
            "message_post",
            [ticket],
            body="Where?",
            message_type="comment",
            attachment_ids=[photo],
        )
        admin.call("helpdesk.ticket", "message_subscribe", [ticket], [ids["partner"]])
        admin.call("helpdesk.ticket", "activity_schedule", [ticket], summary="Call her")
        ids["program"] = make("loyalty.program", name="Sorry", program_type="coupons")
        [ids["in"]] = admin.call(
            "stock.picking.type", "search", [["code", "=", "incoming"]], limit=1
        )
        for switch, (_addon, model, values) in self.services.items():
            more = {"reason_id": reason} if switch != "use_fsm" else {}
            if switch == "use_fsm":
                more["project_id"] = project["fsm_project_id"][0]
            make(model, helpdesk_ticket_id=ticket, **values(ids), **more)
        return ticket

    def _snapshot(self):
        """Return ``{table: {key of a row: row}}`` of all that the addons store."""
        own = [
            table
            for [table] in self.ground.sql(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND "
                "(tablename ^@ 'helpdesk_' OR tablename ^@ 'fsm_')"
            )
            # Pop-ups are swept away after a while.
            if "wizard" not in table
        ]
        tables = dict.fromkeys(own, "TRUE") | SHARED
        [linked] = [table for table in REASONS if tables.pop(table, None)]
        result = {
            "services of reasons": {
                (reason, switch): {"switch": switch}
                for reason, switch in self.ground.sql(REASONS[linked])
            }
        }
        for table, condition in tables.items():
            rows = [
                row
                for [row] in self.ground.sql(
                    f"SELECT to_jsonb(t) FROM {table} AS t WHERE {condition}"
                )
            ]
            result[table] = {
                row.get("id", json.dumps(row, sort_keys=True)): row for row in rows
            }
        return result

    def _check_as_new(self):
        """Rights, views, crons, indexes and columns are those of a database that is
        made today."""
        [made_today] = config["db_name"]
        for name, question in AS_NEW.items():
            with self.subTest(name):
                updated = {tuple(row) for row in self.ground.sql(question)}
                new = {tuple(row) for row in sql(made_today, question)}
                self.assertTrue(new)
                self.assertFalse(updated - new, "only in the updated one")
                self.assertFalse(new - updated, "only in the new one")

    def test_update_loses_nothing(self):
        with self.ground.serve() as address:
            admin = Client(address, self.ground.database, "admin")
            ticket = self._make_data(admin)
        before = self._snapshot()
        for table in (
            "services of reasons",
            "helpdesk_ticket",
            "helpdesk_stage",
            "mail_message",
            *SHARED,
        ):
            self.assertTrue(before[table], f"nothing to lose in {table}")

        for addon in self.wanted:
            shutil.rmtree(self.ground.addons / addon)
        self.ground.log.write_text("")
        self.ground.run("-u", "helpdesk_after_sales", "--stop-after-init", "--no-http")
        self.assertFalse(complaints(self.ground))

        after = self._snapshot()
        for table, rows in before.items():
            for key, row in rows.items():
                with self.subTest(table=table, key=key):
                    now = after[table].get(key)
                    self.assertIsNotNone(now, row)
                    names = RENAMED if table in SHARED else {}
                    for column in row.keys() - ITS_OWN:
                        name = names.get(column, column)
                        self.assertIn(name, now)
                        self.assertEqual(now[name], row[column], column)

        self._check_as_new()
        with self.ground.serve() as address:
            admin = Client(address, self.ground.database, "admin")
            views = admin.call("helpdesk.ticket", "get_views", [[False, "form"]])
            fields = views["models"]["helpdesk.ticket"]["fields"]
            arch = views["views"]["form"]["arch"]
            shown = {name: {} for name in fields if f'name="{name}"' in arch}
            [values] = admin.call("helpdesk.ticket", "web_read", [ticket], shown)
            counters = ("credit_notes", "coupons", "returns", "repairs", "fsm_task")
            for counter in counters:
                self.assertEqual(values[f"{counter}_count"], 1, counter)
            self.assertEqual(values["properties"][0]["value"], "B4")
