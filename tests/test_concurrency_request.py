"""Two requests of customers at once (T1, T2, X9): real cursors, real commits, cleaned
up."""

import functools

import pytest
from race import RaceCase

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

ROUNDS = 10
SERVICE = "use_product_repairs"


@tagged("post_install", "-at_install")
class TestConcurrencyRequest(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.repair.wizard" not in cls.env.registry:
            pytest.skip("helpdesk_repair is not installed")
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
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

    @classmethod
    def _clean_up(cls, env):
        cls._remove_tickets(env)
        order = env["sale.order"].browse(cls.order_id)
        order.state = "draft"
        order.unlink()
        cls._remove_helpdesk(env, (), cls.team_id, cls.user_ids, cls.partner_id)
        env["product.product"].browse(cls.product_id).product_tmpl_id.unlink()

    @classmethod
    def _remove_tickets(cls, env):
        tickets = env["helpdesk.ticket"]
        tickets.search([("create_uid", "in", cls.user_ids)]).unlink()

    def _compete(self, *calls):
        """Let ``(user, quantity, key)`` compete; return ids of tickets and errors."""

        def ask(env, quantity, key):
            tickets = env["helpdesk.ticket"]
            return tickets.portal_request(SERVICE, self.line_id, quantity, key=key)

        results, _tries = self._race(
            *(
                (user_id, functools.partial(ask, quantity=quantity, key=key))
                for user_id, quantity, key in calls
            )
        )
        self._as_root(self._remove_tickets)
        return results

    def test_t1_two_requests_at_once_never_pass_what_is_left(self):
        """Two of three, by two colleagues: one gets them, the other reads the rest."""
        for number in range(ROUNDS):
            with self.subTest(round=number):
                first, second = self.user_ids
                results = self._compete((first, 2, "a"), (second, 2, "b"))
                made = [result for result in results if isinstance(result, int)]
                [refusal] = [r for r in results if not isinstance(r, int)]
                self.assertEqual(len(made), 1, results)
                self.assertIsInstance(refusal, UserError)
                self.assertIn("Only 1 can still", str(refusal))

    def test_t2_one_form_sent_twice_at_once_makes_one_ticket(self):
        for number in range(ROUNDS):
            with self.subTest(round=number):
                user = self.user_ids[0]
                first, second = self._compete((user, 1, "same"), (user, 1, "same"))
                self.assertIsInstance(first, int)
                self.assertEqual(first, second)
