from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_conversation import HelpdeskConversationCommon

SPAMMER = "Best Prices <deal@spam.example.com>"


@tagged("post_install", "-at_install")
class TestSpam(HelpdeskConversationCommon):
    """Spam in one press (issue 18 C, desk D7, F16)."""

    def _mark(self, tickets, user=None):
        with self.mock_mail_gateway():
            action = tickets.with_user(user or self.agent).action_spam()
            self.env.cr.flush()
        self.assertFalse(self._mails, "nobody is told")
        return action

    def test_one_press(self):
        """desk D7: out of sight, nobody told, no rating; the next one comes quietly"""
        self.team.use_rating = True
        self.team.message_subscribe(partner_ids=self.other_agent.partner_id.ids)
        ticket = self._begin(SPAMMER)
        self._mark(ticket)
        self.assertFalse(ticket.active)
        self.assertFalse(ticket._may_ask_for_rating())
        self.assertFalse(ticket.rating_ids)
        again = self._receive_from("deal@spam.example.com", subject="More")
        self.assertEqual(len(again), 1, "kept for a while, not dropped")
        self.assertFalse(again.active)
        self.assertTrue(again.spam_date)
        self.assertFalse(again.user_id)
        self.assertFalse(self._mails, "no acknowledgement, no follower")
        self.assertFalse(again.message_ids.notification_ids)
        found = self.env["helpdesk.ticket"].with_user(self.agent).search([])
        self.assertFalse(found & (ticket | again))

    def test_what_it_adds_wakes_nothing_up(self):
        """desk D7: an answer to spam, by mail"""
        ticket = self._begin(SPAMMER)
        sent = self._answer(ticket)
        self._mark(ticket)
        ticket.partner_id = False
        ticket.partner_email = "deal@spam.example.com"
        self._answers(sent, SPAMMER)
        self.assertFalse(ticket.active)

    def test_contacts_and_colleagues_are_not_blocked(self):
        """desk D7, T22: whoever forges a customer doesn't lock them out"""
        for sender in ("berta@birch.example.com", self.agent.email):
            self._mark(self._begin(sender))
            self.assertTrue(self._receive_from(sender).active)
        # What others write goes on.
        self._mark(self._begin(SPAMMER))
        self.assertTrue(self._receive_from("sale@spam.example.com").active)
        self.assertTrue(
            self._receive_from("Anna <anna@aa.example.com>", Reply_To=SPAMMER).active
        )

    def test_no_spam_after_all(self):
        """desk D7: back again, and unblocked"""
        ticket = self._begin(SPAMMER)
        self._mark(ticket)
        again = self._receive_from(SPAMMER)
        again.with_user(self.agent).action_no_spam()
        self.assertTrue(again.active)
        self.assertFalse(again.spam_date)
        self.assertTrue(self._receive_from(SPAMMER).active)

    def test_of_one_company(self):
        """desk D7: each company blocks for itself"""
        self._mark(self._begin(SPAMMER))
        self.assertFalse(
            self.env["helpdesk.ticket"]._is_blocked(
                "deal@spam.example.com", self.company_2
            )
        )

    def test_rights(self):
        """desk D7, T28: whoever works on the ticket; with documents it's no spam"""
        ticket = self._begin(SPAMMER)
        for user in (self.employee, self.seller):
            with self.assertRaises(AccessError):
                ticket.with_user(user).action_spam()
            with self.assertRaises(AccessError):
                ticket.with_user(user).action_no_spam()
        with self.assertRaises(AccessError):
            ticket.with_user(self.agent).spam_date = fields.Datetime.now()
        with self.assertRaises(AccessError):
            self.env["helpdesk.blocked.sender"].with_user(self.agent).create(
                {"email": "berta@birch.example.com"}
            )
        with self.assertRaises(UserError):
            self.env["helpdesk.blocked.sender"].create({"email": "nobody"})

    def test_gone_after_30_days(self):
        """desk D7: in batches, each kept; what is younger, or no spam, stays"""
        now = fields.Datetime.now()
        tickets = self.env["helpdesk.ticket"].create(
            [{"name": f"Spam {number}", "team_id": self.team.id} for number in range(7)]
        )
        old, young, other = tickets[:5], tickets[5], tickets[6]
        old.write({"active": False, "spam_date": now - timedelta(days=31)})
        young.write({"active": False, "spam_date": now - timedelta(days=29)})
        other.active = False
        steps = []
        crons = type(self.env["ir.cron"])
        with (
            patch.object(
                crons, "_commit_progress", lambda *args, **kw: steps.append(kw)
            ),
            patch(
                "odoo.addons.helpdesk_after_sales.models.helpdesk_ticket_spam.BATCH", 2
            ),
        ):
            self.env["helpdesk.ticket"]._cron_delete_spam()
        self.assertFalse(old.exists())
        self.assertEqual((young | other).exists(), young | other)
        self.assertEqual([step["remaining"] for step in steps], [3, 1, 0])


@tagged("post_install", "-at_install")
class TestPrivacy(HelpdeskConversationCommon):
    """Found by Odoo's lookup, anonymized, erased (issue 18 C, desk F18)."""

    def _look_up(self, name, email):
        wizard = self.env["privacy.lookup.wizard"].create(
            {"name": name, "email": email}
        )
        wizard.action_lookup()
        lines = wizard.line_ids.filtered(lambda row: row.res_model == "helpdesk.ticket")
        self.assertEqual(len(lines.mapped("res_id")), len(set(lines.mapped("res_id"))))
        return lines

    def test_lookup_finds_strangers(self):
        """desk F18: address, copy, name, what they wrote; contacts once"""
        own = self._begin("Anna Aal <anna@aa.example.com>")
        copied = self._begin("berta@birch.example.com", Cc="Anna <anna@aa.example.com>")
        wrote = self._begin("contact1@alder.example.com")
        self._answers(self._first(wrote), "anna@aa.example.com")
        other = self._begin("bob@bb.example.com")
        found = self._look_up("Anna Aal", "Anna@aa.example.com").mapped("res_id")
        self.assertEqual(set(found), set((own | copied | wrote).ids))
        self.assertNotIn(other.id, found)
        found = self._look_up("Berta Birch", "berta@birch.example.com")
        self.assertEqual(found.mapped("res_id"), copied.ids)

    def test_anonymize(self):
        """desk F18: nothing tells of the person; number, dates and documents stay"""
        for sender in ("Berta <berta@birch.example.com>", "Anna <anna@aa.example.com>"):
            with self.subTest(sender=sender):
                ticket = self._begin(
                    sender,
                    subject="Secret lamp",
                    body="<p>My IBAN is secret</p>",
                    files=[("secret.txt", b"secret", "text/plain")],
                )
                self._answers(
                    self._answer(ticket, body="Dear secret"), sender, body="secret"
                )
                ticket.name = "Secret desk"
                ticket.with_user(self.agent).message_post(body="secret note")
                self._close(ticket)
                number, closed = ticket.ticket_ref, ticket.close_date
                link = ticket.access_token
                with self.mock_mail_gateway():
                    ticket.with_user(self.manager).action_anonymize()
                    self.env.cr.flush()
                self.assertFalse(self._mails)
                self.assertEqual(
                    (ticket.ticket_ref, ticket.close_date), (number, closed)
                )
                self.assertNotEqual(ticket.access_token, link)
                texts = [ticket.name, ticket.description, ticket.partner_name]
                texts += [ticket.partner_email, ticket.email_cc, ticket.partner_id.name]
                for message in ticket.message_ids:
                    texts += [message.body, message.subject, message.email_from]
                    texts += [message.author_id.name, message.incoming_email_to]
                    texts += message.tracking_value_ids.mapped("old_value_char")
                    texts += message.partner_ids.mapped("name")
                told = " ".join(str(text or "") for text in texts).lower()
                for word in ("secret", "berta", "anna", "aa.example"):
                    self.assertNotIn(
                        word, told, [m for m in texts if m and word in str(m).lower()]
                    )
                self.assertFalse(ticket._find_attached("ir.attachment", ticket))
                self.assertNotIn(
                    self.customer_b, ticket.message_partner_ids | ticket.partner_id
                )
        self.assertFalse(self._look_up("Anna", "anna@aa.example.com"))
        self.assertFalse(self._look_up("Berta Birch", "berta@birch.example.com"))

    def test_from_the_lookup(self):
        """desk F18: anonymized, or erased, where it was found"""
        ticket = self._begin("Anna <anna@aa.example.com>")
        other = self._begin("Anna <anna@aa.example.com>")
        lines = self._look_up("Anna", "anna@aa.example.com")
        mine = lines.filtered(lambda line: line.res_id == ticket.id)
        mine.action_helpdesk_anonymize()
        self.assertFalse(ticket.partner_email)
        self.assertIn(str(ticket.id), mine.execution_details)
        (lines - mine).action_unlink()
        self.assertFalse(other.exists())

    def test_who_may(self):
        """desk F18, T28"""
        ticket = self._begin("Anna <anna@aa.example.com>")
        for user in (self.agent, self.employee):
            with self.assertRaises(AccessError):
                ticket.with_user(user).action_anonymize()
        self.assertTrue(ticket.partner_email)
