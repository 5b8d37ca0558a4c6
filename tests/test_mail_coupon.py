"""A coupon that leaves by SMTP and is read back as the customer's mail program does.

The server listens on the loopback interface; nothing else leaves.
"""

import email
import email.policy
import socket
from datetime import timedelta
from email.utils import getaddresses
from unittest.mock import patch

import pytest

from odoo import Command, fields
from odoo.tests import Form, TransactionCase, new_test_user, tagged

aiosmtpd_controller = pytest.importorskip("aiosmtpd.controller")


class Mailbox:
    """Keeps what the server was given: ``(recipients of the envelope, message)``."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, _server, _session, envelope):
        message = email.message_from_bytes(
            envelope.content, policy=email.policy.default
        )
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


@tagged("post_install", "-at_install")
class TestMailCoupon(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.coupon.wizard" not in cls.env:
            pytest.skip("helpdesk_coupon is not installed")
        cls.env["loyalty.program"].search([]).active = False
        cls.agent, cls.colleague = (
            new_test_user(
                cls.env,
                f"coupon_mail_{number}",
                groups="helpdesk_after_sales.group_helpdesk_user",
                email=f"agent{number}@shop.example.com",
            )
            for number in (1, 2)
        )
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.customer, cls.neighbour = cls.env["res.partner"].create(
            [
                {
                    "name": "Amélie Aulne",
                    "email": "amelie@aulne.example.com",
                    "lang": "fr_FR",
                },
                {"name": "Her neighbour", "email": "neighbour@example.com"},
            ]
        )
        team = cls.env["helpdesk.team"].create({"name": "Care", "use_coupons": True})
        cls.ticket = cls.env["helpdesk.ticket"].create(
            {
                "name": "La lampe <cassée>",
                "team_id": team.id,
                "partner_id": cls.customer.id,
            }
        )
        cls.ticket.message_subscribe(
            (cls.neighbour | cls.colleague.partner_id | cls.agent.partner_id).ids
        )
        cls.program = cls.env["loyalty.program"].create(
            {
                "name": "Sorry",
                "program_type": "coupons",
                "applies_on": "current",
                "trigger": "with_code",
                "reward_ids": [
                    Command.clear(),
                    Command.create({"discount": 10, "required_points": 1}),
                ],
            }
        )
        cls.program.reward_ids.with_context(
            lang="fr_FR"
        ).description = "10 % sur votre commande"
        template = cls.env.ref("helpdesk_coupon.mail_template_coupon")
        body = template.with_context(lang="en_US").body_html
        template.with_context(lang="fr_FR").write(
            {
                "subject": "Votre code : {{ object.code }}",
                "body_html": body.replace("Valid until", "Valable jusqu'au"),
            }
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        cls.mailbox = Mailbox()
        server = aiosmtpd_controller.Controller(
            cls.mailbox, hostname="127.0.0.1", port=port
        )
        server.start()
        cls.addClassCleanup(server.stop)
        cls.env["ir.mail_server"].search([]).active = False
        cls.env["ir.mail_server"].create(
            {
                "name": "Loopback",
                "smtp_host": "127.0.0.1",
                "smtp_port": port,
                "smtp_encryption": "none",
            }
        )
        # Tests don't send unless this is said.
        cls.startClassPatcher(
            patch.object(
                type(cls.env["ir.mail_server"]), "_disable_send", return_value=False
            )
        )

    def test_s54_to_s57_the_customer_gets_code_and_expiry_in_his_language(self):
        self.env["mail.mail"].search([]).unlink()
        action = self.ticket.with_user(self.agent).action_generate_coupon()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )
        day = fields.Date.today() + timedelta(days=40)
        form.valid_until = day
        wizard = form.save()
        action = wizard.action_send_by_email()
        composer = Form(
            self.env["mail.compose.message"]
            .with_user(self.agent)
            .with_context(**action["context"])
        ).save()
        self.mailbox.mails.clear()
        composer.action_send_mail()
        self.env["mail.mail"].search([("state", "=", "outgoing")]).send()

        self.assertEqual(
            sorted(address for rcpt, _mail in self.mailbox.mails for address in rcpt),
            [
                "agent2@shop.example.com",
                "amelie@aulne.example.com",
                "neighbour@example.com",
            ],
            "the customer and who follows, colleagues too, but not who sends it",
        )
        message = next(
            mail for rcpt, mail in self.mailbox.mails if "amelie" in str(rcpt)
        )
        self.assertIn(
            ("Amélie Aulne", "amelie@aulne.example.com"), getaddresses([message["To"]])
        )
        self.assertNotIn("agent2@shop.example.com", message.as_string())
        self.assertEqual(message["Subject"], f"Votre code : {wizard.coupon_id.code}")
        html = message.get_body(("html",)).get_content()
        code = wizard.coupon_id.code
        self.assertIn(code, html)
        self.assertIn("10 % sur votre commande", html)
        self.assertIn("Valable jusqu'au", html.replace("&#39;", "'"))
        self.assertIn(day.strftime("%d/%m/%Y"), html)
        self.assertIn("La lampe &lt;cassée&gt;", html)
        self.assertNotIn("<cassée>", html)
        self.assertIn(code, message.get_body(("plain",)).get_content())
        # An answer comes back to the ticket.
        self.assertIn(f"{self.ticket.id}-helpdesk.ticket", message["Message-Id"] or "")
