from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, tagged

from .common import AGENT
from .test_conversation import COMMENT, NOTE, HelpdeskConversationCommon


@tagged("post_install", "-at_install")
class TestMacro(HelpdeskConversationCommon):
    """What agents answer often, in one press (X29)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.tag = cls.env["helpdesk.tag"].create({"name": "Photo"})
        cls.later = cls.team.stage_ids.filtered(lambda s: not s.fold)[1]
        cls.macro = (
            cls.env["helpdesk.macro"]
            .with_user(cls.manager)
            .create(
                {
                    "name": "Ask for a photo",
                    "team_ids": [Command.set(cls.team.ids)],
                    "body": "<p>A photo of <t t-out='object.name'>it</t>, please "
                    "(#<t t-out='object.ticket_ref'/>).</p>",
                    "stage_id": cls.later.id,
                    "tag_ids": [Command.set(cls.tag.ids)],
                    "priority": "2",
                    "assign_to": "me",
                    "attachment_ids": [
                        Command.create({"name": "how.txt", "raw": b"Hold it straight"})
                    ],
                }
            )
        )
        cls.macro.with_context(
            lang="fr_FR"
        ).body = "<p>Une photo de <t t-out='object.name'>cela</t></p>"

    def _pop_up(self, tickets, macro=None, user=None):
        action = tickets.with_user(user or self.agent).action_macro()
        form = Form(
            self.env[action["res_model"]]
            .with_user(user or self.agent)
            .with_context(**action["context"])
        )
        form.macro_id = macro or self.macro
        return form

    def _use(self, tickets, macro=None, user=None):
        pop_up = self._pop_up(tickets, macro, user).save()
        with self.mock_mail_gateway():
            action = pop_up.action_apply()
            self.env.cr.flush()
        return action

    def _said(self, ticket):
        return ticket.message_ids.filtered(lambda m: m.message_type == "comment")

    def test_one_press_answers_and_does_the_rest(self):
        """X29: text, files, stage, tags, priority and responsible"""
        ticket = self._receive_from("berta@birch.example.com", subject="<b>Lamp</b>")
        self._use(ticket)
        [message] = self._said(ticket)
        self.assertEqual(self._subtype(message), COMMENT)
        self.assertEqual(message.author_id, self.agent.partner_id)
        self.assertIn(self.customer_b, self._told(message))
        self.assertIn("&lt;b&gt;Lamp&lt;/b&gt;", message.body)
        self.assertIn(f"#{ticket.ticket_ref}", message.body)
        self.assertEqual(message.attachment_ids.raw, b"Hold it straight")
        self.assertEqual(message.attachment_ids.res_id, ticket.id)
        self.assertEqual(ticket.stage_id, self.later)
        self.assertEqual(ticket.tag_ids, self.tag)
        self.assertEqual(ticket.priority, "2")
        self.assertEqual(ticket.user_id, self.agent)
        self.assertEqual(ticket.last_word, "us")
        self.assertEqual(self.macro.attachment_ids.res_id, self.macro.id)

    def test_each_customer_in_their_language(self):
        """X29: several tickets at once; strangers too, from Helpdesk rights only"""
        self.customer_b.lang = "fr_FR"
        known = self._receive_from("berta@birch.example.com")
        stranger = self._receive_from("Anna <anna@aa.example.com>")
        pop_up = self._pop_up(known | stranger)
        self.assertIn("Une photo", pop_up.preview)
        self.assertIn("A photo", pop_up.preview)
        self._use(known | stranger)
        self.assertIn("Une photo", self._said(known).body)
        [message] = self._said(stranger)
        self.assertIn("A photo", message.body)
        self.assertEqual(self._told(message).email, "anna@aa.example.com")
        self.assertEqual(stranger.partner_id.email, "anna@aa.example.com")

    def test_what_the_agent_changes_is_sent_once(self):
        """X29, T2: the text can be changed; a second click sends nothing"""
        ticket = self._receive_from("berta@birch.example.com")
        form = self._pop_up(ticket)
        form.body = "<p>No photo needed</p>"
        pop_up = form.save()
        pop_up.action_apply()
        action = pop_up.action_apply_and_next()
        [message] = self._said(ticket)
        self.assertIn("No photo needed", message.body)
        self.assertNotEqual(action.get("res_id"), ticket.id)

    def test_a_note_reaches_no_customer(self):
        """X29: an internal note"""
        ticket = self._receive_from("berta@birch.example.com")
        self.macro.internal = True
        self._use(ticket)
        [message] = self._said(ticket)
        self.assertEqual(self._subtype(message), NOTE)
        self.assertNotIn(self.customer_b, self._told(message))
        self.assertEqual(ticket.last_word, "customer")

    def test_nothing_is_sent_to_nobody(self):
        """X29, issue 18: a ticket without an address is named, and nothing is done"""
        tickets = self._ticket(self.customer_b) + self._ticket()
        with self.assertRaisesRegex(UserError, tickets[1].ticket_ref):
            self._use(tickets)
        self.macro.write({"body": False, "attachment_ids": [Command.clear()]})
        self._use(tickets)
        self.assertEqual(tickets.stage_id, self.later)

    def test_a_macro_of_another_team_is_refused(self):
        """X29, T28: not offered, and refused through the API"""
        other = self.env["helpdesk.team"].create({"name": "Other"})
        ticket = self._ticket(self.customer_b, team_id=other.id)
        form = self._pop_up(self._ticket(self.customer_b))
        self.assertIn(self.macro, form.macro_ids)
        with self.assertRaises(UserError):
            ticket.with_user(self.agent)._apply_macro(self.macro.with_user(self.agent))
        self.assertNotIn(self.macro, self._macros_of(ticket))
        with self.assertRaises(ValidationError):
            self.macro.team_ids = other
            self.macro.stage_id = self.env["helpdesk.stage"].create(
                {"name": "Only here", "team_ids": [Command.set(self.team.ids)]}
            )

    def _macros_of(self, ticket):
        macros = self.env["helpdesk.macro"]
        return macros.search(macros._get_domain_of_teams(ticket.team_id))

    def test_only_plain_placeholders(self):
        """X29, T28: what every agent has filled in runs no code, whoever wrote it"""
        for body in (
            "<t t-out='object.env.cr'/>",
            "<t t-out='object.user_id.password'/>",
            "<t t-set='x' t-value='object.sudo()'/>",
        ):
            for user in (self.manager, self.env.user):
                with self.assertRaises(ValidationError):
                    self.macro.with_user(user).body = body

    def test_an_order_is_named_to_who_may_not_read_it(self):
        """X29: the number of the customer's own order, from Helpdesk rights only"""
        order = self._sell(self.customer_b, (self.lamp, 1), deliver=False)
        ticket = self._ticket(self.customer_b, sale_order_id=order.id)
        self.macro.body = "<p>Order <t t-out='object.sale_order_id.name'/></p>"
        self._use(ticket)
        self.assertIn(order.name, self._said(ticket).body)

    def test_rights(self):
        """X29, T28: agents use macros, managers make them, others see none"""
        ticket = self._ticket(self.customer_b)
        with self.assertRaises(AccessError):
            self.macro.with_user(self.agent).name = "Mine"
        with self.assertRaises(AccessError):
            ticket.with_user(self.employee).action_macro()
        elsewhere = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._new_user(
            "macro_elsewhere",
            AGENT,
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        env = self.env(
            user=stranger,
            context=self.env.context | {"allowed_company_ids": elsewhere.ids},
        )
        self.assertNotIn(self.macro, env["helpdesk.macro"].search([]))
        with self.assertRaises(AccessError):
            env["helpdesk.macro.apply"].create(
                {"ticket_ids": [Command.set(ticket.ids)]}
            )

    def test_the_pop_up_of_a_service_opens_and_makes_nothing(self):
        """X29: one ticket, a service that the team uses"""
        service = self.env.ref("helpdesk_after_sales.service_coupon")
        self.macro.service_id = service
        ticket = self._ticket(self.customer_b)
        self.assertEqual(self._use(ticket)["type"], "ir.actions.act_window_close")
        if "loyalty.card" not in self.env or not hasattr(ticket, service.action):
            return
        self.team.use_coupons = True
        ticket = self._ticket(self.customer_b)
        action = self._use(ticket)
        self.assertEqual(action["res_model"], "helpdesk.coupon.wizard")
        self.assertFalse(ticket.coupon_ids)
