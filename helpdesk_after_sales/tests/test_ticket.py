from datetime import timedelta

from odoo import Command, fields
from odoo.tests import Form, freeze_time, tagged

from .common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestTicket(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stages = cls.team.stage_ids
        cls.new, cls.closed = cls.stages[0], cls.stages.filtered("fold")[0]

    def test_agent_creates_a_ticket_with_a_number(self):
        form = Form(
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .with_context(default_team_id=self.team.id)
        )
        form.name = "Where is my desk?"
        form.partner_id = self.contact_a1
        ticket = form.save()
        self.assertRegex(ticket.ticket_ref, r"^\d{5,}$")
        self.assertEqual(
            ticket.display_name, f"Where is my desk? (#{ticket.ticket_ref})"
        )
        self.assertEqual(ticket.stage_id, self.new)
        self.assertEqual(ticket.company_id, self.company)
        self.assertEqual(ticket.partner_email, self.contact_a1.email)

    def test_ticket_is_found_by_its_number(self):
        ticket = self._ticket(self.customer_b)
        tickets = self.env["helpdesk.ticket"].with_user(self.agent)
        self.assertIn(ticket.id, dict(tickets.name_search(ticket.ticket_ref)))

    def test_numbers_are_unique_also_for_copies(self):
        ticket = self._ticket(self.customer_b)
        copy = ticket.copy()
        self.assertNotEqual(ticket.ticket_ref, copy.ticket_ref)
        self.assertEqual(copy.name, "The lamp arrived broken (copy)")
        self.assertEqual(copy.stage_id, self.new)

    def test_folded_stage_closes_and_opens_again(self):
        ticket = self._ticket(self.customer_b)
        self.assertFalse(ticket.close_date)
        ticket.with_user(self.agent).stage_id = self.closed
        self.assertTrue(ticket.close_date)
        ticket.stage_id = self.new
        self.assertFalse(ticket.close_date)

    def test_open_tickets_follow_the_fold_of_their_stage(self):
        ticket = self._ticket(self.customer_b)
        self.new.fold = True
        self.assertTrue(ticket.close_date)

    def test_first_assignment_is_kept(self):
        ticket = self._ticket(self.customer_b)
        self.assertFalse(ticket.assign_date)
        ticket.with_user(self.agent).action_assign_to_me()
        self.assertEqual(ticket.user_id, self.agent)
        first = ticket.assign_date
        with freeze_time(fields.Datetime.now() + timedelta(days=1)):
            ticket.user_id = self.manager
        self.assertEqual(ticket.assign_date, first)

    def test_team_with_other_stages_takes_its_first(self):
        ticket = self._ticket(self.customer_b, stage_id=self.closed.id)
        stage = self.env["helpdesk.stage"].create({"name": "Inbox"})
        other = self.team.copy({"stage_ids": [Command.set(stage.ids)]})
        ticket.team_id = other
        self.assertEqual(ticket.stage_id, stage)

    def test_stale_tickets_are_highlighted(self):
        ticket = self._ticket(self.customer_b)
        self.new.rotting_threshold_days = 2
        self.assertFalse(ticket.is_rotting)
        ticket.date_last_stage_update = fields.Datetime.now() - timedelta(days=5)
        ticket.invalidate_recordset()
        self.assertTrue(ticket.is_rotting)

    def test_unknown_sender_keeps_name_and_address(self):
        ticket = self._ticket(partner_name="Gina", partner_email="gina@x.example.com")
        self.assertEqual(ticket.partner_name, "Gina")
        self.assertFalse(ticket.commercial_partner_id)

    def test_balanced_assignment_gives_the_same_number_of_open_tickets(self):
        self.team.write(
            {
                "auto_assignment": True,
                "assign_method": "balanced",
                "member_ids": [Command.set((self.agent + self.other_agent).ids)],
            }
        )
        closed = self._ticket(user_id=self.agent.id)
        closed.stage_id = self.closed
        self._ticket(user_id=self.agent.id)
        tickets = self.env["helpdesk.ticket"].create(
            [{"name": str(number), "team_id": self.team.id} for number in range(3)]
        )
        self.assertEqual(
            tickets.mapped("user_id.login"),
            [self.other_agent.login, self.agent.login],
        )
        load = [
            sum(t.user_id == user and not t.close_date for t in self.team_tickets())
            for user in (self.agent, self.other_agent)
        ]
        self.assertEqual(load, [2, 2])

    def team_tickets(self):
        return self.env["helpdesk.ticket"].search([("team_id", "=", self.team.id)])

    def test_stage_mail_goes_to_the_customer(self):
        self.closed.template_id = self.env["mail.template"].create(
            {
                "name": "Solved",
                "model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "subject": "Ticket {{ object.ticket_ref }} is solved",
                "body_html": "<p>Solved.</p>",
                "use_default_to": True,
            }
        )
        ticket = self._ticket(self.customer_b)
        self.flush_tracking()
        ticket.with_user(self.agent).stage_id = self.closed
        self.flush_tracking()
        message = ticket.message_ids.filtered(
            lambda m: m.subject == f"Ticket {ticket.ticket_ref} is solved"
        )
        self.assertEqual(message.partner_ids, self.customer_b)

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.flush()

    def test_another_customer_ends_the_former_ones_access(self):
        ticket = self._ticket(self.customer_b)
        token = ticket._portal_ensure_token()
        ticket.message_subscribe(partner_ids=self.customer_b.ids)
        ticket.with_user(self.agent).partner_id = self.customer_a
        self.assertNotEqual(ticket.access_token, token)
        self.assertNotIn(self.customer_b, ticket.message_partner_ids)

    def test_mail_to_the_team_becomes_a_ticket(self):
        self.env["mail.alias.domain"].create(
            {"name": "shop.example.com", "company_ids": [Command.set(self.company.ids)]}
        )
        self.team.write({"alias_name": "care-test"})
        raw = (
            f"From: Berta <{self.customer_b.email}>\n"
            f"To: care-test@{self.team.alias_domain_id.name}\n"
            "Subject: Lamp broken\nMessage-ID: <t1@birch.example.com>\n\nSee photo.\n"
        )
        thread = self.env["mail.thread"]
        ticket_id = thread.message_process("helpdesk.ticket", raw.encode())
        ticket = self.env["helpdesk.ticket"].browse(ticket_id)
        self.assertRecordValues(
            ticket,
            [
                {
                    "name": "Lamp broken",
                    "team_id": self.team.id,
                    "partner_id": self.customer_b.id,
                }
            ],
        )

    def test_opening_lists_costs_the_same_for_any_number_of_tickets(self):
        tickets = self.env["helpdesk.ticket"].create(
            [
                {
                    "name": str(number),
                    "team_id": self.team.id,
                    "partner_id": self.customer_a.id,
                    "user_id": self.agent.id,
                }
                for number in range(21)
            ]
        )
        views = (
            self.env["helpdesk.ticket"]
            .with_user(self.agent)
            .get_views([(False, "kanban"), (False, "list"), (False, "form")])
        )
        for kind, view in views["views"].items():
            names = set(views["models"]["helpdesk.ticket"]["fields"])
            spec = {name: {} for name in names if f'name="{name}"' in view["arch"]}

            def count(records, spec=spec):
                self.env.flush_all()
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                records.with_user(self.agent).web_read(spec)
                return self.cr.sql_log_count - before

            count(tickets)
            self.assertEqual(count(tickets[:1]), count(tickets), kind)
