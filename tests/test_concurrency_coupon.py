"""Two at once with coupons (spec/trust.md, T2 and T6): real cursors, real commits, and
cleaned up. Everything committed belongs to a customer, a team, programs and users of
its own."""

import functools

import pytest
from race import RaceCase

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

ROUNDS = 20
AGENT = "helpdesk_after_sales.group_helpdesk_user"
SELLER = "sales_team.group_sale_salesman_all_leads"


@tagged("post_install", "-at_install")
class TestConcurrencyCoupon(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.coupon.wizard" not in cls.env:
            pytest.skip("helpdesk_coupon is not installed")
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
        agents = [
            new_test_user(env, f"coupon_race_agent_{number}", groups=AGENT)
            for number in (1, 2)
        ]
        seller = new_test_user(env, "coupon_race_seller", groups=SELLER)
        partner = env["res.partner"].create({"name": "Racing coupon customer"})
        team = env["helpdesk.team"].create(
            {"name": "Racing coupons", "use_coupons": True, "use_gift_cards": True}
        )
        ticket = env["helpdesk.ticket"].create(
            {"name": "Lamp", "team_id": team.id, "partner_id": partner.id}
        )
        coupons, gift_cards = env["loyalty.program"].create(
            [
                {
                    "name": f"Racing {program_type}",
                    "program_type": program_type,
                    "applies_on": applies_on,
                    "trigger": trigger,
                    "rule_ids": [Command.clear()],
                    "reward_ids": [
                        Command.clear(),
                        Command.create({"required_points": 1} | reward),
                    ],
                }
                for program_type, applies_on, trigger, reward in (
                    ("coupons", "current", "with_code", {"discount": 10}),
                    (
                        "gift_card",
                        "future",
                        "auto",
                        {"discount": 1, "discount_mode": "per_point"},
                    ),
                )
            ]
        )
        product = env["product.product"].create(
            {"name": "Racing lamp", "type": "service", "list_price": 50}
        )
        cls.agent_ids = [agent.id for agent in agents]
        cls.user_ids = [*cls.agent_ids, seller.id]
        cls.seller_id = seller.id
        cls.partner_id = partner.id
        cls.team_id = team.id
        cls.ticket_id = ticket.id
        cls.program_ids = (coupons | gift_cards).ids
        cls.product_id = product.id

    @classmethod
    def _clean_up(cls, env):
        cls._remove_documents(env)
        env["helpdesk.coupon.wizard"].search(
            [("helpdesk_ticket_id", "=", cls.ticket_id)]
        ).unlink()
        cls._remove_helpdesk(
            env, cls.ticket_id, cls.team_id, cls.user_ids, cls.partner_id
        )
        programs = env["loyalty.program"].browse(cls.program_ids)
        products = programs.reward_ids.discount_line_product_id
        programs.active = False
        programs.unlink()
        (products | env["product.product"].browse(cls.product_id)).unlink()

    @classmethod
    def _remove_documents(cls, env):
        orders = env["sale.order"].search([("partner_id", "=", cls.partner_id)])
        orders.filtered(lambda order: order.state == "sale")._action_cancel()
        orders.unlink()
        env["loyalty.card"].search([("program_id", "in", cls.program_ids)]).unlink()
        payments = env["account.payment"].search([("partner_id", "=", cls.partner_id)])
        payments.action_draft()
        payments.unlink()
        registers = env["account.payment.register"]
        registers.search([("partner_id", "=", cls.partner_id)]).unlink()
        moves = env["account.move"].search([("partner_id", "=", cls.partner_id)])
        moves.filtered(lambda move: move.state != "draft").button_draft()
        moves.posted_before = False
        moves.with_context(force_delete=True).unlink()

    def setUp(self):
        super().setUp()
        self.addCleanup(self._as_root, self._remove_documents)

    def _cards(self):
        """Return ``[(id, points)]`` of the codes of the programs."""
        return self._as_root(
            lambda env: [
                (card.id, card.points)
                for card in env["loyalty.card"].search(
                    [("program_id", "in", self.program_ids)]
                )
            ]
        )

    def _new_wizard(self, **values):
        def create(env):
            return (
                env["helpdesk.coupon.wizard"]
                .with_user(self.agent_ids[0])
                .create(
                    {
                        "helpdesk_ticket_id": self.ticket_id,
                        "program_id": self.program_ids[0],
                    }
                    | values
                )
                .id
            )

        return self._as_root(create)

    @staticmethod
    def _send(env, wizard_id):
        wizard = env["helpdesk.coupon.wizard"].browse(wizard_id)
        wizard.action_send_by_email()
        return wizard.coupon_id.id

    def test_t2_t6_two_clicks_at_once_make_one_code(self):
        attempts = 0
        for _round in range(ROUNDS):
            send = functools.partial(self._send, wizard_id=self._new_wizard())
            results, tries = self._race(*[(self.agent_ids[0], send)] * 2)
            attempts += tries
            self.assertEqual(results[0], results[1])
            self.assertEqual([id_ for id_, _points in self._cards()], results[:1])
            self._as_root(self._remove_documents)
        self.assertGreater(attempts, 2 * ROUNDS, "nobody ever met anybody")

    def test_x10_two_agents_at_once_keep_to_the_number_of_the_team(self):
        def limit(number):
            self._as_root(
                lambda env: (
                    env["helpdesk.team"]
                    .browse(self.team_id)
                    .write({"coupon_limit_number": number})
                )
            )

        limit(1)
        self.addCleanup(limit, 0)

        def give(env):
            wizard = env["helpdesk.coupon.wizard"].create(
                {
                    "helpdesk_ticket_id": self.ticket_id,
                    "program_id": self.program_ids[0],
                }
            )
            wizard.action_send_by_email()
            return wizard.coupon_id.id

        for _round in range(ROUNDS):
            results, _tries = self._race(*[(id_, give) for id_ in self.agent_ids])
            (refusal,) = (r for r in results if not isinstance(r, int))
            self.assertIsInstance(refusal, UserError)
            self.assertIn("at most 1 codes", str(refusal))
            self.assertEqual(len(self._cards()), 1)
            self._as_root(self._remove_documents)

    def test_x10_two_tickets_at_once_keep_to_the_number_of_the_team(self):
        """Rights, suspected: an agent in two windows, each on a ticket of its own."""

        def prepare(env):
            env["helpdesk.team"].browse(self.team_id).coupon_limit_number = 1
            return env["helpdesk.ticket"].browse(self.ticket_id).copy().id

        def end(env):
            env["helpdesk.team"].browse(self.team_id).coupon_limit_number = 0
            env["helpdesk.coupon.wizard"].search(
                [("helpdesk_ticket_id", "=", second)]
            ).unlink()
            env["helpdesk.ticket"].browse(second).unlink()

        second = self._as_root(prepare)
        self.addCleanup(self._as_root, end)
        self.addCleanup(self._as_root, self._remove_documents)

        def give(env, ticket_id):
            wizard = env["helpdesk.coupon.wizard"].create(
                {"helpdesk_ticket_id": ticket_id, "program_id": self.program_ids[0]}
            )
            wizard.action_send_by_email()
            return wizard.coupon_id.id

        for _round in range(ROUNDS // 4):
            results, _tries = self._race(
                *(
                    (self.agent_ids[0], functools.partial(give, ticket_id=ticket_id))
                    for ticket_id in (self.ticket_id, second)
                )
            )
            self.assertEqual(len(self._cards()), 1, f"{results}")
            (refusal,) = (r for r in results if not isinstance(r, int))
            self.assertIsInstance(refusal, UserError)
            self._as_root(self._remove_documents)

    def _new_invoice(self):
        def create(env):
            move = env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner_id,
                    "invoice_line_ids": [
                        Command.create(
                            {"name": "Lamp", "price_unit": 100.0, "tax_ids": False}
                        )
                    ],
                }
            )
            move.action_post()
            env["account.payment.register"].with_context(
                active_model="account.move", active_ids=move.ids
            ).create({}).action_create_payments()
            return move.id

        return self._as_root(create)

    def _give_card(self, env, invoice_id):
        wizard = env["helpdesk.coupon.wizard"].create(
            {
                "helpdesk_ticket_id": self.ticket_id,
                "program_type": "gift_card",
                "program_id": self.program_ids[1],
                "invoice_id": invoice_id,
                "amount": 60,
            }
        )
        wizard.action_send_by_email()
        return wizard.coupon_id.id

    def test_two_gift_cards_at_once_give_the_money_once(self):
        for _round in range(ROUNDS // 2):
            give = functools.partial(self._give_card, invoice_id=self._new_invoice())
            results, _tries = self._race(*[(id_, give) for id_ in self.agent_ids])
            (refusal,) = (r for r in results if not isinstance(r, int))
            self.assertIsInstance(refusal, UserError)
            self.assertRegex(str(refusal), r"At most .*40\.00")
            self.assertEqual([points for _id, points in self._cards()], [60])
            self._as_root(self._remove_documents)

    def test_t1_gift_card_and_credit_note_at_once_share_what_is_left(self):
        """Both hold the row of the invoice: never more than its total is given."""
        if "helpdesk_ticket_id" not in self.env["account.move.reversal"]:
            self.skipTest("helpdesk_refund is not installed")

        def allow(env):
            group = env.ref("account.group_account_invoice")
            env["res.users"].browse(self.agent_ids[1]).group_ids += group
            env["helpdesk.team"].browse(self.team_id).use_credit_notes = True

        def refund(env, invoice_id):
            wizard = env["account.move.reversal"].create(
                {
                    "helpdesk_ticket_id": self.ticket_id,
                    "move_ids": [Command.set([invoice_id])],
                }
            )
            wizard.refund_moves()
            return wizard.new_move_ids.id

        self._as_root(allow)
        outcomes = set()
        for _round in range(ROUNDS // 2):
            invoice_id = self._new_invoice()
            results, _tries = self._race(
                *(
                    (user_id, functools.partial(function, invoice_id=invoice_id))
                    for user_id, function in zip(
                        self.agent_ids, (self._give_card, refund), strict=True
                    )
                )
            )
            card, note = results
            self.assertIsInstance(note, int, "something is left in any case")
            given = sum(points for _id, points in self._cards())
            credited = self._as_root(
                lambda env, id_=note: env["account.move"].browse(id_).amount_total
            )
            self.assertEqual(given + credited, 100)
            if not isinstance(card, int):
                self.assertRegex(str(card), "already been credited in full")
            outcomes.add(given)
            self._as_root(self._remove_documents)
        self.assertLessEqual(outcomes, {0, 60})

    def _new_orders(self, card_id, number=2):
        """Return the ids of quotations that have the code in them."""

        def create(env):
            card = env["loyalty.card"].browse(card_id)
            orders = env["sale.order"]
            for _number in range(number):
                order = env["sale.order"].create(
                    {
                        "partner_id": self.partner_id,
                        "order_line": [Command.create({"product_id": self.product_id})],
                    }
                )
                for coupon, rewards in order._try_apply_code(card.code).items():
                    order._apply_program_reward(rewards, coupon)
                orders |= order
            assert orders.order_line.coupon_id == card
            return orders.ids

        return self._as_root(create)

    @staticmethod
    def _confirm(env, order_id):
        order = env["sale.order"].browse(order_id)
        order.action_confirm()
        return order.id

    def test_t6_one_code_in_two_sessions_is_used_once(self):
        for _round in range(ROUNDS // 2):
            card_id = self._as_root(
                lambda env: self._send(env(user=self.agent_ids[0]), self._new_wizard())
            )
            order_ids = self._new_orders(card_id)
            results, _tries = self._race(
                *(
                    (
                        self.seller_id,
                        functools.partial(self._confirm, order_id=order_id),
                    )
                    for order_id in order_ids
                )
            )
            self.assertEqual(
                sum(isinstance(result, int) for result in results), 1, f"{results}"
            )
            (refusal,) = (r for r in results if not isinstance(r, int))
            self.assertIsInstance(refusal, UserError)
            self.assertEqual(self._cards(), [(card_id, 0)])
            self._as_root(self._remove_documents)

    def test_withdrawn_and_used_at_once_is_one_of_both(self):
        def withdraw(env, card_id):
            card = env["loyalty.card"].browse(card_id)
            card._check_helpdesk_usable()
            card._withdraw_from_helpdesk("Mistake")
            return True

        outcomes = set()
        for _round in range(ROUNDS // 2):
            card_id = self._as_root(
                lambda env: self._send(env(user=self.agent_ids[0]), self._new_wizard())
            )
            (order_id,) = self._new_orders(card_id, 1)
            results, _tries = self._race(
                (self.seller_id, functools.partial(self._confirm, order_id=order_id)),
                (self.agent_ids[0], functools.partial(withdraw, card_id=card_id)),
            )
            refused = [isinstance(result, UserError) for result in results]
            self.assertEqual(sorted(refused), [False, True], f"{results}")
            outcomes.add(refused[0])
            self._as_root(self._remove_documents)
        self.assertTrue(outcomes)
