"""Two returns of one delivery at once (T5): real cursors, real commits, cleaned up."""

import threading
import time
from unittest.mock import patch

import pytest

from odoo import SUPERUSER_ID, Command, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

ROUNDS = 20
AGENT = "helpdesk_after_sales.group_helpdesk_user"


@tagged("post_install", "-at_install")
class TestConcurrencyReturn(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.return.wizard" not in cls.env.registry:
            pytest.skip("helpdesk_return is not installed")
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cls.user_ids = [
                new_test_user(env, f"return_race_{number}", groups=AGENT).id
                for number in (1, 2)
            ]
            partner = env["res.partner"].create({"name": "Racing customer"})
            product = env["product.product"].create(
                {"name": "Racing lamp", "type": "consu", "is_storable": True}
            )
            team = env["helpdesk.team"].create(
                {"name": "Racing team", "use_product_returns": True}
            )
            ticket = env["helpdesk.ticket"].create(
                {"name": "Lamp", "team_id": team.id, "partner_id": partner.id}
            )
            cls.partner_id, cls.product_id = partner.id, product.id
            cls.team_id, cls.ticket_id = team.id, ticket.id
        cls.addClassCleanup(cls._clean_up)

    @classmethod
    def _clean_up(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            env["helpdesk.return.wizard"].search([]).unlink()
            cls._remove_pickings(env)
            env["stock.quant"].search([("product_id", "=", cls.product_id)]).unlink()
            env["helpdesk.ticket"].browse(cls.ticket_id).unlink()
            env["helpdesk.team"].browse(cls.team_id).unlink()
            env["product.product"].browse(cls.product_id).product_tmpl_id.unlink()
            users = env["res.users"].browse(cls.user_ids)
            partners = users.partner_id + env["res.partner"].browse(cls.partner_id)
            users.unlink()
            partners.unlink()

    @classmethod
    def _remove_pickings(cls, env):
        moves = env["stock.move"].search([("product_id", "=", cls.product_id)])
        pickings = moves.picking_id
        # Done transfers can't be deleted in Odoo: these never happened.
        env.cr.execute(
            "UPDATE stock_move_line SET state = 'draft' WHERE move_id = ANY(%s)",
            [moves.ids],
        )
        env.cr.execute(
            "UPDATE stock_move SET state = 'draft' WHERE id = ANY(%s)", [moves.ids]
        )
        env.invalidate_all()
        moves.move_line_ids.unlink()
        moves.unlink()
        pickings.unlink()

    def _new_delivery(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            warehouse = env["stock.warehouse"].search(
                [("company_id", "=", env.company.id)], limit=1
            )
            customers = env.ref("stock.stock_location_customers")
            stock = warehouse.lot_stock_id
            picking = env["stock.picking"].create(
                {
                    "partner_id": self.partner_id,
                    "picking_type_id": warehouse.out_type_id.id,
                    "location_id": stock.id,
                    "location_dest_id": customers.id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": self.product_id,
                                "product_uom_qty": 3,
                                "location_id": stock.id,
                                "location_dest_id": customers.id,
                            }
                        )
                    ],
                }
            )
            picking.action_confirm()
            picking.move_ids.write({"quantity": 3, "picked": True})
            picking.with_context(skip_backorder=True).button_validate()
            return picking.id

    def _return(self, env, picking_id, quantity):
        wizard = env["helpdesk.return.wizard"].create(
            {"helpdesk_ticket_id": self.ticket_id, "picking_id": picking_id}
        )
        wizard.line_ids.quantity = quantity
        return wizard.action_return()["res_id"]

    def _race(self, picking_id, quantity):
        barrier = threading.Barrier(2, timeout=30)
        results = [None, None]

        def compete(index):
            waited = []

            def attempt():
                env.cr.execute("SELECT 1")  # the snapshot is taken before the race
                if not waited:
                    waited.append(True)
                    barrier.wait()
                return self._return(env, picking_id, quantity)

            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.user_ids[index], {})
                try:
                    results[index] = retrying(attempt, env)
                except Exception as error:
                    cr.rollback()
                    results[index] = error

        threads = [threading.Thread(target=compete, args=(n,)) for n in (0, 1)]
        sleep = time.sleep
        with (
            patch("odoo.service.model.time.sleep", lambda pause: sleep(pause / 50)),
            mute_logger("odoo.sql_db"),
        ):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        return results

    def test_t5_two_returns_at_once_never_pass_what_was_delivered(self):
        """Two of three, twice at once: one gets them, the other reads what is left."""
        for number in range(ROUNDS):
            with self.subTest(round=number):
                picking_id = self._new_delivery()
                results = self._race(picking_id, 2)
                made = [result for result in results if isinstance(result, int)]
                [refusal] = [r for r in results if not isinstance(r, int)]
                self.assertEqual(len(made), 1, results)
                self.assertIsInstance(refusal, UserError)
                self.assertIn("1 of the 3 delivered", str(refusal))
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    picking = env["stock.picking"].browse(picking_id)
                    self.assertEqual(picking.return_ids.ids, made)

    def test_t5_both_fit(self):
        picking_id = self._new_delivery()
        results = self._race(picking_id, 1)
        self.assertTrue(all(isinstance(result, int) for result in results), results)
