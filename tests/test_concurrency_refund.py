"""Two at once (spec/trust.md: T1, T2, T7): real cursors, real commits, and cleaned up.

What is committed here belongs to a partner, a team and users of its own, in the company
that the test database has.
"""

import functools

import psycopg2
import pytest
from race import RaceCase

from odoo import Command, api, fields
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tests import freeze_time, new_test_user, tagged
from odoo.tools import mute_logger

ROUNDS = 50
AGENT = "helpdesk_after_sales.group_helpdesk_user,account.group_account_invoice"


@tagged("post_install", "-at_install")
class TestConcurrencyRefund(RaceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk_ticket_id" not in cls.env["account.move.reversal"]._fields:
            pytest.skip("helpdesk_refund is not installed")
        cls.addClassCleanup(cls._as_root, cls._clean_up)
        cls._as_root(cls._set_up)

    @classmethod
    def _set_up(cls, env):
        users = [
            new_test_user(env, f"refund_race_{number}", groups=AGENT)
            for number in (1, 2)
        ]
        partner = env["res.partner"].create({"name": "Racing customer"})
        team = env["helpdesk.team"].create(
            {"name": "Racing team", "use_credit_notes": True}
        )
        tickets = env["helpdesk.ticket"].create(
            [
                {
                    "name": f"Lamp {number}",
                    "team_id": team.id,
                    "partner_id": partner.id,
                }
                for number in (1, 2)
            ]
        )
        cls.user_ids = [user.id for user in users]
        cls.partner_id = partner.id
        cls.team_id = team.id
        cls.ticket_ids = tickets.ids

    @classmethod
    def _clean_up(cls, env):
        cls._remove_moves(env)
        env["account.move.reversal"].search(
            [("create_uid", "in", cls.user_ids)]
        ).unlink()
        cls._remove_helpdesk(
            env, cls.ticket_ids, cls.team_id, cls.user_ids, cls.partner_id
        )

    @classmethod
    def _remove_moves(cls, env):
        moves = env["account.move"].search([("partner_id", "=", cls.partner_id)])
        moves.line_ids.remove_move_reconcile()
        moves.filtered(lambda move: move.state != "draft").button_draft()
        moves.posted_before = False
        moves.with_context(force_delete=True).unlink()

    def _new_invoice(self):
        def create(env):
            invoice = env["account.move"].create(
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
            invoice.action_post()
            return invoice.id

        return self._as_root(create)

    def _new_wizard(self, invoice_id):
        def create(env):
            wizard = env["account.move.reversal"].with_user(self.user_ids[0])
            return wizard.create(
                {
                    "helpdesk_ticket_id": self.ticket_ids[0],
                    "move_ids": [Command.set([invoice_id])],
                }
            ).id

        return self._as_root(create)

    def _notes(self, invoice_id):
        """Return ``[(id, state, ticket id, user id)]`` of what refunds the invoice."""
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT id, state, helpdesk_ticket_id, create_uid FROM account_move"
                " WHERE reversed_entry_id = %s",
                [invoice_id],
            )
            return cr.fetchall()

    def _refund(self, env, button, ticket_id, invoice_id):
        action = env["helpdesk.ticket"].browse(ticket_id).action_refund()
        wizards = env["account.move.reversal"].with_context(**action["context"])
        wizard = wizards.create({"move_ids": [Command.set([invoice_id])]})
        return getattr(wizard, button)()["res_id"]

    def _refunds(self, button, invoice_id):
        """Return what :meth:`_race` runs: two agents, each on a ticket of their own."""
        return [
            (
                user_id,
                functools.partial(
                    self._refund,
                    button=button,
                    ticket_id=ticket_id,
                    invoice_id=invoice_id,
                ),
            )
            for user_id, ticket_id in zip(self.user_ids, self.ticket_ids, strict=True)
        ]

    def _check_round(self, invoice_id, results):
        notes = self._notes(invoice_id)
        self.assertEqual(len(notes), 1, f"{results}")
        (_id, _state, ticket_id, user_id) = notes[0]
        winner = self.user_ids.index(user_id)
        self.assertEqual(ticket_id, self.ticket_ids[winner])
        self.assertIsInstance(results[winner], int)
        refusal = results[1 - winner]
        self.assertIsInstance(refusal, UserError)
        self.assertRegex(
            str(refusal), rf"already been credited in full: .*refund_race_{winner + 1}"
        )
        return notes

    def test_t1_two_full_refunds_at_once_make_one_draft(self):
        invoice_id = self._new_invoice()
        winners, attempts = set(), 0
        for _round in range(ROUNDS):
            results, tries = self._race(*self._refunds("refund_moves", invoice_id))
            attempts += tries
            (note,) = self._check_round(invoice_id, results)
            winners.add(note[3])
            self._as_root(
                lambda env, note=note: env["account.move"].browse(note[0]).unlink()
            )
        self.assertGreater(attempts, 2 * ROUNDS, "nobody ever met anybody")

    def _limit(self):
        """Let a rule allow this customer 100 more, until the end of the test."""

        def create(env):
            tag = env["res.partner.category"].create({"name": "Racing"})
            env["res.partner"].browse(self.partner_id).category_id = tag
            moves = env["account.move"]
            notes = moves.search(
                moves._get_given_domain()
                & Domain("helpdesk_ticket_id", "in", self.ticket_ids)
            )
            # What the tests before this one gave.
            before = sum(note._get_given_amount() for note in notes)
            rules = env["helpdesk.after.sales.rule"].create(
                [
                    {"name": name, "partner_category_ids": tag.ids} | values
                    for name, values in (
                        ("Up to 100", {"amount_max": before + 100, "sequence": -2}),
                        ("More", {"verdict": "refuse", "sequence": -1}),
                    )
                ]
            )
            return tag.id, rules.ids

        def remove(env):
            env["helpdesk.after.sales.rule"].browse(rule_ids).unlink()
            env["res.partner.category"].browse(tag_id).unlink()

        tag_id, rule_ids = self._as_root(create)
        self.addCleanup(self._as_root, remove)

    def test_x10_two_tickets_share_what_a_rule_allows(self):
        self._limit()
        for _round in range(8):
            invoice_ids = [self._new_invoice(), self._new_invoice()]
            results, _tries = self._race(
                *(
                    (
                        user_id,
                        functools.partial(
                            self._refund,
                            button="refund_moves",
                            ticket_id=ticket_id,
                            invoice_id=invoice_id,
                        ),
                    )
                    for user_id, ticket_id, invoice_id in zip(
                        self.user_ids, self.ticket_ids, invoice_ids, strict=True
                    )
                )
            )
            notes = [note for one in invoice_ids for note in self._notes(one)]
            self.assertEqual(len(notes), 1, results)
            note_id = notes[0][0]
            self._as_root(
                lambda env, id_=note_id: env["account.move"].browse(id_).unlink()
            )

    def test_t1_two_full_refunds_at_once_make_one_posted(self):
        for _round in range(8):
            invoice_id = self._new_invoice()
            results, _tries = self._race(*self._refunds("modify_moves", invoice_id))
            (note,) = self._check_round(invoice_id, results)
            self.assertEqual(note[1], "posted")

    def test_t1_who_saw_the_state_before_is_thrown_back(self):
        """The lock itself: today Odoo happens to write to the invoice as well, which
        nobody promises."""
        invoice_id = self._new_invoice()
        wizard_ids = [self._new_wizard(invoice_id) for _number in range(2)]

        def lock(cr, wizard_id):
            env = api.Environment(cr, self.user_ids[0], {})
            wizard = env["account.move.reversal"].browse(wizard_id)
            wizard._lock(wizard.move_ids)

        with (
            self.registry.cursor() as first,
            self.registry.cursor() as second,
            self.registry.cursor() as third,
            mute_logger("odoo.sql_db"),
        ):
            second.execute("SELECT 1 FROM account_move LIMIT 1")
            lock(first, wizard_ids[0])
            with self.assertRaises(psycopg2.errors.LockNotAvailable):
                third.execute(
                    "SELECT 1 FROM account_move WHERE id = %s FOR NO KEY UPDATE NOWAIT",
                    [invoice_id],
                )
            third.rollback()
            first.commit()
            with self.assertRaises(psycopg2.errors.SerializationFailure):
                lock(second, wizard_ids[1])
            second.rollback()

    def test_t2_double_click_at_once_opens_one_document(self):
        invoice_id = self._new_invoice()
        for _round in range(10):
            wizard_id = self._new_wizard(invoice_id)

            def press(env, wizard_id=wizard_id):
                wizard = env["account.move.reversal"].browse(wizard_id)
                return wizard.refund_moves()["res_id"]

            # The same person in two requests.
            results, _tries = self._race(*[(self.user_ids[0], press)] * 2)
            (note,) = self._notes(invoice_id)
            self.assertEqual(results, [note[0]] * 2)
            self._as_root(
                lambda env, note=note: env["account.move"].browse(note[0]).unlink()
            )

    def test_s31_odoos_own_cron_posts_at_the_date_and_says_what_it_refused(self):
        """Two credit notes are due: one as it was made, one raised since then."""
        tomorrow = fields.Date.add(fields.Date.today(), days=1)
        invoice_ids = [self._new_invoice(), self._new_invoice()]

        def refund(env):
            notes = env["account.move"]
            for invoice_id in invoice_ids:
                wizards = env["account.move.reversal"].with_user(self.user_ids[0])
                wizard = wizards.create(
                    {
                        "helpdesk_ticket_id": self.ticket_ids[0],
                        "move_ids": [Command.set([invoice_id])],
                        "date": tomorrow,
                    }
                )
                wizard.refund_moves()
                notes += wizard.new_move_ids.sudo()
            notes[1].invoice_line_ids.price_unit = 101
            return notes.ids

        note_ids = self._as_root(refund)
        for days, states in ((0, ["draft", "draft"]), (2, ["posted", "draft"])):
            with freeze_time(fields.Date.add(fields.Date.today(), days=days)):
                self._as_root(
                    lambda env: env.ref(
                        "account.ir_cron_auto_post_draft_entry"
                    ).method_direct_trigger()
                )
            self._as_root(
                lambda env, states=states: self.assertEqual(
                    env["account.move"].browse(note_ids).mapped("state"), states
                )
            )

        def told(env):
            ticket = env["helpdesk.ticket"].browse(self.ticket_ids[0])
            refused = env["account.move"].browse(note_ids[1])
            return ticket.message_ids[0].body, refused.message_ids[0].body

        said, refusal = self._as_root(told)
        self.assertIn("was posted", said)
        self.assertIn("exceeds what is left", refusal)

    def test_t7_connection_lost_before_the_commit(self):
        """The credit note and its link are one transaction: nothing is left of it, and
        a second run works."""
        invoice_id = self._new_invoice()
        wizard_id = self._new_wizard(invoice_id)
        cr = self.registry.cursor()
        self.addCleanup(cr.close)  # what it locks would hold up all that follows
        env = api.Environment(cr, self.user_ids[0], {})
        env["account.move.reversal"].browse(wizard_id).refund_moves()
        env.flush_all()
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
        with self.registry.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", [pid])
        with self.assertRaises(psycopg2.OperationalError), mute_logger("odoo.sql_db"):
            cr.execute("SELECT 1")
        cr.close()
        self.assertFalse(self._notes(invoice_id))
        self._as_root(
            lambda env: (
                env["account.move.reversal"]
                .with_user(self.user_ids[0])
                .browse(wizard_id)
                .refund_moves()
            )
        )
        self.assertEqual(
            [note[2] for note in self._notes(invoice_id)], self.ticket_ids[:1]
        )
