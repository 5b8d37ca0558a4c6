from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import HelpdeskAfterSalesCommon

REFUND = "use_credit_notes"


@tagged("post_install", "-at_install")
class TestRules(HelpdeskAfterSalesCommon):
    """X10: the first rule that fits answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rules = cls.env["helpdesk.after.sales.rule"]
        cls.rules.search([]).active = False
        cls.order = cls._sell(cls.contact_a1, (cls.lamp, 3))
        cls.ticket = cls._ticket(
            cls.contact_a1, sale_order_id=cls.order.id, product_id=cls.lamp.id
        )
        cls.refunds = cls.env.ref("helpdesk_after_sales.service_refund")
        cls.reason = cls.env["helpdesk.after.sales.reason"].create(
            {"name": "Changed their mind", "services": [Command.link(cls.refunds.id)]}
        )

    @classmethod
    def _rule(cls, name, verdict="refuse", **values):
        return cls.rules.create({"name": name, "verdict": verdict} | values)

    def _answer(self, ticket=None, amount=10.0, service=REFUND, reason=None):
        act = (ticket or self.ticket)._new_rule_act(service, None, amount, reason)
        return self.rules._answer([act])[act]

    def _decides(self, rule, **kwargs):
        return self._answer(**kwargs).rule == rule

    def test_x10_without_rules_nothing_is_limited(self):
        answer = self._answer(amount=None)
        self.assertEqual(answer.verdict, "allow")
        self.assertFalse(answer.rule)
        self.assertFalse(self.rules._are_there(self.company))

    def test_x10_first_in_order_answers(self):
        first = self._rule("First", "allow", sequence=1)
        second = self._rule("Second", sequence=2)
        self.assertTrue(self._decides(first))
        second.sequence = 0
        self.assertTrue(self._decides(second))
        second.active = False
        self.assertTrue(self._decides(first))
        first.team_ids = self.env["helpdesk.team"].create({"name": "Another"})
        self.assertEqual(self._answer().verdict, "allow")
        self.assertFalse(self._answer().rule)

    def test_x10_each_condition(self):
        category = self.env["product.category"].create(
            {"name": "Light", "parent_id": self.lamp.categ_id.id}
        )
        tag = self.env["res.partner.category"].create({"name": "Often"})
        belgium = self.env.ref("base.be")
        for values, change in (
            (
                {"services": self.refunds},
                lambda: {"service": "use_coupons"},
            ),
            (
                {"product_ids": self.desk},
                lambda: self.ticket.write({"product_id": self.desk.id}),
            ),
            (
                {"product_category_ids": category},
                lambda: self.ticket.product_id.write({"categ_id": category.id}),
            ),
            (
                {"reason_ids": self.reason},
                lambda: {"reason": self.reason},
            ),
            (
                {"partner_category_ids": tag},
                # That of the company counts, whichever contact asks.
                lambda: self.customer_a.write({"category_id": tag.ids}),
            ),
            (
                {"country_ids": belgium},
                lambda: self.customer_a.write({"country_id": belgium.id}),
            ),
        ):
            with self.subTest(condition=next(iter(values))):
                (name, record), *_rest = values.items()
                rule = self._rule("One", **{name: [Command.set(record.ids)]})
                before = self._decides(rule)
                kwargs = change()
                kwargs = kwargs if isinstance(kwargs, dict) else {}
                self.assertNotEqual(before, self._decides(rule, **kwargs))
                rule.active = False

    def test_x10_category_means_what_is_below_it(self):
        category = self.env["product.category"].create({"name": "House"})
        below = category.create({"name": "Light", "parent_id": category.id})
        rule = self._rule("House", product_category_ids=category.ids)
        self.lamp.categ_id = below
        self.assertTrue(self._decides(rule))

    def test_x10_days_since_delivery_and_warranty(self):
        soon = self._rule("Soon", "allow", days_since_delivery=30, sequence=1)
        late = self._rule("Late", sequence=2)
        now = fields.Datetime.now()
        with freeze_time(fields.Datetime.add(now, days=29)):
            self.assertTrue(self._decides(soon))
        with freeze_time(fields.Datetime.add(now, days=32)):
            self.assertTrue(self._decides(late))
        self.ticket.write({"sale_order_id": False, "product_id": self.desk.id})
        self.assertTrue(self._decides(late), "never delivered")
        soon.days_since_delivery = 0
        soon.under_warranty = "yes"
        self.ticket.product_id = self.lamp
        self.assertTrue(self._decides(late))
        self.order.picking_ids.move_ids.write(
            {
                "warranty_start": fields.Date.today(),
                "warranty_end": fields.Date.add(fields.Date.today(), years=1),
                "helpdesk_warranty_reason": "Promised",
            }
        )
        self.assertTrue(self._decides(soon))

    def test_x10_amount_that_nobody_knows_is_no_small_one(self):
        small = self._rule("Small", "allow", amount_max=100, sequence=1)
        rest = self._rule("Rest", sequence=2)
        self.assertTrue(self._decides(small, amount=100.0))
        self.assertTrue(self._decides(rest, amount=100.01))
        self.assertTrue(self._decides(rest, amount=None))

    def test_x10_strictest_of_several_lines(self):
        self._rule("Desks", product_ids=self.desk.ids, sequence=1)
        self._rule("Fee", "allow", fee_percent=10, sequence=2)
        self.ticket.line_ids = [Command.create({"product_id": self.desk.id})]
        answer = self._answer()
        self.assertEqual((answer.verdict, answer.fee), ("refuse", 10))
        self.assertEqual(len(answer.lines), 2)

    def test_x10_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other Shop"})
        rule = self._rule("Theirs", company_id=other.id)
        self.assertFalse(self._answer().rule)
        rule.company_id = False
        self.assertTrue(self._decides(rule))
        with self.assertRaises(AccessError):
            self._rule("Theirs", company_id=other.id).with_user(self.manager).read()

    def test_x10_rules_that_never_answer_are_named(self):
        wide = self._rule("Wide", amount_max=100, sequence=1)
        narrow = self._rule(
            "Narrow", amount_max=50, services=self.refunds.ids, sequence=2
        )
        apart = self._rule("Apart", services=self.refunds.ids, sequence=3)
        later = self._rule("Later", services=self.refunds.ids, sequence=4)
        self.assertFalse(wide.shadow_notice or apart.shadow_notice)
        self.assertIn("Wide", narrow.shadow_notice)
        self.assertIn("Apart", later.shadow_notice)
        wide.amount_max = 20
        narrow.invalidate_recordset()  # as it is read anew
        self.assertFalse(narrow.shadow_notice)

    @mute_logger("odoo.sql_db")
    def test_x10_bad_input(self):
        for values, error in (
            ({"verdict": False}, IntegrityError),
            ({"fee_percent": 100}, IntegrityError),
            ({"fee_percent": -1}, IntegrityError),
            ({"days_since_delivery": -1}, IntegrityError),
            ({"amount_max": -5}, IntegrityError),
            ({"amount_max": 1e13}, ValidationError),
        ):
            with (
                self.subTest(values=values),
                self.assertRaises(error),
                self.cr.savepoint(),
            ):
                self._rule("Bad", **values).flush_recordset()

    @mute_logger("odoo.sql_db")
    def test_x10_what_is_chosen_stays(self):
        team = self.env["helpdesk.team"].create({"name": "Another"})
        rule = self._rule("Of a team", team_ids=team.ids)
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            team.unlink()
            self.env.flush_all()
        service = self.env["helpdesk.after.sales.service"].create(
            {"name": "Polish", "switch": "use_polish", "addon": "helpdesk_polish"}
        )
        rule.write({"team_ids": [Command.clear()], "services": service.ids})
        service.unlink()
        self.assertFalse(rule.active, "else it would be about all services")

    def test_x10_agents_neither_read_nor_write_rules(self):
        rule = self._rule("Mine")
        for method, *args in (("read", ["name"]), ("write", {"verdict": "allow"})):
            with self.assertRaises(AccessError):
                getattr(rule.with_user(self.agent), method)(*args)
        rule.with_user(self.manager).sequence = 3

    def test_x10_many_rules_take_no_more_queries(self):
        tickets = [self.ticket, self._ticket(self.customer_b, product_id=self.desk.id)]

        def ask(number):
            acts = [
                ticket._new_rule_act(REFUND, None, 10.0) for ticket in tickets * number
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            self.rules._get_policies(self.company.id)
            before = self.cr.sql_log_count
            self.rules._answer(acts)
            return self.cr.sql_log_count - before

        self._rule("Amount", amount_max=5, days_since_delivery=3)
        few = ask(1)
        self.rules.create(
            [
                {
                    "name": f"Rule {number}",
                    "verdict": "refuse",
                    "amount_max": 1,
                    "services": self.refunds.ids,
                }
                for number in range(200)
            ]
        )
        self.assertLessEqual(ask(20), few)

    def test_x10_box_says_which_rule_answers_and_why_others_do_not(self):
        self._rule("Desks", product_ids=self.desk.ids, sequence=1)
        self._rule("Small <b>", "allow", amount_max=50, sequence=2)
        self._rule("Rest", sequence=3)
        self._rule("Behind", sequence=4)
        box = Form(self.env["helpdesk.after.sales.rule.try"].with_user(self.manager))
        box.ticket_id = self.ticket
        box.service_id = self.refunds
        box.amount = 40
        self.assertIn("Small", box.answer)
        box.amount = 60
        self.assertIn("Rest", box.answer)
        for name in ("Desks", "Small &lt;b&gt;", "Rest"):
            self.assertIn(name, box.explanation)
        self.assertNotIn("Behind", box.explanation)
        with self.assertRaises(AccessError):
            self.env["helpdesk.after.sales.rule.try"].with_user(self.agent).create({})
