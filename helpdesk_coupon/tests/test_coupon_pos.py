from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponPos(HelpdeskCouponCommon):
    """rights, suspected: codes for one customer only at a till."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "pos.config" not in cls.env or "pos_ok" not in cls.program._fields:
            cls.skipTest(cls, "needs pos_loyalty")
        cls.till = cls.env["pos.config"].create({"name": "Till"})
        cls.cashier, cls.plain = cls._new_users(
            {
                "cashier": "base.group_user,point_of_sale.group_pos_user",
                "plain": "base.group_user",
            }
        )
        cls.gift_program = cls._program(
            "Gift cards",
            "gift_card",
            reward={"discount_mode": "per_point", "discount": 1},
            rule_ids=[Command.clear()],
        )

    def _card(self, program, only=True):
        return self.env["loyalty.card"].create(
            {
                "program_id": program.id,
                "partner_id": self.contact_a1.id,
                "points": 30,
                "helpdesk_ticket_id": self.ticket_a.id,
                "helpdesk_customer_only": only,
            }
        )

    def _use(self, card, partner, user=None):
        """Return whether a till takes the code, and what it tells."""
        answer = self.till.with_user(user or self.cashier).use_coupon_code(
            card.code,
            fields.Datetime.to_string(fields.Datetime.now()),
            partner.id,
            self.till.pricelist_id.id,
        )
        return answer["successful"], answer["payload"].get("error_message", "")

    def test_gift_card_of_one_customer_is_refused_to_others(self):
        card = self._card(self.gift_program)
        taken, told = self._use(card, self.customer_b)
        self.assertFalse(taken)
        self.assertIn(self.customer_b.name, told)
        taken, told = self._use(card, self.env["res.partner"])
        self.assertFalse(taken)
        self.assertIn(card.code, told)
        self._check_customer_uses(card)

    def _check_customer_uses(self, card):
        # Everybody of the customer's company.
        colleague = self.contact_a1.copy({"name": "Colleague"})
        for partner in (self.contact_a1, colleague):
            self.assertEqual(self._use(card, partner), (True, ""))

    def test_coupon_of_one_customer_is_refused_to_others(self):
        card = self._card(self.program)
        for partner in (self.customer_b, self.env["res.partner"]):
            self.assertFalse(self._use(card, partner)[0])
        self._check_customer_uses(card)

    def test_gift_card_for_everybody_is_for_who_has_it(self):
        card = self._card(self.gift_program, only=False)
        for partner in (self.customer_b, self.env["res.partner"]):
            self.assertEqual(self._use(card, partner), (True, ""))

    def test_only_tills_ask(self):
        card = self._card(self.gift_program)
        with self.assertRaises(AccessError):
            self._use(card, self.customer_b, self.plain)

    def test_the_check_survives_a_new_set_up(self):
        self.env.registry._setup_models__(self.env.cr, [])
        use = type(self.till).use_coupon_code
        self.assertTrue(hasattr(use, "helpdesk_asks"))
        self.assertFalse(hasattr(use.__wrapped__, "helpdesk_asks"))
