from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_conversation import HelpdeskConversationCommon


@tagged("post_install", "-at_install")
class TestSplit(HelpdeskConversationCommon):
    """A message becomes a ticket; a merge is undone (issue 18 C, desk D6)."""

    def _split(self, ticket, message, user=None):
        before = self.env["mail.mail"].search([])
        with self.mock_mail_gateway():
            action = ticket.with_user(user or self.agent).action_split(message.id)
            self.env.cr.flush()
        self.assertFalse(self._mails, "nobody is told")
        self.assertEqual(self.env["mail.mail"].search([]), before)
        return self.env[action["res_model"]].browse(action["res_id"])

    # -- Split ---------------------------------------------------------------

    def test_another_matter_gets_a_ticket(self):
        """desk D6: known and unknown; its files, its answers, whose turn it is"""
        for sender in ("berta@birch.example.com", "Anna <anna@aa.example.com>"):
            with self.subTest(sender=sender):
                ticket = self._begin(sender)
                answer = self._answer(ticket)
                [message] = self._answers(
                    answer,
                    sender,
                    body="<p>And the desk wobbles</p>",
                    files=[("desk.txt", b"wobbly", "text/plain")],
                )
                other = self._split(ticket, message)
                self.assertNotEqual(other, ticket)
                self.assertIn(message, other.message_ids)
                self.assertNotIn(message, ticket.message_ids)
                self.assertEqual(message.attachment_ids.res_id, other.id)
                self.assertEqual(other.partner_id, ticket.partner_id)
                self.assertEqual(other.partner_email, ticket.partner_email)
                self.assertIn("wobbles", other.description)
                self.assertEqual(other.user_id, self.agent)
                self.assertEqual(other.last_word, "customer")
                self.assertTrue(other.waiting_since)
                self.assertEqual(ticket.last_word, "us")
                self.assertFalse(ticket.waiting_since)
                [again] = self._answers(message, sender)
                self.assertEqual(again.res_id, other.id)
                self.assertIn(other.ticket_ref, ticket.message_ids[0].body)
                self.assertIn(
                    ticket.ticket_ref, "".join(other.message_ids.mapped("body"))
                )

    def test_what_a_carrier_wrote_is_not_the_customers(self):
        """desk D6, T13: the carrier is the customer of the new ticket, nobody of the
        old one follows"""
        ticket = self._begin("berta@birch.example.com")
        ticket.message_subscribe(partner_ids=self.customer_b.ids)
        asked = self._answer(ticket, partner_ids=self.carrier.ids)
        [message] = self._answers(asked, self.carrier.email, body="We lost it")
        other = self._split(ticket, message)
        self.assertEqual(other.partner_id, self.carrier)
        self.assertNotIn(self.customer_b, other.message_partner_ids)
        self.assertFalse(message.is_internal)

    def test_a_colleagues_message(self):
        """desk D6: the matter is the customer's"""
        ticket = self._begin("Anna <anna@aa.example.com>")
        other = self._split(ticket, self._answer(ticket))
        self.assertEqual(other.partner_id, ticket.partner_id)
        self.assertEqual(other.partner_email, "anna@aa.example.com")

    def test_a_colleagues_note_stays_one(self):
        """T13: the customer reads the new ticket's subject and description"""
        ticket = self._begin("berta@birch.example.com")
        agent = ticket.with_user(self.agent)
        for values in (
            {"subtype_xmlid": "mail.mt_note"},
            {"subtype_xmlid": "mail.mt_comment", "partner_ids": self.carrier.ids},
        ):
            note = agent.message_post(
                body="She is lying",
                subject="Suspected fraud",
                message_type="comment",
                attachments=[("proof.txt", b"lies")],
                **values,
            )
            other = self._split(ticket, note)
            self.assertEqual(other.partner_id, ticket.partner_id)
            self.assertIn(note, other.message_ids)
            self.assertEqual(other.name, ticket.name)
            self.assertFalse(other.description)
            self.assertTrue(note.is_internal or note.subtype_id.internal)
            self.assertFalse(other._portal_attachments())

    def test_what_cannot_be_split(self):
        """desk D6, T28: what it began with, other tickets' messages, other people"""
        ticket = self._begin("berta@birch.example.com")
        other = self._begin("berta@birch.example.com")
        message = self._answer(other)
        agent = ticket.with_user(self.agent)
        for wrong in (self._first(ticket).id, message.id, 0, False, "1", [1], None):
            with self.assertRaises(UserError):
                agent.action_split(wrong)
        for user in (self.employee, self.seller):
            with self.assertRaises(AccessError):
                other.with_user(user).action_split(message.id)
        self._split(other, message)
        with self.assertRaises(UserError):
            other.with_user(self.agent).action_split(message.id)

    # -- Undo a merge --------------------------------------------------------

    def _state(self, *tickets):
        self.env.invalidate_all()
        names = ("active", "partner_id", "partner_name", "partner_email", "email_cc")
        names += ("tag_ids", "priority", "last_word", "waiting_since", "sale_order_id")
        names += ("message_partner_ids", "line_ids", "merged_into_id")
        return [
            [ticket[name] for name in names]
            + [
                ticket.message_ids.filtered(
                    lambda m: m.message_type in ("email", "comment")
                )
            ]
            for ticket in tickets
        ]

    def test_undo(self):
        """desk D6: everything is where it was"""
        order = self._sell(self.customer_b, (self.lamp, 1), deliver=False)
        kept = self._begin("Anna <anna@aa.example.com>")
        gone = self._begin("berta@birch.example.com")
        gone.write(
            {
                "priority": "2",
                "sale_order_id": order.id,
                "tag_ids": [(0, 0, {"name": "Glass"})],
            }
        )
        gone.message_subscribe(partner_ids=self.carrier.ids)
        self._answers(self._answer(gone), "berta@birch.example.com")
        file = self.env["ir.attachment"].create(
            {"name": "slip", "raw": b"1", "res_model": gone._name, "res_id": gone.id}
        )
        activity = gone.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.agent.id
        )
        before = self._state(kept, gone)
        gone.with_user(self.agent)._merge_into(
            kept.with_user(self.agent), people_confirmed=True
        )
        self.env.cr.flush()
        self.assertEqual(activity.res_id, kept.id)
        self.assertEqual(kept.partner_id, self.customer_b)
        gone.with_user(self.agent).action_undo_merge()
        self.env.cr.flush()
        self.assertEqual(self._state(kept, gone), before)
        self.assertEqual((file.res_id, activity.res_id), (gone.id, gone.id))
        # Once more, from the beginning.
        gone.with_user(self.agent)._merge_into(
            kept.with_user(self.agent), people_confirmed=True
        )
        gone.with_user(self.agent).action_undo_merge()
        self.assertEqual(self._state(kept, gone), before)

    def test_undo_one_of_several(self):
        """desk D6: each has its own"""
        kept, one, two = (self._begin("berta@birch.example.com") for _i in range(3))
        (one | two).with_user(self.agent)._merge_into(kept.with_user(self.agent))
        one.with_user(self.agent).action_undo_merge()
        self.assertEqual(len(self._first(one)), 1)
        self.assertEqual(two.merged_into_id, kept)
        self.assertFalse(self._first(two))

    def test_what_has_gone_on_is_not_undone(self):
        """desk D6, T28: an answer, a stage, a further merge; for whom it isn't"""
        for step in ("answer", "customer", "stage", "merge"):
            with self.subTest(step=step):
                kept, gone = (
                    self._begin("berta@birch.example.com") for _number in range(2)
                )
                gone._merge_into(kept)
                self.env.cr.flush()
                for user in (self.employee, self.seller):
                    with self.assertRaises(AccessError):
                        gone.with_user(user).action_undo_merge()
                if step == "answer":
                    self._answer(kept)
                elif step == "customer":
                    self._answers(self._first(kept), "berta@birch.example.com")
                elif step == "stage":
                    self._close(kept)
                else:
                    kept._merge_into(self._begin("berta@birch.example.com"))
                with self.assertRaises(UserError):
                    gone.with_user(self.agent).action_undo_merge()
                self.assertFalse(gone.active)
        with self.assertRaises(UserError):
            self._begin("berta@birch.example.com").with_user(
                self.agent
            ).action_undo_merge()

    def test_merging_loses_no_address(self):
        """desk F6: whoever wrote from an address of their own is answered there"""
        private = self._begin("Ada <ada@private.example.com>")
        private.partner_id = self.contact_a1
        kept = self._begin("contact2@alder.example.com")
        stranger = self._begin("Anna <anna@aa.example.com>")
        (private | stranger)._merge_into(kept, people_confirmed=True)
        for address in ("ada@private.example.com", "anna@aa.example.com"):
            self.assertIn(address, kept.email_cc)
