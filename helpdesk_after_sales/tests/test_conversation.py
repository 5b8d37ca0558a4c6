from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form, tagged

from .test_mail_gateway import HelpdeskMailCommon

COMMENT, NOTE = "mail.mt_comment", "mail.mt_note"


class HelpdeskConversationCommon(HelpdeskMailCommon):
    """A conversation by mail: every mail has the Message-ID of the one it answers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.carrier = cls.env["res.partner"].create(
            {"name": "Carrier", "email": "claims@carrier.example.com"}
        )

    def _begin(self, sender="Berta Birch <berta@birch.example.com>", **mail):
        """Return a ticket of a mail, whose agent is ``agent``."""
        ticket = self._receive_from(sender, **mail)
        ticket.user_id = self.agent
        self.env.cr.flush()
        return ticket

    def _first(self, ticket):
        return ticket.message_ids.filtered(lambda m: m.message_type == "email")[-1:]

    def _answers(self, message, sender, **mail):
        """Return the messages that a mail that answers ``message`` becomes."""
        before = self.env["mail.message"].search([], order="id desc", limit=1)
        self._receive_from(
            sender,
            In_Reply_To=message.message_id,
            References=message.message_id,
            subject="Re: Help",
            **mail,
        )
        return self.env["mail.message"].search(
            [("id", ">", before.id), ("model", "=", "helpdesk.ticket")]
            + [("message_type", "=", "email")]
        )

    def _subtype(self, message):
        return message.subtype_id.get_external_id()[message.subtype_id.id]

    def _told(self, message):
        return message.notified_partner_ids

    def _answer(self, ticket, user=None, **values):
        """Return what an agent sends to whom the form proposes."""
        proposed = ticket.with_user(
            user or self.agent
        )._message_get_suggested_recipients(reply_discussion=True)
        partners = [info["partner_id"] for info in proposed if info["partner_id"]]
        with self.mock_mail_gateway():
            message = ticket.with_user(user or self.agent).message_post(
                **{
                    "body": "Please tell us more",
                    "message_type": "comment",
                    "subtype_xmlid": COMMENT,
                    "partner_ids": partners,
                }
                | values
            )
            self.env.cr.flush()
        return message


@tagged("post_install", "-at_install")
class TestConversation(HelpdeskConversationCommon):
    """Nobody's words are lost (issue 18 A, desk F1 to F27)."""

    # -- F1 ------------------------------------------------------------------

    def test_reply_to_the_own_first_mail(self):
        """desk F1: an answer, told to the agent; the ticket opens; the page shows it"""
        for sender in ("berta@birch.example.com", "anna@aa.example.com"):
            with self.subTest(sender=sender):
                ticket = self._begin(sender)
                self._close(ticket)
                [message] = self._answers(self._first(ticket), sender)
                self.assertEqual(self._subtype(message), COMMENT)
                self.assertFalse(message.is_internal)
                self.assertIn(self.agent.partner_id, self._told(message))
                self.assertFalse(ticket.close_date)
                shown = ticket.portal_messages()
                self.assertIn(message.id, [entry["id"] for entry in shown])

    def test_colleague_in_copy_answers_to_all(self):
        """desk F1"""
        ticket = self._begin(Cc="carl@birch.example.com")
        self._close(ticket)
        [message] = self._answers(
            self._first(ticket), "carl@birch.example.com", Cc="berta@birch.example.com"
        )
        self.assertEqual(self._subtype(message), COMMENT)
        self.assertIn(self.agent.partner_id, self._told(message))
        self.assertFalse(ticket.close_date)

    def test_agent_answers_the_first_mail_from_a_mail_program(self):
        """desk F1, F4: the customer gets it, contact or not, and sees it"""
        for sender in ("berta@birch.example.com", "anna@aa.example.com"):
            with self.subTest(sender=sender):
                ticket = self._begin(sender)
                [message] = self._answers(self._first(ticket), self.agent.email)
                self.assertEqual(self._subtype(message), COMMENT)
                self.assertEqual(len(self._sent_to(sender)), 1)

    def test_agent_answers_a_later_mail_from_a_mail_program(self):
        """desk F4"""
        for sender in ("berta@birch.example.com", "anna@aa.example.com"):
            ticket = self._begin(sender)
            [question] = self._answers(self._first(ticket), sender)
            self._answers(question, self.agent.email)
            self.assertEqual(len(self._sent_to(sender)), 1)

    def test_note_is_answered_by_a_note(self):
        ticket = self._begin()
        note = ticket.with_user(self.other_agent).message_post(
            body="Who takes it?",
            subtype_xmlid=NOTE,
            partner_ids=self.agent.partner_id.ids,
        )
        [message] = self._answers(note, self.agent.email)
        self.assertEqual(self._subtype(message), NOTE)
        self.assertEqual(self._told(message), self.other_agent.partner_id)
        self.assertFalse(self._sent_to("berta@birch.example.com"))
        # What the customer writes is never hidden from them.
        [message] = self._answers(note, "berta@birch.example.com")
        self.assertEqual(self._subtype(message), COMMENT)
        self.assertIn(self.agent.partner_id, self._told(message))

    def test_answer_that_nobody_would_get_is_told_to_its_writer(self):
        """The mail "You have been assigned" comes from nobody"""
        ticket = self._begin()
        notice = self.env["mail.message"].search(
            [("model", "=", ticket._name), ("res_id", "=", ticket.id)]
            + [("message_type", "=", "user_notification")],
            limit=1,
        )
        self.assertTrue(notice)
        [message] = self._answers(notice, self.agent.email)
        self.assertEqual(self._subtype(message), NOTE)
        self.assertFalse(self._sent_to("berta@birch.example.com"))
        self.assertTrue(self._sent_to(self.agent.email))

    def test_unassigned_ticket_tells_its_team(self):
        for sender in ("berta@birch.example.com", "anna@aa.example.com"):
            ticket = self._receive_from(sender)
            ticket.message_unsubscribe(ticket.message_partner_ids.ids)
            [message] = self._answers(self._first(ticket), sender)
            self.assertEqual(
                self._told(message) & self.agent.partner_id, self.agent.partner_id
            )

    # -- F2, F15 -------------------------------------------------------------

    def test_contact_is_made_of_whom_the_agent_answers(self):
        """desk F2, F15: with Helpdesk rights only, under the name that they gave"""
        ticket = self._begin("Uwe Unbekannt <uwe@un.example.com>")
        agent = ticket.with_user(self.agent)
        [proposed] = agent._message_get_suggested_recipients(reply_discussion=True)
        self.assertEqual(proposed["email"], "uwe@un.example.com")
        contact = agent._make_contacts(["uwe@un.example.com"])
        self.assertEqual(contact.name, "Uwe Unbekannt")
        self.assertFalse(ticket.partner_id)
        self._answer(ticket, partner_ids=contact.ids)
        self.assertEqual(ticket.partner_id, contact)
        self.assertEqual(len(self._sent_to("uwe@un.example.com")), 1)

    def test_no_contact_of_somebody_who_never_wrote(self):
        ticket = self._begin("uwe@un.example.com", Cc="Eva <eva@un.example.com>")
        agent = ticket.with_user(self.agent)
        self.assertEqual(agent._make_contacts(["eva@un.example.com"]).name, "Eva")
        self.assertFalse(agent._make_contacts(["new@nowhere.example.com"]))

    def test_agent_makes_a_contact(self):
        """desk F2"""
        ticket = self._begin("Uwe Unbekannt <uwe@un.example.com>")
        self.assertTrue(ticket.with_user(self.agent).action_create_partner())
        self.assertEqual(ticket.partner_id.name, "Uwe Unbekannt")
        self.assertEqual(ticket.partner_id.email, "uwe@un.example.com")

    # -- F3 ------------------------------------------------------------------

    def test_reply_all_answers_whoever_wrote(self):
        """desk F3"""
        ticket = self._begin()
        question = self._answer(ticket, partner_ids=self.carrier.ids)
        for sender in (self.carrier.email, "lost@carrier2.example.com"):
            [message] = self._answers(question, sender, body="<p>20 EUR</p>")
            agent = ticket.with_user(self.agent)
            proposed = agent._message_get_suggested_recipients(
                reply_message=message.with_user(self.agent)
            )
            self.assertEqual([info["email"] for info in proposed], [sender])
            # Without choosing it the customer is answered.
            proposed = agent._message_get_suggested_recipients(reply_discussion=True)
            self.assertEqual(
                [info["partner_id"] for info in proposed], self.customer_b.ids
            )

    def test_what_is_said_to_others_is_not_for_the_customer(self):
        """desk F3: neither the question to a carrier, nor what comes back, by any way;
        the customer still waits"""
        ticket = self._begin()
        since = ticket.waiting_since

        def shown():
            return [entry["id"] for entry in ticket.portal_messages()]

        before = shown()
        question = self._answer(ticket, partner_ids=self.carrier.ids)
        self.assertEqual(self._subtype(question), COMMENT)
        [answer] = self._answers(question, self.carrier.email, body="<p>20 EUR</p>")
        self.assertIn(self.agent.partner_id, self._told(answer))
        [back] = self._answers(answer, self.agent.email)
        self.assertEqual(len(self._sent_to(self.carrier.email)), 1)
        address = self._answer(
            ticket, partner_ids=[], outgoing_email_to="lost@carrier2.example.com"
        )
        self.assertEqual(shown(), before)
        self.assertEqual((ticket.last_word, ticket.waiting_since), ("customer", since))
        portal = self._new_user(
            "after_sales_portal_b",
            "base.group_portal",
            partner_id=self.customer_b.id,
            email=self.customer_b.email,
        )
        messages = question | answer | back | address
        found = messages.with_user(portal).search([("id", "in", messages.ids)])
        self.assertFalse(found)
        # What is for the customer, too, is on the page.
        both = self._answer(ticket, partner_ids=(self.carrier | self.customer_b).ids)
        self.assertEqual(shown(), [both.id, *before])
        self.assertEqual(ticket.last_word, "us")

    # -- F5, T18, rights hole 12 ---------------------------------------------

    def test_reply_through_a_group_reopens(self):
        """desk F5, T18"""
        ticket = self._begin()
        for headers in (
            {"List_Id": "<support.shop.example.com>", "Precedence": "list"},
            {"Precedence": "list"},
            {"List_Id": "<x.example.com>", "Precedence": "bulk"},
        ):
            self._close(ticket)
            self._answers(self._first(ticket), "berta@birch.example.com", **headers)
            self.assertFalse(ticket.close_date, headers)

    def test_own_group_is_acknowledged(self):
        """desk F5: the team says which group is its own"""
        headers = {"List_Id": "<support.shop.example.com>", "Precedence": "list"}
        for known in (False, True):
            self.team.relay_addresses = known and "support@shop.example.com"
            ticket = self._receive_from(
                f"g{known}@group.example.com",
                to="support@shop.example.com",
                Delivered_To=self.address,
                **headers,
            )
            self.assertEqual(bool(ticket.acknowledge_date), known)
            self.assertFalse(ticket.is_automatic_mail)

    def test_only_the_customer_opens_a_ticket_again(self):
        """rights hole 12"""
        ticket = self._begin()
        self._close(ticket)
        for sender in (
            "thief@thief.example.com",
            "contact1@alder.example.com",
            self.agent.email,
        ):
            [message] = self._answers(self._first(ticket), sender)
            self.assertTrue(ticket.close_date)
            if sender != self.agent.email:
                self.assertIn(self.agent.partner_id, self._told(message))
                self.assertNotIn(self.customer_b, self._told(message))

    def test_a_forged_reply_brings_nobody_in(self):
        """rights hole 12"""
        self.team.follow_carbon_copy = True
        ticket = self._begin()
        for sender in ("berta@birch.example.com", self.agent.email):
            self._answers(
                self._first(ticket),
                sender,
                Cc="contact1@alder.example.com, evil@evil.example.com",
            )
            self.assertNotIn(self.contact_a1, ticket.message_partner_ids)
            self.assertFalse(ticket.email_cc)
            proposed = ticket._message_get_suggested_recipients(reply_discussion=True)
            self.assertLessEqual(
                {info["email"] for info in proposed},
                {"berta@birch.example.com", self.agent.email},
            )

    # -- F7, F27 -------------------------------------------------------------

    def test_archived_ticket_comes_back(self):
        """desk F7"""
        for closed in (False, True):
            ticket = self._begin()
            first = self._first(ticket)
            if closed:
                self._close(ticket)
            ticket.active = False
            self._answers(first, "thief@thief.example.com")
            self.assertFalse(ticket.active)
            self._answers(
                first, "berta@birch.example.com", Auto_Submitted="auto-replied"
            )
            self.assertFalse(ticket.active)
            [message] = self._answers(first, "berta@birch.example.com")
            self.assertTrue(ticket.active)
            self.assertFalse(ticket.close_date)
            self.assertIn(self.agent.partner_id, self._told(message))

    def test_merged_ticket_stays_archived_and_hands_its_mail_on(self):
        """desk F27"""
        kept, gone = self._begin(), self._begin()
        notice = gone.with_user(self.agent).message_notify(
            body="Look",
            partner_ids=self.customer_b.ids,
            model=gone._name,
            res_id=gone.id,
        )
        gone.with_user(self.agent)._merge_into(kept)
        self.env.cr.flush()
        with self.assertRaises(ValidationError):
            gone.with_user(self.agent).active = True
        gone.invalidate_recordset()
        [message] = self._answers(notice, "berta@birch.example.com")
        self.assertEqual(message.res_id, kept.id)

    # -- F6 ------------------------------------------------------------------

    def test_strangers_are_merged_by_name_only(self):
        """desk F6"""
        anna = self._begin("Anna <anna@aa.example.com>")
        bob = self._begin("Bob <bob@bb.example.com>")
        action = (anna | bob).with_user(self.agent).action_merge()
        wizard = Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )
        for address in ("anna@aa.example.com", "bob@bb.example.com"):
            self.assertIn(address, wizard.other_people)
        with self.assertRaises(UserError):
            (anna | bob)[0].with_user(self.agent)._merge_into(bob)
        wizard.people_confirmed = True
        wizard.save().action_merge()
        self.assertIn("bob@bb.example.com", anna.email_cc)
        proposed = anna._message_get_suggested_recipients(reply_discussion=True)
        self.assertLessEqual(
            {"anna@aa.example.com", "bob@bb.example.com"},
            {info["email"] for info in proposed},
        )

    def test_a_stranger_with_the_address_of_the_customer_is_merged(self):
        known = self._begin()
        stranger = self._ticket(partner_email="berta@birch.example.com")
        stranger.with_user(self.agent)._merge_into(known)
        self.assertEqual(stranger.merged_into_id, known)
        other = self._ticket(partner_email="someone@else.example.com")
        with self.assertRaises(UserError):
            other.with_user(self.agent)._merge_into(known)

    # -- F8 ------------------------------------------------------------------

    def test_address_of_the_sender_is_kept(self):
        """desk F8"""
        contacts = self.env["res.partner"].create(
            [
                {"name": "Uwe Kunde", "phone": "+32 2 290 34 91"},
                {"name": "Uwe Alt", "email": "old@un.example.com"},
            ]
        )
        for contact in contacts:
            ticket = self._begin("Uwe <uwe3@un.example.com>")
            with Form(ticket.with_user(self.agent)) as form:
                form.partner_id = contact
            self.assertEqual(ticket.partner_email, "uwe3@un.example.com")
            proposed = ticket._message_get_suggested_recipients(reply_discussion=True)
            self.assertIn("uwe3@un.example.com", [info["email"] for info in proposed])
            # Where the contact had no address, it is theirs now.
            self.assertEqual(
                contact.email,
                contact == contacts[1]
                and "old@un.example.com"
                or "uwe3@un.example.com",
            )
            ticket.partner_id = self.customer_b
            self.assertEqual(ticket.partner_email, self.customer_b.email)
            contact.email = "old@un.example.com"

    # -- F9 ------------------------------------------------------------------

    def test_mailbox_that_is_an_alias_of_another_application(self):
        """desk F9"""
        self.env["mail.alias"].create(
            {
                "alias_name": "sales-desk",
                "alias_domain_id": self.domain.id,
                "alias_model_id": self.env["ir.model"]._get_id("res.partner"),
            }
        )
        sender = f"sales-desk@{self.domain.name}"
        ticket = self._receive_from(sender)
        self.assertTrue(ticket)
        self.assertFalse(self._sent_to(sender), "it would come back as something else")
        self.assertFalse(self._receive_from(sender, Auto_Submitted="auto-replied"))

    # -- F10 -----------------------------------------------------------------

    def test_contact_form_speaks_for_customers(self):
        """desk F10"""
        form = "noreply@webshop.example.com"
        self.env["res.partner"].create({"name": "Shop", "email": form})
        self.team.relay_addresses = f"other@x.example.com, {form}"
        ticket = self._receive_from(
            f"Webshop <{form}>", Reply_To="Berta <berta@birch.example.com>"
        )
        self.assertEqual(ticket.partner_id, self.customer_b)
        self.assertEqual(len(self._sent_to("berta@birch.example.com")), 1)
        self.assertEqual(self._first(ticket).author_id, self.customer_b)
        made = self.env["helpdesk.ticket"]
        for number in range(25):
            made |= self._receive_from(
                form, Reply_To=f"Carl {number} <carl{number}@c.example.com>"
            )
        self.assertEqual(len(made), 25)
        self.assertEqual(made[0].partner_name, "Carl 0")
        self.assertEqual(len(set(made.mapped("partner_email"))), 25)
        one = self.env["helpdesk.ticket"]
        for _number in range(25):
            one |= self._receive_from(form, Reply_To="loop@loop.example.com")
        self.assertLessEqual(len(one), 20)
        # In a reply, too.
        self._close(ticket)
        [message] = self._answers(
            self._first(ticket), form, Reply_To="berta@birch.example.com"
        )
        self.assertEqual(message.author_id, self.customer_b)
        self.assertFalse(ticket.close_date)

    def test_reply_to_of_others(self):
        """desk F10, T22: of a stranger an address, of a contact nothing"""
        ticket = self._receive_from(
            "Carl <carl@c.example.com>", Reply_To="berta@birch.example.com"
        )
        self.assertFalse(ticket.partner_id)
        self.assertEqual(ticket.partner_email, "berta@birch.example.com")
        self.assertEqual(ticket.partner_name, "Carl")
        ticket = self._receive_from(
            "berta@birch.example.com", Reply_To="thief@thief.example.com"
        )
        self.assertEqual(ticket.partner_id, self.customer_b)
        self.assertEqual(ticket.partner_email, "berta@birch.example.com")
        self.assertFalse(self._sent_to("thief@thief.example.com"))
        # A reply is never taken for somebody else's.
        [message] = self._answers(
            self._first(ticket),
            "carl@c.example.com",
            Reply_To="berta@birch.example.com",
        )
        self.assertFalse(message.author_id)

    def test_colleague_forwards_many(self):
        made = self.env["helpdesk.ticket"]
        for _number in range(22):
            made |= self._receive_from(self.agent.email)
        self.assertEqual(len(made), 22)
