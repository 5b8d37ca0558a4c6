import re
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, RecordCapturer, freeze_time, tagged

from .common import HelpdeskCouponCommon


@tagged("post_install", "-at_install")
class TestCouponWizard(HelpdeskCouponCommon):
    def test_s45_s46_button_opens_a_popup_titled_generate_a_coupon(self):
        action = self.ticket_a.with_user(self.agent).action_generate_coupon()
        self.assertEqual(action["name"], "Generate a Coupon")
        self.assertEqual(action["target"], "new")

    def test_s47_only_coupon_programs_of_the_company_in_their_dates_are_offered(self):
        today = fields.Date.today()
        other_company = self.env["res.company"].create({"name": "Other Shop"})
        not_offered = (
            self._program("Next order", "next_order_coupons")
            | self._program("Loyalty", "loyalty", applies_on="both")
            | self._program("Archived", active=False)
            | self._program("Over", date_to=today - timedelta(days=2))
            | self._program("Later", date_from=today + timedelta(days=2))
            | self._program("Elsewhere", company_id=other_company.id)
        )
        for_all = self._program(
            "For all companies",
            company_id=False,
            currency_id=self.company.currency_id.id,
        )
        names = (
            self.env["loyalty.program"]
            .with_user(self.agent)
            .with_context(
                helpdesk_coupon_of={
                    "ticket_id": self.ticket_a.id,
                    "program_type": "coupons",
                }
            )
            .name_search("")
        )
        self.assertEqual({id_ for id_, _ in names}, {self.program.id, for_all.id})
        for program in not_offered:
            wizard = self._wizard(program_id=self.program)
            with self.subTest(program=program.name), self.assertRaises(UserError):
                wizard.program_id = program
                wizard.action_send_by_email()
        self.assertFalse(not_offered.coupon_ids)

    def test_s47_used_up_program_is_not_offered_and_refused(self):
        self.program.write({"limit_usage": True, "max_usage": 1})
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, coupon)
        order.action_confirm()
        self.env.invalidate_all()
        self.assertFalse(self._wizard_unsaved(self.agent).program_id)
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create(
                {
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "program_id": self.program.id,
                }
            )
        )
        with self.assertRaisesRegex(UserError, "used up"):
            wizard.action_send_by_email()

    def test_s47_the_only_program_is_chosen_and_described(self):
        wizard = self._wizard()
        self.assertEqual(wizard.program_id, self.program)
        self.assertEqual(wizard.program_summary, "10% on your order")

    def test_s47_nothing_is_chosen_or_said_where_there_is_a_choice(self):
        self._program("Another")
        form = self._wizard_unsaved(self.agent)
        self.assertFalse(form.program_id)
        for field in ("notice", "limit_notice", "program_summary"):
            self.assertFalse(form[field], field)

    def test_s49_s50_a_code_is_used_once_whatever_its_program_asks(self):
        program = self._program("Five points", reward={"required_points": 5})
        coupon = self._generate_coupon(program_id=program)
        self.assertEqual(coupon.points, 5)
        order = self._order(self.contact_a1)
        self.assertNotIn("error", self._apply(order, coupon))
        order.action_confirm()
        self.assertEqual(coupon.coupon_state, "used")
        self.assertIn("error", self._apply(self._order(self.contact_a1), coupon))

    def test_s48_without_a_program_the_popup_says_whom_to_ask(self):
        self.program.active = False
        boss = self._new_user("coupon_boss", "sales_team.group_sale_manager")
        wizard = self._wizard_unsaved(self.agent)
        self.assertIn(boss.name, wizard.notice)
        self.assertFalse(wizard.can_create_program)

    def test_s48_s51_who_may_create_programs_finds_the_way(self):
        self.program.active = False
        self.agent.group_ids += self.env.ref("sales_team.group_sale_manager")
        form = self._wizard_unsaved(self.agent)
        self.assertIn("Discount & Loyalty", form.notice)
        self.assertTrue(form.can_create_program)
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create({"helpdesk_ticket_id": self.ticket_a.id})
        )
        action = wizard.action_open_programs()
        self.assertEqual(action["res_model"], "loyalty.program")

    def _wizard_unsaved(self, user):
        action = self.ticket_a.with_user(user).action_generate_coupon()
        return Form(
            self.env[action["res_model"]]
            .with_user(user)
            .with_context(**action["context"])
        )

    def test_s52_s53_valid_until(self):
        self.assertFalse(self._generate_coupon(valid_until=False).expiration_date)
        day = fields.Date.today() + timedelta(days=30)
        coupon = self._generate_coupon(valid_until=day)
        self.assertEqual(coupon.expiration_date, day)

    def test_s52_a_past_day_is_refused(self):
        yesterday = fields.Date.context_today(self.agent) - timedelta(days=1)
        with self.assertRaisesRegex(UserError, "in the past"):
            self._generate_coupon(valid_until=yesterday)
        self.assertFalse(self.program.coupon_ids)

    def test_s52_today_works_in_every_time_zone(self):
        for timezone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
            self.agent.tz = timezone
            for moment in ("2027-03-01 00:30:00", "2027-03-01 23:30:00"):
                with self.subTest(timezone=timezone), freeze_time(moment):
                    today = fields.Date.context_today(
                        self.ticket_a.with_user(self.agent).with_context(tz=timezone)
                    )
                    wizard = self._wizard().with_context(tz=timezone)
                    wizard.valid_until = today
                    wizard.action_send_by_email()
                    self.assertEqual(wizard.coupon_id.expiration_date, today)

    def test_s54_s55_s56_s57_composer_holds_code_recipients_and_expiry(self):
        outside, reader = self.env["res.partner"].create(
            [
                {"name": "Outside follower", "email": "out@example.com"},
                {"name": "Silent follower", "email": "silent@example.com"},
            ]
        )
        self.ticket_a.message_subscribe(outside.ids)
        self.ticket_a.message_subscribe(
            reader.ids, self.env.ref("helpdesk_after_sales.mt_ticket_stage").ids
        )
        self.ticket_a.message_subscribe(self.other_agent.partner_id.ids)
        day = fields.Date.today() + timedelta(days=30)
        wizard = self._wizard(valid_until=day)
        composer = self._composer(wizard.action_send_by_email())
        following = outside | self.other_agent.partner_id
        self.assertEqual(composer.partner_ids[:], self.contact_a1 | following)
        self.assertIn(wizard.coupon_id.code, composer.body)
        self.assertIn("10% on your order", composer.body)
        self.assertIn(str(day.year), composer.body)
        composer.partner_ids.add(self.contact_a2)
        composer = composer.save()
        composer.action_send_mail()
        message = self.ticket_a.message_ids[0]
        self.assertIn(wizard.coupon_id.code, message.body)
        self.assertEqual(
            message.notified_partner_ids,
            self.contact_a1 | following | self.contact_a2,
        )

    def test_s57_without_expiry_the_message_names_none(self):
        composer = self._composer(self._wizard().action_send_by_email())
        self.assertNotIn("Valid until", composer.body)

    def test_s54_message_in_the_customers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.contact_a1.lang = "fr_FR"
        template = self.env.ref("helpdesk_coupon.mail_template_coupon")
        template.with_context(lang="fr_FR").write(
            {"subject": "Votre code", "body_html": "<p t-out='object.code'/>"}
        )
        composer = self._composer(self._wizard().action_send_by_email())
        self.assertEqual(composer.subject, "Votre code")

    def test_s54_the_programs_own_template_is_used(self):
        own = self.env["mail.template"].create(
            {
                "name": "Ours",
                "model_id": self.env.ref("loyalty.model_loyalty_card").id,
                "subject": "From our program",
                "body_html": "<p>Hello <t t-out='object.code'/></p>",
            }
        )
        self.program.communication_plan_ids = [
            Command.clear(),
            Command.create({"trigger": "create", "mail_template_id": own.id}),
        ]
        with RecordCapturer(self.env["mail.mail"], []) as mails:
            composer = self._composer(self._wizard().action_send_by_email())
        self.assertEqual(composer.subject, "From our program")
        self.assertFalse(mails.records, "nothing leaves before the agent sends it")

    def test_x2_code_belongs_to_the_customer_and_the_ticket_tells_of_it(self):
        coupon = self._generate_coupon()
        self.assertRecordValues(
            coupon,
            [
                {
                    "partner_id": self.contact_a1.id,
                    "helpdesk_ticket_id": self.ticket_a.id,
                    "helpdesk_customer_only": True,
                    "points": 1,
                }
            ],
        )
        message = self.ticket_a.message_ids[0]
        self.assertIn(coupon.code, message.body)
        self.assertIn("created", message.body)
        self.assertEqual(message.author_id, self.agent.partner_id)

    def test_one_code_per_wizard_whatever_is_pressed(self):
        wizard = self._wizard()
        first = wizard.action_send_by_email()
        second = wizard.action_send_by_email()
        self.assertEqual(len(self.program.coupon_ids), 1)
        self.assertEqual(
            first["context"]["default_body"], second["context"]["default_body"]
        )

    def test_trap_no_customer_makes_nothing(self):
        ticket = self._ticket()
        before = self.env["loyalty.card"].search_count([])
        with self.assertRaisesRegex(UserError, "Choose the customer"):
            ticket.with_user(self.agent).action_generate_coupon()
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create({"helpdesk_ticket_id": ticket.id, "program_id": self.program.id})
        )
        with self.assertRaisesRegex(UserError, "Choose the customer"):
            wizard.action_send_by_email()
        self.assertEqual(self.env["loyalty.card"].search_count([]), before)

    def test_trap_archived_customer_makes_nothing(self):
        wizard = self._wizard()
        self.contact_a1.active = False
        with self.assertRaisesRegex(UserError, "archived"):
            wizard.action_send_by_email()
        self.assertFalse(self.program.coupon_ids)

    def test_t6_archived_program_is_refused(self):
        wizard = self._wizard()
        self.program.active = False
        with self.assertRaisesRegex(UserError, "can't be used"):
            wizard.action_send_by_email()

    def test_s62_s63_smart_button_and_states(self):
        day = fields.Date.today() + timedelta(days=30)
        used, expired, withdrawn, valid = (
            self._generate_coupon(valid_until=day) for _ in range(4)
        )
        order = self._order(self.contact_a1)
        self._apply(order, used)
        order.action_confirm()
        expired.expiration_date = fields.Date.today() - timedelta(days=2)
        withdrawn.with_user(self.agent)._withdraw_from_helpdesk("Mistake")
        ticket = self.ticket_a.with_user(self.agent)
        self.assertEqual(ticket.coupons_count, 4)
        action = ticket.action_view_coupons()
        coupons = (
            self.env["loyalty.card"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .search(action["domain"])
        )
        self.assertEqual(
            {coupon.id: coupon.coupon_state for coupon in coupons},
            {
                used.id: "used",
                expired.id: "expired",
                withdrawn.id: "withdrawn",
                valid.id: "valid",
            },
        )
        self.assertIn(order.name, used.with_user(self.agent).coupon_orders)
        for view_id, view_type in action["views"]:
            with self.subTest(view=view_type):
                self.env["loyalty.card"].with_user(self.agent).get_views(
                    [(view_id, view_type)]
                )
        Form(valid.with_user(self.agent), view="helpdesk_coupon.loyalty_card_view_form")

    def test_x2_expiry_is_told_once(self):
        today = fields.Date.today()
        seen, unseen, used, valid = (
            self._generate_coupon(valid_until=today + timedelta(days=days))
            for days in (1, 2, 2, 30)
        )
        order = self._order(self.contact_a1)
        self._apply(order, used)
        order.action_confirm()
        ticket = self.ticket_a.with_user(self.agent)

        def told():
            bodies = ticket.message_ids.mapped("body")
            return [
                coupon
                for coupon in (seen, unseen, used, valid)
                if sum("expired on" in b and coupon.code in b for b in bodies) == 1
            ]

        with freeze_time(today + timedelta(days=2)):
            self.assertFalse(told())
            ticket.action_view_coupons()
            self.assertFalse(told(), "who looks at them writes nothing")
            for _day in range(2):
                self.env["loyalty.card"]._tell_tickets_of_expiry()
                self.assertEqual(told(), [seen])
        self.env.invalidate_all()
        with freeze_time(today + timedelta(days=3)):
            for _day in range(2):
                self.env["loyalty.card"]._tell_tickets_of_expiry()
                self.assertEqual(told(), [seen, unseen])
            seen.expiration_date = today + timedelta(days=40)
            self.assertFalse(seen.helpdesk_expiry_told)

    def test_s62_one_coupon_opens_directly(self):
        coupon = self._generate_coupon()
        action = self.ticket_a.with_user(self.agent).action_view_coupons()
        self.assertEqual(action["res_id"], coupon.id)

    def test_counter_queries_do_not_grow_with_tickets(self):
        tickets = self.ticket_a
        for _ in range(5):
            tickets |= self._ticket(self.contact_a1)
            self._generate_coupon(ticket=tickets[-1])

        def count(records):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            records.with_user(self.agent).mapped("coupons_count")
            return self.env.cr.sql_log_count - before

        count(tickets)
        self.assertEqual(count(tickets[:1]), count(tickets))

    def test_withdraw_needs_a_reason_and_tells_both(self):
        coupon = self._generate_coupon()
        action = coupon.with_user(self.agent).action_helpdesk_withdraw()
        form = Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )
        form.reason = "The lamp was replaced"
        form.tell_customer = True
        form.save().action_withdraw()
        self.assertEqual(coupon.coupon_state, "withdrawn")
        bodies = " ".join(self.ticket_a.message_ids.mapped("body"))
        self.assertIn("was withdrawn", bodies)
        told = self.ticket_a.message_ids.filtered("notified_partner_ids")[0]
        self.assertEqual(told.notified_partner_ids, self.contact_a1)
        self.assertIn("The lamp was replaced", told.body)
        error = self._order(self.contact_a1)._try_apply_code(coupon.code)["error"]
        self.assertIn("withdrawn", error)

    def test_withdraw_of_a_used_code_is_refused(self):
        coupon = self._generate_coupon()
        order = self._order(self.contact_a1)
        self._apply(order, coupon)
        order.action_confirm()
        with self.assertRaisesRegex(UserError, "Used"):
            coupon.with_user(self.agent).action_helpdesk_withdraw()
        with self.assertRaisesRegex(UserError, "can't be withdrawn"):
            coupon.with_user(self.agent)._withdraw_from_helpdesk("Too late")

    def test_x5_reason_of_the_list_is_kept(self):
        service = self.env.ref("helpdesk_after_sales.service_coupon")
        reason = self.env["helpdesk.after.sales.reason"].create(
            {"name": "Goodwill", "services": [Command.set(service.ids)]}
        )
        self.team.require_reason = True
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create({"helpdesk_ticket_id": self.ticket_a.id})
        )
        with self.assertRaisesRegex(UserError, "requires a reason"):
            wizard.action_send_by_email()
        coupon = self._generate_coupon(helpdesk_reason_id=reason)
        self.assertEqual(coupon.helpdesk_reason_id, reason)

    def test_x10_number_and_value_limits_name_who_may(self):
        self.team.coupon_limit_number = 1
        self._generate_coupon()
        wizard = self._wizard()
        self.assertIn(self.manager.name, wizard.limit_notice)
        with self.assertRaisesRegex(UserError, re.escape(self.manager.name)):
            wizard.action_send_by_email()
        self.assertTrue(self._generate_coupon(user=self.manager))

    def test_x10_limits_go_along_to_another_team(self):
        """Rights: an agent moves the ticket to a team without limits and back."""
        self.team.coupon_limit_number = 1
        self._generate_coupon()
        self.ticket_a.with_user(self.agent).team_id = self.team.copy(
            {"coupon_limit_number": 0}
        )
        with self.assertRaisesRegex(UserError, re.escape(self.manager.name)):
            self._wizard().action_send_by_email()

    def test_x10_limits_hold_over_several_tickets_of_a_customer(self):
        """Rights: an agent opens a second ticket for the same customer."""
        self.team.coupon_limit_number = 1
        self._generate_coupon()
        ticket = self._ticket(self.ticket_a.partner_id)
        wizard = (
            self.env["helpdesk.coupon.wizard"]
            .with_user(self.agent)
            .create({"helpdesk_ticket_id": ticket.id, "program_id": self.program.id})
        )
        with self.assertRaisesRegex(UserError, re.escape(self.manager.name)):
            wizard.action_send_by_email()

    def test_x10_value_limit_counts_what_was_given(self):
        program = self._program(
            "30 off", reward={"discount_mode": "per_order", "discount": 30}
        )
        self.team.coupon_limit_value = 50
        first = self._generate_coupon(program_id=program)
        self.assertEqual(first.helpdesk_value, 30)
        with self.assertRaisesRegex(UserError, "60.00"):
            self._generate_coupon(program_id=program)
        first.with_user(self.agent)._withdraw_from_helpdesk("Mistake")
        self.assertTrue(self._generate_coupon(program_id=program))

    def test_x10_value_limit_in_the_currency_of_the_team(self):
        """A program counts in its own currency; the limit is the team's."""
        currency = self.env["res.currency"].create(
            {"name": "TST", "symbol": "T", "rate_ids": [Command.create({"rate": 4})]}
        )
        program = self._program(
            "80 T off",
            reward={"discount_mode": "per_order", "discount": 80},
            company_id=False,
            currency_id=currency.id,
        )
        self.team.coupon_limit_value = 30
        coupon = self._generate_coupon(program_id=program)
        self.assertEqual(coupon.helpdesk_value, 80, "20 of the team's currency")
        with self.assertRaisesRegex(UserError, "40.00"):
            self._generate_coupon(program_id=program)

    def test_x10_manager_is_asked_by_an_activity(self):
        self.team.coupon_limit_number = 1
        self._generate_coupon()
        self._wizard().action_ask_manager()
        activity = self.ticket_a.activity_ids
        self.assertTrue(
            activity.user_id.has_group("helpdesk_after_sales.group_helpdesk_manager")
        )
        self.assertEqual(len(self.ticket_a.coupon_ids), 1)

    def test_s2_service_off_shows_and_does_nothing(self):
        wizard = self._wizard()
        self.team.use_coupons = False
        with self.assertRaisesRegex(UserError, "switched off"):
            wizard.action_send_by_email()
        with self.assertRaises(UserError):
            self.ticket_a.with_user(self.agent).action_generate_coupon()

    def test_s58_without_ecommerce_there_is_no_button_and_a_reason(self):
        if "coupon.share" in self.env:
            self.skipTest("eCommerce is installed: see test_coupon_share")
        wizard = self._wizard()
        self.assertFalse(wizard.can_share)
        self.assertIn("eCommerce", wizard.share_notice)
        with self.assertRaisesRegex(UserError, "eCommerce"):
            wizard.action_get_share_link()
        self.assertFalse(self.program.coupon_ids)

    def test_t30_ticket_deleted_keeps_the_code_and_its_owner(self):
        coupon = self._generate_coupon()
        self.ticket_a.unlink()
        self.assertFalse(coupon.helpdesk_ticket_id)
        error = self._order(self.customer_b)._try_apply_code(coupon.code)
        self.assertIn("made for", error["error"])
        self.assertNotIn("error", self._apply(self._order(self.contact_a1), coupon))

    def test_t30_deleted_coupon_and_changed_customer(self):
        first, second = self._generate_coupon(), self._generate_coupon()
        first.sudo().unlink()
        self.assertEqual(self.ticket_a.coupon_ids, second)
        self.ticket_a.partner_id = self.customer_b
        self.assertEqual(second.partner_id, self.contact_a1)

    def test_t6_wizard_of_somebody_else_is_closed(self):
        wizard = self._wizard()
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            wizard.with_user(self.other_agent).action_send_by_email()

    # -- What the shop does with the code ("money C1" to "C5") ----------------
