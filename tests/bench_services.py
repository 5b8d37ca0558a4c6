#!/usr/bin/env python3
"""What a service costs from a ticket, against the application's own wizard.

    python tests/bench_services.py [rounds]

Both make the same document of the same purchase (5 lines), in turns in one run after a
warm-up, each rolled back. Printed are the median time of the processors, Odoo and
PostgreSQL together, and the number of queries. The goal: at most 1.10 times the time,
at most 12 queries more; 1.3 times where the lines of an invoice are shown, 5, 50 and
400 of them; 0.95 times for returns. Exit code 1 when missed.

The environment is that of ``setup/``; with ODOO_RC (naming a database with the addons)
and an importable Odoo, those are used instead.

A service adds a function below, decorated with ``@service(addon)``: it gets the Shop
and returns ``{title: (native, ours)}``, two functions without arguments. Rows of addons
that aren't installed are left out.
"""

import gc
import re
import statistics

import benching
from benching import processor_time

ROUNDS = 15
WARM_UP = 3
GOAL_TIME = 1.10
GOALS_TIME = {"refund_opened": 1.3, "stock_return": 0.95}
GOAL_QUERIES = 12
SERVICES = []


def service(addon, lines=(5,)):
    """Register a function that returns ``{title: (native, ours)}``, to be measured with
    purchases of so many lines."""

    def register(function):
        SERVICES.extend((number, addon, function) for number in lines)
        return function

    return register


class Shop:
    """A customer with a delivered and invoiced order, a ticket on it, and a person
    who may do everything, so that both ways are open to the same one."""

    def __init__(self, env, number_of_lines=5):
        from odoo import Command
        from odoo.tests import new_test_user

        self.Command = Command
        groups = [
            "helpdesk_after_sales.group_helpdesk_user",
            "account.group_account_invoice",
            "sales_team.group_sale_manager",
            "stock.group_stock_user",
        ]
        if "project.project" in env:
            groups.append("project.group_project_manager")
        user = new_test_user(env, f"bench_{number_of_lines}", groups=",".join(groups))
        self.lines = number_of_lines
        self.customer = env["res.partner"].create({"name": "Bench customer"})
        products = env["product.product"].create(
            [
                {
                    "name": f"Article {number}",
                    "type": "consu",
                    "list_price": 100,
                    "invoice_policy": "order",
                    "taxes_id": False,
                }
                for number in range(number_of_lines)
            ]
        )
        order = env["sale.order"].create(
            {
                "partner_id": self.customer.id,
                "order_line": [
                    Command.create({"product_id": product.id, "product_uom_qty": 3})
                    for product in products
                ],
            }
        )
        order.action_confirm()
        for picking in order.picking_ids:
            for move in picking.move_ids:
                move.write({"quantity": 3, "picked": True})
            picking.button_validate()
        invoice = order._create_invoices()
        invoice.action_post()
        team = env["helpdesk.team"].create({"name": "Bench team"})
        # Straight to the table: switching a service on would install its addon.
        switches = [name for name in team._after_sales_services() if name in team]
        env.cr.execute(
            f"UPDATE helpdesk_team SET {', '.join(f'{s} = true' for s in switches)}"
            " WHERE id = %s",
            [team.id],
        )
        team.invalidate_recordset()
        ticket = env["helpdesk.ticket"].create(
            {
                "name": "Bench",
                "team_id": team.id,
                "partner_id": self.customer.id,
                "sale_order_id": order.id,
            }
        )
        env.flush_all()
        self.env = env = env(user=user.id)
        self.products = products.with_env(env)
        self.order = order.with_env(env)
        self.picking = order.picking_ids.with_env(env)
        self.invoice = invoice.with_env(env)
        self.ticket = ticket.with_env(env)

    def open(self, action, **values):
        """Return the wizard that a button of the ticket opens."""
        model = self.env[action["res_model"]].with_context(**action["context"])
        return model.create(values)


# -- Promises ----------------------------------------------------------------


@service("helpdesk_after_sales")
def promises(shop):
    """What three policies add to a ticket; ``native`` is a team that promises nothing,
    both keep whose turn it is."""
    root = shop.env(su=True, user=1)
    teams = root["helpdesk.team"].create(
        [{"name": "Promises nothing"}, {"name": "Promises", "use_sla": True}]
    )
    solved = teams[1].stage_ids.filtered("fold")[:1]
    root["helpdesk.sla"].create(
        [
            {"name": target, "target_type": target, "team_id": teams[1].id, "time": 8}
            | ({"stage_id": solved.id} if target == "stage" else {})
            for target in ("first_answer", "next_answer", "stage")
        ]
    )

    def create(team):
        tickets = root["helpdesk.ticket"].with_context(helpdesk_from_mail=True)
        return tickets.create(
            {"name": "Bench", "team_id": team.id, "partner_id": shop.customer.id}
        )

    def post(ticket, **values):
        ticket.message_post(
            body="Text",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            **values,
        )

    new = [create(team).with_env(shop.env) for team in teams]
    answered = [create(team) for team in teams]
    for ticket in answered:
        post(ticket.with_env(shop.env))
    root.flush_all()
    customer, to_customer = (
        {"author_id": shop.customer.id},
        {"partner_ids": shop.customer.ids},
    )
    return {
        "New ticket": [lambda team=team: create(team) for team in teams],
        "Answer": [lambda ticket=ticket: post(ticket, **to_customer) for ticket in new],
        "Customer's reply": [
            lambda ticket=ticket: post(ticket, **customer) for ticket in answered
        ],
    }


# -- The services ------------------------------------------------------------


@service("helpdesk_refund")
def refund(shop):
    def native(button):
        shop.invoice.action_reverse()
        wizards = shop.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=shop.invoice.ids
        )
        wizard = wizards.create({"journal_id": shop.invoice.journal_id.id})
        getattr(wizard, button)()

    def ours(button):
        getattr(shop.open(shop.ticket.action_refund()), button)()

    return {
        title: (lambda b=button: native(b), lambda b=button: ours(b))
        for title, button in (
            ("Reverse", "refund_moves"),
            ("Reverse and Create Invoice", "modify_moves"),
        )
    }


@service("helpdesk_refund", lines=(5, 50, 400))
def refund_opened(shop):
    """The pop-up as the web client opens it: Odoo's own has no lines."""
    from odoo.tests import Form

    def opened(wizards, xmlid):
        return Form(wizards, view=shop.env.ref(xmlid))

    def native():
        shop.invoice.action_reverse()
        wizards = shop.env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=shop.invoice.ids
        )
        opened(wizards, "account.view_account_move_reversal")

    def ours():
        action = shop.ticket.action_refund()
        wizards = shop.env[action["res_model"]].with_context(**action["context"])
        opened(wizards, "helpdesk_refund.account_move_reversal_view_form")

    return {"Refund opens": (native, ours)}


@service("helpdesk_return")
def stock_return(shop):
    """All of the delivery, as both pop-ups propose or their "return all" does."""

    def native(exchange):
        wizards = shop.env["stock.return.picking"].with_context(
            active_model="stock.picking", active_id=shop.picking.id
        )
        wizard = wizards.create({})
        wizard.product_return_moves.quantity = 3
        if exchange:
            wizard.action_create_exchanges()
        else:
            wizard.action_create_returns()

    def ours(exchange):
        wizard = shop.open(shop.ticket.action_return())
        wizard.action_exchange() if exchange else wizard.action_return()

    return {
        title: (lambda x=exchange: native(x), lambda x=exchange: ours(x))
        for title, exchange in (("Return", False), ("Return for Exchange", True))
    }


@service("helpdesk_return", lines=(5, 50))
def process_return(shop):
    """One piece of each line came back, every fifth one damaged: received, scrapped and
    credited, by hand and by **Process Return** with a planned credit note."""
    env = shop.env
    scrapped = range(0, shop.lines, 5)

    native = env["stock.return.picking"].with_context(
        active_model="stock.picking", active_id=shop.picking.id
    )
    native = native.create({})
    native.product_return_moves.quantity = 1
    back = native._create_return()
    steps = env["helpdesk.after.sales.step"]
    wizard = shop.open(shop.ticket.action_return())
    wizard.line_ids.quantity = 1
    if "refund_draft" in dict(steps._get_choices("receipt")):
        wizard.settlement = "refund_draft"
    wizard.action_return()
    ours_back = wizard.sudo().made_picking_ids.with_env(env)
    damaged = env["helpdesk.return.disposition"].search([("kind", "=", "scrap")])[:1]
    env.flush_all()

    def by_hand():
        for move in back.move_ids:
            move.write({"quantity": 1, "picked": True})
        back.button_validate()
        for index in scrapped:
            move = back.move_ids[index]
            env["stock.scrap"].create(
                {
                    "picking_id": back.id,
                    "product_id": move.product_id.id,
                    "scrap_qty": 1,
                    "location_id": move.location_dest_id.id,
                }
            ).do_scrap()
        if not wizard.settlement:
            return
        reversal = env["account.move.reversal"].with_context(
            active_model="account.move", active_ids=shop.invoice.ids
        )
        reversal = reversal.create({"journal_id": shop.invoice.journal_id.id})
        credit = env["account.move"].browse(reversal.refund_moves()["res_id"])
        kept = [index for index in range(shop.lines) if index not in scrapped]
        credit.invoice_line_ids[:1].browse(
            [credit.invoice_line_ids[index].id for index in scrapped]
        ).unlink()
        assert len(credit.invoice_line_ids) == len(kept)
        credit.invoice_line_ids.quantity = 1

    def ours():
        process = env["helpdesk.return.process"].browse(
            ours_back.action_process_return()["res_id"]
        )
        lines = [process.line_ids[index].id for index in scrapped]
        process.line_ids.browse(lines).write(
            {"condition": "damaged", "disposition_id": damaged.id}
        )
        process.action_process()

    return {"Process Return": (by_hand, ours)}


@service("helpdesk_fsm")
def intervention(shop):
    """Native is the task itself: Community has no wizard that makes one."""
    # sudo: the switch was written straight to the table, its project is missing yet.
    shop.ticket.team_id.sudo()._ensure_fsm_project()
    project = shop.ticket.team_id.sudo().fsm_project_id
    dates = {
        "planned_date_begin": "2030-01-07 08:00:00",
        "date_deadline": "2030-01-07 10:00:00",
    }

    def native(values):
        shop.env["project.task"].create(
            {
                "name": "Bench",
                "project_id": project.id,
                "partner_id": shop.customer.id,
                "user_ids": [shop.Command.set(shop.env.user.ids)],
                "description": shop.ticket.description,
                **values,
            }
        )

    def ours(values):
        action = shop.ticket.action_plan_intervention()
        users = [shop.Command.set(shop.env.user.ids)]
        shop.open(action, user_ids=users, **values).action_create_task()

    return {
        title: (lambda v=values: native(v), lambda v=values: ours(v))
        for title, values in (("Create Task", {}), ("Create Task with a date", dates))
    }


@service("helpdesk_fsm")
def calendar(shop):
    """One week of a year with 20,000 visits: the calendar of Planning, against
    Project's own calendar of the same tasks."""
    team = shop.ticket.team_id.sudo()  # see above
    team._ensure_fsm_project()
    seed = shop.env["project.task"].create(
        {
            "name": "Bench visit",
            "project_id": team.fsm_project_id.id,
            "partner_id": shop.customer.id,
            "helpdesk_ticket_id": shop.ticket.id,
        }
    )
    shop.env.flush_all()
    cr = shop.env.cr
    dates = {"planned_date_begin", "date_deadline"}
    columns = [
        field.name
        for field in seed._fields.values()
        if field.store and field.column_type and field.name not in dates | {"id"}
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    begin = "timestamp '2031-01-01' + number * interval '26 minutes'"
    cr.execute(
        f"INSERT INTO project_task ({names}, planned_date_begin, date_deadline)"
        f" SELECT {names}, {begin}, {begin} + interval '1 hour'"
        " FROM project_task, generate_series(1, 20000) AS number WHERE id = %s",
        [seed.id],
    )
    cr.execute(
        "INSERT INTO project_task_user_rel (task_id, user_id)"
        " SELECT id, %s FROM project_task WHERE name = 'Bench visit' AND id != %s",
        [shop.env.uid, seed.id],
    )
    cr.execute("ANALYZE project_task, project_task_user_rel")
    shop.env.invalidate_all()

    def read(xmlid, start, *domain):
        tasks = shop.env["project.task"].with_user(shop.env.user)
        arch = tasks.get_view(shop.env.ref(xmlid).id, "calendar")["arch"]
        fields = re.findall(r'<field name="(\w+)"', arch)
        week = [(start, "<=", "2031-07-14"), ("date_deadline", ">=", "2031-07-07")]
        found = tasks.search_read(
            [("is_fsm", "=", True), *week, *domain],
            [*{*fields, "display_name", start, "date_deadline"}],
        )
        assert 350 < len(found) < 450

    # Project knows only when a task is due: the same week of it.
    return {
        "a week of 20,000 visits": (
            lambda: read("project.view_task_all_calendar", "date_deadline"),
            lambda: read(
                "helpdesk_fsm.project_task_view_calendar_fsm",
                "planned_date_begin",
                ("has_template_ancestor", "=", False),
                ("state", "!=", "1_canceled"),
            ),
        )
    }


@service("helpdesk_coupon")
def coupon(shop):
    """Both up to the composer that holds the code, filled from the same template:
    Odoo's own one also prints a PDF, which takes a second."""
    env, Command = shop.env, shop.Command
    template = env.ref("helpdesk_coupon.mail_template_coupon").sudo().copy()
    program = (
        env["loyalty.program"]
        .sudo()
        .create(
            {
                "name": "Bench coupons",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "reward_ids": [
                    Command.clear(),
                    Command.create({"discount": 10, "required_points": 1}),
                ],
                "communication_plan_ids": [
                    Command.clear(),
                    Command.create(
                        {"trigger": "create", "mail_template_id": template.id}
                    ),
                ],
            }
        )
    )
    env.flush_all()

    def compose(action):
        composers = env[action["res_model"]].with_context(**action["context"])
        composers.create({})

    def native():
        wizards = env["loyalty.generate.wizard"].with_context(action_no_send_mail=True)
        wizard = wizards.create(
            {
                "program_id": program.id,
                "mode": "selected",
                "customer_ids": [Command.set(shop.customer.ids)],
            }
        )
        compose(wizard.generate_coupons().action_coupon_send())

    def ours():
        action = shop.ticket.action_generate_coupon()
        wizard = shop.open(action, program_id=program.id)
        compose(wizard.action_send_by_email())

    return {"Send by Email": (native, ours)}


@service("helpdesk_repair")
def repair(shop):
    """A repair with five parts: confirmed, and with its quotation."""
    parts = [{"product_id": product.id, "quantity": 2.0} for product in shop.products]
    product = shop.products[0]

    def native(button):
        order = shop.env["repair.order"].create(
            {
                "partner_id": shop.customer.id,
                "product_id": product.id,
                "move_ids": [
                    shop.Command.create(
                        {
                            "repair_line_type": "add",
                            "product_id": part["product_id"],
                            "product_uom_qty": part["quantity"],
                        }
                    )
                    for part in parts
                ],
            }
        )
        getattr(order, button)()

    def ours(button):
        wizard = shop.open(
            shop.ticket.action_repair(),
            product_id=product.id,
            part_ids=[shop.Command.create(part) for part in parts],
        )
        getattr(wizard, button)()

    return {
        title: (lambda n=theirs: native(n), lambda o=button: ours(o))
        for title, theirs, button in (
            ("Confirm Repair", "action_validate", "action_confirm_repair"),
            ("Create Quotation", "action_create_sale_order", "action_create_quotation"),
        )
    }


# -- Measuring ---------------------------------------------------------------


def measure(env, function):
    """Return ``(milliseconds, queries)`` of one run, rolled back."""
    env.flush_all()
    env.invalidate_all()
    gc.collect()
    env.cr.execute("SAVEPOINT bench")
    queries, start = env.cr.sql_log_count, processor_time(env)
    function()
    env.flush_all()
    milliseconds = (processor_time(env) - start) * 1000
    queries = env.cr.sql_log_count - queries
    env.invalidate_all(flush=False)
    env.transaction.clear()
    env.cr.execute("ROLLBACK TO SAVEPOINT bench")
    return milliseconds, queries


def compare(env, native, ours, rounds):
    """Return the medians of both: ``((ms, queries), (ms, queries))``."""
    runs = ([], [])
    for number in range(WARM_UP + rounds):
        # In turns, and each as often first as second.
        for index in (0, 1) if number % 2 else (1, 0):
            result = measure(env, (native, ours)[index])
            if number >= WARM_UP:
                runs[index].append(result)
    return tuple(
        tuple(statistics.median(column) for column in zip(*run, strict=True))
        for run in runs
    )


def bench(env, rounds):
    """Print the table; return whether every row reaches the goal."""
    installed = env["ir.module.module"]._installed()
    shop = Shop(env)
    heads = ("native ms", "ours ms", "times", "native q", "ours q", "more")
    print(f"{'service':<36}" + "".join(f"{head:>11}" for head in heads))
    good = True
    for lines, addon, function in sorted(SERVICES, key=lambda row: row[0]):
        if addon not in installed:
            continue
        if lines != shop.lines:
            shop = Shop(env, lines)
        for title, (native, ours) in function(shop).items():
            (ms, queries), (our_ms, our_queries) = compare(env, native, ours, rounds)
            times, more = our_ms / ms, our_queries - queries
            goal = GOALS_TIME.get(function.__name__, GOAL_TIME)
            reached = times <= goal and more <= GOAL_QUERIES
            good &= reached
            name = f"{addon.removeprefix('helpdesk_')}: {title}"
            name += f" ({lines} lines)" if lines != 5 else ""
            print(
                f"{name:<36}{ms:>11.0f}{our_ms:>11.0f}{times:>11.2f}"
                f"{queries:>11.0f}{our_queries:>11.0f}{more:>+11.0f}"
                f"{'' if reached else '  missed'}",
                flush=True,
            )
    return good


def run(env, arguments):
    """Return the exit code."""
    return 0 if bench(env, int(arguments[0]) if arguments else ROUNDS) else 1


if __name__ == "__main__":
    benching.main(__file__, run)
