from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from .common import AGENT
from .test_conversation import COMMENT, HelpdeskConversationCommon


@tagged("post_install", "-at_install")
class TestSideConversation(HelpdeskConversationCommon):
    """A thread with a supplier or a carrier (issue 18 C, desk D5, F3)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.privacy_visibility = "portal"
        cls.portal = cls._new_user(
            "side_portal",
            "base.group_portal",
            partner_id=cls.customer_b.id,
            email="berta@birch.example.com",
        )

    def _talk(self, ticket, partner=None, user=None):
        action = ticket.with_user(user or self.agent).action_begin_conversation()
        conversations = (
            self.env[action["res_model"]]
            .with_user(user or self.agent)
            .with_context(**action["context"])
        )
        values = conversations.default_get(["ticket_id", "name"])
        values["partner_ids"] = [Command.set((partner or self.carrier).ids)]
        values["name"] += "Parcel lost"
        return conversations.create(values)

    def _say(self, conversation, body="Where is it?"):
        with self.mock_mail_gateway():
            message = conversation.message_post(
                body=body, message_type="comment", subtype_xmlid=COMMENT
            )
            self.env.cr.flush()
        return message

    def _reply_to(self, message, sender, **mail):
        return self._receive_from(
            sender,
            In_Reply_To=message.message_id,
            References=message.message_id,
            **{"subject": "Re: Parcel lost"} | mail,
        )

    def test_it_goes_to_the_carrier_only(self):
        """desk D5: neither the customer's page nor their mail shows it"""
        ticket = self._begin("berta@birch.example.com")
        ticket.message_subscribe(partner_ids=self.customer_b.ids)
        conversation = self._talk(ticket)
        message = self._say(conversation)
        self.assertEqual(len(self._sent_to(self.carrier.email)), 1)
        self.assertFalse(self._sent_to("berta@birch.example.com"))
        [sent] = self._sent_to(self.carrier.email)
        self.assertIn(self.address, sent["reply_to"])
        self.assertIn("X-Helpdesk-Origin", sent["headers"])
        made = self._reply_to(message, f"Carrier <{self.carrier.email}>", body="Lost")
        self.assertFalse(made, "no ticket of it")
        self.assertFalse(self._sent_to("berta@birch.example.com"))
        answer = conversation.message_ids[0]
        self.assertIn("Lost", answer.body)
        self.assertEqual(answer.author_id, self.carrier)
        self.assertIn(self.agent.partner_id, answer.notified_partner_ids)
        self.assertTrue(conversation.answer_date)
        self.assertEqual(ticket.last_word, "customer", "they still wait")
        theirs = ticket.with_user(self.portal)
        told = "".join(str(m["body"]) for m in theirs.portal_messages())
        self.assertNotIn("Lost", told)
        self.assertNotIn("Where is it", told)
        with self.assertRaises(AccessError):
            conversation.with_user(self.portal).read(["name"])
        found = self.env["mail.message"].with_user(self.portal).search([])
        self.assertFalse(found & conversation.message_ids.with_user(self.portal))
        for note in ticket.message_ids.filtered(lambda m: "Parcel lost" in m.body):
            self.assertTrue(note.subtype_id.internal)
            self.assertNotIn(self.customer_b, note.notified_partner_ids)

    def test_answers_in_many_ways(self):
        """desk D5: with the number only; by a machine; to a closed or merged ticket"""
        ticket = self._begin("berta@birch.example.com")
        conversation = self._talk(ticket)
        message = self._say(conversation)
        for mail in (
            {"subject": f"Claim #{ticket.ticket_ref}"},
            {"In_Reply_To": message.message_id, "Auto_Submitted": "auto-replied"},
            {"References": f"<x@y.example.com> {message.message_id} <z@y.example.com>"},
        ):
            with self.subTest(mail=mail):
                count = len(conversation.message_ids)
                self.assertFalse(self._receive_from(self.carrier.email, **mail))
                self.assertEqual(len(conversation.message_ids), count + 1)
        self._close(ticket)
        self.assertFalse(self._reply_to(message, self.carrier.email))
        self.assertTrue(ticket.close_date, "the carrier opens nothing")
        target = self._begin("berta@birch.example.com")
        ticket._merge_into(target)
        self.assertEqual(conversation.ticket_id, target)
        self.assertFalse(self._reply_to(message, self.carrier.email))

    def test_nobody_of_the_team_misses_it(self):
        """desk D5: an unassigned ticket: its team hears"""
        ticket = self._begin("berta@birch.example.com")
        conversation = self._talk(ticket, user=self.other_agent)
        message = self._say(conversation)
        ticket.user_id = False
        conversation.message_unsubscribe(conversation.message_partner_ids.ids)
        self._reply_to(message, self.carrier.email)
        told = ticket.message_ids.notified_partner_ids
        self.assertIn(self.agent.partner_id, told)

    def test_a_stranger_who_knows_a_message_id(self):
        """T22: what is written is kept as what it is, and reaches colleagues only"""
        ticket = self._begin("berta@birch.example.com")
        conversation = self._talk(ticket)
        message = self._say(conversation)
        self._reply_to(message, "thief@thief.example.com")
        [answer] = conversation.message_ids.filtered(
            lambda m: m.message_type == "email"
        )
        self.assertFalse(answer.author_id)
        self.assertFalse(self._sent_to("berta@birch.example.com"))
        self.assertNotIn("thief", str(conversation.partner_ids.mapped("email")))
        made = self._receive_from(
            "thief@thief.example.com", subject=f"#{ticket.ticket_ref}"
        )
        self.assertEqual(len(made), 1)

    def test_the_customer_is_no_third_party(self):
        """desk F3: nor one of the same company, nor who is in copy"""
        ticket = self._begin("contact1@alder.example.com")
        for partner in (self.contact_a1, self.contact_a2, self.customer_a):
            with self.assertRaises(ValidationError):
                self._talk(ticket, partner)
        conversation = self._talk(ticket)
        with self.assertRaises(ValidationError):
            conversation.partner_ids = self.contact_a2

    def test_rights(self):
        """T28: of visible tickets, for agents"""
        ticket = self._begin("berta@birch.example.com")
        conversation = self._talk(ticket)
        hidden = self.env["helpdesk.team"].create(
            {"name": "Hidden", "privacy_visibility": "invited_internal"}
        )
        secret = self._ticket(self.customer_b, team_id=hidden.id)
        for user in (self.employee, self.seller, self.portal):
            with self.assertRaises(AccessError):
                conversation.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                ticket.with_user(user).action_begin_conversation()
        stranger = self._new_user("side_agent", AGENT)
        with self.assertRaises(AccessError):
            self._talk(secret, user=stranger)
        with self.assertRaises(AccessError):
            conversation.with_user(stranger).ticket_id = secret
        ticket.with_user(self.manager).unlink()
        self.assertFalse(conversation.exists())

    def test_t22_a_message_id_opens_it_to_nobody_else(self):
        """The customer's words never go where the customer can't see the answer; and
        the team of another company has nothing to do with it."""
        ticket = self._begin("berta@birch.example.com")
        message = self._say(self._talk(ticket))
        conversation = self.env[message.model].browse(message.res_id)
        made = self._reply_to(message, "berta@birch.example.com", body="And now?")
        said = "".join(str(m.body) for m in (ticket | made).message_ids)
        self.assertIn("And now?", said + "".join(made.mapped("description")))
        company = self.env["res.company"].create({"name": "Other shop"})
        other = self.team.sudo().copy({"name": "Other", "company_id": company.id})
        other.alias_name = "side-other-shop"
        self._reply_to(
            message,
            f"Carrier <{self.carrier.email}>",
            body="Lost there",
            to=other.alias_email,
        )
        told = "".join(str(m.body) for m in conversation.message_ids)
        self.assertNotIn("And now?", told)
        self.assertNotIn("Lost there", told)
