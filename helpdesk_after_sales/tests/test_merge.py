from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import HelpdeskAfterSalesCommon
from .test_portal import HelpdeskPortalCommon


@tagged("post_install", "-at_install")
class TestMerge(HelpdeskAfterSalesCommon):
    """One matter that came in as two tickets becomes one again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._sell(cls.contact_a1, (cls.lamp, 2))
        cls.first = cls._ticket(cls.contact_a1, name="Lamp")
        cls.second = cls._ticket(
            cls.contact_a2,
            name="Lamp again",
            description="<p>It is the <b>second</b> one</p>",
            priority="2",
            sale_order_id=cls.order.id,
            email_cc="office@alder.example.com",
        )

    def _merge(self, tickets, target=None, user=None):
        action = tickets.with_user(user or self.agent).action_merge()
        form = Form(
            self.env[action["res_model"]]
            .with_user(user or self.agent)
            .with_context(**action["context"])
        )
        if target:
            form.target_id = target
        if form.other_people:
            form.people_confirmed = True
        return form.save().action_merge()

    def test_messages_files_followers_and_activities_move(self):
        comment = self.second.message_post(
            body="Is anybody there?",
            author_id=self.contact_a2.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            attachments=[("photo.txt", b"broken")],
        )
        note = self.second.with_user(self.agent).message_post(body="Internal")
        file = self.env["ir.attachment"].create(
            {"name": "slip", "raw": b"1", "res_model": self.second._name}
            | {"res_id": self.second.id}
        )
        activity = self.second.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.agent.id
        )
        self.second.message_subscribe(partner_ids=self.contact_a2.ids)
        tag = self.env["helpdesk.tag"].create({"name": "Glass"})
        self.second.tag_ids = tag

        action = self._merge(self.first + self.second)

        self.assertEqual((action["res_model"], action["res_id"]), self._key(self.first))
        for message, kind in ((comment, "mail.mt_comment"), (note, "mail.mt_note")):
            self.assertIn(message, self.first.message_ids)
            self.assertEqual(message.subtype_id, self.env.ref(kind))
        for record in (comment.attachment_ids, file, activity):
            self.assertEqual((record.res_model, record.res_id), self._key(self.first))
        self.assertIn(self.contact_a2, self.first.message_partner_ids)
        self.assertEqual(self.first.tag_ids, tag)
        self.assertEqual(self.first.priority, "2")
        self.assertEqual(self.first.email_cc, "office@alder.example.com")
        self.assertEqual(self.first.sale_order_id, self.order)
        self.assertEqual(self.first.partner_id, self.contact_a1)

    def _key(self, record):
        return record._name, record.id

    def test_a_note_on_both_sides_and_the_other_one_is_archived(self):
        self._merge(self.first + self.second)
        self.assertTrue(self.first.active)
        self.assertFalse(self.second.active)
        self.assertEqual(self.second.merged_into_id, self.first)
        kept, gone = self.first.message_ids[0], self.second.message_ids
        self.assertEqual(len(gone), 1)
        self.assertIn(self.second.ticket_ref, kept.body)
        self.assertIn("<b>second</b>", kept.body)
        self.assertIn(self.first.ticket_ref, gone.body)
        for message in kept + gone:
            self.assertEqual(message.author_id, self.agent.partner_id)
            self.assertTrue(message.is_internal or message.subtype_id.internal)

    def test_the_user_chooses_which_one_is_kept(self):
        self._merge(self.first + self.second, target=self.second)
        self.assertEqual(self.first.merged_into_id, self.second)

    def test_unknown_sender_joins_his_company(self):
        unknown = self._ticket(partner_email="somebody@alder.example.com")
        self._merge(unknown + self.second, target=unknown)
        self.assertEqual(unknown.partner_id, self.contact_a2)
        self.assertEqual(unknown.sale_order_id, self.order)

    def test_answers_to_the_other_ticket_reach_the_kept_one(self):
        question = self.second.with_user(self.agent).message_post(
            body="Which one?", subtype_xmlid="mail.mt_comment", message_type="comment"
        )
        self._merge(self.first + self.second)
        self.env["mail.thread"].message_process(
            "helpdesk.ticket",
            f"From: {self.contact_a2.email}\nTo: x@example.com\nSubject: Re\n"
            f"Message-Id: <merge-answer@alder.example.com>\n"
            f"In-Reply-To: {question.message_id}\n\nThe left one",
        )
        self.assertIn("The left one", self.first.message_ids[0].body)

    def test_t2_merged_once_and_never_in_a_circle(self):
        opened = self._merge(self.first + self.second)
        wizard = self.env["helpdesk.ticket.merge"].search([], order="id desc", limit=1)
        self.assertEqual(wizard.with_user(self.agent).action_merge(), opened)
        self.assertEqual(len(self.second.message_ids), 1)
        with self.assertRaisesRegex(UserError, "merged into Lamp "):
            self.first._merge_into(self.second)
        third = self._ticket(self.customer_a)
        self._merge(self.first + third, target=third)
        self.assertEqual((self.first + self.second).merged_into_id, third)

    def test_what_does_not_belong_together_is_refused(self):
        other = self._ticket(self.customer_b)
        with self.assertRaisesRegex(UserError, "different customers"):
            self._merge(self.first + other)
        with self.assertRaisesRegex(UserError, "at least two"):
            self._merge(self.first)
        company = self.env["res.company"].create({"name": "Sister"})
        team = self.env["helpdesk.team"].create(
            {"name": "Sister's", "company_id": company.id}
        )
        foreign = self._ticket(self.customer_a, team_id=team.id)
        self.manager.company_ids += company
        both = (self.first + foreign).with_context(
            allowed_company_ids=(self.company + company).ids
        )
        with self.assertRaisesRegex(UserError, "different companies"):
            both[0].with_user(self.manager)._merge_into(both[1])

    def test_t28_only_tickets_that_the_user_works_on(self):
        hidden = self.env["helpdesk.team"].create(
            {
                "name": "Hidden",
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.clear()],
            }
        )
        secret = self._ticket(self.customer_a, team_id=hidden.id)
        for tickets in (self.first + secret, secret + self.first):
            with self.assertRaises(AccessError):
                tickets[0].with_user(self.agent)._merge_into(
                    tickets[1].with_user(self.agent)
                )
        wizard = (
            self.env["helpdesk.ticket.merge"]
            .with_user(self.agent)
            .create({"target_id": self.first.id, "ticket_ids": [self.first.id]})
        )
        with self.assertRaises(AccessError):
            wizard.sudo().ticket_ids += secret
        self.assertTrue(secret.active)
        for user in (self.employee, self.seller):
            with self.assertRaises(AccessError):
                self.first.with_user(user).action_merge()
            with self.assertRaises(AccessError):
                self.env["helpdesk.ticket.merge"].with_user(user).create({})


@tagged("post_install", "-at_install")
class TestMergePortal(HelpdeskPortalCommon):
    def test_t8_link_of_a_merged_ticket_leads_to_the_one_that_is_kept(self):
        kept = self._ticket(self.contact_a1)
        gone = self._ticket(self.contact_a2, name="The lamp again")
        unknown = self._ticket(partner_email="stranger@example.com", name="Who?")
        link = gone.get_portal_url()
        unknown_link = unknown.get_portal_url()
        (gone + unknown).with_user(self.agent)._merge_into(
            kept.with_user(self.agent), people_confirmed=True
        )
        page = self.url_open(link)
        self.assertIn(f"/my/tickets/{kept.id}", page.url)
        self.assertIn(kept.ticket_ref, page.text)
        # Who was no customer doesn't become one by their link.
        page = self.url_open(unknown_link)
        self.assertIn(f"/my/tickets/{unknown.id}", page.url)
        self.assertNotIn(kept.access_token, page.text)
        self._login(self.user_b)
        self.assertEqual(self._get(gone.access_url).status_code, 404)

    def test_link_of_a_merged_ticket_ends_with_its_customer(self):
        """Rights hole 4: who may change a merged ticket gets no token by it."""
        kept, gone = self._ticket(self.customer_b), self._ticket(self.customer_b)
        gone.with_user(self.agent)._merge_into(kept.with_user(self.agent))
        for partner in (self.customer_a, self.customer_b):
            gone.with_user(self.agent).partner_id = partner
            page = self.url_open(gone.get_portal_url())
            self.assertNotIn(f"/my/tickets/{kept.id}", page.url)
            self.assertNotIn(kept.access_token, page.text + page.url)
