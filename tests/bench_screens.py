#!/usr/bin/env python3
"""What the screens of the helpdesk cost with 1,000, 100,000 and 1,000,000 tickets.

    python tests/bench_screens.py [--plans] [--rounds=15] [number of tickets ...]

Tickets that the ORM made are copied by SQL in a throw-away database: 5 teams, each for
its members only, the agent is a member of 2; 45 small teams that customers see in the
portal; 9 of 10 tickets are closed; one customer has 2 of 100 tickets (20,000 of a
million), and 10,000 order lines; the agent follows 1 of 100.

For each screen the calls of the web client are made, with the fields of the views, as
an agent without any other right, an administrator and a portal customer. Printed are
the medians and the number of queries, as a table for the README, and the fastest run at
the last size in times of the fastest at the first; times are those of the processors.
``--plans`` writes how PostgreSQL answers at the last size to ``tests/plans/``, a file
for each screen.

The environment is that of ``setup/``; with ODOO_RC (naming a database with the addons
that may be filled) and an importable Odoo, those are used instead.
"""

import ast
import contextlib
import gc
import random
import re
import statistics
import sys
import threading
import time
from pathlib import Path

import benching
from benching import processor_time

PLANS = Path(__file__).resolve().parent / "plans"
SIZES = (1_000, 100_000, 1_000_000)
FIRST = 1_000
ROUNDS = 15
WARM_UP = 2
#: what the widgets of our views read besides their own field
WIDGETS = {
    "list_activity": (
        "activity_exception_decoration activity_exception_icon activity_state "
        "activity_summary activity_type_icon activity_type_id"
    ),
    "kanban_activity": (
        "activity_exception_decoration activity_exception_icon activity_state "
        "activity_summary"
    ),
    "rotting": "is_rotting",
    "rotting_statusbar_duration": "duration_tracking is_rotting",
}
OPEN = [("close_date", "=", False)]


# -- What is in the database -------------------------------------------------


class Helpdesk:
    """Teams, people and customers; tickets of them, as many as are asked for."""

    def __init__(self, env):
        from odoo import Command
        from odoo.tests import new_test_user

        self.env = env
        self.cr = env.cr
        agents = [
            new_test_user(
                env,
                f"bench_agent_{number}",
                groups="helpdesk_after_sales.group_helpdesk_user",
            )
            for number in range(10)
        ]
        self.agent = agents[0]
        self.administrator = env.ref("base.user_admin")
        teams = env["helpdesk.team"].create(
            [
                {
                    "name": f"Team {number}",
                    "privacy_visibility": "invited_internal"
                    if number < 5
                    else "portal",
                    "member_ids": [
                        Command.set(
                            [user.id for user in agents[:8]]
                            if number < 2
                            else [user.id for user in agents[5:]]
                        )
                    ],
                }
                for number in range(50)
            ]
        )
        self.teams, self.small_teams = teams[:5], teams[5:]
        # The switches of all services whose addons are there.
        switches = [name for name in teams._after_sales_services() if name in teams]
        self.cr.execute(
            f"UPDATE helpdesk_team SET {', '.join(f'{s} = true' for s in switches)}"
        )
        env.invalidate_all()
        self.customers = env["res.partner"].create(
            [
                {"name": f"Customer {number}", "email": f"c{number}@example.com"}
                for number in range(200)
            ]
        )
        self.customer = self.customers[0]
        self.portal = new_test_user(
            env,
            "bench_portal",
            groups="base.group_portal",
            partner_id=self.customer.id,
        )
        self.agents = env["res.users"].browse([user.id for user in agents])
        for stage in teams.stage_ids.filtered(lambda stage: not stage.fold):
            stage.rotting_threshold_days = 300
        # The same tickets in every run.
        self.chance = random.Random(19).random
        self._sell()
        # Without their first messages: what a new ticket costs is measured later.
        tickets = env["helpdesk.ticket"].with_context(tracking_disable=True)
        self.first = tickets.create([self._values(n) for n in range(FIRST)])
        self.first = self.first.with_env(env)
        env.flush_all()
        self._age()
        self.size = FIRST

    def word(self):
        return WORDS[int(self.chance() * len(WORDS))]

    def _sell(self):
        """Sell 100 lines in an order that is delivered and invoiced, then copy it."""
        from odoo import Command

        env = self.env
        self.product = env["product.product"].create(
            {
                "name": "Lamp",
                "type": "consu",
                "invoice_policy": "order",
                "warranty_duration": 1,
                "warranty_unit": "year",
            }
        )
        order = env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create(
                        {"product_id": self.product.id, "product_uom_qty": 3}
                    )
                    for _line in range(100)
                ],
            }
        )
        order.action_confirm()
        for move in order.picking_ids.move_ids:
            move.write({"quantity": 3, "picked": True})
        order.picking_ids.button_validate()
        order._create_invoices().action_post()
        env.flush_all()
        self.order = order
        lines, moves = order.order_line, order.picking_ids.move_ids
        bases = {
            table: self._last_id(table)
            for table in ("sale_order", "sale_order_line", "stock_move")
        }
        orders = f"{bases['sale_order']} + k"
        line_ids = self._new_ids(bases["sale_order_line"], lines)
        move_ids = self._new_ids(bases["stock_move"], moves)
        # The first move is the first line's, and so on.
        line_of_move = self._new_ids(bases["sale_order_line"], moves)
        self._copy("sale_order", order, 99, id=orders, name=f"'B' || {orders}")
        self._copy("sale_order_line", lines, 99, id=line_ids, order_id=orders)
        self._copy("stock_move", moves, 99, id=move_ids, sale_line_id=line_of_move)
        env.invalidate_all()

    def _new_ids(self, base, records):
        first = min(records.ids)
        return f"{base} + (k - 1) * {len(records)} + s.id - {first - 1}"

    def _last_id(self, table):
        self.cr.execute(f"SELECT max(id) FROM {table}")
        return self.cr.fetchone()[0]

    def _copy(self, table, records, times, **values):
        """Insert copies of rows; ``k`` in the values counts them, ``s`` is the row."""
        self.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s",
            [table],
        )
        columns = [name for (name,) in self.cr.fetchall()]
        if "id" not in values:
            columns.remove("id")
        expressions = (values.get(name, f's."{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        self.cr.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(expressions)}"
            f" FROM {table} s CROSS JOIN generate_series(1, {times}) k"
            " WHERE s.id = ANY(%s) ORDER BY k, s.id",
            [records.ids],
        )
        self.cr.execute(
            f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"
        )

    def _values(self, number):
        """Return the values of one of the first tickets."""
        big = number % 50 == 7
        team = self.small_teams[number // 50 % 45] if big else self.teams[number % 5]
        closed = team.stage_ids.filtered("fold")
        stages = team.stage_ids - closed if self.chance() < 0.1 else closed
        return {
            "name": f"{self.word()} {self.word()}",
            "team_id": team.id,
            "partner_id": (
                self.customer if big else self.customers[1 + number % 199]
            ).id,
            # One of a hundred is urgent.
            "priority": str(max(0, int(self.chance() * 100) - 96)),
            "stage_id": stages[int(self.chance() * len(stages))].id,
            "user_id": number % 4 and self.agents[int(self.chance() * 10)].id or False,
            # One of ten open ones is ready.
            "kanban_state": "normal" if stages == closed or number % 10 else "done",
            "sale_order_id": big and self.order.id,
            # Under warranty, or not any more when they are made older.
            "product_id": big and self.product.id,
            "description": "<p>The lamp arrived broken.</p>" * 10,
        }

    def fill(self, size):
        """Copy the first tickets until there are ``size``."""
        times = (size - self.size) // FIRST
        if times > 0:
            # Counts on after the tickets that there are.
            number = f"({self.size} + (k - 1) * {FIRST} + s.id - {min(self.first.ids)})"
            word = f"(ARRAY{WORDS})[1 + abs(hashint8({{}}) %% {len(WORDS)})]"
            born = (
                "(now() at time zone 'UTC' - interval '1095 days' "
                f"* (1 - {number}::float / {size}))"
            )
            with self._without_indexes("helpdesk_ticket"):
                self._copy(
                    "helpdesk_ticket",
                    self.first,
                    times,
                    # Its number in letters: digits are looked for as a ticket's.
                    name=(
                        f"{word.format(number)} || ' ' || {word.format(f'-{number}')}"
                        f" || ' ' || translate({number}::text, '0123456789',"
                        " 'abcdefghij')"
                    ),
                    ticket_ref=f"lpad((500000 + {number})::text, 7, '0')",
                    access_token="gen_random_uuid()::text",
                    kanban_state="replace(s.kanban_state, 'blocked', 'normal')",
                    create_date=born,
                    date_last_stage_update=born,
                    close_date=(
                        "CASE WHEN s.close_date IS NOT NULL THEN "
                        f"{born} + interval '1 hour' * ({number} %% 240) END"
                    ),
                )
            self.size = size
        self.cr.execute(
            # Twelve that nothing else finds, whatever the size.
            "UPDATE helpdesk_ticket SET kanban_state = 'blocked' WHERE id IN (SELECT id"
            " FROM helpdesk_ticket WHERE close_date IS NULL AND team_id = ANY(%s)"
            " ORDER BY id LIMIT 12)",
            [self.teams[:2].ids],
        )
        self.cr.execute(
            "INSERT INTO mail_followers (res_model, res_id, partner_id)"
            " SELECT 'helpdesk.ticket', id, %s FROM helpdesk_ticket"
            " WHERE id %% 100 = 3 ON CONFLICT DO NOTHING",
            [self.agent.partner_id.id],
        )
        self.env.invalidate_all(flush=False)
        self.cr.commit()
        vacuum(self.cr.dbname)

    @contextlib.contextmanager
    def _without_indexes(self, table):
        """Build the indexes of a table after it was filled, as a restore does."""
        self.cr.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
            " AND indexname <> %s",
            [table, f"{table}_pkey"],
        )
        indexes = self.cr.fetchall()
        for name, _definition in indexes:
            self.cr.execute(f'DROP INDEX "{name}"')
        yield
        for _name, definition in indexes:
            self.cr.execute(definition)

    def _age(self):
        """Spread the first tickets over three years, closed within 10 days."""
        self.cr.execute(
            """
            WITH aged AS (
                SELECT id, now() at time zone 'UTC' - interval '1095 days' * (
                    1 - percent_rank() OVER (ORDER BY id)) AS born
                  FROM helpdesk_ticket
            )
            UPDATE helpdesk_ticket t SET
                create_date = born, date_last_stage_update = born,
                warranty_covered_until = CASE WHEN t.id % 3 > 0 THEN
                    warranty_covered_until ELSE born - interval '1 day' END,
                close_date = CASE WHEN t.close_date IS NOT NULL THEN
                    born + interval '1 hour' * (t.id % 240) END
              FROM aged WHERE aged.id = t.id
            """
        )
        self.env.invalidate_all()


WORDS = [
    "lamp",
    "desk",
    "screen",
    "cable",
    "broken",
    "missing",
    "late",
    "scratched",
    "invoice",
    "delivery",
    "wrong",
    "size",
    "colour",
    "noise",
    "battery",
    "charger",
    "manual",
    "refund",
    "exchange",
    "question",
]


def vacuum(database):
    """As PostgreSQL does by itself after a while."""
    from odoo.sql_db import db_connect

    with db_connect(database).cursor() as cr:
        cr.commit()
        cr._cnx.autocommit = True
        for table in (
            "helpdesk_ticket",
            "mail_followers",
            "sale_order",
            "sale_order_line",
            "stock_move",
        ):
            cr.execute(f"VACUUM (ANALYZE) {table}")
        cr._cnx.autocommit = False


# -- What the web client asks ------------------------------------------------


class Client:
    """Asks what the web client asks, as one user."""

    def __init__(self, env, user):
        context = {
            "lang": user.lang,
            "tz": user.tz,
            "uid": user.id,
            "allowed_company_ids": user.company_id.ids,
        }
        self.env = env(user=user.id, su=False, context=context)
        self.context = context
        self.views = {}

    def call(self, model, method, *args, **kwargs):
        from odoo.service.model import call_kw

        kwargs["context"] = self.context | kwargs.get("context", {})
        return call_kw(self.env[model], method, args, kwargs)

    def view(self, model, kind):
        """Return ``(arch, fields)`` of a view, as this user gets it."""
        from lxml import etree

        key = model, kind
        if key not in self.views:
            result = self.call(model, "get_views", [(False, kind)])
            self.views[key] = (
                etree.fromstring(result["views"][kind]["arch"]),
                self.call(model, "fields_get"),
            )
        return self.views[key]

    def specification(self, model, kind):
        """Return what the client reads of each record, see getFieldsSpec() of web."""
        arch, fields = self.view(model, kind)
        result = {}

        def add(name, node=None):
            field = fields[name]
            invisible = node is not None and (
                node.get("invisible") in ("True", "1")
                or node.get("column_invisible") in ("True", "1")
            )
            entry = result.setdefault(name, {})
            widget = node.get("widget", "") if node is not None else ""
            if field["type"] == "many2one":
                entry.setdefault("fields", {})
                if not invisible:
                    entry["fields"]["display_name"] = {}
            elif field["type"] in ("many2many", "one2many"):
                if "tags" in widget or "avatar" in widget:
                    entry["fields"] = {"display_name": {}}
                    options = ast.literal_eval(node.get("options") or "{}")
                    if color := options.get("color_field"):
                        entry["fields"][color] = {}
            elif field["type"] == "properties":
                owner = result.setdefault(field["definition_record"], {})
                owner.setdefault("fields", {})["display_name"] = {}
            for other in WIDGETS.get(widget, "").split():
                if other in fields:
                    add(other)

        for node in arch.iter("field"):
            if node.get("name") in fields:
                add(node.get("name"), node)
        return result

    def list(self, domain=(), model="helpdesk.ticket", kind="list", limit=80, **more):
        return self.call(
            model,
            "web_search_read",
            [*domain],
            self.specification(model, kind),
            offset=more.get("offset", 0),
            limit=limit,
            order=more.get("order", ""),
            count_limit=self.count_limit(model, kind) + 1,
        )

    def count_limit(self, model, kind):
        return int(self.view(model, kind)[0].get("count_limit") or 10_000)

    def kanban(self, domain=(), group="stage_id", limit=None):
        return self.call(
            "helpdesk.ticket",
            "web_read_group",
            [*domain],
            [group],
            [],
            limit=80,
            offset=0,
            order="",
            auto_unfold=True,
            opening_info=[],
            unfold_read_specification=self.specification("helpdesk.ticket", "kanban"),
            unfold_read_default_limit=limit
            or int(self.view("helpdesk.ticket", "kanban")[0].get("limit") or 40),
            groupby_read_specification={},
            context={"read_group_expand": True},
        )

    def bar(self, domain=()):
        [bar] = self.view("helpdesk.ticket", "kanban")[0].iter("progressbar")
        return self.call(
            "helpdesk.ticket",
            "read_progress_bar",
            domain=[*domain],
            group_by="stage_id",
            progress_bar={
                "colors": ast.literal_eval(bar.get("colors")),
                "field": bar.get("field"),
                "help": "",
            },
        )

    def groups(self, group, domain=()):
        """A list by groups, all of them folded."""
        return self.call(
            "helpdesk.ticket",
            "web_read_group",
            [*domain],
            [group],
            [],
            limit=80,
            offset=0,
            order="",
            auto_unfold=False,
            opening_info=[],
            unfold_read_specification=self.specification("helpdesk.ticket", "list"),
            unfold_read_default_limit=80,
            groupby_read_specification={},
            context={"read_group_expand": True},
        )

    def form(self, ticket, model="helpdesk.ticket"):
        specification = self.specification(model, "form")
        return self.call(model, "web_read", [ticket.id], specification)

    def portal_list(self):
        """The first page of the customer's tickets, less its template."""
        from odoo.addons.helpdesk_after_sales.controllers.portal import HelpdeskPortal

        portal = HelpdeskPortal()
        step = portal._tickets_per_page
        # The page, and whether there are links to the next four.
        found = self.env["helpdesk.ticket"].search([], order="id desc", limit=5 * step)
        page = found[:step].sudo()
        page.fetch(portal._ticket_list_fields())
        names = [(t.display_name, t.stage_id.name, t.team_id.name) for t in page]
        return len(found), names, portal._describe_dates(page)


def screens(helpdesk):
    """Return ``{screen: function}`` for the tickets that there are."""
    agent, administrator, portal = (
        Client(helpdesk.env, user)
        for user in (helpdesk.agent, helpdesk.administrator, helpdesk.portal)
    )
    mine = helpdesk.first.filtered(lambda t: t.team_id in helpdesk.teams[:2])
    middle = mine[len(mine) // 2]
    number = middle.ticket_ref
    big = helpdesk.first.filtered(lambda t: t.partner_id == helpdesk.customer)[0]
    customer = [("partner_id", "child_of", helpdesk.customer.id)]

    working = mine.filtered(lambda ticket: not ticket.close_date)[0]
    closed = working.team_id.stage_ids.filtered("fold")[0]

    def save(values):
        return agent.call(
            "helpdesk.ticket",
            "web_save",
            [working.id],
            values,
            agent.specification("helpdesk.ticket", "form"),
        )

    def words(text):
        return ["|", ("name", "ilike", text), ("ticket_ref", "=", text)]

    def new(client):
        return client.call(
            "helpdesk.ticket",
            "web_save",
            [],
            {
                "name": "Bench",
                "team_id": helpdesk.teams[0].id,
                "partner_id": helpdesk.customers[9].id,
            },
            client.specification("helpdesk.ticket", "form"),
        )

    return {
        "list, open": lambda: agent.list(OPEN),
        # With few tickets, too, as many rows and cards: what is left grows with them.
        "list, open, 40 rows": lambda: agent.list(OPEN, limit=40),
        "list, all": lambda: agent.list(),
        "list, page 1,000 of all": lambda: agent.list(
            offset=min(80_000, helpdesk.size // 3)
        ),
        "list, my open tickets": lambda: agent.list(
            [*OPEN, ("user_id", "=", agent.env.uid)]
        ),
        "list, 12 blocked of all": lambda: agent.list(
            [("kanban_state", "=", "blocked")]
        ),
        "list, urgent of all": lambda: agent.list([("priority", "=", "3")]),
        "list, stale": lambda: agent.list([*OPEN, ("is_rotting", "=", True)]),
        "list, under warranty": lambda: agent.list([("under_warranty", "=", True)]),
        "list, closed, by team": lambda: agent.groups(
            "team_id", [("close_date", "!=", False)]
        ),
        "list, open, by month": lambda: agent.groups("create_date:month", OPEN),
        "kanban, open": lambda: agent.kanban(OPEN),
        "kanban, open, 12 cards a stage": lambda: agent.kanban(OPEN, limit=12),
        "kanban, all": lambda: agent.kanban(),
        "bar of the kanban, open": lambda: agent.bar(OPEN),
        "bar of the kanban, all": lambda: agent.bar(),
        "form": lambda: agent.form(middle),
        "form, customer with most tickets": lambda: agent.form(big),
        "search by words": lambda: agent.list(words("scratched battery")),
        "search by words, open": lambda: agent.list([*OPEN, *words("scratched")]),
        "search by number": lambda: agent.list(words(number)),
        "one customer's tickets": lambda: agent.list(customer),
        "Purchases tab, 10,000 lines": lambda: agent.call(
            "helpdesk.ticket", "get_purchases", [big.id], 0, 20
        ),
        "overview of 50 teams": lambda: agent.list(
            model="helpdesk.team", kind="kanban", limit=40
        ),
        "contact with most tickets": lambda: agent.call(
            "res.partner",
            "web_read",
            [helpdesk.customer.id],
            {"display_name": {}, "helpdesk_ticket_count": {}},
        ),
        "administrator: list, open": lambda: administrator.list(OPEN),
        "administrator: list, all": lambda: administrator.list(),
        "administrator: kanban, open": lambda: administrator.kanban(OPEN),
        "administrator: kanban, all": lambda: administrator.kanban(),
        "administrator: bar, open": lambda: administrator.bar(OPEN),
        "administrator: bar, all": lambda: administrator.bar(),
        "administrator: form": lambda: administrator.form(middle),
        "administrator: overview": lambda: administrator.list(
            model="helpdesk.team", kind="kanban", limit=40
        ),
        "portal: list": lambda: portal.portal_list(),
        # Last: what is rolled back stays in the indexes until the next vacuum.
        "assign a ticket": lambda: save({"user_id": helpdesk.agents[1].id}),
        "close a ticket": lambda: save({"stage_id": closed.id}),
        "answer a ticket": lambda: agent.call(
            "helpdesk.ticket",
            "message_post",
            [working.id],
            body="We are looking for it.",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=working.partner_id.ids,
            # Nothing is sent: it is rolled back.
            context={"mail_notify_force_send": False},
        ),
        "create a ticket": lambda: new(agent),
        "create 1,000 tickets in one call": lambda: agent.call(
            "helpdesk.ticket",
            "create",
            [
                {
                    "name": f"Bench {number}",
                    "team_id": helpdesk.teams[0].id,
                    "partner_id": helpdesk.customers[number % 200].id,
                }
                for number in range(1_000)
            ],
        ),
    }


# -- Measuring ---------------------------------------------------------------


def measure(env, function):
    """Return ``(milliseconds, queries)`` of one run, rolled back."""
    env.flush_all()
    env.invalidate_all()
    gc.collect()
    env.cr.execute("SAVEPOINT bench")
    # The helpers of a parallel query would not be counted.
    env.cr.execute("SET LOCAL max_parallel_workers_per_gather = 0")
    queries, start = env.cr.sql_log_count, processor_time(env)
    function()
    env.flush_all()
    milliseconds = (processor_time(env) - start) * 1000
    queries = env.cr.sql_log_count - queries
    env.invalidate_all(flush=False)
    env.transaction.clear()
    env.cr.execute("ROLLBACK TO SAVEPOINT bench")
    return milliseconds, queries


def measure_often(env, function, rounds):
    """Return ``(median ms, fastest ms, queries)``; what takes seconds is run once."""
    first = measure(env, function)
    if first[0] > 5_000:
        return first[0], *first
    for _round in range(WARM_UP - 1):
        measure(env, function)
    runs = [measure(env, function) for _round in range(rounds)]
    times, queries = zip(*runs, strict=True)
    return statistics.median(times), min(times), statistics.median(queries)


def write_plan(env, title, function):
    """Write how PostgreSQL answers the queries of a screen that read tickets."""
    found = []

    def hook(_cursor, query, params, _start, delay):
        text = env.cr._obj.query.decode().strip()
        if "helpdesk_ticket" in text and text.startswith(("SELECT", "WITH")):
            found.append((delay, text))

    thread = threading.current_thread()
    env.invalidate_all()
    thread.query_hooks = [hook]
    try:
        function()
    finally:
        del thread.query_hooks
    parts = []
    for _delay, text in found:
        env.cr.execute(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) {text}"
        )
        plan = "\n".join(line for (line,) in env.cr.fetchall())
        # Long lists of ids and of columns say nothing.
        text = re.sub(r"\((\d+, ){9}[\d, ]+\)", "(…)", " ".join(text.split()))
        text = re.sub(
            r'^SELECT ("\w+"\."\w+"[^ ]*, ?){5}.*? FROM', "SELECT … FROM", text
        )
        plan = re.sub(r"\{(\d+,){9}[\d,]+\}", "{…}", plan)
        parts.append(f"{text}\n\n{plan}\n")
    PLANS.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "_", title).strip("_").lower()
    PLANS.joinpath(f"{name}.txt").write_text("\n\n".join(parts))


def bench(env, sizes, plans, rounds):
    """Print the table."""
    helpdesk = Helpdesk(env)
    results = {}
    for size in sizes:
        start = time.perf_counter()
        helpdesk.fill(size)
        print(f"{size:,} tickets after {time.perf_counter() - start:.0f} s", flush=True)
        current = screens(helpdesk)
        for title, function in current.items():
            result = measure_often(env, function, rounds)
            results.setdefault(title, []).append(result)
            print(f"  {title}: {result}", file=sys.stderr, flush=True)
    if plans:
        for title, function in current.items():
            write_plan(env, title, function)
    print_table(sizes, results)


def print_table(sizes, results):
    heads = "".join(f" {size:,} |" for size in sizes)
    print(f"\n| screen, ms |{heads} queries | times |")
    print(f"|---|{'---|' * (len(sizes) + 2)}")
    for title, runs in results.items():
        times = "".join(f" {median:.1f} |" for median, _fastest, _queries in runs)
        counts = {int(count) for *_times, count in runs}
        queries = " to ".join(map(str, sorted({min(counts), max(counts)})))
        # Of the fastest runs, which other programs of the machine disturb least.
        ratio = runs[-1][1] / runs[0][1]
        print(f"| {title} |{times} {queries} | {ratio:.1f} |")


def run(env, arguments):
    plans = "--plans" in arguments
    rounds = [int(word[9:]) for word in arguments if word.startswith("--rounds=")]
    sizes = [int(word) for word in arguments if word.isdecimal()] or SIZES
    bench(env, sorted(sizes), plans, *rounds or [ROUNDS])
    return 0


if __name__ == "__main__":
    benching.main(__file__, run)
