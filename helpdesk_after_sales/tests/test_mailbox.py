import logging
from uuid import uuid4

from odoo.tests import tagged

from .mailbox import MAILBOX
from .test_conversation import COMMENT, HelpdeskConversationCommon


class Ears(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record.getMessage())


@tagged("post_install", "-at_install")
class TestMailbox(HelpdeskConversationCommon):
    """A mailbox of odd and hostile mails, through the gateway (issue 18, T18-T27)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in (
            "mail.gateway.loop.threshold",
            "helpdesk_after_sales.acknowledge_per_address",
            "helpdesk_after_sales.acknowledge_unknown",
        ):
            cls.env["ir.config_parameter"].set_param(name, 1000)

    def _fill_in(self, raw, sent):
        for name, value in (
            (b"{to}", self.address),
            (b"{sent}", sent.message_id),
            (b"{id}", f"<{uuid4()}@birch.example.com>"),
        ):
            raw = raw.replace(name, value.encode())
        return raw

    def test_odd_and_hostile_mails(self):
        self.assertGreaterEqual(len(MAILBOX), 60)
        asked = self._begin()
        sent = self._answer(asked)
        ears = Ears()
        logging.getLogger().addHandler(ears)
        self.addCleanup(logging.getLogger().removeHandler, ears)
        for name, kind, words, raw in MAILBOX:
            with self.subTest(mail=name):
                newest = self.env["mail.message"].search([], order="id desc", limit=1)
                made = self._receive(self._fill_in(raw, sent))
                self.assertFalse(ears.records)
                told = [str(mail["email_to"]) for mail in self._mails]
                others = [to for to in told if "@shop.example.com" not in to]
                if kind in ("ticket", "quiet"):
                    self._check_ticket(made, words)
                    self.assertEqual(len(others), kind == "ticket", others)
                    continue
                self.assertFalse(made)
                self.assertFalse(others)
                messages = asked.message_ids.filtered_domain([("id", ">", newest.id)])
                if kind == "answer":
                    [message] = messages.filtered(lambda m: m.message_type == "email")
                    self.assertEqual(self._subtype(message), COMMENT)
                    self.assertIn(words, message.body)
                    self.assertIn(self.agent.partner_id, self._told(message))
                else:
                    self.assertFalse(messages)

    def _check_ticket(self, ticket, words):
        self.assertEqual(len(ticket), 1)
        self.assertEqual(ticket.team_id, self.team)
        self.assertTrue(ticket.name)
        self.assertEqual(ticket.name, " ".join(ticket.name.split()))
        self.assertLessEqual(len(ticket.name), 250)
        self.assertIn(words, str(ticket.description or ""))
        for evil in ("<script", "onclick", "javascript:", "<form"):
            self.assertNotIn(evil, str(ticket.description or ""))
        for file in ticket.message_ids.attachment_ids:
            self.assertNotIn("/", file.name or "")
