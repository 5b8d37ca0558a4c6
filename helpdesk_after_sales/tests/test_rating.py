import re

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.tests import Form, HttpCase, tagged
from odoo.tools import mute_logger

from .test_mail_gateway import HelpdeskMailCommon


@tagged("post_install", "-at_install")
class TestRating(HelpdeskMailCommon, HttpCase):
    """Customers are asked once for each closing, and answer by link (issue 9)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_rating = True
        cls.solved = cls.team.stage_ids.filtered("fold")[0]
        cls.opened = cls.team.stage_ids[0]
        cls.ticket = cls._ticket(cls.customer_b, name="Secret subject")
        cls.ticket.user_id = cls.agent
        cls.env.cr.flush()

    def _close_as(self, ticket, user):
        """Close a ticket; returns the requests that were mailed."""
        with self.mock_mail_gateway():
            ticket.with_user(user).stage_id = self.solved
            self.env.cr.flush()
        return [mail for mail in self._mails if "/rate/" in mail["body"]]

    def _token(self, mail):
        return re.search(r"/rate/([^/\"]+)/5", mail["body"])[1]

    def _rate(self, token, rate=5, feedback="Thank you"):
        """Follow the link of a mail, and send the form of its page."""
        page = self.url_open(f"/rate/{token}/{rate}")
        csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        return self.url_open(
            f"/rate/{token}/submit_feedback",
            data={"rate": rate, "feedback": feedback, "csrf_token": csrf and csrf[1]},
        )

    # -- Asking --------------------------------------------------------------

    def test_asked_once_for_each_closing(self):
        [sent] = self._close_as(self.ticket, self.agent)
        self.assertIn("berta@birch.example.com", sent["email_to"][0])
        self.assertIn(self.address, sent["email_from"])
        self.assertIn(self.address, sent["reply_to"])
        self.assertIn(self.ticket.ticket_ref, sent["subject"])
        self.assertNotIn("Secret subject", sent["subject"] + sent["body"])
        self.assertTrue(sent["EmailMessage"]["Auto-Submitted"])
        for rate in (5, 3, 1):
            self.assertIn(f"/rate/{self._token(sent)}/{rate}", sent["body"])
        # From one closed stage to another, or a changed subject: no second time.
        other = self.solved.copy({"team_ids": self.team.ids})
        self.solved = other
        self.assertFalse(self._close_as(self.ticket, self.agent))
        self.ticket.with_user(self.agent).stage_id = self.opened
        [again] = self._close_as(self.ticket, self.agent)
        self.assertEqual(self._token(again), self._token(sent), "not answered yet")

    def test_asked_in_the_language_of_the_customer(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env.ref("helpdesk_after_sales.mail_template_ticket_rating")
        template.with_context(lang="fr_FR").subject = "Content ?"
        self.customer_b.lang = "fr_FR"
        [sent] = self._close_as(self.ticket, self.agent)
        self.assertTrue(sent["subject"].startswith("Content ?"))

    def test_not_asked(self):
        """By the system, on import, for machines, archived, colleagues, nobody."""
        system = self.env["res.users"].browse(SUPERUSER_ID)
        colleague = self._ticket(self.agent.partner_id)
        machine = self._receive_from("robot@robot.example.com", Precedence="bulk")
        nobody = self._ticket()
        archived = self._ticket(self.customer_b, active=False)
        self.assertTrue(machine.is_automatic_mail)
        self.assertFalse(self._close_as(self.ticket, system))
        for ticket in (colleague, machine, nobody, archived):
            self.assertFalse(self._close_as(ticket, self.agent))
        for key in ("import_file", "tracking_disable", "mail_notrack"):
            self.ticket.stage_id = self.opened
            ticket = self.ticket.with_context(**{key: True})
            self.assertFalse(self._close_as(ticket, self.agent), key)
        self.ticket.stage_id = self.opened
        self.team.use_rating = False
        self.assertFalse(self._close_as(self.ticket, self.agent))
        # New in a closed stage, as what was moved in.
        self.team.use_rating = True
        with self.mock_mail_gateway():
            self._ticket(self.customer_b, stage_id=self.solved.id)
            self.env.cr.flush()
        self.assertFalse([mail for mail in self._mails if "/rate/" in mail["body"]])

    def test_the_request_is_no_message_of_the_portal(self):
        self._close_as(self.ticket, self.agent)
        messages = self.ticket.message_ids
        # Who reads the conversation can't rate by it (rights hole 9).
        self.assertNotIn("/rate/", "".join(messages.mapped("body")))
        note = self.env.ref("mail.mt_note")
        [message] = messages.filtered(
            lambda m: m.message_type == "auto_comment" and m.subtype_id == note
        )
        self.assertEqual(message.subtype_id, self.env.ref("mail.mt_note"))
        self.assertEqual(message.author_id, self.company.partner_id)

    # -- Answering -----------------------------------------------------------

    def test_answer_by_link_shows_on_ticket_and_team(self):
        [sent] = self._close_as(self.ticket, self.agent)
        self.authenticate(None, None)
        answer = self._rate(self._token(sent), 1, "Too <b>slow</b>")
        self.assertEqual(answer.status_code, 200)
        self.ticket.invalidate_recordset()
        self.team.invalidate_recordset()
        self.assertEqual(self.ticket.rating_last_value, 1)
        self.assertEqual(self.ticket.rating_avg_text, "ko")
        self.assertEqual(self.team.rating_count, 1)
        self.assertEqual(self.team.rating_percentage_satisfaction, 0)
        self.assertEqual(self.ticket.rating_ids.rated_partner_id, self.agent.partner_id)
        message = self.ticket.message_ids[0]
        self.assertEqual(message.author_id, self.customer_b)
        self.assertIn("Too &lt;b&gt;slow", message.body)
        self.assertEqual(
            message.subtype_id, self.env.ref("helpdesk_after_sales.mt_ticket_rating")
        )
        self.assertTrue(self.ticket.close_date, "an opinion doesn't open the ticket")
        # They think again: the same rating and message change.
        self._rate(self._token(sent), 5)
        self.ticket.invalidate_recordset()
        self.assertEqual(self.ticket.rating_ids.mapped("rating"), [5])
        self.assertEqual(self.ticket.message_ids[0], message)
        for action, count in (
            (self.ticket.with_user(self.agent).action_view_ratings(), 1),
            (self.team.with_user(self.agent).action_view_ratings(), 1),
        ):
            found = self.env["rating.rating"].with_user(self.agent)
            self.assertEqual(found.search_count(action["domain"]), count)
        self.assertEqual(
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .search([("rating_last_value", ">", 0), ("team_id", "=", self.team.id)]),
            self.ticket,
        )

    def test_sender_without_contact_is_asked_and_answers(self):
        ticket = self._receive_from("Zoë Neu <zoe@neu.example.com>")
        [sent] = self._close_as(ticket, self.agent)
        self.assertIn("zoe@neu.example.com", sent["email_to"][0])
        self.authenticate(None, None)
        self._rate(self._token(sent), 3, "Fine")
        self._rate(self._token(sent), 5, "Fine indeed")
        ticket.invalidate_recordset()
        self.assertEqual(ticket.rating_last_value, 5)
        opinions = ticket.message_ids.filtered(lambda m: "Fine" in m.body)
        self.assertEqual(len(opinions), 1)
        self.assertFalse(opinions.author_id)
        self.assertIn("zoe@neu.example.com", opinions.email_from)

    def test_link_of_the_former_customer_ends(self):
        [sent] = self._close_as(self.ticket, self.agent)
        token = self._token(sent)
        self.ticket.partner_id = self.contact_a1
        self.env.cr.flush()
        self.authenticate(None, None)
        self.assertEqual(self.url_open(f"/rate/{token}/5").status_code, 404)
        self.ticket.stage_id = self.opened
        [sent] = self._close_as(self.ticket, self.agent)
        self._rate(self._token(sent))
        self.ticket.partner_id = self.customer_b
        self.env.cr.flush()
        url = f"/rate/{self._token(sent)}/1"
        self.assertEqual(self.url_open(url).status_code, 404)
        self.assertEqual(self.ticket.rating_last_value, 5, "what was said, stays")

    def test_merged_tickets_ask_nobody_and_take_their_ratings_along(self):
        [sent] = self._close_as(self.ticket, self.agent)
        self._rate(self._token(sent), 3)
        kept = self._ticket(self.customer_b)
        with self.mock_mail_gateway():
            self.ticket.with_user(self.agent)._merge_into(kept.with_user(self.agent))
            self.env.cr.flush()
        self.assertFalse([mail for mail in self._mails if "/rate/" in mail["body"]])
        self.env.invalidate_all()
        self.assertEqual(kept.rating_ids.rating, 3)
        self.assertEqual(kept.rating_count, 1)
        self.assertEqual(self.ticket.rating_count, 0)

    def test_nobody_rates_without_the_link(self):
        """Neither the agent for themselves, nor the customer by the way."""
        customer = self._new_user(
            "after_sales_portal_b",
            "base.group_portal",
            partner_id=self.customer_b.id,
            email=self.customer_b.email,
        )
        ratings = self.env["rating.rating"]
        for user in (self.agent, customer):
            self.authenticate(user.login, user.login)
            self.make_jsonrpc_request(
                "/mail/message/post",
                {
                    "thread_model": "helpdesk.ticket",
                    "thread_id": self.ticket.id,
                    "post_data": {
                        "body": "Great",
                        "message_type": "comment",
                        "subtype_xmlid": "mail.mt_comment",
                        "rating_value": 5,
                    },
                },
            )
        self.ticket.with_user(self.agent).message_post(body="Great", rating_value=5)
        self.assertFalse(ratings.search([("res_model", "=", "helpdesk.ticket")]))
        self._close_as(self.ticket, self.agent)
        rating = self.ticket.rating_ids
        vals = {
            "res_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
            "res_id": self.ticket.id,
        }
        for user in (self.agent, self.manager, customer):
            with mute_logger("odoo.addons.base.models.ir_rule"):
                with self.assertRaises(AccessError):
                    rating.with_user(user).write({"rating": 5, "consumed": True})
                with self.assertRaises(AccessError):
                    ratings.with_user(user).create(vals)

    @mute_logger("odoo.addons.base.models.ir_rule")
    def test_ratings_of_hidden_tickets_are_hidden(self):
        self._close_as(self.ticket, self.agent)
        rating = self.ticket.rating_ids
        self.team.privacy_visibility = "invited_internal"
        found = self.env["rating.rating"].search([("id", "=", rating.id)])
        for user, sees in (
            (self.agent, True),
            (self.manager, True),
            (self.other_agent, False),
            (self.employee, False),
        ):
            self.assertEqual(rating.with_user(user).has_access("read"), sees)
            self.assertEqual(
                bool(found.with_user(user).search([("id", "=", rating.id)])), sees
            )
        # What isn't of tickets is as Odoo has it.
        other = self.env["rating.rating"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id("res.partner"),
                "res_id": self.customer_b.id,
            }
        )
        self.assertTrue(other.with_user(self.employee).has_access("read"))
        self.assertTrue(other.with_user(self.employee).has_access("write"))

    def test_the_switch_is_in_the_form_of_the_team(self):
        with Form(self.team.with_user(self.manager)) as form:
            form.use_rating = False
            form.follow_carbon_copy = True
        self.assertFalse(self.team.use_rating)
