from odoo.tests import tagged

from ..tools.forwarded import find_forwarded, strip_prefix, to_text
from .test_conversation import COMMENT, HelpdeskConversationCommon

GMAIL = (
    '<div dir="ltr">Not her again. Who takes it?<br><br><div class="gmail_quote">'
    '<div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: '
    '<b class="gmail_sendername" dir="auto">Berta Birch</b> <span dir="auto">&lt;'
    '<a href="mailto:berta@birch.example.com">berta@birch.example.com</a>&gt;</span>'
    "<br>Date: Mon, 2 Mar 2026 at 09:15<br>Subject: Broken lamp<br>To: "
    "&lt;shop@shop.example.com&gt;<br></div><br><br>The lamp flickers.</div></div>"
)
OUTLOOK = (
    "<p>Not her again.</p><div style='border-top:solid #E1E1E1 1.0pt'>"
    "<p class=MsoNormal><b>Von:</b> Birch, Berta &lt;berta@birch.example.com&gt; <br>"
    "<b>Gesendet:</b> Montag, 2. März 2026 09:15<br><b>An:</b> Shop "
    "&lt;shop@shop.example.com&gt;<br><b>Betreff:</b> Broken lamp</p></div>"
    "<p class=MsoNormal>The lamp flickers.</p>"
)
OLD_OUTLOOK = (
    "Not her again.\n\n-----Original Message-----\n"
    "From: Berta Birch [mailto:berta@birch.example.com] \nSent: Monday\n"
    "To: Shop\nSubject: Broken lamp\n\nThe lamp flickers.\n"
)
APPLE = (
    "<div>Not her again.</div><br><blockquote type='cite'><div>Début du message "
    "réexpédié&nbsp;:</div><br><div><b>De: </b>Berta Birch &lt;<a "
    "href='mailto:berta@birch.example.com'>berta@birch.example.com</a>&gt;</div>"
    "<div><b>Objet: </b>Broken lamp</div>"  # codespell:ignore objet
    "<div><b>Date: </b>2 mars 2026</div>"
    "<div><b>À: </b>shop@shop.example.com</div><br><div>The lamp flickers.</div>"
    "</blockquote>"
)
THUNDERBIRD = (
    "Not her again.\n\n\n-------- Forwarded Message --------\n"
    "Subject: \tBroken lamp\nDate: \tMon, 2 Mar 2026 09:15:00 +0100\n"
    "From: \tBerta Birch <berta@birch.example.com>\nTo: \tshop@shop.example.com\n\n\n\n"
    "The lamp flickers.\n"
)
TWICE = (
    "Not her again.\n\nFrom: Alex <after_sales_agent@shop.example.com>\nSent: Monday\n"
    "To: Shop\nSubject: FW: Broken lamp\n\nPlease look.\n\n"
    "From: berta@birch.example.com <berta@birch.example.com>\nSent: Sunday\n"
    "To: Alex\nSubject: Broken lamp\n\nThe lamp flickers.\n"
)
FORWARDED = {
    "Gmail": ("Fwd: Broken lamp", GMAIL, "html"),
    "Outlook, German": ("WG: Broken lamp", OUTLOOK, "html"),
    "Outlook, plain": ("FW: Broken lamp", OLD_OUTLOOK, "plain"),
    "Apple Mail, French": ("TR : Broken lamp", APPLE, "html"),
    "Thunderbird": ("Fwd: Broken lamp", THUNDERBIRD, "plain"),
    "forwarded twice": ("FW: FW: Broken lamp", TWICE, "plain"),
}


@tagged("post_install", "-at_install")
class TestMailRoute(HelpdeskConversationCommon):
    """Whose a mail is that answers none of our messages (issue 18 C, desk D2)."""

    def _after(self, newest, ticket):
        return ticket.message_ids.filtered(
            lambda m: m.id > newest and m.message_type == "email"
        )

    def _newest(self):
        return self.env["mail.message"].search([], order="id desc", limit=1).id

    # -- Numbers -------------------------------------------------------------

    def test_number_of_the_own_ticket(self):
        """desk D2: known, their colleague, a stranger; closed, archived, merged"""
        for sender, other in (
            ("berta@birch.example.com",) * 2,
            ("contact1@alder.example.com", "contact2@alder.example.com"),
            ("Anna <anna@aa.example.com>", "anna@aa.example.com"),
        ):
            for subject in ("#{} again", "Ihre Anfrage [#{}]", "AW: Ticket #{}: Help"):
                with self.subTest(sender=sender, subject=subject):
                    ticket = self._begin(sender)
                    self._close(ticket)
                    ticket.active = False
                    newest = self._newest()
                    made = self._receive_from(
                        other,
                        subject=subject.format(ticket.ticket_ref),
                        body="It flickers",
                    )
                    self.assertFalse(made)
                    [message] = self._after(newest, ticket)
                    self.assertEqual(self._subtype(message), COMMENT)
                    self.assertIn(self.agent.partner_id, self._told(message))
                    self.assertFalse(ticket.close_date)
                    self.assertTrue(ticket.active)
        target = self._begin(sender)
        ticket._merge_into(target)
        newest = self._newest()
        self._receive_from(other, subject=f"#{ticket.ticket_ref}")
        self.assertEqual(len(self._after(newest, target)), 1)

    def test_number_of_somebody_else(self):
        """T22: a number is easily guessed; it opens nothing, also in a colleague's or
        the team's name"""
        ticket = self._begin("berta@birch.example.com")
        self._close(ticket)
        before = ticket.message_ids
        for sender in (
            "thief@thief.example.com",
            "office@alder.example.com",
            self.agent.email,
            self.other_agent.email,
            "birch.example.com <thief@thief.example.com>",
            '"berta@birch.example.com" <thief@thief.example.com>',
        ):
            with self.subTest(sender=sender):
                made = self._receive_from(
                    sender, subject=f"Re: Ticket #{ticket.ticket_ref}"
                )
                self.assertEqual(len(made), 1)
                self.assertFalse(self._sent_to("berta@birch.example.com"))
        self.assertEqual(ticket.message_ids, before)
        self.assertTrue(ticket.close_date)

    def test_number_of_a_customer_who_changed(self):
        """T22: a number opens nothing to who was the customer"""
        ticket = self._begin("berta@birch.example.com")
        ticket.partner_id = self.contact_a1
        made = self._receive_from(
            "berta@birch.example.com", subject=f"#{ticket.ticket_ref}"
        )
        self.assertEqual(len(made), 1)

    def test_number_in_another_company(self):
        """T22: numbers are those of the company that is written to"""
        ticket = self._begin("berta@birch.example.com")
        domain = self.env["mail.alias.domain"].create(
            {"name": "c2.example.com", "company_ids": self.company_2.ids}
        )
        self.env["helpdesk.team"].create(
            {
                "name": "Second company",
                "company_id": self.company_2.id,
                "alias_name": "care",
                "alias_domain_id": domain.id,
            }
        )
        made = self._receive_from(
            "berta@birch.example.com",
            to="care@c2.example.com",
            subject=f"#{ticket.ticket_ref}",
        )
        self.assertEqual(made.company_id, self.company_2)

    def test_a_machine_that_names_a_number(self):
        """T18: what a machine wrote is kept, and opens nothing"""
        ticket = self._begin("berta@birch.example.com")
        self._close(ticket)
        newest = self._newest()
        made = self._receive_from(
            "berta@birch.example.com",
            subject=f"Out of office: Ticket #{ticket.ticket_ref}",
            Auto_Submitted="auto-replied",
        )
        self.assertFalse(made)
        self.assertEqual(len(self._after(newest, ticket)), 1)
        self.assertTrue(ticket.close_date)

    # -- Plus-addresses ------------------------------------------------------

    def test_plus_addresses(self):
        """T24: they lead to the team, once"""
        plus = self.address.replace("@", "+shop.2026@")
        for to in (plus, plus.upper(), f"Care <{plus}>, {self.address}"):
            ticket = self._receive_from("berta@birch.example.com", to=to)
            self.assertEqual(len(ticket), 1)
            self.assertEqual(ticket.team_id, self.team)
            self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1)
        self.env["mail.alias"].create(
            {
                "alias_name": "care+second",
                "alias_domain_id": self.domain.id,
                "alias_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "alias_defaults": repr({"team_id": self.other_team.id}),
            }
        )
        ticket = self._receive_from(
            "berta@birch.example.com", to=f"care+second@{self.domain.name}"
        )
        self.assertEqual(ticket.team_id, self.other_team)

    # -- Forwarded -----------------------------------------------------------

    def test_forwarded_mail_is_of_who_wrote_it(self):
        """desk D2: the original sender is the customer, and is told; they don't read
        what the colleague wrote above"""
        for name, (subject, body, subtype) in FORWARDED.items():
            with self.subTest(program=name):
                ticket = self._receive_from(
                    f"Alex <{self.agent.email}>",
                    subject=subject,
                    body=body,
                    subtype=subtype,
                )
                self.assertEqual(ticket.partner_id, self.customer_b)
                self.assertEqual(ticket.partner_email, "berta@birch.example.com")
                self.assertEqual(ticket.name, "Broken lamp")
                self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1)
                self.assertIn("flickers", ticket.description)
                self.assertNotIn("her again", ticket.description)
                self.assertIn("her again", self._first(ticket).body)
                self.assertEqual(self._first(ticket).author_id, self.agent.partner_id)
                self.assertEqual(ticket.last_word, "customer")
                self.env["ir.config_parameter"].set_param(
                    "helpdesk_after_sales.acknowledge_per_address", 100
                )

    def test_forwarded_mail_of_a_stranger(self):
        """desk D2: the address is kept, and answered; no contact is made"""
        body = GMAIL.replace("berta@birch", "anna@aa").replace("Berta Birch", "Anna")
        ticket = self._receive_from(
            self.agent.email, subject="Fwd: Broken lamp", body=body
        )
        self.assertFalse(ticket.partner_id)
        self.assertEqual(ticket.partner_email, "anna@aa.example.com")
        self.assertEqual(ticket.partner_name, "Anna")
        self.assertEqual(len(self._sent_to("anna@aa.example.com")), 1)
        [message] = self._answers(self._first(ticket), "anna@aa.example.com")
        self.assertEqual(self._subtype(message), COMMENT)

    def test_forwarded_as_a_file(self):
        """desk D2: Outlook and Apple Mail forward as an attachment, too"""
        inner = self._mail("Anna <anna@aa.example.com>", body="It flickers")
        outer = (
            (
                f"From: {self.agent.email}\r\nTo: {self.address}\r\n"
                "Subject: see below\r\nMIME-Version: 1.0\r\n"
                "Message-ID: <file@shop.example.com>\r\n"
                'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
                "Content-Type: text/plain\r\n\r\nNot her again\r\n--b\r\n"
                "Content-Type: message/rfc822\r\n\r\n"
            ).encode()
            + inner
            + b"\r\n--b--\r\n"
        )
        ticket = self._receive(outer)
        self.assertEqual(ticket.partner_email, "anna@aa.example.com")
        self.assertEqual(ticket.partner_name, "Anna")
        self.assertIn("flickers", ticket.description)
        self.assertNotIn("her again", ticket.description)

    def test_customers_speak_for_nobody(self):
        """T22: only colleagues forward for others"""
        for sender in ("contact1@alder.example.com", "thief@thief.example.com"):
            ticket = self._receive_from(sender, subject="Fwd: Broken lamp", body=GMAIL)
            self.assertNotEqual(ticket.partner_id, self.customer_b)
            self.assertIn(ticket.partner_email, sender)
            self.assertFalse(self._sent_to("berta@birch.example.com"))
            self.assertEqual(ticket.name, "Fwd: Broken lamp")

    def test_what_is_no_forwarded_mail(self):
        """desk D2: a colleague's own mail, whatever it quotes"""
        for subject, text in (
            ("Broken lamp", OLD_OUTLOOK.replace("Original", "")),
            ("Fwd: Broken lamp", "From: nobody\nI have it from: ada@x.example.com"),
            ("Fwd: Broken lamp", "From: Ada <ada@x.example.com>, she wants a lamp"),
            ("Fwd: Broken lamp", f"From: <{self.address}>\nTo: x\nSubject: y\n\nz"),
        ):
            with self.subTest(text=text):
                ticket = self._receive_from(
                    self.agent.email, subject=subject, body=text, subtype="plain"
                )
                self.assertEqual(ticket.partner_id, self.agent.partner_id)

    def test_heads_in_many_languages(self):
        """desk D2: as programs write them"""
        for head in (
            "From: {}\nDate: x\nSubject: y",
            "> From: {}\n> Sent: x\n> To: z",
            "*From:* {}\n*Sent:* x",
            "De : {}\nEnvoyé : x\nÀ : z\nObjet : y",  # codespell:ignore objet
            "Da: {}\nInviato: x\nA: z\nOggetto: y",
            "Van: {}\nVerzonden: x\nAan: z\nOnderwerp: y",
            "De: {}\nEnviado el: x\nPara: z\nAsunto: y",
            "Von: {}\nDatum: x\nAn: z\nBetreff: y",
            "От: {}\nДата: x\nТема: y",
        ):
            for sender in (
                "Ada Alder <ada@x.example.com>",
                '"Alder, Ada" <ada@x.example.com>',
                "ada@x.example.com <mailto:ada@x.example.com>",
                "ada@x.example.com",
                "Ada Alder [mailto:ada@x.example.com]",
            ):
                with self.subTest(head=head, sender=sender):
                    found = find_forwarded(
                        "Fwd: y", f"Look\n\n{head.format(sender)}\n\nWords", bool
                    )
                    self.assertFalse(found, "each address is ours")
                    name, address, words = find_forwarded(
                        "Fwd: y",
                        f"Look\n\n{head.format(sender)}\n\nWords",
                        lambda email: False,
                    )
                    self.assertEqual(address, "ada@x.example.com")
                    self.assertEqual(words, "Words")
                    self.assertTrue(name)
        for subject in ("FW: y", "Fwd: y", "WG: y", "TR : y", "Re: FW: y", "I: y"):
            self.assertEqual(strip_prefix(subject), "y")
        for subject in ("Re: y", "y", "Item: y", "", None, "Trip: y"):
            self.assertIsNone(strip_prefix(subject))
        self.assertEqual(to_text("a<br>b<style>c</style>&amp;").split(), ["a", "b&"])
