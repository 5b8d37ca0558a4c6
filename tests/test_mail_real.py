"""Mail over real sockets and real transactions (issue 9, spec/trust.md T18 to T20).

Servers listen on the loopback interface; nothing else leaves.
"""

import email
import email.policy
import smtplib
import socket
import subprocess
import sys
import threading
from email.message import EmailMessage
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest

import odoo
from odoo import SUPERUSER_ID, api
from odoo.service.model import retrying
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged

aiosmtpd_controller = pytest.importorskip("aiosmtpd.controller")

MAILGATE = (
    Path(odoo.__path__[0])
    / "addons"
    / "mail"
    / "static"
    / "scripts"
    / "odoo-mailgate.py"
)


def smtp_server(handler):
    """Return a started SMTP server that calls ``handler(envelope)``, and its port."""

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):
            return handler(envelope)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = aiosmtpd_controller.Controller(Handler(), hostname="127.0.0.1", port=port)
    server.start()
    return server, port


def make_mail(to, sender="Berta Birch <berta@birch.example.com>", **headers):
    mail = EmailMessage()
    headers = {
        "From": sender,
        "To": to,
        "Subject": "The lamp flickers",
        "Message-Id": f"<{uuid4()}@birch.example.com>",
    } | headers
    for name, value in headers.items():
        mail[name] = value
    mail.set_content("It flickers.")
    mail.add_attachment(b"\x89PNG", "image", "png", filename="lamp.png")
    return mail


class TicketMail:
    """A team with an address. Mixed in before a test case of Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.ticket" not in cls.env:
            pytest.skip("helpdesk_after_sales is not installed")
        cls._make_team(cls.env)

    @classmethod
    def _make_team(cls, env):
        domain = env.company.alias_domain_id or env["mail.alias.domain"].create(
            {"name": "shop.example.com"}
        )
        env.company.alias_domain_id = domain
        cls.team = env["helpdesk.team"].create(
            {
                "name": "Real mail",
                "alias_name": "real-mail",
                "alias_domain_id": domain.id,
            }
        )
        cls.address = f"real-mail@{domain.name}"
        return cls.team, domain


@tagged("post_install", "-at_install")
class TestMailOut(TicketMail, TransactionCase):
    def test_t18_acknowledgement_and_answer_leave_by_smtp(self):
        received = []

        def keep(envelope):
            received.append(
                (
                    envelope.rcpt_tos,
                    email.message_from_bytes(
                        envelope.content, policy=email.policy.default
                    ),
                )
            )
            return "250 OK"

        server, port = smtp_server(keep)
        self.addCleanup(server.stop)
        self.env["ir.mail_server"].search([]).active = False
        self.env["ir.mail_server"].create(
            {
                "name": "Loopback",
                "smtp_host": "127.0.0.1",
                "smtp_port": port,
                "smtp_encryption": "none",
            }
        )
        # Tests don't send unless this is said.
        self.startPatcher(
            patch.object(
                type(self.env["ir.mail_server"]), "_disable_send", return_value=False
            )
        )
        customer = self.env["res.partner"].create(
            {"name": "Berta Birch", "email": "berta@birch.example.com"}
        )
        agent = new_test_user(
            self.env, "real_agent", groups="helpdesk_after_sales.group_helpdesk_user"
        )

        received.clear()  # a new user is invited by mail
        incoming = make_mail(self.address)
        self.env["mail.thread"].message_process(None, incoming.as_bytes())
        ticket = self.env["helpdesk.ticket"].search([("team_id", "=", self.team.id)])
        self.assertEqual(ticket.partner_id, customer)
        self._deliver()
        [(recipients, acknowledgement)] = received
        self.assertEqual(recipients, ["berta@birch.example.com"])
        self.assertEqual(acknowledgement["Auto-Submitted"], "auto-replied")
        self.assertEqual(acknowledgement["X-Auto-Response-Suppress"], "All")
        self.assertIn(self.address, acknowledgement["Reply-To"])
        self.assertIn(ticket.ticket_ref, acknowledgement["Subject"])
        body = acknowledgement.get_body(("html",)).get_content()
        self.assertIn(ticket.get_portal_url(), body.replace("&amp;", "&"))
        self.assertNotIn("It flickers", body)

        received.clear()
        ticket.with_user(agent).message_post(
            body="We send a new lamp.",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=customer.ids,
        )
        self._deliver()
        [(recipients, answer)] = received
        self.assertEqual(recipients, ["berta@birch.example.com"])
        self.assertIn(self.address, answer["Reply-To"])
        self.assertIsNone(answer["Auto-Submitted"])

        # The customer's mail program answers to what it got.
        reply = make_mail(
            str(answer["Reply-To"]),
            **{"In-Reply-To": answer["Message-Id"], "Subject": "Re: lamp"},
        )
        self.env["mail.thread"].message_process(None, reply.as_bytes())
        self.assertEqual(ticket.message_ids[0].author_id, customer)
        # And ours that comes back is dropped.
        count = len(ticket.message_ids)
        del answer["To"], answer["Message-Id"]
        answer["To"], answer["Message-Id"] = self.address, f"<{uuid4()}@x.example.com>"
        self.env["mail.thread"].message_process(None, answer.as_bytes())
        self.assertEqual(len(ticket.message_ids), count)
        self.assertEqual(ticket.search_count([("team_id", "=", self.team.id)]), 1)

    def _deliver(self):
        self.env.cr.flush()
        self.env["mail.mail"].search(
            [("state", "=", "outgoing"), ("model", "=", "helpdesk.ticket")]
        ).send()


@tagged("post_install", "-at_install")
class TestMailIn(TicketMail, HttpCase):
    def test_mail_by_smtp_and_odoo_mailgate(self):
        """As a mail server does it: SMTP, a pipe to ``odoo-mailgate.py``, XML-RPC."""
        gate = new_test_user(
            self.env,
            "real_mailgate",
            password="real_mailgate",
            groups="base.group_user,base.group_system",
        )
        gate_id = gate.id
        codes = []

        def pipe(envelope):
            done = subprocess.run(
                [
                    *(sys.executable, MAILGATE, "--host", "127.0.0.1"),
                    *("--port", str(self.http_port()), "-d", self.env.cr.dbname),
                    *("-u", str(gate_id), "-p", "real_mailgate"),
                ],
                input=envelope.content,
                timeout=60,
                check=False,
            )
            codes.append(done.returncode)
            return "250 OK" if done.returncode == 0 else "550 refused"

        server, port = smtp_server(pipe)
        self.addCleanup(server.stop)
        mail = make_mail(self.address)
        stray = make_mail("nobody@nowhere.example.com")
        with self.allow_requests(all_requests=True):
            with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
                client.send_message(mail)
                client.send_message(mail)
                with self.assertRaises(smtplib.SMTPDataError):
                    client.send_message(stray)
        self.assertEqual(codes[:2], [0, 0])
        self.env.invalidate_all()
        ticket = self.env["helpdesk.ticket"].search([("team_id", "=", self.team.id)])
        self.assertEqual(len(ticket), 1, "the same mail again makes no second one")
        self.assertEqual(ticket.name, "The lamp flickers")
        self.assertIn("It flickers", ticket.description)
        self.assertEqual(ticket.partner_email, "berta@birch.example.com")
        self.assertEqual(ticket._portal_attachments().name, "lamp.png")


@tagged("post_install", "-at_install")
class TestMailTwoWorkers(TicketMail, TransactionCase):
    @classmethod
    def _make_team(cls, env):
        # Committed: workers have cursors of their own.
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            had_domain = env.company.alias_domain_id
            team, domain = super()._make_team(env)
            cls.team_id = team.id
            cls.domain_id = False if had_domain else domain.id
        cls.addClassCleanup(cls._clean_up)

    @classmethod
    def _clean_up(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            team = env["helpdesk.team"].browse(cls.team_id)
            tickets = env["helpdesk.ticket"].search([("team_id", "=", team.id)])
            tickets.message_ids.attachment_ids.unlink()
            tickets.unlink()
            team.unlink()
            if cls.domain_id:
                # The first domain of a database is given to all of its aliases.
                env["mail.alias"].search(
                    [("alias_domain_id", "=", cls.domain_id)]
                ).alias_domain_id = False
                env["res.company"].search(
                    [("alias_domain_id", "=", cls.domain_id)]
                ).alias_domain_id = False
                env["mail.alias.domain"].browse(cls.domain_id).unlink()

    def _race(self, mail, first_fails=False):
        """Let two workers process a mail at once: the second one has read from the
        database before the first one has written, and goes on after it has. Returns
        what they answered, and the tickets."""
        second_reads, first_wrote = threading.Event(), threading.Event()
        answers = {}

        def work(name, before, after):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})

                def process():
                    cr.execute("SELECT 1 FROM mail_message LIMIT 1")
                    before()
                    result = env["mail.thread"].message_process(None, mail)
                    after()
                    return result

                try:
                    answers[name] = retrying(process, env)
                except ZeroDivisionError as error:
                    cr.rollback()
                    answers[name] = error

        def first_after():
            first_wrote.set()
            # The second one waits for the lock meanwhile.
            threads[1].join(0.5)
            if first_fails:
                raise ZeroDivisionError("the worker died")

        def second_before():
            second_reads.set()
            self.assertTrue(first_wrote.wait(30))

        threads = [
            threading.Thread(
                target=work, args=("first", lambda: second_reads.wait(30), first_after)
            ),
            threading.Thread(target=work, args=("second", second_before, lambda: None)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM mail_message WHERE message_id = %s",
                [email.message_from_bytes(mail)["Message-Id"]],
            )
            return answers, cr.fetchone()[0]

    def test_t20_two_workers_one_ticket(self):
        for _round in range(5):
            mail = make_mail(self.address, Precedence="bulk").as_bytes()
            answers, messages = self._race(mail)
            self.assertEqual(messages, 1)
            self.assertTrue(answers["first"])
            self.assertFalse(answers["second"])

    def test_t20_the_second_worker_takes_over_from_a_dead_one(self):
        mail = make_mail(self.address, Precedence="bulk").as_bytes()
        answers, messages = self._race(mail, first_fails=True)
        self.assertEqual(messages, 1)
        self.assertTrue(answers["second"])
