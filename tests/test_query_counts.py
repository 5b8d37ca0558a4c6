"""The screens cost a fixed number of queries, whatever the number of tickets.

They are asked as tests/bench_screens.py does, which measures them with a million.
"""

import gc
import threading

import pytest
from bench_screens import OPEN, Client, measure

from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestQueryCounts(HelpdeskAfterSalesCommon):
    def _add(self, number):
        tickets = self.env["helpdesk.ticket"]
        partners = self.env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(number)]
        )
        tickets.with_context(tracking_disable=True).create(
            [
                {
                    "name": f"Lamp {partner.id}",
                    "team_id": self.team.id,
                    "partner_id": partner.id,
                    "user_id": self.agent.id,
                }
                for partner in partners
            ]
        )

    def test_1_10_and_100_tickets_cost_the_same(self):
        # Nothing is timed here: the garbage that measure() collects is not ours.
        gc.freeze()
        self.addCleanup(gc.unfreeze)
        self.env["helpdesk.ticket"].search([]).unlink()
        found = {}
        for number in (1, 9, 90):
            self._add(number)
            for user in (self.agent, self.manager):
                client = Client(self.env, user)
                for name, function in {
                    # All on one page: the pager's count is one query more.
                    "list": lambda c=client: c.list(OPEN, limit=200),
                    "kanban": lambda c=client: c.kanban(OPEN),
                    "bar": lambda c=client: c.bar(OPEN),
                    "groups": lambda c=client: c.groups("user_id"),
                    "overview": lambda c=client: c.list(
                        model="helpdesk.team", kind="kanban", limit=200
                    ),
                }.items():
                    measure(self.env, function)
                    _milliseconds, queries = measure(self.env, function)
                    found.setdefault((user.login, name), []).append(queries)
        self.assertTrue(all(len(set(counts)) == 1 for counts in found.values()), found)

    def test_x8_warranties_of_10_and_100_lots_cost_the_same(self):
        self._count_warranties(10, 90)

    @pytest.mark.slow
    def test_x8_warranties_of_1_000_lots_cost_the_same(self):
        self._count_warranties(10, 90, 900)

    def _count_warranties(self, *numbers):
        """Issue 6: the list of lots with the day that each warranty ends."""
        phone = self.env["product.product"].create(
            {
                "name": "Phone under warranty",
                "is_storable": True,
                "tracking": "serial",
                "warranty_duration": 2,
                "warranty_unit": "year",
            }
        )
        domain = [("product_id", "=", phone.id)]
        lots = self.env["stock.lot"].with_context(tracking_disable=True)
        client = Client(self.env, self.stock_user)
        specification = {"name": {}, "product_id": {}, "warranty_end": {}}

        def read(extra=()):
            return client.call(
                "stock.lot",
                "web_search_read",
                [*domain, *extra],
                specification,
                limit=2000,
            )["records"]

        under_warranty = [("warranty_end", ">=", "today")]
        found = {}
        for number in numbers:
            serials = lots.create(
                [
                    {"name": f"W{number}-{n}", "product_id": phone.id}
                    for n in range(number)
                ]
            )
            self._sell(self.contact_a1, (phone, number), serials=serials)
            for name, extra in (("list", ()), ("search", under_warranty)):
                measure(self.env, lambda extra=extra: read(extra))
                _milliseconds, queries = measure(
                    self.env, lambda extra=extra: read(extra)
                )
                found.setdefault(name, []).append(queries)
        records = read(under_warranty)
        self.assertEqual(len(records), sum(numbers))
        self.assertTrue(all(record["warranty_end"] for record in records))
        self.assertTrue(all(len(set(counts)) == 1 for counts in found.values()), found)

    def test_what_the_rules_and_groups_ask_for_is_in_the_indexes(self):
        """Else lists and counters read every ticket, see tests/plans."""
        self.env.cr.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'helpdesk_ticket'"
        )
        indexes = dict(self.env.cr.fetchall())
        for name in ("default_order", "open", "stage"):
            definition = indexes[f"helpdesk_ticket_{name}_idx"]
            self.assertIn("priority DESC, id DESC) INCLUDE", definition)
            for column in ("team_id", "user_id", "company_id"):
                self.assertIn(column, definition)
            self.assertEqual(
                self.env["helpdesk.ticket"]._order, "priority desc, id desc"
            )

    def test_a_new_ticket_costs_what_its_message_costs(self):
        """Many at once: a number, and what Odoo asks for one message to followers."""
        client = Client(self.env, self.agent)

        def create(number):
            partners = (self.customer_a, self.customer_b)
            return client.call(
                "helpdesk.ticket",
                "create",
                [
                    {
                        "name": f"Lamp {n}",
                        "team_id": self.team.id,
                        "partner_id": partners[n % 2].id,
                    }
                    for n in range(number)
                ],
            )

        found = {}
        for number in (10, 10, 60):
            _milliseconds, found[number] = measure(
                self.env, lambda number=number: create(number)
            )
        self.assertLessEqual(found[60] - found[10], 50 * 6, found)

    def test_a_new_ticket_is_written_once(self):
        """Each index of the ticket would be written a second time, too."""
        statements = []

        def hook(cursor, query, params, _start, _delay):
            statements.append(str(query))

        thread = threading.current_thread()
        thread.query_hooks = [hook]
        try:
            self._ticket(self.contact_a1, user_id=self.agent.id)
            self.env.flush_all()
        finally:
            del thread.query_hooks
        self.assertTrue(any('INSERT INTO "helpdesk_ticket"' in s for s in statements))
        updates = [s for s in statements if s.startswith('UPDATE "helpdesk_ticket"')]
        self.assertFalse(updates)
