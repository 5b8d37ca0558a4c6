"""Two returns of one delivery at once (T5): real cursors, real commits, cleaned up."""

import functools

import pytest
from race import RaceCase

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

ROUNDS = 20
GROUPS = "helpdesk_after_sales.group_helpdesk_user,stock.group_stock_user"


@tagged("post_install", "-at_install")
class TestConcurrencyReturn(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.return.wizard" not in cls.env.registry:
            pytest.skip("helpdesk_return is not installed")
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
        cls.user_ids = [
            new_test_user(env, f"return_race_{number}", groups=GROUPS).id
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

    @classmethod
    def _clean_up(cls, env):
        env["helpdesk.return.wizard"].search([]).unlink()
        env["helpdesk.return.process"].search([]).unlink()
        cls._remove_pickings(env)
        env["stock.quant"].search([("product_id", "=", cls.product_id)]).unlink()
        cls._remove_helpdesk(
            env, cls.ticket_id, cls.team_id, cls.user_ids, cls.partner_id
        )
        env["product.product"].browse(cls.product_id).product_tmpl_id.unlink()

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
        def create(env):
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

        return self._as_root(create)

    def _return(self, env, picking_id, quantity):
        wizard = env["helpdesk.return.wizard"].create(
            {"helpdesk_ticket_id": self.ticket_id, "picking_id": picking_id}
        )
        wizard.line_ids.quantity = quantity
        return wizard.action_return()["res_id"]

    def _compete(self, picking_id, quantity):
        """Return ids of returns and errors of two agents who return so many."""
        function = functools.partial(
            self._return, picking_id=picking_id, quantity=quantity
        )
        results, _tries = self._race(*((user, function) for user in self.user_ids))
        return results

    def test_t5_two_returns_at_once_never_pass_what_was_delivered(self):
        """Two of three, twice at once: one gets them, the other reads what is left."""
        for number in range(ROUNDS):
            with self.subTest(round=number):
                picking_id = self._new_delivery()
                results = self._compete(picking_id, 2)
                made = [result for result in results if isinstance(result, int)]
                [refusal] = [r for r in results if not isinstance(r, int)]
                self.assertEqual(len(made), 1, results)
                self.assertIsInstance(refusal, UserError)
                self.assertIn("1 of the 3 delivered", str(refusal))
                returns = self._as_root(
                    lambda env, picking_id=picking_id: (
                        env["stock.picking"].browse(picking_id).return_ids.ids
                    )
                )
                self.assertEqual(returns, made)

    def test_t5_both_fit(self):
        picking_id = self._new_delivery()
        results = self._compete(picking_id, 1)
        self.assertTrue(all(isinstance(result, int) for result in results), results)

    def test_x17_two_people_process_one_return(self):
        """Both have the pop-up open: what came is received once, and who comes second
        is told to look again."""
        picking_id = self._new_delivery()
        made = self._as_root(lambda env: self._return(env, picking_id, 2))
        pop_ups = [
            self._as_root(functools.partial(self._open_process, made, user))
            for user in self.user_ids
        ]
        before = self._count_in_stock()

        def process(env, pop_up):
            env["helpdesk.return.process"].browse(pop_up).action_process()
            return pop_up

        results, _tries = self._race(
            *(
                (user, functools.partial(process, pop_up=pop_up))
                for user, pop_up in zip(self.user_ids, pop_ups, strict=True)
            )
        )
        done = [result for result in results if isinstance(result, int)]
        self.assertEqual(len(done), 1, results)
        self.assertIn(done[0], pop_ups)
        [refusal] = [result for result in results if not isinstance(result, int)]
        self.assertIsInstance(refusal, UserError)
        self.assertIn("in the meantime", str(refusal))
        self.assertEqual(self._count_in_stock(), before + 2)
        found = self._as_root(
            lambda env: (
                env["stock.picking"]
                .browse(made)
                .helpdesk_decision_ids.mapped("quantity")
            )
        )
        self.assertEqual(found, [2])

    def _open_process(self, picking_id, user_id, env):
        """Return the id of the pop-up of one user."""
        pop_ups = env["helpdesk.return.process"].with_user(user_id)
        pop_up = pop_ups.create({"picking_id": picking_id})
        # As at the end of a request of theirs: the lines are theirs, too.
        pop_up.env.flush_all()
        return pop_up.id

    def _count_in_stock(self):
        return self._as_root(
            lambda env: sum(
                env["stock.quant"]
                .search(
                    [
                        ("product_id", "=", self.product_id),
                        ("location_id.usage", "=", "internal"),
                    ]
                )
                .mapped("quantity")
            )
        )
