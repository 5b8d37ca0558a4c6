"""Two servers with two workers each, one PostgreSQL and a streaming replica of it.

How the README says that a shop with more than one machine deploys the helpdesk. The
replica is a copy of the PostgreSQL of setup/, on loopback.
"""

import contextlib
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import psycopg2
import pytest
from server import Client, Ground, ServerError, sql

sys.path.insert(0, str(Path(__file__).parents[1] / "setup"))
from library.postgres import Cluster, any_free_port

AGENT_GROUPS = (
    "helpdesk_after_sales.group_helpdesk_user",
    "account.group_account_invoice",
)
ROUNDS = 10


class Replica(Cluster):
    """A streaming copy of the PostgreSQL of setup/; queries are read there."""

    def __init__(self):
        super().__init__()
        if not (self.folder / "complete").exists() or (
            os.environ.get("PGPORT") != self.variables()["PGPORT"]
        ):
            raise unittest.SkipTest("needs the PostgreSQL of setup/, to copy it")
        self.primary = self.variables()
        self.folder = Path(tempfile.mkdtemp(prefix="helpdesk-replica-"))
        self.data = self.folder / "data"
        self.port = str(any_free_port())
        (self.folder / "port").write_text(self.port)
        (self.folder / "complete").touch()
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.run(
            "pg_basebackup",
            *("-D", self.data, "--write-recovery-conf", "--wal-method=stream"),
            *("--checkpoint=fast", "--no-sync"),
            env=os.environ | self.primary,
            problem="The replica could not be made.",
        )

    def drop(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, statement, database="postgres"):
        link = psycopg2.connect(
            dbname=database,
            host="127.0.0.1",
            port=self.port,
            user=self.primary["PGUSER"],
            password=self.primary["PGPASSWORD"],
        )
        with contextlib.closing(link), link.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()[0][0]

    def catch_up(self):
        """Wait until the replica has all that the primary has committed."""
        [[position]] = sql("postgres", "SELECT pg_current_wal_insert_lsn()")
        for _attempt in range(600):
            if self.ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'"):
                return
            time.sleep(0.1)
        raise RuntimeError("The replica does not follow.")

    @contextlib.contextmanager
    def paused(self):
        """Keep the replica at what it has now."""
        self.catch_up()
        self.ask("SELECT pg_wal_replay_pause()")
        while self.ask("SELECT pg_get_wal_replay_pause_state()") != "paused":
            time.sleep(0.05)
        try:
            yield
        finally:
            self.ask("SELECT pg_wal_replay_resume()")
            self.catch_up()


@pytest.mark.slow
class TestReplica(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        template = os.environ.get("HELPDESK_TEMPLATE")
        if not template:
            raise unittest.SkipTest("run by setup/test: needs its template")
        cls.replica = Replica()
        cls.addClassCleanup(cls.replica.drop)
        cls.replica.start()
        cls.ground = Ground([], template)
        cls.addClassCleanup(cls.ground.drop)
        cls.ground.create()
        cls.ground.sql("UPDATE res_users SET password = login")
        cls.replica.catch_up()
        options = ["--db_replica_host", "127.0.0.1", "--db_replica_port"]
        cls.addresses = [
            cls.enterClassContext(
                cls.ground.serve(options=[*options, cls.replica.port])
            )
            for _server in range(2)
        ]
        cls.admin = cls._login(0, "admin")
        cls._prepare()
        cls.replica.catch_up()

    @classmethod
    def _prepare(cls):
        create = lambda model, values: cls.admin.call(model, "create", [values])[0]  # noqa: E731
        groups = [cls._id(*name.split(".")) for name in AGENT_GROUPS]
        cls.agents = [
            create(
                "res.users",
                {
                    "name": f"Agent {number}",
                    "login": f"agent_{number}",
                    "password": f"agent_{number}",
                    "group_ids": [(6, 0, groups)],
                },
            )
            for number in range(2)
        ]
        cls.customer = create("res.partner", {"name": "Alder", "email": "a@alder.test"})
        create(
            "res.users",
            {
                "name": "Alder",
                "login": "alder",
                "password": "alder",
                "partner_id": cls.customer,
                "group_ids": [(6, 0, [cls._id("base", "group_portal")])],
            },
        )
        cls.team = create(
            "helpdesk.team",
            {
                "name": "Team",
                "use_credit_notes": True,
                "member_ids": [(6, 0, cls.agents)],
            },
        )
        cls.ticket = create(
            "helpdesk.ticket",
            {"name": "Before", "team_id": cls.team, "partner_id": cls.customer},
        )

    @classmethod
    def _id(cls, module, name):
        [[record_id]] = cls.ground.sql(
            "SELECT res_id FROM ir_model_data WHERE module = %s AND name = %s",
            module,
            name,
        )
        return record_id

    @classmethod
    def _login(cls, server, login):
        return Client(cls.addresses[server], cls.ground.database, login)

    def _new_invoice(self):
        [invoice] = self.admin.call(
            "account.move",
            "create",
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.customer,
                    "invoice_line_ids": [
                        (0, 0, {"name": "Lamp", "price_unit": 100, "tax_ids": False})
                    ],
                }
            ],
        )
        self.admin.call("account.move", "action_post", [invoice])
        return invoice

    def _modes(self, path):
        """Return how the requests of an address were served, from the servers' log:
        ``ro`` is the replica."""
        # The log is written after the answer was sent.
        time.sleep(0.5)
        pattern = rf'"\w+ {re.escape(path)}(?:#\S+)? HTTP/1.1" 200 .* (\S+)$'
        return re.findall(pattern, self.ground.log.read_text(), re.M)

    def test_screens_and_counters_are_read_from_the_replica(self):
        """Each call that opens a screen of tickets sees what the replica has."""
        tickets, specification = [("id", "=", self.ticket)], {"name": {}, "team_id": {}}
        one = [self.ticket]
        screens = {
            # Odoo's own, with our fields, filters and counters
            ("helpdesk.ticket", "web_search_read"): (tickets, specification),
            ("helpdesk.ticket", "web_read_group"): (tickets, ["stage_id"], []),
            ("helpdesk.ticket", "read_progress_bar"): (
                tickets,
                "stage_id",
                {"field": "kanban_state", "colors": {"done": "success"}},
            ),
            ("helpdesk.ticket", "web_read"): (
                one,
                {
                    "name": {},
                    "credit_notes_count": {},
                    "customer_ticket_count": {},
                    "duration_tracking": {},
                },
            ),
            ("helpdesk.ticket", "search_count"): (tickets,),
            ("helpdesk.team", "web_search_read"): (
                [],
                {"name": {}, "open_ticket_count": {}, "closed_ticket_count": {}},
            ),
            ("res.partner", "web_read"): (
                [self.customer],
                {"helpdesk_ticket_count": {}},
            ),
            # Ours
            ("helpdesk.ticket", "search_purchases"): (one, "sale.order"),
            ("helpdesk.ticket", "get_purchases"): (one,),
            ("helpdesk.ticket", "action_view_customer_tickets"): (one,),
            ("helpdesk.ticket", "action_view_credit_notes"): (one,),
            ("helpdesk.ticket", "action_refund"): (one,),
            ("res.partner", "action_view_helpdesk_tickets"): ([self.customer],),
        }
        clients = [self._login(n, f"agent_{n}") for n in range(2)]
        seen = {
            key: len(self._modes(f"/web/dataset/call_kw/{'/'.join(key)}"))
            for key in screens
        }
        with self.replica.paused():
            self.admin.call("helpdesk.ticket", "write", one, {"name": "After"})
            [[name]] = self.ground.sql(
                "SELECT name FROM helpdesk_ticket WHERE id = %s", self.ticket
            )
            self.assertEqual(name, "After")
            for client in clients:
                for (model, method), arguments in screens.items():
                    answer = client.call(model, method, *arguments)
                    if (model, method) == ("helpdesk.ticket", "web_search_read"):
                        self.assertEqual(answer["records"][0]["name"], "Before")
                    if (model, method) == ("helpdesk.ticket", "web_read"):
                        self.assertEqual(answer[0]["name"], "Before")
            customer = self._login(1, "alder")
            page = customer.session.get(f"{self.addresses[1]}/my/tickets", timeout=60)
            self.assertIn("Before", page.text)
        for key, before in seen.items():
            modes = self._modes(f"/web/dataset/call_kw/{'/'.join(key)}")[before:]
            self.assertEqual(modes, ["ro", "ro"], key)
        self.assertEqual(self._modes("/my/tickets")[-1:], ["ro"])
        for client in clients:
            [values] = client.call("helpdesk.ticket", "web_read", one, {"name": {}})
            self.assertEqual(values["name"], "After")

    def test_s11_switch_that_installs_on_one_server_reaches_the_other(self):
        [[module]] = self.ground.sql(
            "SELECT id FROM ir_module_module WHERE name = 'helpdesk_coupon'"
        )
        self.admin.call("ir.module.module", "button_immediate_uninstall", [module])
        self.replica.catch_up()
        for server in range(2):
            fields = self._login(server, "agent_0").call(
                "helpdesk.ticket", "fields_get"
            )
            self.assertNotIn("coupons_count", fields)
        [saved] = self.admin.call(
            "helpdesk.team",
            "web_save",
            [self.team],
            {"use_coupons": True},
            {"use_coupons": {}},
        )
        self.assertTrue(saved["use_coupons"])
        self.replica.catch_up()
        problems, answers = [], []

        def ask(server):
            client = self._login(server, "agent_0")
            for _turn in range(6):
                try:
                    answers.append(
                        client.call(
                            "helpdesk.ticket",
                            "web_read",
                            [self.ticket],
                            {"coupons_count": {}, "use_coupons": {}},
                        )[0]
                    )
                    action = client.call(
                        "helpdesk.ticket", "action_generate_coupon", [self.ticket]
                    )
                    client.call(
                        action["res_model"],
                        "onchange",
                        [],
                        {},
                        [],
                        {"helpdesk_ticket_id": {}},
                        context=action["context"],
                    )
                except ServerError as error:
                    problems.append(f"server {server}: {error}")

        # Two at once on each server: both of its workers answer.
        threads = [threading.Thread(target=ask, args=(n % 2,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertFalse(problems)
        self.assertEqual(
            answers,
            [{"id": self.ticket, "coupons_count": 0, "use_coupons": True}] * 24,
        )

    def test_t1_two_agents_on_two_servers_do_not_refund_twice(self):
        clients = [self._login(n, f"agent_{n}") for n in range(2)]
        for _round in range(ROUNDS):
            invoice = self._new_invoice()
            self.replica.catch_up()
            barrier = threading.Barrier(2, timeout=60)
            refused, others = [], []

            def refund(
                client, invoice=invoice, barrier=barrier, told=refused, bad=others
            ):
                try:
                    [wizard] = client.call(
                        "account.move.reversal",
                        "create",
                        [
                            {
                                "helpdesk_ticket_id": self.ticket,
                                "move_ids": [(6, 0, [invoice])],
                            }
                        ],
                    )
                    barrier.wait()
                    client.call("account.move.reversal", "refund_moves", [wizard])
                except ServerError as error:
                    told.append(str(error))
                except Exception as error:  # noqa: B902 (told below)
                    bad.append(error)

            threads = [threading.Thread(target=refund, args=(c,)) for c in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertFalse(others)
            notes = self.ground.sql(
                "SELECT id FROM account_move WHERE reversed_entry_id = %s", invoice
            )
            self.assertEqual((len(notes), len(refused)), (1, 1), refused)
            self.assertIn("has already been credited in full", refused[0])
