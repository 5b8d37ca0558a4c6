"""Two requests of customers at once (T1, T2, X9): real cursors, real commits, cleaned
up."""

import threading
import time
from unittest.mock import patch

import pytest

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

ROUNDS = 10
SERVICE = "use_product_repairs"


@tagged("post_install", "-at_install")
class TestConcurrencyRequest(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.repair.wizard" not in cls.env.registry:
            pytest.skip("helpdesk_repair is not installed")
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.partner"].create(
                {"name": "Racing company", "is_company": True}
            )
            contacts = env["res.partner"].create(
                [
                    {"name": f"Racing contact {number}", "parent_id": company.id}
                    for number in (1, 2)
                ]
            )
            cls.user_ids = [
                new_test_user(
                    env,
                    f"request_race_{contact.id}",
                    groups="base.group_portal",
                    partner_id=contact.id,
                ).id
                for contact in contacts
            ]
            product = env["product.product"].create(
                {"name": "Racing lamp", "type": "consu"}
            )
            team = env["helpdesk.team"].create({"name": "Racing team", SERVICE: True})
            order = env["sale.order"].create(
                {
                    "partner_id": company.id,
                    "order_line": [
                        Command.create({"product_id": product.id, "product_uom_qty": 3})
                    ],
                }
            )
            # Sold and delivered, without the transfers, which could not be cleaned up.
            order.state = "sale"
            env.flush_all()
            env.cr.execute(
                "UPDATE sale_order_line SET qty_delivered = 3 WHERE id = %s",
                [order.order_line.id],
            )
            cls.partner_id, cls.product_id = company.id, product.id
            cls.team_id, cls.order_id = team.id, order.id
            cls.line_id = order.order_line.id
        cls.addClassCleanup(cls._clean_up)

    @classmethod
    def _clean_up(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cls._remove_tickets(env)
            order = env["sale.order"].browse(cls.order_id)
            order.state = "draft"
            order.unlink()
            env["helpdesk.team"].browse(cls.team_id).unlink()
            env["product.product"].browse(cls.product_id).product_tmpl_id.unlink()
            users = env["res.users"].browse(cls.user_ids)
            partners = users.partner_id
            users.unlink()
            partners.unlink()
            env["res.partner"].browse(cls.partner_id).unlink()

    @classmethod
    def _remove_tickets(cls, env):
        tickets = env["helpdesk.ticket"].with_context(active_test=False)
        tickets.search([("create_uid", "in", cls.user_ids)]).unlink()

    def _race(self, *calls):
        """Let ``(user, quantity, key)`` compete; return ids of tickets and errors."""
        barrier = threading.Barrier(len(calls), timeout=30)
        results = [None] * len(calls)

        def compete(index):
            user_id, quantity, key = calls[index]
            waited = []

            def attempt():
                env.cr.execute("SELECT 1")  # the snapshot is taken before the race
                if not waited:
                    waited.append(True)
                    barrier.wait()
                return env["helpdesk.ticket"].portal_request(
                    SERVICE, self.line_id, quantity, key=key
                )

            with self.registry.cursor() as cr:
                env = api.Environment(cr, user_id, {})
                try:
                    results[index] = retrying(attempt, env)
                except Exception as error:
                    cr.rollback()
                    results[index] = error

        threads = [
            threading.Thread(target=compete, args=(n,)) for n in range(len(calls))
        ]
        sleep = time.sleep
        with (
            patch("odoo.service.model.time.sleep", lambda pause: sleep(pause / 50)),
            mute_logger("odoo.sql_db"),
        ):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        with self.registry.cursor() as cr:
            self._remove_tickets(api.Environment(cr, SUPERUSER_ID, {}))
        return results

    def test_t1_two_requests_at_once_never_pass_what_is_left(self):
        """Two of three, by two colleagues: one gets them, the other reads the rest."""
        for number in range(ROUNDS):
            with self.subTest(round=number):
                first, second = self.user_ids
                results = self._race((first, 2, "a"), (second, 2, "b"))
                made = [result for result in results if isinstance(result, int)]
                [refusal] = [r for r in results if not isinstance(r, int)]
                self.assertEqual(len(made), 1, results)
                self.assertIsInstance(refusal, UserError)
                self.assertIn("1 Units are left", str(refusal))

    def test_t2_one_form_sent_twice_at_once_makes_one_ticket(self):
        for number in range(ROUNDS):
            with self.subTest(round=number):
                user = self.user_ids[0]
                first, second = self._race((user, 1, "same"), (user, 1, "same"))
                self.assertIsInstance(first, int)
                self.assertEqual(first, second)
