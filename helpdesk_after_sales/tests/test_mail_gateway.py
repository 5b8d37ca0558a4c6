import io
import re
import time
import zipfile
from email import policy
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

from odoo import Command, fields
from odoo.tests import tagged
from odoo.tools import email_normalize, mute_logger

from odoo.addons.mail.tests.common import MailCommon

from .common import HelpdeskAfterSalesCommon

CONTENT = "datas"  # codespell:ignore datas
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d4944415478da63fccfc0500f0004850180a9a7e7a30000000049454e44ae426082"
)


def memory(name):
    """Return what the kernel says about the memory of this process, in MB."""
    [line] = re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


def nested_zip(depth=5):
    """Return a zip of a zip of a zip ... of a file that is huge when unpacked."""
    content = b"0" * 20 * 2**20
    for _turn in range(depth):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner", content)
        content = packed.getvalue()
    return content


class HelpdeskMailCommon(HelpdeskAfterSalesCommon, MailCommon):
    """Mail to and from two teams with an alias each, and another company."""

    @classmethod
    def _activate_multi_company(cls):
        # Odoo's makes two companies and three users, which takes longer than a test.
        cls.company_2 = cls.env["res.company"].create({"name": "Company 2"})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.domain = cls.company.alias_domain_id
        cls.team.write(
            {
                "alias_name": "care",
                "alias_domain_id": cls.domain.id,
                # A mail more for each ticket: test_conversation_ticket has them.
                "tell_members": False,
            }
        )
        cls.other_team = cls.env["helpdesk.team"].create(
            {
                "name": "Second team",
                "company_id": cls.company.id,
                "alias_name": "second",
                "alias_domain_id": cls.domain.id,
            }
        )
        cls.address = f"care@{cls.domain.name}"
        cls.other_address = f"second@{cls.domain.name}"

    def setUp(self):
        super().setUp()
        self.known_tickets = self.env["helpdesk.ticket"].search([])

    def _mail(self, sender, to=None, subject="Help", body="<p>Text</p>", **headers):
        """Return a mail as bytes. ``files`` are ``(name, bytes, type)``."""
        files = headers.pop("files", ())
        charset = headers.pop("charset", "utf-8")
        subtype = headers.pop("subtype", "html")
        mail = EmailMessage(policy=policy.SMTP)
        headers = {
            "From": sender,
            "To": to or self.address,
            "Subject": subject,
            "Message-Id": f"<{uuid4()}@elsewhere.example.com>",
            "Return-Path": f"<{email_normalize(sender) or 'x@example.com'}>",
            "Date": "Fri, 10 Aug 2012 14:16:26 +0000",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in headers.items():
            if value is not None:
                mail[name] = value
        mail.set_content(body, subtype=subtype, charset=charset)
        for name, content, kind in files:
            main, sub = kind.split("/")
            mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
        return mail.as_bytes()

    def _receive(self, mail):
        """Process a mail as the gateway does; returns the tickets that it made."""
        before = self.env["helpdesk.ticket"].with_context(active_test=False).search([])
        with self.mock_mail_gateway():
            self.env["mail.thread"].message_process(None, mail)
            self.env.cr.flush()
        return (
            self.env["helpdesk.ticket"].with_context(active_test=False).search([])
            - before
        )

    def _receive_from(self, sender, **mail):
        return self._receive(self._mail(sender, **mail))

    def _sent_to(self, address):
        return [mail for mail in self._mails if address in str(mail["email_to"])]

    def _message_id(self, ticket):
        """Return the id of a message of ours that the customer has got."""
        message = ticket.with_user(self.agent).message_post(
            body="Please tell us more",
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=ticket.partner_id.ids,
        )
        return message.message_id

    def _reply(self, ticket, sender, **mail):
        return self._receive_from(
            sender,
            In_Reply_To=mail.pop("reference", None) or self._message_id(ticket),
            subject="Re: Help",
            **mail,
        )

    def _close(self, ticket):
        ticket.stage_id = ticket.team_id.stage_ids.filtered("fold")[0]
        self.env.cr.flush()

    def _try_huge_mails(self, *mails):
        for number, mail in enumerate(mails):
            with self.subTest(number=number):
                message = self._mail(f"big{number}@big.example.com", **mail)
                # The time of this process: others may be busy on the machine.
                start, before = time.process_time(), memory("VmRSS")
                Path("/proc/self/clear_refs").write_text("5")
                ticket = self._receive(message)
                spent = time.process_time() - start
                self.assertEqual(len(ticket), 1)
                self.assertLess(spent, 10)
                self.assertLess(memory("VmHWM") - before, 512)
        start = time.process_time()
        self.assertEqual(len(self._receive_from("next@next.example.com")), 1)
        self.assertLess(time.process_time() - start, 2, "the next mail is not delayed")


@tagged("post_install", "-at_install")
class TestMailGateway(HelpdeskMailCommon):
    # -- Mail in -------------------------------------------------------------

    def test_mail_becomes_a_ticket_of_a_known_contact(self):
        ticket = self._receive_from(
            "Contact One <Contact1@Alder.example.com>",
            subject="The lamp\r\n flickers".replace("\r\n", ""),
            body="<p>It <b>flickers</b></p>",
            files=[("lamp.png", PIXEL, "image/png")],
        )
        self.assertEqual(ticket.team_id, self.team)
        self.assertEqual(ticket.company_id, self.company)
        self.assertEqual(ticket.partner_id, self.contact_a1)
        self.assertEqual(ticket.partner_name, self.contact_a1.name)
        self.assertEqual(ticket.partner_email, "contact1@alder.example.com")
        self.assertEqual(ticket.name, "The lamp flickers")
        self.assertIn("<b>flickers</b>", ticket.description)
        self.assertEqual(ticket._portal_attachments().name, "lamp.png")

    def test_unknown_sender_is_kept_as_name_and_address(self):
        contacts = self.env["res.partner"].search_count([])
        ticket = self._receive_from("Zoë Neu <Zoe@Neu.example.com>", subject="")
        self.assertFalse(ticket.partner_id)
        self.assertEqual(ticket.partner_name, "Zoë Neu")
        self.assertEqual(ticket.partner_email, "zoe@neu.example.com")
        self.assertEqual(ticket.name, "No subject")
        self.assertTrue(ticket.acknowledge_date)
        self.assertEqual(len(self._sent_to("zoe@neu.example.com")), 1)
        self.assertEqual(self.env["res.partner"].search_count([]), contacts)

    def test_inline_picture_shows_in_the_description(self):
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"] = "berta@birch.example.com", self.address
        mail["Subject"], mail["Message-Id"] = "Photo", f"<{uuid4()}@x.example.com>"
        mail.set_content('<p>See <img src="cid:photo"></p>', subtype="html")
        mail.add_related(PIXEL, "image", "png", cid="<photo>", filename="photo.png")
        ticket = self._receive(mail.as_bytes())
        self.assertIn("/web/image/", ticket.description)

    def test_reply_lands_in_the_thread(self):
        ticket = self._receive_from("berta@birch.example.com")
        self.assertFalse(
            self._reply(ticket, "berta@birch.example.com", body="<p>More</p>")
        )
        message = ticket.message_ids[0]
        self.assertIn("More", message.body)
        self.assertEqual(message.author_id, self.customer_b)
        self.assertEqual(message.subtype_id, self.env.ref("mail.mt_comment"))

    def test_reply_to_the_acknowledgement_lands_in_the_thread(self):
        for sender in ("berta@birch.example.com", "new@new.example.com"):
            ticket = self._receive_from(sender)
            [sent] = self._sent_to(sender)
            self.assertFalse(
                self._receive_from(
                    sender, In_Reply_To=sent["message_id"], body="<p>Oh, and…</p>"
                )
            )
            self.assertIn("Oh, and", ticket.message_ids[0].body)

    def test_reply_reopens_if_the_team_wants(self):
        ticket = self._receive_from("berta@birch.example.com")
        for wanted in (False, True):
            self.team.reopen_on_reply = wanted
            self._close(ticket)
            self._reply(ticket, "berta@birch.example.com")
            self.assertEqual(not ticket.close_date, wanted)
            # It isn't new: nothing is sent by itself.
            self.assertFalse(self._sent_to("berta@birch.example.com"))

    def test_people_in_copy_are_kept(self):
        ticket = self._receive_from(
            "berta@birch.example.com", Cc="Carl <carl@cedar.example.com>"
        )
        self.assertIn("carl@cedar.example.com", ticket.email_cc)
        proposed = ticket._message_get_suggested_recipients(reply_discussion=True)
        self.assertIn("carl@cedar.example.com", [info["email"] for info in proposed])

    def test_people_in_copy_follow_if_the_team_wants(self):
        elsewhere = self.env["res.partner"].create(
            {
                "name": "Elsewhere",
                "email": "else@else.example.com",
                "company_id": self.company_2.id,
            }
        )
        copies = ", ".join(
            [
                self.contact_a2.email,
                self.agent.email,
                elsewhere.email,
                self.domain.catchall_email,
                "nobody@cedar.example.com",
            ]
        )
        contacts = self.env["res.partner"].search_count([])
        people = self.contact_a2 | self.agent.partner_id
        for wanted in (False, True):
            self.team.follow_carbon_copy = wanted
            ticket = self._receive_from("contact1@alder.example.com", Cc=copies)
            expected = people if wanted else people.browse()
            self.assertEqual(ticket.message_partner_ids & people, expected)
            self.assertNotIn(elsewhere, ticket.message_partner_ids)
            self.assertIn("nobody@cedar.example.com", ticket.email_cc)
        self.assertEqual(self.env["res.partner"].search_count([]), contacts)
        # In replies of the customer's side only colleagues and the customer's own
        # people: whoever knows a Message-ID may write as the customer.
        reference = self._message_id(ticket)
        ticket.message_unsubscribe(self.contact_a2.ids)
        for sender, trusted in (
            ("thief@thief.example.com", False),
            ("contact1@alder.example.com", True),
        ):
            self._reply(
                ticket,
                sender,
                reference=reference,
                Cc=f"{self.customer_b.email}, {self.contact_a2.email}",
            )
            self.assertNotIn(self.customer_b, ticket.message_partner_ids)
            self.assertEqual(self.contact_a2 in ticket.message_partner_ids, trusted)

    def test_contact_of_another_company_is_not_used(self):
        elsewhere = self.env["res.partner"].create(
            {
                "name": "Elsewhere",
                "email": "double@double.example.com",
                "company_id": self.company_2.id,
            }
        )
        ticket = self._receive_from("double@double.example.com")
        self.assertEqual(ticket.team_id, self.team)
        self.assertFalse(ticket.partner_id)
        here = elsewhere.copy({"company_id": self.company.id})
        here.email = elsewhere.email
        self.assertEqual(
            self._receive_from("double@double.example.com").partner_id, here
        )

    # -- Mail out ------------------------------------------------------------

    def test_acknowledgement(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("helpdesk_after_sales.mail_template_ticket_received")
        template.with_context(lang="fr_FR").subject = "Reçu #{{ object.ticket_ref }}"
        for lang, start in (("en_US", "Ticket #"), ("fr_FR", "Reçu #")):
            self.customer_b.lang = lang
            ticket = self._receive_from(
                "berta@birch.example.com", subject="A <b>bold</b> " + "long " * 50
            )
            [sent] = self._sent_to("berta@birch.example.com")
            self.assertTrue(sent["subject"].startswith(start + ticket.ticket_ref))
            self.assertIn(ticket.ticket_ref, sent["body"])
            self.assertIn(ticket.access_token, sent["body"])
            self.assertIn("A &lt;b&gt;bold&lt;/b&gt;", sent["body"])
            self.assertNotIn("long " * 12, sent["body"])
            self.assertNotIn("Text", sent["body"])
            self.assertIn(self.address, sent["email_from"])
            headers = sent["EmailMessage"]
            self.assertEqual(headers["Auto-Submitted"], "auto-replied")
            self.assertEqual(headers["X-Auto-Response-Suppress"], "All")
            self.assertIn(self.address, sent["reply_to"])

    def test_acknowledgement_promises_an_answer(self):
        self.customer_b.tz = "Europe/Brussels"
        moment = fields.Datetime.to_datetime("2026-03-02 08:00:00")
        for hours, text in ((0, False), (4, "We will answer by")):
            self.team.answer_hours = hours
            with self.mock_datetime_and_now(moment):
                ticket = self._receive_from("berta@birch.example.com")
            [sent] = self._sent_to("berta@birch.example.com")
            self.assertEqual("We will answer" in sent["body"], bool(text))
            if text:
                promise = ticket._describe_promised_answer()
                self.assertIn("1:00", promise, "8:00 UTC and 4 hours, in Brussels")
                self.assertIn(promise, sent["body"])

    def test_the_shop_answers_not_the_user_who_wrote(self):
        for user in (
            self.agent,
            self._new_user(
                "after_sales_portal_b",
                "base.group_portal",
                partner_id=self.customer_b.id,
                email=self.customer_b.email,
            ),
        ):
            ticket = self._receive_from(user.email)
            self.assertEqual(ticket.partner_id, user.partner_id)
            [sent] = self._sent_to(user.email)
            self.assertIn(self.address, sent["email_from"])
            self.assertIn(self.company.name, sent["reply_to"])
            self.assertEqual(ticket.message_ids[0].author_id, self.company.partner_id)

    def test_no_link_for_teams_that_hide_their_tickets(self):
        self.team.privacy_visibility = "internal"
        ticket = self._receive_from("berta@birch.example.com")
        [sent] = self._sent_to("berta@birch.example.com")
        self.assertIn(ticket.ticket_ref, sent["body"])
        self.assertNotIn(ticket.access_token, sent["body"])
        self.assertNotIn("/mail/view", sent["body"])

    def test_answers_come_from_the_team_and_are_marked(self):
        ticket = self._receive_from("berta@birch.example.com")
        with self.mock_mail_gateway():
            self._message_id(ticket)
            self.env.cr.flush()
        [sent] = self._sent_to("berta@birch.example.com")
        self.assertIn(self.address, sent["reply_to"])
        self.assertIn(self.address, sent["email_from"])
        self.assertIn(self.agent.name, sent["email_from"])
        self.assertNotIn(self.agent.email, sent["email_from"])
        headers = sent["EmailMessage"]
        self.assertTrue(headers["X-Helpdesk-Origin"])
        self.assertEqual(headers["X-Auto-Response-Suppress"], "OOF")
        self.assertFalse(headers["Auto-Submitted"])
        # Its text has a colour, so it has a background: readable in dark mode, too.
        self.assertRegex(sent["body"], r"<body[^>]* color: [^>]*background-color: #FFF")

    # -- T17 -----------------------------------------------------------------

    def test_t17_many_mails_of_one_sender(self):
        tickets = self.env["helpdesk.ticket"]
        for _number in range(25):
            tickets |= self._receive_from("Loop <loop@loop.example.com>")
        self.assertLessEqual(len(tickets), 20)
        notices = self._new_mails.filtered(
            lambda mail: "loop-detection" in str(mail.references)
        )
        self.assertTrue(notices)
        reference = notices[0].references.split()[-1]
        self.assertFalse(
            self._receive_from("loop@loop.example.com", In_Reply_To=reference)
        )
        self.assertFalse(self._new_mails)

    def test_t17_many_replies_to_one_ticket(self):
        ticket = self._receive_from("berta@birch.example.com")
        reference = self._message_id(ticket)
        before = len(ticket.message_ids)
        for _number in range(25):
            self._reply(ticket, "berta@birch.example.com", reference=reference)
        self.assertLessEqual(len(ticket.message_ids) - before, 20)

    # -- T18 -----------------------------------------------------------------

    def test_t18_automatic_mail(self):
        ticket = self._receive_from("berta@birch.example.com")
        self._close(ticket)
        reference = self._message_id(ticket)
        for headers in (
            {"Auto_Submitted": "auto-replied"},
            {"Auto_Submitted": "auto-generated; x=y"},
            {"Precedence": "bulk"},
            {"Precedence": "Auto_Reply"},
            {"X_Auto_Response_Suppress": "All"},
            {"List_Id": "<list.example.com>"},
            {"Return_Path": "<>"},
            {"X_Autoreply": "yes"},
        ):
            with self.subTest(headers=headers):
                made = self._receive_from("robot@robot.example.com", **headers)
                self.assertEqual(len(made), 1)
                self.assertFalse(self._new_mails)
                self.assertFalse(made.acknowledge_date)
                self._reply(
                    ticket, "berta@birch.example.com", reference=reference, **headers
                )
                # People write through lists: their answers to us open a ticket.
                self.assertEqual(bool(ticket.close_date), "List_Id" not in headers)
                self._close(ticket)
                self.env.cr.execute(
                    "UPDATE helpdesk_ticket SET create_date = '2020-01-01'"
                )
        made = self._receive_from(
            "human@human.example.com", Auto_Submitted="no", Precedence="first-class"
        )
        self.assertTrue(made.acknowledge_date)

    # -- T19 -----------------------------------------------------------------

    def test_t19_aliases_do_not_talk_to_each_other(self):
        for sender in (self.address, self.other_address, self.address.upper()):
            with self.subTest(sender=sender):
                self.assertFalse(self._receive_from(sender))
                self.assertFalse(self._new_mails)

    def test_t19_alias_that_follows_a_ticket(self):
        ticket = self._receive_from("berta@birch.example.com")
        alias = self.env["res.partner"].create(
            {"name": "Our alias", "email": self.other_address}
        )
        ticket.message_subscribe(alias.ids)
        with self.mock_mail_gateway():
            self._message_id(ticket)
            self.env.cr.flush()
        returned = [mail["EmailMessage"] for mail in self._mails]
        self.assertTrue(returned)
        count = len(ticket.message_ids)
        for mail in returned:
            for to in (self.address, self.other_address):
                for references in (mail["References"], None):
                    del mail["Message-Id"], mail["To"], mail["References"]
                    mail["Message-Id"] = f"<{uuid4()}@rewritten.example.com>"
                    mail["To"] = to
                    if references:
                        mail["References"] = references
                    self.assertFalse(self._receive(mail.as_bytes()))
                    self.assertFalse(self._new_mails)
        self.assertEqual(len(ticket.message_ids), count)

    def test_t19_mail_of_another_database_is_not_ours(self):
        self.assertTrue(
            self._receive_from("shop@shop.example.com", X_Helpdesk_Origin="0" * 64)
        )

    # -- T20 (two workers: tests/test_mail_real.py) --------------------------

    def test_t20_the_same_mail_twice(self):
        mail = self._mail("berta@birch.example.com")
        ticket = self._receive(mail)
        self.assertTrue(ticket)
        self.assertFalse(self._receive(mail))
        with self.mock_datetime_and_now("2030-01-01 10:00:00"):
            self.assertFalse(self._receive(mail))
        reply = self._mail(
            "berta@birch.example.com", In_Reply_To=self._message_id(ticket)
        )
        self._receive(reply)
        count = len(ticket.message_ids)
        self._receive(reply)
        self.assertEqual(len(ticket.message_ids), count)

    # -- T21 -----------------------------------------------------------------

    def test_t21_bounces_make_no_ticket(self):
        ticket = self._receive_from("berta@birch.example.com")
        reference = self._message_id(ticket)
        bounced = self.customer_b.message_bounce
        dsn = (
            f"From: MAILER-DAEMON@mx.example.com\r\nTo: {self.address}\r\n"
            "Return-Path: <>\r\nSubject: Undelivered\r\n"
            f"Message-Id: <{uuid4()}@mx.example.com>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="x"'
            "\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nGone\r\n"
            "--x\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mx.example.com\r\n\r\n"
            "Final-Recipient: rfc822; berta@birch.example.com\r\n"
            "Action: failed\r\nStatus: 5.1.1\r\n"
            "--x\r\nContent-Type: message/rfc822\r\n\r\n"
            f"From: {self.address}\r\nTo: berta@birch.example.com\r\n"
            f"Message-Id: {reference}\r\nSubject: Help\r\n\r\nText\r\n--x--\r\n"
        )
        count = len(ticket.message_ids)
        self.assertFalse(self._receive(dsn.encode()))
        self.assertEqual(self.customer_b.message_bounce, bounced + 1)
        self.assertFalse(
            self._receive_from("MAILER-DAEMON@mx.example.com", Return_Path="<>")
        )
        self.assertEqual(len(ticket.message_ids), count)
        self.assertFalse(self._new_mails)

    # -- T22 -----------------------------------------------------------------

    def test_t22_forged_agent(self):
        ticket = self._receive_from("berta@birch.example.com")
        self._close(ticket)
        before = ticket.read(["stage_id", "user_id", "partner_id", "team_id"])
        self._reply(
            ticket,
            f"Agent <{self.agent.email}>",
            body="<p>Please refund 1,000,000</p>",
            Reply_To="thief@thief.example.com",
        )
        self.assertEqual(
            ticket.read(["stage_id", "user_id", "partner_id", "team_id"]), before
        )
        message = ticket.message_ids[0]
        self.assertEqual(message.message_type, "email", "marked as mail, unverified")
        for field in self.env["helpdesk.ticket"]._fields.values():
            if field.type == "one2many" and field.name.endswith(
                ("credit_note_ids", "coupon_ids", "return_ids", "repair_ids")
            ):
                self.assertFalse(ticket[field.name])

    def test_t22_stranger_with_a_stolen_message_id(self):
        ticket = self._receive_from("berta@birch.example.com")
        self.env.cr.flush()
        reference = self._message_id(ticket)
        token, cc = ticket.access_token, ticket.email_cc
        for sender in ("contact1@alder.example.com", "thief@thief.example.com"):
            self._reply(
                ticket,
                sender,
                reference=reference,
                Reply_To="thief2@thief.example.com",
                Cc="thief3@thief.example.com",
            )
            message = ticket.message_ids[0]
            self.assertEqual(message.message_type, "email")
            self.assertNotEqual(message.author_id, self.customer_b)
            proposed = ticket._message_get_suggested_recipients(reply_discussion=True)
            self.assertEqual(
                [info["partner_id"] for info in proposed], self.customer_b.ids
            )
            self.assertFalse(self._sent_to("thief"))
        self.assertEqual(ticket.partner_id, self.customer_b)
        self.assertEqual(ticket.access_token, token)
        self.assertEqual(ticket.email_cc, cc)
        self.assertNotIn(self.contact_a1, ticket.message_partner_ids)
        self.assertFalse(
            ticket.with_user(
                self._new_user(
                    "after_sales_thief",
                    "base.group_portal",
                    partner_id=self.contact_a1.id,
                )
            ).has_access("read")
        )

    # -- T23 -----------------------------------------------------------------

    def test_t23_acknowledgement_is_no_relay(self):
        spam = "Buy pills at https://spam.example.com/" + "x" * 500
        ticket = self._receive_from(
            "victim@victim.example.com", subject=spam, body=f"<p>{spam}</p>"
        )
        [sent] = self._sent_to("victim@victim.example.com")
        self.assertNotIn("x" * 60, sent["body"] + sent["subject"])
        self.assertLessEqual(len(ticket._acknowledged_subject()), 61)

    def test_t23_one_address_gets_five(self):
        answers = 0
        for _number in range(10):
            self._receive_from("victim@victim.example.com")
            answers += len(self._sent_to("victim@victim.example.com"))
        self.assertEqual(answers, 5)

    def test_t23_a_thousand_addresses(self):
        self.env["ir.config_parameter"].set_param(
            "helpdesk_after_sales.acknowledge_unknown", 10
        )
        answers = 0
        for number in range(15):
            self._receive_from(f"victim{number}@victim.example.com")
            answers += len(self._sent_to("victim"))
        self.assertEqual(answers, 10)
        # Known customers are still told.
        self._receive_from("berta@birch.example.com")
        self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1)

    # -- T24 -----------------------------------------------------------------

    def test_t24_many_aliases_in_one_mail(self):
        self.env["mail.alias"].create(
            [
                {
                    "alias_name": f"care-{number}",
                    "alias_domain_id": self.domain.id,
                    "alias_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                    "alias_defaults": repr({"team_id": self.team.id}),
                }
                for number in range(50)
            ]
        )
        tos = [f"care-{number}@{self.domain.name}" for number in range(50)]
        tickets = self._receive_from(
            "berta@birch.example.com",
            to=", ".join([self.address, self.other_address, *tos]),
        )
        self.assertEqual(tickets.team_id, self.team | self.other_team)
        self.assertEqual(len(tickets), 2)

    def test_t24_alias_of_an_archived_team(self):
        self.team.active = False
        self.assertFalse(self._receive_from("berta@birch.example.com"))
        self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1, "a bounce")
        self.assertEqual(
            self._receive_from(
                "berta@birch.example.com", to=f"{self.address}, {self.other_address}"
            ).team_id,
            self.other_team,
        )

    def test_t24_domain_of_another_company(self):
        domain = self.env["mail.alias.domain"].create(
            {"name": "c2.example.com", "company_ids": [Command.link(self.company_2.id)]}
        )
        team = self.env["helpdesk.team"].create(
            {
                "name": "Care of the second company",
                "company_id": self.company_2.id,
                "alias_name": "care",
                "alias_domain_id": domain.id,
            }
        )
        ticket = self._receive_from("berta@birch.example.com", to="CARE@C2.example.com")
        self.assertEqual((ticket.team_id, ticket.company_id), (team, self.company_2))
        ticket = self._receive_from("berta@birch.example.com", to=self.address.upper())
        self.assertEqual(ticket.team_id, self.team)

    @mute_logger("odoo.addons.mail.models.mail_alias")
    def test_t24_what_leads_nowhere(self):
        for to in (
            f"nobody+plus@{self.domain.name}",
            "care@xn--mnchen-3ya.example.com",
            "nobody@nowhere.example.com",
        ):
            with self.subTest(to=to), self.assertRaises(ValueError):
                self._receive_from("berta@birch.example.com", to=to)
        self.assertFalse(
            self._receive_from("berta@birch.example.com", to=self.domain.catchall_email)
        )
        self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1, "a bounce")

    # -- T25 to T27 ----------------------------------------------------------

    def test_t25_hostile_content_is_inert(self):
        script = "<script>alert(1)</script>"
        body = (
            f"<div>{script}<img src=x onerror=alert(2)>"
            "<a href='javascript:alert(3)'>x</a><style>*{display:none}</style>"
            "<svg onload=alert(4)></svg><iframe src='//evil'></iframe>"
            + "<div>" * 300
            + "</div>" * 300
            + "</div>"
        )
        ticket = self._receive_from(
            f'"{script}" <evil@evil.example.com>',
            subject=f"{script} {{{{ 7 * 7 }}}}",
            body=body,
            files=[
                (
                    "<img src=x onerror=alert(5)>.svg",
                    b"<svg onload='x'/>",
                    "image/svg+xml",
                ),
                ("page.html", script.encode(), "text/html"),
            ],
        )
        for field in (ticket.description, ticket.message_ids[-1].body):
            for word in ("<script", "onerror", "javascript:", "onload", "<iframe"):
                self.assertNotIn(word, field)
        [sent] = self._sent_to("evil@evil.example.com")
        self.assertNotIn("<script", sent["body"])
        self.assertIn("{{ 7 * 7 }}", sent["body"])
        for attachment in ticket._portal_attachments():
            self.assertNotIn(attachment.mimetype, ("image/svg+xml", "text/html"))

    def test_t26_big_mails(self):
        self._try_huge_mails(
            {"files": [("big.bin", b"0" * 30 * 2**20, "application/zip")]},
            {"files": [(f"{i}.txt", b"x", "text/plain") for i in range(50)]},
            {"files": [("zip.zip", nested_zip(), "application/zip")]},
            {"subject": "long " * 20_000},
            {"Cc": ", ".join(f"p{i}@many.example.com" for i in range(500))},
            {"Date": None},
            {"Date": "yesterday"},
        )

    def test_t26_broken_mime(self):
        for number, content in enumerate(
            (
                b'Content-Type: multipart/mixed; boundary="a"\r\n\r\n--b\r\nnothing',
                b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>\xff\xfe</p>",
                b"Content-Transfer-Encoding: base64\r\n\r\n====not base64",
                b"Content-Type: ;;;\r\n\r\n\x00\x01\x02",
                b"\r\n",
            )
        ):
            with self.subTest(number=number):
                mail = (
                    f"From: broken{number}@broken.example.com\r\n"
                    f"To: {self.address}\r\nSubject: Broken\r\n"
                    f"Message-Id: <{uuid4()}@broken.example.com>\r\n"
                ).encode() + content
                self.assertEqual(len(self._receive(mail)), 1)

    def test_t26_unknown_charset_becomes_a_ticket(self):
        """Odoo's parser gives up there, and the mail would be lost."""
        mail = self._mail("odd@odd.example.com").replace(b"utf-8", b"nonsense")
        self.assertIn("Text", self._receive(mail).description)

    def test_t27_odd_characters(self):
        for number, text in enumerate(
            (
                "\u202egnirts desrever",
                "😀👩‍👩‍👧‍👦",
                "zero\u200bwidth",
                "café cafe\u0301",
                "ประเทศไทย",
                "שלום",
            )
        ):
            with self.subTest(number=number):
                ticket = self._receive_from(
                    f"{text} <odd{number}@odd.example.com>",
                    subject=f"S {text}",
                    body=f"<p>{text}</p>",
                    files=[(f"{text}.txt", b"x", "text/plain")],
                )
                self.assertEqual(ticket.name, f"S {text}")
                self.assertIn(text, ticket.description)
                self.assertEqual(ticket._portal_attachments().name, f"{text}.txt")
                self.assertIn(ticket, ticket.search([("name", "ilike", text)]))
                self.assertEqual(ticket.partner_name, text)
                # Exported and shown to agents and customers as it came.
                exported = ticket.export_data(["name", "partner_name"])
                self.assertEqual(exported[CONTENT], [[f"S {text}", text]])
                details = ticket.with_user(self.agent).portal_details()
                self.assertEqual(details["subject"], f"S {text}")

    def test_t27_charsets(self):
        for charset, text in (
            ("windows-874", "ประเทศไทย"),
            ("iso-8859-8-i", "שלום"),
            ("utf-7", "café"),
            ("iso-8859-15", "5 €"),
        ):
            with self.subTest(charset=charset):
                codec = {"windows-874": "cp874", "iso-8859-8-i": "iso-8859-8"}.get(
                    charset, charset
                )
                mail = (
                    f"From: odd@{charset}.example.com\r\nTo: {self.address}\r\n"
                    f"Subject: {charset}\r\nMessage-Id: <{uuid4()}@odd.example.com>\r\n"
                    "MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
                    f"Content-Type: text/plain; charset={charset}\r\n\r\n"
                ).encode() + text.encode(codec)
                ticket = self._receive(mail)
                self.assertIn(text, ticket.description)

    def test_t27_nul(self):
        mail = self._mail("nul@nul.example.com", subject="Nul", body="<p>a@@b</p>")
        ticket = self._receive(mail.replace(b"@@", b"\x00"))
        self.assertEqual(len(ticket), 1)
        mail = self._mail("nul2@nul.example.com", subject="N@@ul")
        self.assertEqual(len(self._receive(mail.replace(b"@@", b"\x00"))), 1)
