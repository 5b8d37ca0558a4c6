import random
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tests import Form, tagged

from ..tools.failing import MIN_CASES, find_failing, get_chance
from .common import MANAGER, HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestFailing(HelpdeskAfterSalesCommon):
    """How much comes back, and what fails more often than chance allows (X13)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cream = cls.env["product.product"].create(
            {
                "name": "Cream",
                "type": "consu",
                "is_storable": True,
                "tracking": "lot",
                "responsible_id": cls.stock_user.id,
            }
        )
        cls.lots = cls.env["stock.lot"].create(
            [
                {"name": f"L{number}", "product_id": cls.cream.id}
                | {"company_id": cls.company.id}
                for number in range(4)
            ]
        )
        cls._put_in_stock(*((cls.cream, 200, lot) for lot in cls.lots))
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.today = fields.Date.today()

    @classmethod
    def _move(cls, quantity, lot=None, days=0, back_of=None, product=None):
        """Return the move of goods that went to a customer, or came back from one, so
        many days ago."""
        places = (cls.warehouse.lot_stock_id, cls.customers)
        source, target = reversed(places) if back_of is not None else places
        values = {
            "product_id": (product or lot.product_id).id,
            "location_id": source.id,
            "location_dest_id": target.id,
        }
        picking = cls.env["stock.picking"].create(
            {
                "partner_id": cls.customer_b.id,
                "picking_type_id": cls.warehouse.out_type_id.id,
                "location_id": source.id,
                "location_dest_id": target.id,
            }
        )
        move = cls.env["stock.move"].create(
            values
            | {
                "picking_id": picking.id,
                "product_uom_qty": quantity,
                "picked": True,
                "origin_returned_move_id": back_of and back_of.id,
                "move_line_ids": [
                    Command.create(
                        values
                        | {"picking_id": picking.id, "quantity": quantity}
                        | {"lot_id": lot and lot.id}
                    )
                ],
            }
        )
        move._action_done()
        move.date = fields.Datetime.now() - timedelta(days=days)
        return move

    def _rates(self, groupby, domain=(), user=None):
        """Return ``{group: (delivered, returned, rate)}``."""
        self.env.flush_all()
        report = self.env["helpdesk.return.rate.report"].with_user(user or self.manager)
        report = report.with_context(
            allowed_company_ids=report.env.user.company_ids.ids
        )
        return {
            group: tuple(figures)
            for group, *figures in report._read_group(
                [("product_id", "=", self.cream.id), *domain],
                [groupby],
                ["delivered:sum", "returned:sum", "return_rate:avg"],
            )
        }

    # -- Return rate -----------------------------------------------------------

    def test_x13_what_came_back_of_a_months_deliveries(self):
        """In the month of its delivery, and by all pieces, in every group."""
        first, second = self.lots[:2]
        old = self._move(10, first, 200)
        small = self._move(2, first, 200)
        late = self._move(8, second, 5)
        self._move(1, first, 150, back_of=old)
        self._move(1, first, 1, back_of=small)
        self._move(2, second, 1, back_of=late)
        self.assertEqual(
            self._rates("lot_id"), {first: (12, 2, 2 / 12), second: (8, 2, 0.25)}
        )
        self.assertEqual(self._rates("product_id"), {self.cream: (20, 4, 0.2)})
        self.assertEqual(
            self._rates("product_categ_id"), {self.cream.categ_id: (20, 4, 0.2)}
        )
        months = self._rates("date:month")
        month = (self.today - timedelta(days=200)).replace(day=1)
        self.assertEqual(months[month], (12, 2, 2 / 12))
        self.assertEqual(
            self._rates("age"), {"old": (12, 2, 2 / 12), "young": (8, 2, 0.25)}
        )
        report = self.env["helpdesk.return.rate.report"]
        [within] = report._read_group(
            [("lot_id", "=", first.id)],
            [],
            ["returned_in_30:sum", "returned_in_90:sum"],
        )
        self.assertEqual(within, (0, 1))

    def test_x13_odd_rates(self):
        """Nothing delivered, the future, what goes back to the customer, and goods that
        nobody knows the delivery of."""
        first, second, third = self.lots[:3]
        self._move(1, first, 3, back_of=self.env["stock.move"])
        self.assertEqual(self._rates("lot_id")[first][:2], (0, 1))
        self.assertFalse(self._rates("lot_id")[first][2])
        self.assertEqual(self._rates("date:month")[False][:2], (0, 1))
        out = self._move(4, second, -40)
        back = self._move(1, second, 0, back_of=out)
        again = self._move(1, second)
        again.origin_returned_move_id = back
        self.assertEqual(self._rates("lot_id")[second], (4, 1, 0.25))
        self.assertEqual(self._rates("lot_id", [("age", "=", "young")])[second][0], 4)
        self._move(3, third, 400)
        self.cream.active = False
        year = self.today - timedelta(days=365)
        self.assertNotIn(third, self._rates("lot_id", [("date", ">=", year)]))
        self.assertIn(third, self._rates("lot_id"))

    def test_x13_supplier_of_the_lot(self):
        vendor = self.env["res.partner"].create({"name": "Vendor"})
        lot = self.lots[0]
        receipt = self.env["stock.picking"].create(
            {
                "partner_id": vendor.id,
                "picking_type_id": self.warehouse.in_type_id.id,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.warehouse.lot_stock_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.cream.id,
                            "product_uom_qty": 3,
                            "location_id": self.env.ref(
                                "stock.stock_location_suppliers"
                            ).id,
                            "location_dest_id": self.warehouse.lot_stock_id.id,
                        }
                    )
                ],
            }
        )
        receipt.action_confirm()
        receipt.move_ids.move_line_ids = [
            Command.clear(),
            Command.create(
                {
                    "product_id": self.cream.id,
                    "lot_id": lot.id,
                    "quantity": 3,
                    "picking_id": receipt.id,
                }
            ),
        ]
        receipt.move_ids.picked = True
        receipt.button_validate()
        self._move(3, lot)
        self._move(2, self.lots[1])
        by_supplier = self._rates("supplier_id")
        self.assertEqual(by_supplier[vendor][0], 3)
        self.assertEqual(by_supplier[vendor.browse()][0], 2)

    def test_x13_rates_are_for_administrators_of_helpdesk(self):
        self._move(3, self.lots[0])
        self.assertTrue(self._rates("lot_id"))
        for user in (self.agent, self.employee, self.stock_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._rates("lot_id", user=user)
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._new_user(
            "rate_stranger",
            MANAGER,
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self.assertFalse(self._rates("lot_id", user=stranger))

    def test_x13_rates_of_random_histories(self):
        dice = random.Random(13)
        delivered, returned = dict.fromkeys(self.lots, 0), dict.fromkeys(self.lots, 0)
        outs = []
        for _step in range(25):
            if outs and dice.random() < 0.4:
                out = dice.choice(outs)
                self._move(1, out.lot_ids, dice.randint(0, 20), back_of=out)
                returned[out.lot_ids] += 1
            else:
                lot, quantity = dice.choice(self.lots), dice.randint(1, 5)
                outs.append(self._move(quantity, lot, dice.randint(20, 500)))
                delivered[lot] += quantity
        for lot, figures in self._rates("lot_id").items():
            self.assertEqual(
                figures,
                (delivered[lot], returned[lot], returned[lot] / delivered[lot]),
            )
        months = self._rates("date:month")
        self.assertEqual(sum(f[0] for f in months.values()), sum(delivered.values()))
        for month in months:
            expected = sum(out.quantity for out in outs if self._month(out) == month)
            self.assertEqual(months[month][0], expected)

    @staticmethod
    def _month(move):
        return move.date.date().replace(day=1)

    # -- What chance allows ------------------------------------------------------

    def test_x13_chance_is_that_of_the_binomial_test(self):
        # 5 of 6 cases on a half of what was delivered: (6 + 1) / 2**6.
        self.assertAlmostEqual(get_chance(5, 50, 1, 50), 7 / 64)
        self.assertAlmostEqual(get_chance(3, 10, 0, 90), 0.001)
        # Few cases never alarm, nor does what there is nothing to compare with.
        self.assertEqual(get_chance(MIN_CASES - 1, 2, 0, 10**6), 1)
        self.assertEqual(get_chance(50, 60, 0, 0), 1)
        # A piece with many tickets is one case.
        self.assertEqual(get_chance(9, 1, 0, 1000), 1)
        # Nor is what is less than its share; large figures end at once.
        self.assertEqual(get_chance(10, 500, 20, 500), 1)
        self.assertLess(get_chance(90_000, 10**6, 10_000, 10**6), 1e-9)

    def test_x13_what_fails_alike_alarms_hardly_ever(self):
        """A thousand lots of one rate: none is flagged. One that fails ten times as
        often is."""
        dice = random.Random(20)
        figures = {
            lot: (sum(dice.random() < 0.02 for _piece in range(50)), 50)
            for lot in range(1000)
        }
        for bad in ((), (7,)):
            for lot in bad:
                figures[lot] = (12, 50)
            cases = sum(count for count, _pieces in figures.values())
            pieces = sum(pieces for _count, pieces in figures.values())
            chances = {
                lot: get_chance(count, some, cases - count, pieces - some)
                for lot, (count, some) in figures.items()
            }
            self.assertEqual(find_failing(chances), list(bad))

    # -- The flag ----------------------------------------------------------------

    def _complain(self, lot, number):
        return self.env["helpdesk.ticket"].concat(
            *(
                self._ticket(
                    self.customer_b, product_id=lot.product_id.id, lot_id=lot.id
                )
                for _one in range(number)
            )
        )

    def _find(self):
        self.env.flush_all()
        self.env["product.product"].with_company(self.company)._find_and_raise_failing()
        return self.lots.filtered("helpdesk_failing_since")

    def test_x13_bad_lot_is_flagged_once(self):
        bad, good = self.lots[:2]
        for lot in self.lots:
            self._move(40, lot, 30)
        self._complain(good, 1)
        tickets = self._complain(bad, 2)
        self.assertFalse(self._find())
        tickets |= self._complain(bad, 6)
        self.assertEqual(self._find(), bad)
        self.assertEqual(
            (bad.helpdesk_failing_cases, bad.helpdesk_failing_delivered), (8, 40)
        )
        self.assertFalse(good.helpdesk_failing_since)
        flagged = Domain("helpdesk_failing_since", "!=", False)
        self.assertEqual(self.lots.filtered_domain(flagged), bad)
        self.assertEqual(
            self.lots.search(flagged & Domain("id", "in", self.lots.ids)), bad
        )
        [activity] = bad.activity_ids
        self.assertEqual(activity.user_id, self.stock_user)
        for ticket in tickets:
            self.assertIn(ticket.ticket_ref, activity.note)
        self._find()
        self.assertEqual(bad.activity_ids, activity)
        action = bad.with_user(self.agent).action_view_failing_tickets()
        found = self.env["helpdesk.ticket"].with_user(self.agent)
        self.assertEqual(found.search(action["domain"]), tickets.sorted())
        with self.assertRaises(AccessError):
            bad.with_user(self.stock_user).action_view_failing_tickets()
        # Dismissed: only twice as many raise it again.
        with self.assertRaises(AccessError):
            bad.with_user(self.employee).action_dismiss_failing()
        bad.with_user(self.stock_user).action_dismiss_failing()
        self._complain(bad, 1)
        self.assertFalse(self._find())
        self._complain(bad, 7)
        self.assertEqual(self._find(), bad)
        self.assertEqual(len(bad.activity_ids), 2)
        # Nobody else sets it.
        with self.assertRaises(AccessError):
            good.with_user(self.stock_user).helpdesk_failing_since = self.today

    def test_x13_what_is_no_failure_raises_no_flag(self):
        bad = self.lots[0]
        for lot in self.lots:
            self._move(40, lot, 30)
        tickets = self._complain(bad, 8)
        reason = self.env.ref("helpdesk_after_sales.reason_not_wanted")
        tickets[:6].line_ids.reason_id = reason
        self.assertFalse(self._find())
        tickets.line_ids.reason_id = False
        tickets[:6].active = False
        self.assertFalse(self._find())
        tickets.active = True
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = %s WHERE id IN %s",
            [fields.Datetime.now() - relativedelta(years=2), tuple(tickets[:6].ids)],
        )
        tickets.invalidate_recordset()
        self.assertFalse(self._find())

    def test_x13_neither_age_nor_youth_raises_a_flag(self):
        """Old lots had more time to fail, and new ones fail at first."""
        old, new, other, bad = self.lots
        self._move(50, old, 300)
        self._move(150, new, 5)
        self._move(100, other, 5)
        self._complain(old, 6)
        self.assertFalse(self._find())
        self._move(150, old, 299)
        self._move(20, bad, 10)
        self._complain(bad, 3)
        self.assertFalse(self._find())
        self._complain(bad, 6)
        self.assertEqual(self._find(), bad)

    def test_x13_bad_product_is_flagged(self):
        """Compared with all others; without a responsible an administrator is told."""
        self.cream.responsible_id = False
        for lot in self.lots:
            self._move(40, lot, 30)
        self._move(150, product=self.desk, days=30)
        for lot in self.lots:
            self._complain(lot, 4)
        self.assertFalse(self._find(), "all lots are alike")
        self.assertTrue(self.cream.helpdesk_failing_since)
        self.assertFalse(self.desk.helpdesk_failing_since)
        template = self.cream.product_tmpl_id
        self.assertEqual(template.helpdesk_failing_cases, 16)
        [activity] = template.activity_ids
        self.assertTrue(activity.user_id.has_group(MANAGER))
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.assertFalse(self.cream.with_company(other).helpdesk_failing_since)
        with Form(template.with_user(self.stock_user)) as form:
            self.assertTrue(form.helpdesk_failing_since)

    def test_x13_lot_leaves_the_stock_by_inventorys_own_pop_up(self):
        lot = self.lots[0]
        keeper = self._new_user("lot_keeper", "stock.group_stock_manager")
        with self.assertRaises(AccessError):
            lot.with_user(self.stock_user).action_relocate_failing()
        action = lot.with_user(keeper).action_relocate_failing()
        quarantine = self.env["stock.location"].create(
            {"name": "Quarantine", "usage": "internal"}
            | {"location_id": self.warehouse.view_location_id.id}
        )
        wizard = (
            self.env[action["res_model"]]
            .with_user(keeper)
            .with_context(**action["context"])
            .create({"dest_location_id": quarantine.id})
        )
        wizard.action_relocate_quants()
        stock = lot.quant_ids.filtered(lambda q: q.location_id.usage == "internal")
        self.assertEqual(
            sum(
                stock.filtered(lambda q: q.location_id == quarantine).mapped("quantity")
            ),
            200,
        )

    def test_x13_figures_on_product_lot_and_contact(self):
        lot = self.lots[0]
        out = self._move(10, lot, 30)
        self._move(3, lot, 2, back_of=out)
        self.env.flush_all()
        boss = self._new_user("figures_boss", f"{MANAGER},stock.group_stock_user")
        for record in (self.cream, self.cream.product_tmpl_id, lot):
            seen = record.with_user(boss)
            with self.subTest(record._name):
                self.assertAlmostEqual(seen.helpdesk_return_rate, 0.3)
                self.assertFalse(seen.helpdesk_failure_cost)
                action = seen.action_view_return_rate()
                rows = self.env[action["res_model"]].with_user(boss)
                self.assertEqual(len(rows.search(action["domain"])), 2)
                self.assertTrue(seen.action_view_failure_cost()["domain"])
                with self.assertRaises(AccessError):
                    record.with_user(self.agent).read(["helpdesk_return_rate"])
                with self.assertRaises(AccessError):
                    record.with_user(self.agent).read(["helpdesk_failure_cost"])
        self.assertFalse(self.customer_a.with_user(self.manager).helpdesk_failure_cost)


@tagged("post_install", "-at_install")
class TestOverview(HelpdeskAfterSalesCommon):
    """What the overview says on top (X27)."""

    def _overview(self, user=None):
        self.env.flush_all()
        return self.env["helpdesk.team"].with_user(user or self.agent).get_overview()

    def test_x27_what_i_and_my_teams_did(self):
        now = fields.Datetime.now()
        solved = self.team.stage_ids.filtered("fold")[0]
        mine, urgent, others, foreign = (
            self._ticket(self.customer_b, **values)
            for values in (
                {"user_id": self.agent.id},
                {"user_id": self.agent.id, "priority": "3"},
                {"user_id": self.other_agent.id},
                {"user_id": self.other_agent.id},
            )
        )
        foreign.team_id = self.env["helpdesk.team"].create({"name": "Others"})
        closed, before, long_ago, theirs = (
            self._ticket(self.customer_b, user_id=user.id, stage_id=solved.id)
            for user in (self.agent, self.agent, self.agent, self.other_agent)
        )
        before.close_date = now - timedelta(days=3)
        long_ago.close_date = now - timedelta(days=9)
        mine.first_response_date = now
        urgent.sla_deadline = now - timedelta(hours=1)
        self.env["rating.rating"].create(
            [
                {
                    "res_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                    "res_id": ticket.id,
                    "rated_partner_id": ticket.user_id.partner_id.id,
                    "rating": rating,
                    "consumed": True,
                    "rated_on": now,
                }
                for ticket, rating in ((closed, 5), (before, 4), (theirs, 1))
            ]
        )
        overview = self._overview()
        figures = {name: cell["value"] for name, cell in overview["open"].items()}
        self.assertEqual(figures, {"open": 2, "late": 1, "urgent": 1})
        mine_row, teams_row = overview["done"]
        for row, period, expected in (
            (mine_row, "today", (1, 1, 4.5, False)),
            (mine_row, "week", (2, 1, 4.5, False)),
            (teams_row, "week", (3, 1, 10 / 3, False)),
        ):
            with self.subTest(row=row["name"], period=period):
                cells = row[period]
                found = tuple(
                    cells[name]["value"]
                    for name in ("closed", "answered", "rating", "kept")
                )
                for one, other in zip(found, expected, strict=True):
                    self.assertAlmostEqual(one, other)
        # Each figure opens what it counts.
        cells = [*overview["open"].values(), mine_row["week"]["closed"]]
        for cell in cells:
            records = self.env[cell["model"]].with_user(self.agent)
            self.assertEqual(records.search_count(cell["domain"]), cell["value"])
        self.assertTrue(others)

    def test_x27_overview_costs_a_fixed_number_of_queries(self):
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            self._overview()
            return self.env.cr.sql_log_count - start

        self._ticket(self.customer_b, user_id=self.agent.id)
        count()
        before = count()
        for _number in range(4):
            self._ticket(self.customer_b, user_id=self.agent.id, priority="3")
        self.assertLessEqual(count(), before)

    def test_x27_overview_is_for_agents(self):
        for user in (self.employee, self.seller):
            with self.assertRaises(AccessError):
                self._overview(user)
        self.assertEqual(len(self._overview(self.other_agent)["done"]), 1)
