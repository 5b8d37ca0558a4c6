#!/usr/bin/env python3
"""What the reports cost, beside Odoo's own invoice analysis on the same database.

    python tests/bench_reports.py [--rounds=7] [number of tickets ...]

Tickets as in bench_screens.py, and for each ten of them a delivery, an invoice, a
credit note and a return, spread over three years; the latter two are of tickets. Each
report is opened as its pivot opens it, with its default filter of 12 months, as an
administrator of Helpdesk who may read invoices.

Printed are the medians, and each in times of the invoice analysis. Times are those of
the processors. The environment is that of ``setup/`` or ODOO_RC, see bench_screens.py.
"""

import statistics
import sys
import time

import benching
from bench_screens import Helpdesk
from benching import processor_time

SIZES = (1_000, 100_000, 1_000_000)
ROUNDS = 7
#: model, the pivot's groups, measures, and what the default filter looks at
REPORTS = {
    "invoice analysis of Odoo": (
        "account.invoice.report",
        ("product_categ_id", "invoice_date:month"),
        ("price_subtotal:sum", "quantity:sum"),
        "invoice_date",
    ),
    "cost of failure": (
        "helpdesk.after.sales.report",
        ("product_id", "date:month"),
        ("total_cost:sum", "amount:sum"),
        "date",
    ),
    "cost of failure, by supplier": (
        "helpdesk.after.sales.report",
        ("supplier_id", "delivery_date:month"),
        ("total_cost:sum", "amount:sum"),
        "date",
    ),
    "return rate": (
        "helpdesk.return.rate.report",
        ("age", "date:month"),
        ("delivered:sum", "returned:sum", "return_rate:avg"),
        "date",
    ),
    "tickets analysis": (
        "helpdesk.ticket.report.analysis",
        ("team_id", "user_id"),
        ("first_response_hours:avg", "avg_response_hours:avg", "close_hours:avg"),
        "create_date",
    ),
}


class Documents(Helpdesk):
    """Tickets, and what was done about them."""

    def make_documents(self):
        """Make the delivery, the invoice, the credit note and the return to copy."""
        env, delivery = self.env, self.order.picking_ids
        invoice, ticket = self.order.invoice_ids, self.first[7]
        note = invoice._reverse_moves(
            [{"helpdesk_ticket_id": ticket.id, "invoice_date": invoice.invoice_date}]
        )
        note.invoice_line_ids[3:].unlink()
        note.action_post()
        native = env["stock.return.picking"].create({"picking_id": delivery.id})
        native.product_return_moves[0].quantity = 1
        back = native._create_return()
        back.helpdesk_ticket_id = ticket
        back.move_ids.write({"quantity": 1, "picked": True})
        back.button_validate()
        env.flush_all()
        self.documents = invoice, note, delivery, back

    def fill_documents(self, times):
        """Copy a delivery, an invoice, a credit note and a return so many times."""
        env = self.env
        invoice, note, delivery, back = self.documents
        tickets = (
            "(SELECT min(id) FROM helpdesk_ticket) "
            "+ (k * 7) %% (SELECT count(*) FROM helpdesk_ticket)"
        )
        day = f"(now() - interval '1095 days' * (1 - k::float / {times}))"
        for document in (invoice, note):
            lines = document.line_ids.sorted("id")[:5]
            base, of_lines = (
                self._last_id("account_move"),
                self._last_id("account_move_line"),
            )
            values = {"helpdesk_ticket_id": tickets} if document == note else {}
            self._copy(
                "account_move",
                document,
                times,
                id=f"{base} + k",
                name=f"'X{document.id}/' || {base} + k",
                payment_reference="NULL",
                sequence_number=f"{base} + k",
                invoice_date=f"{day}::date",
                date=f"{day}::date",
                **values,
            )
            self._copy(
                "account_move_line",
                lines,
                times,
                id=f"{of_lines} + (k - 1) * 5 + array_position(ARRAY{lines.ids}, s.id)",
                move_id=f"{base} + k",
                date=f"{day}::date",
            )
        for picking in (delivery, back):
            values = {"helpdesk_ticket_id": tickets} if picking == back else {}
            base, of_moves = self._last_id("stock_picking"), self._last_id("stock_move")
            self._copy(
                "stock_picking",
                picking,
                times,
                id=f"{base} + k",
                name=f"'X{picking.id}/' || {base} + k",
                date_done=day,
                **values,
            )
            self._copy(
                "stock_move",
                picking.move_ids[0],
                times,
                id=f"{of_moves} + k",
                picking_id=f"{base} + k",
                date=day,
            )
            self._copy(
                "stock_move_line",
                picking.move_line_ids[0],
                times,
                move_id=f"{of_moves} + k",
                picking_id=f"{base} + k",
                date=day,
            )
        self.cr.execute("ANALYZE")
        env.invalidate_all(flush=False)


def measure(env, user, report, rounds):
    """Return the seconds of each round."""
    model, groups, measures, date = report
    records = env[model].with_user(user)
    domain = [(date, ">=", "today -365d")]
    took = []
    for _round in range(rounds + 1):
        env.invalidate_all(flush=False)
        start = processor_time(env)
        # As the pivot asks: each level of its groups.
        for groupby in ([], [groups[0]], [groups[1]], [*groups]):
            records.formatted_read_group(domain, groupby, [*measures, "__count"])
        took.append(processor_time(env) - start)
    return took[1:]


def bench(env, arguments):
    rounds, sizes = ROUNDS, []
    for argument in arguments:
        if argument.startswith("--rounds="):
            rounds = int(argument.partition("=")[2])
        else:
            sizes.append(int(argument))
    from odoo import Command

    desk = Documents(env)
    desk.make_documents()
    user = desk.administrator
    user.group_ids = [Command.link(env.ref("account.group_account_invoice").id)]
    done = 0
    print("| report | tickets | documents | seconds | times Odoo's |")
    print("|---|---:|---:|---:|---:|")
    for size in sizes or SIZES:
        desk.fill(size)
        times = size // 10 - done
        if times > 0:
            begin = time.monotonic()
            desk.fill_documents(times)
            done += times
            print(
                f"filled in {time.monotonic() - begin:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        own = None
        for title, report in REPORTS.items():
            median = statistics.median(measure(env, user, report, rounds))
            own = own or median
            print(
                f"| {title} | {size:,} | {done * 4:,} | {median:.3f} | "
                f"{median / own:.2f} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    benching.main(__file__, bench)
