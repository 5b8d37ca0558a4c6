from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .test_conversation import COMMENT, HelpdeskConversationCommon

BERTA = "berta@birch.example.com"


@tagged("post_install", "-at_install")
class TestClosing(HelpdeskConversationCommon):
    """Waiting for the customer, closing by itself, late answers (X30)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = fields.Datetime.now()
        cls.team.write({"auto_close_ticket": True, "auto_close_day": 7})
        cls.new, cls.progress, cls.hold, cls.solved, cls.cancelled = cls.team.stage_ids

    def _after(self, days):
        return self.mock_datetime_and_now(self.start + timedelta(days=days))

    def _run(self, days):
        """Let the scheduled action run after so many days."""
        with self._after(days), self.mock_mail_gateway():
            for closing, act in (
                (True, "_close_for_silence"),
                (False, "_warn_of_closing"),
            ):
                getattr(self.team._get_silent_tickets(closing), act)()
            self.env.cr.flush()

    def _silent(self, sender=BERTA):
        """Return a ticket that we have answered."""
        ticket = self._begin(sender)
        self._answer(ticket)
        return ticket

    # -- Closing -------------------------------------------------------------

    def test_x30_warned_then_closed(self):
        """Also strangers; who waits for us, or for nobody, isn't closed"""
        for sender in (BERTA, "Anna <anna@aa.example.com>"):
            ticket, waiting = self._silent(sender), self._begin(sender)
            by_hand = self._ticket(self.customer_b)
            self.env.cr.flush()
            self._run(4)
            self.assertFalse(self._mails)
            self._run(5.1)
            self.assertEqual(len(self._sent_to(ticket.partner_email)), 1)
            self.assertFalse(ticket.close_date)
            for days in (5.2, 7):
                self._run(days)
                self.assertFalse(self._mails)
                self.assertFalse(ticket.close_date)
            self._run(7.2)
            self.assertTrue(ticket.close_date)
            self.assertEqual(ticket.stage_id, self.solved)
            self.assertFalse((waiting | by_hand).filtered("close_date"))
            (ticket | waiting | by_hand).unlink()

    def test_x30_warned_late_closed_later(self):
        """Switched on for old tickets: everybody is warned as long before"""
        ticket = self._silent()
        self._run(30)
        self.assertFalse(ticket.close_date)
        self.assertEqual(len(self._sent_to(BERTA)), 1)
        self._run(31)
        self.assertFalse(ticket.close_date)
        self._run(32.1)
        self.assertTrue(ticket.close_date)

    def test_x30_an_answer_begins_anew(self):
        ticket = self._silent()
        self._run(5.1)
        with self._after(6):
            self._answers(self._first(ticket), BERTA)
        self._run(8)
        self.assertFalse(ticket.close_date)
        with self._after(9):
            self._answer(ticket)
        self._run(13)
        self.assertFalse(ticket.close_date or self._mails)
        self._run(14.1)
        self.assertEqual(len(self._sent_to(BERTA)), 1)

    def test_x30_stages_of_the_team(self):
        self.team.write(
            {
                "from_stage_ids": self.hold.ids,
                "to_stage_id": self.cancelled.id,
                "auto_close_warn_day": 0,
                "use_rating": True,
            }
        )
        held, other = self._silent(), self._silent()
        held.stage_id = self.hold
        self._run(8)
        self.assertEqual(held.stage_id, self.cancelled)
        self.assertFalse(other.close_date)
        self.assertFalse(self._mails, "not warned, and nobody rates what is cancelled")
        with self.assertRaises(ValidationError):
            self.team.to_stage_id = self.hold
        with self.assertRaises(ValidationError):
            self.team.auto_close_warn_day = 7

    def test_x30_rating_is_asked_where_the_stage_says_so(self):
        self.team.write({"auto_close_warn_day": 0, "use_rating": True})
        for stage, asked in ((self.solved, 1), (self.cancelled, 0)):
            ticket = self._silent()
            self.team.to_stage_id = stage
            self._run(8)
            self.assertEqual(len(self._sent_to(BERTA)), asked)
            self.assertTrue(ticket.close_date)

    def test_x30_other_teams_are_left_alone(self):
        ticket = self._silent()
        self.team.auto_close_ticket = False
        with self._after(30):
            teams = self.env["helpdesk.team"].search([("auto_close_ticket", "=", True)])
        self.assertNotIn(ticket.team_id, teams)

    # -- Late answers --------------------------------------------------------

    def test_x30_late_answer_opens_again(self):
        ticket = self._silent()
        self._run(5.1)
        self._run(7.2)
        self.team.follow_up_days = 30
        with self._after(20):
            self._answers(self._first(ticket), BERTA)
        self.assertFalse(ticket.close_date)

    def test_x30_very_late_answer_begins_a_follow_up(self):
        """By mail and in the portal; the agent hears of it, the customer is told"""
        self.team.follow_up_days = 14
        portal = self._new_user(
            "after_sales_portal_b",
            "base.group_portal",
            partner_id=self.customer_b.id,
            email=BERTA,
        )
        for web in (False, True):
            ticket = self._silent()
            self._close(ticket)
            ticket.close_date = self.start - timedelta(days=15)
            if web:
                with self.mock_mail_gateway():
                    message = (
                        ticket.with_user(portal)
                        .message_post(
                            body="It broke again",
                            attachments=[("photo.txt", b"x")],
                        )
                        .sudo()
                    )
                    self.env.cr.flush()
            else:
                [message] = self._answers(
                    self._first(ticket),
                    BERTA,
                    body="It broke again",
                    files=[("photo.txt", b"x", "text/plain")],
                )
            follow_up = self.env["helpdesk.ticket"].browse(message.res_id)
            self.assertNotEqual(follow_up, ticket)
            self.assertEqual(follow_up.follow_up_of_id, ticket)
            self.assertTrue(ticket.close_date)
            self.assertEqual(ticket.last_word, "us")
            self.assertEqual(follow_up.last_word, "customer")
            self.assertEqual(follow_up.user_id, self.agent)
            self.assertEqual(follow_up.partner_id, self.customer_b)
            self.assertEqual(message.attachment_ids.res_id, follow_up.id)
            self.assertIn(self.agent.partner_id, self._told(message))
            self.assertTrue(
                [m for m in self._sent_to(BERTA) if follow_up.ticket_ref in m["body"]]
            )
            shown = follow_up.with_user(portal).portal_messages()
            self.assertIn(message.id, [entry["id"] for entry in shown])
            shown = ticket.with_user(portal).portal_messages()
            self.assertIn(follow_up.ticket_ref, shown[0]["body"])
            # What follows goes on there.
            [message] = self._answers(message, BERTA)
            self.assertEqual(message.res_id, follow_up.id)

    def test_x30_only_the_customer_begins_a_follow_up(self):
        self.team.follow_up_days = 14
        ticket = self._silent()
        self._close(ticket)
        ticket.close_date = self.start - timedelta(days=15)
        for sender in ("thief@thief.example.com", self.agent.email):
            [message] = self._answers(self._first(ticket), sender)
            self.assertEqual(message.res_id, ticket.id)
        message = ticket.with_user(self.agent).message_post(
            body="By the way", message_type="comment", subtype_xmlid=COMMENT
        )
        self.assertEqual(message.res_id, ticket.id)
        self.assertTrue(ticket.close_date)
