"""X13: what failures cost, over all services: the report says what a slow and simple
count of the documents says, after any history, to whom it may be said.

Needs all service addons, which don't know each other.
"""

import os
import random
from collections import defaultdict
from datetime import timedelta

import pytest
from cards import make_gift_card_program

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import (
    HelpdeskAfterSalesCommon,
)

SEEDS = int(os.environ.get("HELPDESK_HISTORIES", "1"))
STEPS = 14
MEASURES = ("quantity", "hours", "amount", "cost", "recovered")


class CostCommon(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if (
            not {"helpdesk.return.decision", "repair.order", "loyalty.card"}
            <= set(cls.env)
            or "fsm_done" not in cls.env["project.task"]
            or ("helpdesk_is_replaced" not in cls.env["account.move"])
        ):
            pytest.skip("not all services are installed")
        switches = list(cls.team._after_sales_services())
        cls.team.write(dict.fromkeys(switches, True) | {"use_gift_cards": True})
        cls.env["loyalty.program"].search([]).active = False
        cls.gift_cards = make_gift_card_program(cls.env)
        cls.warehouse.reception_steps = "one_step"
        for product, cost in ((cls.lamp, 20), (cls.desk, 75), (cls.phone, 0)):
            product.standard_price = cost
        cls.reason = cls.env.ref("helpdesk_after_sales.reason_defective")
        kinds = ("restock", "scrap", "supplier", "customer")
        cls.dispositions = {
            kind: cls.env.ref(f"helpdesk_return.disposition_{kind}") for kind in kinds
        }

    @classmethod
    def _buy(cls, partner=None):
        """Return a ticket about an order that was delivered and invoiced."""
        partner = partner or cls.contact_a1
        order = cls._sell(partner, (cls.lamp, 4), (cls.desk, 2))
        order._create_invoices().action_post()
        return cls._ticket(
            partner, sale_order_id=order.id, product_id=cls.lamp.id, user_id=False
        )

    # -- Acts ----------------------------------------------------------------

    def _refund(self, ticket, quantity=1, post=True, **values):
        note = ticket.sale_order_id.invoice_ids[0]._reverse_moves(
            [
                {"helpdesk_ticket_id": ticket.id, "helpdesk_reason_id": self.reason.id}
                | values
            ]
        )
        keep = note.invoice_line_ids.filtered(lambda line: line.product_id == self.lamp)
        note.invoice_line_ids = [
            Command.delete(line.id) for line in note.invoice_line_ids - keep
        ] + [Command.update(keep.id, {"quantity": quantity})]
        if post:
            note.action_post()
        return note

    def _use_gift_card(self, ticket, worth=15.0, confirm=True):
        card = self.env["loyalty.card"].create(
            {
                "program_id": self.gift_cards.id,
                "partner_id": ticket.partner_id.id,
                "points": worth,
                "helpdesk_ticket_id": ticket.id,
            }
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": ticket.partner_id.id,
                "order_line": [Command.create({"product_id": self.desk.id})],
            }
        )
        for used, rewards in order._try_apply_code(card.code).items():
            order._apply_program_reward(rewards, used)
        if confirm:
            order.action_confirm()
        return order

    def _take_back(self, ticket, *parts):
        """Return the return of lamps of ``(quantity, kind)``; a kind of ``None`` leaves
        it undecided."""
        delivery = ticket.sale_order_id.picking_ids.filtered(
            lambda p: p.picking_type_code == "outgoing" and p.state == "done"
        )[0]
        native = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        line = native.product_return_moves.filtered(
            lambda line: line.product_id == self.lamp
        )
        line.quantity = sum(quantity for quantity, _kind in parts)
        back = native._create_return()
        back.helpdesk_ticket_id = ticket
        if any(kind is None for _quantity, kind in parts):
            self._deliver(back)
            return back
        move = back.move_ids
        back._process_return(
            [
                {
                    "move": move,
                    "lot": self.env["stock.lot"],
                    "quantity": quantity,
                    "condition": "sound" if kind == "restock" else "damaged",
                    "disposition": self.dispositions[kind],
                    "note": False,
                    "photo": False,
                }
                for quantity, kind in parts
            ]
        )
        return back

    def _scrap_by_hand(self, back, quantity=1):
        scrap = self.env["stock.scrap"].create(
            {
                "picking_id": back.id,
                "product_id": self.lamp.id,
                "scrap_qty": quantity,
                "location_id": back.location_dest_id.id,
            }
        )
        scrap.do_scrap()
        return scrap

    def _replace(self, ticket, quantity=1, deliver=True):
        action = ticket.with_user(self.agent).action_replacement()
        wizard = (
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        for line in wizard.line_ids:
            line.quantity = quantity if line.product_id == self.lamp else 0
        wizard.action_replace()
        picking = wizard.sudo().made_picking_ids.with_env(self.env)
        return self._deliver(picking) if deliver else picking

    def _repair(self, ticket, parts=1, under_warranty=True, end=True):
        repair = self.env["repair.order"].create(
            {
                "product_id": self.lamp.id,
                "partner_id": ticket.partner_id.id,
                "helpdesk_ticket_id": ticket.id,
                "under_warranty": under_warranty,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.desk.id,
                            "product_uom_qty": parts,
                            "repair_line_type": "add",
                        }
                    )
                ],
            }
        )
        repair._action_repair_confirm()
        repair.action_repair_start()
        repair.move_ids.write({"quantity": parts, "picked": True})
        if end:
            repair.action_repair_end()
        return repair

    def _visit(self, ticket, hours=1.5, done=True):
        self.team._ensure_fsm_project()
        begin = fields.Datetime.now() - timedelta(days=1)
        task = self.env["project.task"].create(
            {
                "name": "Visit",
                "project_id": self.team.fsm_project_id.id,
                "helpdesk_ticket_id": ticket.id,
                "partner_id": ticket.partner_id.id,
                "fsm_work_started_on": begin,
                "fsm_work_ended_on": begin + timedelta(hours=hours),
            }
        )
        if done:
            task._fsm_validate()
        return task

    # -- Figures -------------------------------------------------------------

    def _report(self, user=None, companies=None):
        self.env.flush_all()
        report = self.env["helpdesk.after.sales.report"].with_user(user or self.manager)
        companies = companies or report.env.user.company_ids
        report.invalidate_model()
        return report.with_context(allowed_company_ids=companies.ids)

    def _figures(self, groupby, tickets, user=None):
        """Return ``{group: (quantity, hours, amount, cost, recovered)}``."""
        return {
            group: tuple(round(figure or 0, 6) for figure in figures)
            for group, *figures in self._report(user)._read_group(
                [("ticket_id", "in", tickets.ids)],
                [groupby],
                [f"{name}:sum" for name in MEASURES],
            )
        }

    # -- A slow recount ------------------------------------------------------

    def _recount(self, tickets):
        """Return the same by act, read from each document with the ORM."""
        total = defaultdict(lambda: [0.0] * len(MEASURES))

        def count(act, **figures):
            for name, figure in figures.items():
                total[act][MEASURES.index(name)] += figure

        def worth(move, quantity):
            whole = move._get_after_sales_quantity()
            unit = abs(move.value) / whole if move.value else 0
            return quantity * (unit or move.product_id.standard_price)

        for ticket in tickets:
            self._recount_money(ticket, count)
            for picking in self.env["stock.picking"].search(
                [("helpdesk_ticket_id", "=", ticket.id)]
            ):
                self._recount_goods(picking, count, worth)
            for repair in ticket.repair_ids:
                if repair.state == "done" and repair.under_warranty:
                    parts = repair.move_ids.filtered(
                        lambda m: m.state == "done" and m.repair_line_type == "add"
                    )
                    cost = sum(worth(part, part.quantity) for part in parts)
                    count("repair", quantity=repair.product_qty, cost=cost)
            for task in ticket.fsm_task_ids.filtered("fsm_done"):
                hours = task.fsm_work_ended_on - task.fsm_work_started_on
                count("visit", hours=hours.total_seconds() / 3600)
        return {
            act: tuple(round(figure, 6) for figure in figures)
            for act, figures in total.items()
        }

    def _recount_money(self, ticket, count):
        for note in ticket.credit_note_ids:
            if note.state == "posted" and not note.helpdesk_is_replaced:
                for line in note.invoice_line_ids:
                    count("refund", quantity=line.quantity, amount=line.price_subtotal)
        for card in ticket.coupon_ids:
            for line in self.env["sale.order.line"].search(
                [("coupon_id", "=", card.id), ("state", "=", "sale")]
            ):
                count("gift_card", amount=-line.price_subtotal)

    def _recount_goods(self, picking, count, worth):
        decided = picking.helpdesk_decision_ids
        for move in picking.move_ids.filtered(lambda m: m.state == "done"):
            quantity = move._get_after_sales_quantity()
            if move.scrap_id or move.location_dest_id.usage == "inventory":
                if not decided:
                    count("scrap", quantity=quantity, cost=worth(move, quantity))
            elif move.location_id.usage == "customer":
                mine = decided.filtered(lambda d, move=move: d.move_id == move)
                for decision in mine:
                    some = decision.quantity
                    back = 0 if decision.kind == "customer" else worth(move, some)
                    count("return", quantity=some, recovered=back)
                    if decision.kind == "scrap":
                        count("scrap", quantity=some, cost=worth(move, some))
                if not mine:
                    back = worth(move, quantity)
                    count("return", quantity=quantity, recovered=back)
            elif move.helpdesk_ticket_id and not move.origin_returned_move_id:
                count("replacement", quantity=quantity, cost=worth(move, quantity))


@tagged("post_install", "-at_install")
class TestCostOfFailure(CostCommon):
    def _make_history(self, dice):
        """Do this and that for two tickets; returns them."""
        tickets = self._buy() | self._buy(self.customer_b)
        left = dict.fromkeys(tickets, 4)
        backs = []
        for _step in range(STEPS):
            ticket = dice.choice(tickets)
            match dice.randrange(7):
                case 0 if len(ticket.credit_note_ids) < 3:
                    self._refund(
                        ticket,
                        post=dice.random() < 0.7,
                        helpdesk_is_replaced=dice.random() < 0.2,
                    )
                case 1:
                    self._use_gift_card(
                        ticket, dice.choice([5, 12.5]), dice.random() < 0.7
                    )
                case 2 if left[ticket] >= 2:
                    left[ticket] -= 2
                    kinds = dice.choice(
                        [[None], ["restock", "scrap"], ["customer", "supplier"]]
                    )
                    parts = [(2 / len(kinds), kind) for kind in kinds]
                    back = self._take_back(ticket, *parts)
                    if kinds == [None]:
                        backs.append(back)
                case 3 if backs:
                    self._scrap_by_hand(backs.pop())
                case 4 if left[ticket]:
                    left[ticket] -= 1
                    self._replace(ticket, deliver=dice.random() < 0.7)
                case 5:
                    self._repair(
                        ticket,
                        dice.randint(1, 2),
                        dice.random() < 0.7,
                        dice.random() < 0.7,
                    )
                case 6:
                    self._visit(ticket, dice.choice([0, 0.5, 2]), dice.random() < 0.7)
        return tickets

    def _check_history(self, seed):
        tickets = self._make_history(random.Random(seed))
        for some in (tickets, tickets[0], tickets[1]):
            found = self._figures("act", some)
            for act, figures in self._recount(some).items():
                with self.subTest(seed=seed, act=act):
                    for one, other in zip(found.pop(act), figures, strict=True):
                        self.assertAlmostEqual(one, other, 2)
            self.assertFalse(found)

    def test_x13_report_says_what_a_recount_says(self):
        self._check_history(13)

    @pytest.mark.slow
    def test_x13_report_says_what_a_recount_says_after_many_histories(self):
        for seed in range(max(SEEDS, 20)):
            self._check_history(seed)

    def test_x13_each_act_and_what_it_is_grouped_by(self):
        ticket = self._buy()
        note = self._refund(ticket, 2)
        self._use_gift_card(ticket)
        self._use_gift_card(ticket, confirm=False)
        self._take_back(ticket, (1, "restock"), (1, "scrap"))
        self._scrap_by_hand(self._take_back(ticket, (1, None)))
        self._replace(ticket)
        self._repair(ticket)
        self._repair(ticket, under_warranty=False)
        self._visit(ticket)
        self.assertEqual(
            self._figures("act", ticket),
            {
                "refund": (2, 0, 100, 0, 0),
                "gift_card": (0, 0, 15, 0, 0),
                "return": (3, 0, 0, 0, 60),
                "scrap": (2, 0, 0, 40, 0),
                "replacement": (1, 0, 0, 20, 0),
                "repair": (1, 0, 0, 75, 0),
                "visit": (0, 1.5, 0, 0, 0),
            },
        )
        whole = (9, 1.5, 115, 135, 60)
        self.assertEqual(self._figures("product_id", ticket), {self.lamp: whole})
        self.assertEqual(
            self._figures("commercial_partner_id", ticket), {self.customer_a: whole}
        )
        self.assertEqual(self._figures("team_id", ticket), {self.team: whole})
        [(total,)] = self._report()._read_group(
            [("ticket_id", "=", ticket.id)], [], ["total_cost:sum"]
        )
        self.assertEqual(total, 115 + 135)
        [month] = self._figures("delivery_date:month", ticket)
        self.assertEqual(month, fields.Date.today().replace(day=1))
        by_fate = self._figures("disposition", ticket)
        self.assertEqual(by_fate["scrap"], (2, 0, 0, 20, 20))
        [row] = self._report().search(
            [("ticket_id", "=", ticket.id), ("act", "=", "refund")]
        )
        self.assertEqual(row.reason_id, self.reason)
        self.assertEqual((row.total_cost, row.document_name), (100, note.name))
        self.assertEqual(row.action_open_ticket()["res_id"], ticket.id)
        rows = self._report().search([("ticket_id", "=", ticket.id)])
        self.assertEqual(len(set(rows.ids)), 10)
        self.assertEqual(rows.sudo().mapped("currency_id"), self.company.currency_id)

    def test_x13_agents_see_acts_of_their_tickets_and_no_cost(self):
        ticket = self._buy()
        self._refund(ticket)
        private = self.env["helpdesk.team"].create(
            {"name": "Private", "privacy_visibility": "invited_internal"}
        )
        hidden = self._buy()
        hidden.team_id = private
        self._visit(hidden)
        seen = self._report(self.agent).search([])
        self.assertIn(ticket, seen.ticket_id)
        self.assertNotIn(hidden, seen.ticket_id)
        self.assertIn(hidden, self._report().search([]).ticket_id)
        with self.assertRaises(AccessError):
            self._report(self.agent)._read_group([], [], ["total_cost:sum"])
        with self.assertRaises(AccessError):
            self._report(self.employee).search([])
        # The document for who may read it, else its ticket.
        row = seen.filtered(lambda row: row.ticket_id == ticket)
        action = row.action_open_document()
        self.assertEqual(action["res_id"], ticket.id)
        self.assertTrue(row.document_name)

    def test_x13_two_companies_and_currencies(self):
        ticket = self._buy()
        self._refund(ticket)
        foreign = self.env["res.currency"].create(
            {"name": "XTS", "symbol": "X", "rate_ids": [Command.clear()]}
        )
        other = self.env["res.company"].create(
            {"name": "Elsewhere", "currency_id": foreign.id}
        )
        both = self.company | other
        boss = self._new_user(
            "cost_boss",
            "helpdesk_after_sales.group_helpdesk_manager",
            company_ids=[Command.set(both.ids)],
        )
        team = self.env["helpdesk.team"].create(
            {"name": "There", "company_id": other.id}
        )
        there = self._ticket(self.customer_b, team_id=team.id)
        task = self._visit(ticket)
        self.env.cr.execute(
            "UPDATE project_task SET helpdesk_ticket_id = %s, company_id = %s "
            "WHERE id = %s",
            [there.id, other.id, task.id],
        )
        self.env.invalidate_all()
        for companies, seen in ((self.company, ticket), (other, there), (both, None)):
            rows = self._report(boss, companies).search([])
            with self.subTest(companies=companies.mapped("name")):
                self.assertEqual(
                    {ticket, there} & {*rows.ticket_id},
                    {seen} if seen else {ticket, there},
                )
        # Without a rate it is counted as it stands.
        domain = [("ticket_id", "=", ticket.id)]
        [(amount,)] = self._report(boss, other | self.company)._read_group(
            domain, [], ["amount:sum"]
        )
        self.assertEqual(amount, 50)
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.company.currency_id.id,
                "company_id": other.id,
                "rate": 0.5,
            }
        )
        [(amount,)] = self._report(boss, other | self.company)._read_group(
            domain, [], ["amount:sum"]
        )
        self.assertEqual(amount, 100)

    def test_x13_archived_and_odd(self):
        ticket = self._buy()
        self._refund(ticket, invoice_date=fields.Date.today() + timedelta(days=400))
        self.lamp.active = False
        self.team.active = False
        ticket.active = False
        self.assertEqual(
            self._figures("product_id", ticket), {self.lamp: (1, 0, 50, 0, 0)}
        )
        self.assertEqual(list(self._figures("team_id", ticket)), [self.team])

    def test_x13_a_fixed_number_of_queries(self):
        first = self._buy()
        self._refund(first)
        tickets = first

        def open_list():
            report = self._report(self.agent)
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            report.search_read(
                [("ticket_id", "in", tickets.ids)],
                ["document_name", "act", "ticket_id", "amount"],
            )
            return self.env.cr.sql_log_count - start

        open_list()
        before = open_list()
        for _number in range(3):
            more = self._buy()
            self._refund(more)
            tickets |= more
        self.assertLessEqual(open_list(), before)

    def test_x13_uninstalled_service_takes_its_acts_away(self):
        ticket = self._buy()
        self._refund(ticket)
        report = self.env["helpdesk.after.sales.report"]
        kind = type(report)
        self.patch(kind, "_get_parts", lambda self: {})
        self.assertFalse(self._report().search([("ticket_id", "=", ticket.id)]))
        self.assertEqual(self._report()._read_group([], ["act"], ["amount:sum"]), [])
