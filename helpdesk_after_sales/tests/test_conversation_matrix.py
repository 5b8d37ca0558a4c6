from itertools import product

from odoo.tests import tagged

from .test_conversation import COMMENT, NOTE, HelpdeskConversationCommon
from .test_portal import HelpdeskPortalCommon

PEOPLE = {
    "known": "berta@birch.example.com",
    "unknown": "anna@aa.example.com",
    "copy": "carl@cedar.example.com",
    "third": "claims@carrier.example.com",
}
REPLIES = ("own first mail", "answer", "note", "acknowledgement")
STATES = ("open", "closed", "archived", "merged")


class ConversationMatrixCommon(HelpdeskConversationCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in (
            "mail.gateway.loop.threshold",
            "helpdesk_after_sales.acknowledge_per_address",
        ):
            cls.env["ir.config_parameter"].set_param(name, 1000)

    def _messages(self, person):
        """Return a ticket that this person writes in, and what may be answered."""
        sender = PEOPLE["unknown" if person == "unknown" else "known"]
        ticket = self._begin(sender, Cc=PEOPLE["copy"])
        [received] = ticket.message_ids.filtered(
            lambda message: message.message_type == "auto_comment"
        )
        agent = ticket.with_user(self.agent)
        return ticket, {
            "own first mail": self._first(ticket),
            "acknowledgement": received,
            "answer": self._answer(ticket),
            "note": agent.message_post(
                body="Ask the carrier",
                subtype_xmlid=NOTE,
                partner_ids=self.carrier.ids,
            ),
        }

    def _put(self, ticket, state):
        """Bring a ticket into this state; returns where its messages are then."""
        target = ticket
        if state == "closed":
            self._close(ticket)
        elif state == "archived":
            self._close(ticket)
            ticket.active = False
        elif state == "merged":
            target = self._ticket(
                ticket.partner_id,
                partner_email=ticket.partner_email,
                email_cc=ticket.email_cc,
                user_id=self.agent.id,
            )
            ticket.with_user(self.agent)._merge_into(target)
        self.env.cr.flush()
        return target

    def _try_mails(self, cases):
        for person, reply, state in cases:
            with self.subTest(person=person, reply=reply, state=state):
                ticket, messages = self._messages(person)
                target = self._put(ticket, state)
                [message] = self._answers(messages[reply], PEOPLE[person])
                self.assertEqual(message.res_id, target.id)
                side = person != "third"
                hidden = reply == "note" and not side
                self.assertEqual(self._subtype(message), NOTE if hidden else COMMENT)
                self.assertIn(self.agent.partner_id, self._told(message))
                self.assertFalse(self._sent_to(PEOPLE[person]), "their own words")
                if not side:
                    self.assertNotIn(self.customer_b, self._told(message))
                opened = side or state in ("open", "merged")
                self.assertEqual(not target.close_date, opened)
                self.assertEqual(target.active, side or state != "archived")
                shown = [entry["id"] for entry in target.portal_messages()]
                self.assertEqual(message.id in shown, not hidden)


@tagged("post_install", "-at_install")
class TestConversationMatrix(ConversationMatrixCommon):
    """Who is told, what opens again, what the page shows (issue 18 A)."""

    def test_mail(self):
        """Each two of person, reply and state meet once"""
        self._try_mails(
            (person, reply, STATES[(first + second) % len(STATES)])
            for first, person in enumerate(PEOPLE)
            for second, reply in enumerate(REPLIES)
        )

    def test_first_mail(self):
        for person, state in product(PEOPLE, STATES):
            with self.subTest(person=person, state=state):
                ticket, _messages = self._messages(person)
                target = self._put(ticket, state)
                before = target.read(["stage_id", "active"])
                made = self._receive_from(PEOPLE[person])
                self.assertEqual(len(made), 1)
                self.assertTrue(made.description)
                self.assertEqual(target.read(["stage_id", "active"]), before)

    def test_nobody_of_the_shop_follows(self):
        """Whoever writes, somebody hears of it"""
        for person, state in product(PEOPLE, STATES):
            with self.subTest(person=person, state=state):
                ticket, messages = self._messages(person)
                target = self._put(ticket, state)
                target.user_id = False
                target.message_unsubscribe(target.message_partner_ids.ids)
                [message] = self._answers(messages["answer"], PEOPLE[person])
                self.assertTrue(
                    self._told(message).user_ids.filtered(lambda u: not u.share)
                )


@tagged("post_install", "-at_install")
class TestConversationWeb(ConversationMatrixCommon, HelpdeskPortalCommon):
    """The web client and the customer's page."""

    def _send(self, ticket, recipients, **data):
        """Send an answer as the web client does."""
        with self.mock_mail_gateway():
            result = self._rpc(
                "/mail/message/post",
                thread_model=ticket._name,
                thread_id=ticket.id,
                post_data={
                    "body": "<p>Here you are</p>",
                    "message_type": "comment",
                    "subtype_xmlid": COMMENT,
                    "partner_ids": [
                        info["partner_id"] for info in recipients if info["partner_id"]
                    ],
                    "partner_emails": [
                        info["email"] for info in recipients if not info["partner_id"]
                    ],
                }
                | data,
            )
            self.env.cr.flush()
        return result

    def test_agent_answers_everybody(self):
        """desk F2, F3: an agent with Helpdesk rights only"""
        self.assertFalse(self.agent.has_group("base.group_partner_manager"))
        self._login(self.agent)
        for person, state in product(PEOPLE, STATES):
            with self.subTest(person=person, state=state):
                ticket, messages = self._messages(person)
                target = self._put(ticket, state)
                [message] = self._answers(messages["answer"], PEOPLE[person])
                recipients = target.with_user(
                    self.agent
                )._message_get_suggested_recipients(
                    reply_message=message.with_user(self.agent)
                )
                result = self._send(target, recipients)
                self.assertIn("message_id", result)
                self.assertEqual(len(self._sent_to(PEOPLE[person])), 1)
                posted = self.env["mail.message"].browse(result["message_id"])
                shown = [entry["id"] for entry in target.portal_messages()]
                # What isn't for the customer isn't on their page.
                self.assertEqual(posted.id in shown, person != "third")
                if person == "third":
                    self.assertFalse(self._sent_to(PEOPLE["known"]))
                if person == "unknown":
                    self.assertEqual(target.partner_id.email, PEOPLE[person])

    def test_what_reaches_nobody_is_refused(self):
        self._login(self.agent)
        ticket = self._begin("anna@aa.example.com")
        messages = ticket.message_ids
        new = [{"partner_id": False, "email": "new@nowhere.example.com"}]
        self.assertEqual(self._send(ticket, new), "odoo.exceptions.UserError")
        ticket.invalidate_recordset()
        self.assertEqual(ticket.message_ids, messages)
        found = self._rpc(
            "/mail/partner/from_email",
            thread_model=ticket._name,
            thread_id=ticket.id,
            emails=["anna@aa.example.com"],
        )
        self.assertEqual(found[0]["email"], "anna@aa.example.com")

    def test_customers_write_on_their_page(self):
        for person, state in product(("known", "unknown"), STATES):
            with self.subTest(person=person, state=state):
                self.authenticate(None, None)
                ticket, _messages = self._messages(person)
                target = self._put(ticket, state)
                with self.mock_mail_gateway():
                    result = self._rpc(
                        "/mail/message/post",
                        thread_model=ticket._name,
                        thread_id=ticket.id,  # a page that was left open
                        token=ticket.access_token,
                        post_data={
                            "body": "<p>Still broken</p>",
                            "message_type": "comment",
                            "subtype_xmlid": COMMENT,
                        },
                    )
                    self.env.cr.flush()
                self.assertIn("message_id", result)
                message = self.env["mail.message"].browse(result["message_id"])
                self.assertEqual(message.res_id, target.id)
                self.assertEqual(self._subtype(message), COMMENT)
                self.assertIn(self.agent.partner_id, self._told(message))
                self.assertFalse(target.close_date)
                self.assertTrue(target.active)
                if person == "unknown":
                    self.assertFalse(message.author_id)
                    self.assertIn(PEOPLE[person], message.email_from)
                page = self._rpc(
                    "/mail/chatter_fetch",
                    thread_model=target._name,
                    thread_id=target.id,
                    token=target.access_token,
                )
                [shown] = [
                    entry
                    for entry in page["data"]["mail.message"]
                    if entry["id"] == message.id
                ]
                if person == "unknown":
                    self.assertFalse(shown["author_id"])
                    self.assertTrue(shown["email_from"])
                    self.assertNotIn("@", shown["email_from"])

    def test_tour_an_agents_day(self):
        """desk F17, C: who answers second is told before anything is sent; macro, side
        conversation, split, spam; answered and closed by three clicks"""
        # Before all others of the team, one after the other.
        ticket = self._ticket(self.customer_b, priority="3")
        matter = ticket.message_post(
            body="Where is my invoice?",
            message_type="comment",
            subtype_xmlid=COMMENT,
            author_id=self.customer_b.id,
        )
        self.env["helpdesk.macro"].create(
            {"name": "Ask for a photo", "body": "<p>A photo of the damage, please</p>"}
        )
        spam = self._ticket(
            name="You have won",
            priority="3",
            partner_name="Lucky",
            partner_email="win@spam.example.com",
        )
        self.start_tour(
            "/odoo/helpdesk",
            "helpdesk_agents_day",
            login=self.agent.login,
        )
        bodies = "".join(ticket.message_ids.mapped("body"))
        self.assertEqual(bodies.count("Please send a picture."), 1)
        split = self.env["helpdesk.ticket"].browse(matter.res_id)
        self.assertNotEqual(split, ticket)
        self.assertTrue(ticket.close_date and split.close_date)
        self.assertEqual(ticket.user_id, self.agent)
        self.assertEqual(ticket.conversation_ids.partner_ids, self.carrier)
        self.assertTrue(spam.spam_date)
