from lxml import etree

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .test_conversation import COMMENT, HelpdeskConversationCommon


@tagged("post_install", "-at_install")
class TestConversationTickets(HelpdeskConversationCommon):
    """What becomes of tickets by what is written, and around it (issue 18)."""

    # -- F11, F16 ------------------------------------------------------------

    def test_received_is_said_once(self):
        """desk F11"""
        ticket = self._begin()
        stages = ticket.team_id.stage_ids
        first = stages[0]
        own = first.copy({"name": "Arrived", "team_ids": [(6, 0, self.other_team.ids)]})
        closed = self.env["helpdesk.stage"].create(
            {"name": "Done", "fold": True, "team_ids": [(6, 0, self.other_team.ids)]}
        )
        self.other_team.stage_ids = own | closed
        for change in (
            lambda: ticket.write({"stage_id": stages[1].id}),
            lambda: ticket.write({"stage_id": first.id}),
            lambda: ticket.copy(),
            lambda: ticket.write({"team_id": self.other_team.id}),
        ):
            with self.mock_mail_gateway():
                change()
                self.env.cr.flush()
            self.assertFalse(self._sent_to("berta@birch.example.com"))
        self.assertEqual(ticket.stage_id, own)

    def test_closed_ticket_stays_closed_in_another_team(self):
        """desk F11"""
        closed = self.env["helpdesk.stage"].create(
            {"name": "Done", "fold": True, "sequence": 99}
        )
        self.other_team.stage_ids = (
            self.team.stage_ids[0].copy({"name": "Arrived", "team_ids": False}) | closed
        )
        ticket = self._begin()
        self._close(ticket)
        since = ticket.close_date
        with self.mock_mail_gateway():
            ticket.team_id = self.other_team
            self.env.cr.flush()
        self.assertEqual((ticket.stage_id, ticket.close_date), (closed, since))
        self.assertFalse(self._new_mails)

    def test_cancelled_is_not_rated(self):
        """desk F16"""
        self.team.use_rating = True
        for stage, asked in (("cancelled", 0), ("solved", 1)):
            ticket = self._begin()
            with self.mock_mail_gateway():
                ticket.with_user(self.agent).stage_id = self.env.ref(
                    f"helpdesk_after_sales.helpdesk_stage_{stage}"
                )
                self.env.cr.flush()
            self.assertEqual(len(self._sent_to("berta@birch.example.com")), asked)

    # -- F13 -----------------------------------------------------------------

    def test_mailbox_of_the_company_gets_no_answers(self):
        """desk F13"""
        self.company.partner_id.email = "info@shop.example.com"
        self.team.message_subscribe(self.other_agent.partner_id.ids)
        for sender in ("berta@birch.example.com", "anna@aa.example.com"):
            ticket = self._receive_from(sender)
            self.assertEqual(len(self._sent_to(self.other_agent.email)), 1)
            received = ticket.message_ids.filtered(
                lambda m: m.message_type == "auto_comment"
            )
            self.assertEqual(len(received), 1)
            [message] = self._answers(received, sender)
            self.assertNotIn(self.company.partner_id, self._told(message))
            self.assertFalse(self._sent_to("info@shop.example.com"))
            [message] = self._answers(received, self.agent.email)
            self.assertEqual(len(self._sent_to(sender)), 1)

    # -- F22 -----------------------------------------------------------------

    def test_strangers_have_their_name(self):
        """desk F22"""
        ticket = self._begin("Uwe Unbekannt <uwe@un.example.com>")
        self._answers(self._first(ticket), "Uwe Unbekannt <uwe@un.example.com>")
        [sent] = self._sent_to(self.agent.email)
        self.assertNotIn("OdooBot", sent["reply_to"])
        [entry] = [e for e in ticket.portal_messages() if "Text" in e["body"]]
        self.assertEqual(entry["author"], "Uwe Unbekannt")
        message = (
            ticket.with_user(self.env.ref("base.public_user"))
            .sudo()
            .message_post(
                body="From the page", message_type="comment", subtype_xmlid=COMMENT
            )
        )
        self.assertFalse(message.author_id)
        self.assertIn("Uwe Unbekannt", message.email_from)
        self.assertIn(self.agent.partner_id, self._told(message))

    # -- Whose turn (issue 18 B) ---------------------------------------------

    def test_last_word(self):
        ticket = self._begin()
        since = ticket.waiting_since
        self.assertEqual(ticket.last_word, "customer")
        self.assertTrue(since)
        with self.mock_datetime_and_now(fields.Datetime.add(since, hours=1)):
            [message] = self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertEqual(ticket.waiting_since, since, "since the first one")
        ticket.with_user(self.agent).message_post(body="Note")
        self._answers(message, "thief@thief.example.com")
        self.assertEqual(ticket.last_word, "customer")
        stage, user = ticket.stage_id, ticket.user_id
        self._answer(ticket)
        self.assertEqual((ticket.last_word, ticket.waiting_since), ("us", False))
        self.assertEqual((ticket.stage_id, ticket.user_id), (stage, user))
        self._answers(message, "berta@birch.example.com", Auto_Submitted="auto-replied")
        self.assertEqual(ticket.last_word, "us")

    def test_answering_takes_a_ticket(self):
        self.team.take_on_answer = True
        ticket = self._receive_from("berta@birch.example.com")
        self._answer(ticket)
        self.assertEqual(ticket.user_id, self.agent)
        self.assertEqual(ticket.stage_id, self.team.stage_ids[1])
        self._answer(ticket, user=self.other_agent)
        self.assertEqual(ticket.user_id, self.agent)

    def test_customer_takes_a_ticket_out_of_hold(self):
        ticket = self._begin()
        hold = self.team.stage_ids[2]
        hold.waits_for_customer = True
        ticket.stage_id = hold
        self.env.cr.flush()
        self._answers(self._first(ticket), "thief@thief.example.com")
        self.assertEqual(ticket.stage_id, hold)
        self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertEqual(ticket.stage_id, self.team.stage_ids[1])
        self.assertFalse(self._sent_to("berta@birch.example.com"))

    # -- F12 -----------------------------------------------------------------

    def test_promised_answer_counts_working_hours(self):
        """desk F12: nights and weekends don't count; the zone has a name"""
        self.customer_b.tz = "Europe/Brussels"
        self.team.resource_calendar_id = self.env["resource.calendar"].create(
            {"name": "Shop", "tz": "Europe/Brussels", "company_id": self.company.id}
        )
        self.team.answer_hours = 4
        # Friday 16:00 in Brussels: an hour is left, three on Monday from 8:00 on.
        moment = fields.Datetime.to_datetime("2026-03-06 15:00:00")
        with self.mock_datetime_and_now(moment):
            ticket = self._receive_from("berta@birch.example.com")
            promise = ticket._describe_promised_answer()
        self.assertIn("3/9/26", promise)
        self.assertIn("11:00", promise)
        self.assertIn("Europe/Brussels", promise)
        self.team.resource_calendar_id.attendance_ids.unlink()
        self.assertTrue(ticket._describe_promised_answer())

    # -- F26 -----------------------------------------------------------------

    def test_letters_without_a_character_set(self):
        """desk F26: web forms and old programs write bare letters"""
        for number, (encoding, declared) in enumerate(
            (
                ("utf-8", "us-ascii"),
                ("utf-8", None),
                ("windows-1252", "utf-8"),
                ("windows-1252", "us-ascii"),
            )
        ):
            kind = f"; charset={declared}" if declared else ""
            mail = (
                f"From: Jörg Müller <jm{number}@bare.example.com>\r\n"
                f"To: {self.address}\r\nSubject: Größe für Stühle\r\n"
                f"Message-Id: <bare{number}@x.example.com>\r\nMIME-Version: 1.0\r\n"
                f"Content-Type: text/plain{kind}\r\n"
                "Content-Transfer-Encoding: 8bit\r\n\r\nÜbergröße – kaputt\r\n"
            ).encode(encoding)
            ticket = self._receive(mail)
            self.assertEqual(ticket.name, "Größe für Stühle")
            self.assertEqual(ticket.partner_name, "Jörg Müller")
            self.assertIn("Übergröße – kaputt", ticket.description)

    # -- F14, F18, F24, F25 --------------------------------------------------

    def test_search_finds_customers_and_strangers(self):
        """desk F14: what is typed into the first field, and Enter"""
        stranger = self._begin("Uwe Unbekannt <uwe@un.example.com>", subject="Stuhl")
        known = self._begin("contact1@alder.example.com", subject="Lamp 4711")
        view = self.env.ref("helpdesk_after_sales.helpdesk_ticket_view_search")
        first = etree.fromstring(view.arch).find("field").get("name")
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        for text, found in (
            ("Unbekannt", stranger),
            ("uwe@un.example.com", stranger),
            ("Stuhl", stranger),
            (f"#{stranger.ticket_ref}", stranger),
            ("Contact 1 of Alder", known),
            ("Alder & Sons", known),
            ("4711", known),
        ):
            got = tickets.search([(first, "ilike", text)])
            self.assertEqual(got & (stranger | known), found.with_user(self.agent))

    def test_privacy_lookup_finds_strangers(self):
        """desk F18: Odoo's lookup asks for this field"""
        ticket = self._begin("Uwe Unbekannt <Uwe@Un.example.com>")
        self.assertEqual(ticket.email_normalized, "uwe@un.example.com")
        if "privacy.lookup.wizard" in self.env:
            wizard = self.env["privacy.lookup.wizard"].create(
                {"name": "Uwe Unbekannt", "email": "uwe@un.example.com"}
            )
            wizard.action_lookup()
            self.assertIn(ticket.id, wizard.line_ids.mapped("res_id"))

    def test_many_tickets_are_closed_at_once(self):
        """desk F24: each in the closed stage of its own team"""
        done = self.env["helpdesk.stage"].create({"name": "Done", "fold": True})
        self.other_team.stage_ids = done
        tickets = self._begin() | self._ticket(team_id=self.other_team.id)
        tickets.stage_id = False
        tickets[0].stage_id = self.team.stage_ids[0]
        self.assertTrue(tickets.with_user(self.agent).action_close())
        self.assertTrue(all(tickets.mapped("close_date")))
        self.assertEqual(tickets[1].stage_id, done)

    def test_technical_fields_are_not_offered(self):
        """desk F25"""
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        described = tickets.fields_get(attributes=["groupable", "aggregator"])
        for name in ("access_token", "color", "use_coupons"):
            self.assertFalse(described[name]["groupable"])
        for name in ("color", "rating_last_value"):
            self.assertFalse(described[name].get("aggregator"))
        self.assertTrue(described["stage_id"]["groupable"])

    # -- F21, F23 ------------------------------------------------------------

    def test_portal_follower_gets_no_button(self):
        """desk F21: the page is the customer's only"""
        guest = self._new_user("after_sales_guest", "base.group_portal")
        ticket = self._begin()
        ticket.message_subscribe(guest.partner_id.ids)
        self._answer(ticket)
        [sent] = self._sent_to(guest.email)
        self.assertNotIn("/mail/view", sent["body"])
        [sent] = self._sent_to("berta@birch.example.com")
        self.assertIn("/mail/view", sent["body"])

    def test_only_who_can_work_is_responsible(self):
        """desk F23"""
        ticket = self._begin()
        with self.assertRaises(ValidationError):
            ticket.user_id = self.stock_user

    def test_who_leaves_gives_tickets_back(self):
        """desk F23"""
        ticket, closed = self._begin(), self._begin()
        self._close(closed)
        self.team.member_ids = self.other_agent
        self.agent.active = False
        self.assertFalse(ticket.user_id)
        self.assertEqual(closed.user_id, self.agent)
        [message] = self._answers(self._first(ticket), "berta@birch.example.com")
        self.assertEqual(self._told(message), self.other_agent.partner_id)
        self.assertFalse(self._sent_to(self.agent.email))
