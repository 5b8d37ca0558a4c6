import json

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import AGENT
from .test_conversation import COMMENT, NOTE, HelpdeskConversationCommon


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
        for model, name in (
            ("helpdesk.ticket", "user_id"),
            ("helpdesk.team", "member_ids"),
            ("helpdesk.macro", "user_id"),
        ):
            field = self.env[model].fields_get([name])[name]
            offered = self.env["res.users"].search(
                safe_eval(field["domain"], {"company_id": self.company.id})
            )
            self.assertIn(self.agent, offered)
            self.assertNotIn(self.stock_user, offered)

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

    def test_who_may_work_no_more_gives_tickets_back(self):
        """issue 18 C: without the right, or the company; whatever was changed"""
        agents = self.env.ref(AGENT)
        elsewhere = self.env["res.company"].create({"name": "Far away"})
        for leave in (
            lambda: self.agent.write({"group_ids": [Command.unlink(agents.id)]}),
            lambda: agents.write({"user_ids": [Command.unlink(self.agent.id)]}),
            lambda: self.agent.write(
                {
                    "company_id": elsewhere.id,
                    "company_ids": [Command.set(elsewhere.ids)],
                }
            ),
        ):
            self.agent.write(
                {
                    "group_ids": [Command.link(agents.id)],
                    "company_ids": [Command.link(self.company.id)],
                }
            )
            ticket = self._ticket(user_id=self.agent.id)
            leave()
            self.assertFalse(ticket.user_id)

    # -- New tickets ---------------------------------------------------------

    def _heard(self, ticket):
        """Return who was told that a ticket is new, as ``{partner: how}``."""
        notifications = self.env["mail.notification"].search(
            [
                ("mail_message_id", "in", ticket.message_ids.ids),
                ("mail_message_id.subtype_id", "=", ticket._creation_subtype().id),
            ]
        )
        colleagues = notifications.filtered(
            lambda n: n.res_partner_id and not n.res_partner_id.partner_share
        )
        self.assertEqual(len(colleagues), len(colleagues.res_partner_id))
        return {n.res_partner_id: n.notification_type for n in colleagues}

    def test_members_hear_of_new_tickets(self):
        """issue 18 B: as they want to be told, once, also who follows the team"""
        agent, other = self.agent.partner_id, self.other_agent.partner_id
        self.team.tell_members = True
        self.other_agent.notification_type = "inbox"
        self.env["res.lang"]._activate_lang("fr_FR")
        self.agent.lang = "fr_FR"
        # The employee has no right to Helpdesk, and could open nothing.
        self.team.member_ids = self.agent | self.other_agent | self.employee
        self.team.message_subscribe(self.agent.partner_id.ids)
        self.team.message_subscribe(self.manager.partner_id.ids)
        ticket = self._receive_from("uwe@un.example.com", subject="Wobbly chair")
        self.assertEqual(
            self._heard(ticket),
            {agent: "email", other: "inbox", self.manager.partner_id: "email"},
        )
        [mail] = self._sent_to(self.agent.email)
        self.assertIn("/mail/view", mail["body"])
        # Who is told follows nothing, and the customer doesn't read who was.
        self.assertNotIn(other, ticket.message_partner_ids)
        self.assertFalse(self._first(ticket).partner_ids)
        self.team.message_unsubscribe((agent | self.manager.partner_id).ids)

        made = self.env["helpdesk.ticket"].with_user(self.agent)
        made = made.create({"name": "Called us", "team_id": self.team.id})
        self.assertEqual(self._heard(made), {other: "inbox"})
        self.env["helpdesk.blocked.sender"].create(
            {"email": "spam@un.example.com", "company_id": self.company.id}
        )
        for quiet in (
            self._receive_from("spam@un.example.com"),
            made.sudo().copy({"user_id": self.other_agent.id, "active": False}),
            ticket.with_user(self.manager).browse(
                ticket.with_user(self.manager).action_split(
                    self._answers(self._first(ticket), "uwe@un.example.com").id
                )["res_id"]
            ),
        ):
            self.assertFalse(self._heard(quiet.sudo()), quiet.display_name)
        self.team.auto_assignment = True
        taken = self._receive_from("uwe@un.example.com")
        self.assertTrue(taken.user_id)
        self.assertFalse(self._heard(taken))
        self.team.write({"auto_assignment": False, "tell_members": False})
        self.assertFalse(self._heard(self._receive_from("uwe@un.example.com")))

    def test_members_are_told_by_a_fixed_number_of_queries(self):
        """issue 18 B; members without the right to Helpdesk get no tickets"""
        self.assertTrue(self.other_team.tell_members, "on by default")
        self.team.tell_members = True
        self.team.auto_assignment = True
        self.team.member_ids = self.employee
        self.assertFalse(self._receive_from("uwe@un.example.com").user_id)
        self.team.auto_assignment = False
        members = self._new_users(
            {f"after_sales_member{number}": AGENT for number in range(4)},
            notification_type="inbox",
        )
        counts = []
        for number in (1, 4):
            self.team.member_ids = members[:number]
            self._ticket(team_id=self.team.id)  # caches of users and teams
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            ticket = self._ticket(team_id=self.team.id)
            self.env.cr.flush()
            counts.append(self.cr.sql_log_count - before)
            self.assertEqual(len(self._heard(ticket)), number)
        self.assertLessEqual(counts[1], counts[0])

    # -- Who else is here ----------------------------------------------------

    def test_f17_presence_is_told_to_who_may_read_the_ticket(self):
        """desk F17, X30"""
        self.team.privacy_visibility = "invited_internal"
        customer = self._new_user("after_sales_guest", "base.group_portal")
        ticket = self._ticket(customer.partner_id)
        ticket.message_subscribe(customer.partner_id.ids)
        asked = [f"helpdesk.ticket_{ticket.id}", "helpdesk.ticket_0", "other"]
        for user, heard in (
            (self.agent, [ticket]),
            (self.manager, [ticket]),
            (self.other_agent, []),
            (self.employee, []),
            (customer, []),
            (self.env.ref("base.public_user"), []),
        ):
            bus = self.env["ir.websocket"].with_user(user)
            self.assertEqual(
                bus._open_ticket_channels(asked), ["other", *heard], user.login
            )
            if not heard:
                with self.assertRaises(AccessError):
                    ticket.with_user(user).notify_presence("here")
        with self.assertRaises(UserError):
            ticket.with_user(self.agent).notify_presence("away")
        ticket.with_user(self.agent).notify_presence("answering")
        [told] = self.env.cr.precommit.data["bus.bus.values"]
        self.assertEqual(
            json.loads(told["channel"]), [self.cr.dbname, ticket._name, ticket.id]
        )
        said = json.loads(told["message"])["payload"]
        self.assertEqual(
            (said["partner_id"], said["state"]),
            (self.agent.partner_id.id, "answering"),
        )

    def test_messages_are_looked_for_only_where_a_merge_could_miss_them(self):
        """issue 18, proof: what an answer costs"""
        ticket = self._begin()
        key = "helpdesk_late_messages"
        data = self.env.cr.postcommit.data
        self.assertNotIn(key, data)
        self._answer(ticket)
        self.assertNotIn(key, data)
        note = {"body": "Ask Bea", "message_type": "comment", "subtype_xmlid": NOTE}
        ticket.with_user(self.agent).message_post(**note)
        self.assertNotIn(key, data, "this transaction has written on the ticket")
        data.clear()
        ticket.with_user(self.agent).message_post(**note)
        self.assertIn(ticket.id, data[key])
