import json
from collections import Counter
from datetime import timedelta

from lxml import etree

from odoo import Command, fields
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import file_open
from odoo.tools.mimetypes import guess_mimetype

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
        other = self._ticket(self.customer_b)
        short = ticket.ticket_ref.lstrip("0")
        for text in (ticket.ticket_ref, f"#{ticket.ticket_ref}", short, f" #{short} "):
            found = dict(tickets.name_search(text))
            self.assertIn(ticket.id, found, text)
            self.assertNotIn(other.id, found, text)
        self.assertIn(ticket.id, dict(tickets.name_search("lamp arrived")))
        self.assertNotIn(
            ticket, tickets.search([("display_name", "not ilike", "lamp arrived")])
        )

    def test_import_template_is_imported_as_it_is(self):
        """As the import screen does: the columns are found by their titles."""
        self.env.ref("helpdesk_after_sales.helpdesk_team_customer_care").write(
            {"name": "Customer Care", "privacy_visibility": "portal"}
        )
        templates = self.env["helpdesk.ticket"].get_import_templates()
        self.assertEqual(len(templates), 2)
        for template in templates:
            path = template["template"]
            with file_open(path.lstrip("/"), "rb") as file:
                content = file.read()
            options = {
                "has_headers": True,
                "quoting": '"',
                "separator": ",",
                "encoding": "utf-8",
            }
            wizard = (
                self.env["base_import.import"]
                .with_user(self.agent)
                .create(
                    {
                        "res_model": "helpdesk.ticket",
                        "file": content,
                        "file_name": path.rsplit("/", 1)[-1],
                        "file_type": guess_mimetype(content),
                    }
                )
            )
            preview = wizard.parse_preview(options)
            self.assertFalse(preview.get("error"), path)
            fields = [
                "/".join(preview["matches"].get(index) or []) or False
                for index in range(len(preview["headers"]))
            ]
            self.assertNotIn(False, fields, (path, preview["headers"]))
            result = wizard.execute_import(fields, preview["headers"], options)
            self.assertFalse(result["messages"], path)
            tickets = self.env["helpdesk.ticket"].browse(result["ids"])
            self.assertEqual(len(tickets), 2)
            self.assertTrue(all(tickets.mapped("ticket_ref")))
            self.assertEqual(tickets[0].priority, "2")

    def test_calendar_shows_the_activities(self):
        ticket = self._ticket(self.customer_b)
        ticket.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=fields.Date.today(),
            user_id=self.agent.id,
        )
        form = self.env["helpdesk.ticket"].with_user(self.agent)
        arch = form.get_view(view_type="calendar")["arch"]
        self.assertIn('date_start="activity_date_deadline"', arch)
        self.assertEqual(
            form.search([("activity_date_deadline", "=", "today")]), ticket
        )

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

    def test_editing_a_stage_leaves_the_dates_of_its_tickets(self):
        """Review 9: a closing date is a fact, not the setting of a stage."""
        closed, still_open = self._ticket(), self._ticket()
        then = fields.Datetime.now() - timedelta(days=400)
        with freeze_time(then):
            closed.with_user(self.agent).stage_id = self.closed
        self.closed.fold = False
        self.new.fold = True
        self.env.flush_all()
        self.assertEqual(closed.close_date, then)
        self.assertFalse(still_open.close_date)
        closed.write({"stage_id": self.closed.id})  # as an import does: no change
        self.closed.fold = True
        self.new.fold = False
        self.env.flush_all()
        self.assertEqual(closed.close_date, then)
        closed.stage_id = self.closed.copy({"team_ids": self.team.ids})
        self.assertEqual(closed.close_date, then, "from one closed stage to another")
        closed.stage_id = self.new
        self.assertFalse(closed.close_date)

    def test_closing_and_opening_in_a_stage_whose_fold_was_edited(self):
        """Review 9: customers close and open what stands in such a stage, too."""
        self.team.stage_ids = self.new | self.closed
        self.team.allow_portal_ticket_closing = True
        ticket = self._ticket(self.customer_b)
        self.new.fold = True
        ticket._portal_close(self.customer_b)
        self.assertTrue(ticket.close_date)
        self.new.fold = False
        ticket._portal_reopen(self.customer_b)
        self.assertFalse(ticket.close_date)

    def test_new_tickets_have_the_dates_of_their_beginning(self):
        ticket = self._ticket(stage_id=self.closed.id, user_id=self.agent.id)
        self.assertTrue(ticket.close_date and ticket.assign_date)
        past = fields.Datetime.now() - timedelta(days=900)
        dates = {"close_date": past, "assign_date": past}
        ticket = self._ticket(stage_id=self.closed.id, user_id=self.agent.id, **dates)
        self.assertEqual([ticket.close_date, ticket.assign_date], [past] * 2)
        copy = ticket.copy()
        self.assertFalse(copy.close_date or copy.assign_date)

    def test_another_team_closes_and_opens(self):
        ticket = self._ticket()
        team = self.team.copy({"name": "Archive", "stage_ids": self.closed.ids})
        ticket.team_id = team
        self.assertTrue(ticket.close_date)
        ticket.team_id = self.team.copy({"name": "B", "stage_ids": self.new.ids})
        self.assertFalse(ticket.close_date)

    def test_a_new_stage_starts_in_progress(self):
        """As in Project: what was ready or blocked was so in the stage before."""
        ticket = self._ticket(self.customer_b, kanban_state="blocked")
        self.assertEqual(ticket.kanban_state, "blocked", "asked for")
        ticket.with_user(self.agent).stage_id = self.stages[1]
        self.assertEqual(ticket.kanban_state, "normal")
        ticket.write({"stage_id": self.new.id, "kanban_state": "done"})
        self.env.flush_all()
        self.assertEqual(ticket.kanban_state, "done", "both were asked for")
        ticket.stage_id = self.closed
        self.assertEqual(ticket.kanban_state, "normal")

    def test_another_team_with_the_same_stage_is_no_new_stage(self):
        ticket = self._ticket(self.customer_b, kanban_state="blocked")
        before = fields.Datetime.now() - timedelta(days=3)
        ticket.date_last_stage_update = before
        self.env.flush_all()
        other = self.team.copy({"name": "Other", "stage_ids": self.stages.ids})
        ticket.team_id = other
        self.assertEqual(ticket.stage_id, self.new)
        self.assertEqual(ticket.kanban_state, "blocked")
        self.assertEqual(ticket.date_last_stage_update, before)
        own = self.env["helpdesk.stage"].create({"name": "Own"})
        ticket.team_id = self.team.copy({"name": "Own", "stage_ids": own.ids})
        self.assertEqual(ticket.stage_id, own)
        self.assertEqual(ticket.kanban_state, "normal")
        self.assertGreater(ticket.date_last_stage_update, before)

    def test_bar_of_the_kanban_counts_what_has_a_colour(self):
        """The client counts the rest itself: nearly all, "In progress"."""
        states = ("done", "blocked", "normal")
        made = self.env["helpdesk.ticket"].union(
            *(self._ticket(kanban_state=state) for state in states)
        )
        tickets = made.with_user(self.agent)
        arch = etree.fromstring(tickets.get_view(view_type="kanban")["arch"])
        [bar] = arch.iter("progressbar")
        progress_bar = {
            "field": bar.get("field"),
            "colors": json.loads(bar.get("colors")),
        }
        self.assertEqual(
            tickets.read_progress_bar(
                [("id", "in", made.ids)], "stage_id", progress_bar
            ),
            {str(self.new.id): {"done": 1, "blocked": 1}},
        )

    def test_first_assignment_is_kept(self):
        ticket = self._ticket(self.customer_b)
        self.assertFalse(ticket.assign_date)
        ticket.with_user(self.agent).action_assign_to_me()
        self.assertEqual(ticket.user_id, self.agent)
        first = ticket.assign_date
        with freeze_time(fields.Datetime.now() + timedelta(days=1)):
            ticket.user_id = self.manager
            ticket.user_id = False
            self.env.flush_all()
            ticket.user_id = self.agent
            (ticket | self._ticket()).user_id = self.other_agent
        self.assertEqual(ticket.assign_date, first)

    def test_team_with_other_stages_takes_its_first(self):
        ticket = self._ticket(self.customer_b, stage_id=self.closed.id)
        stage = self.env["helpdesk.stage"].create({"name": "Inbox"})
        other = self.team.copy({"stage_ids": [Command.set(stage.ids)]})
        ticket.team_id = other
        self.assertEqual(ticket.stage_id, stage)

    def test_closed_tickets_are_never_stale(self):
        solved = self.team.stage_ids.filtered("fold")[0]
        (solved + self.new).rotting_threshold_days = 2
        closed, still_open = tickets = self._ticket() + self._ticket()
        closed.stage_id = solved
        tickets.date_last_stage_update = fields.Datetime.subtract(
            fields.Datetime.now(), days=9
        )
        self.assertEqual(tickets.filtered("is_rotting"), still_open)
        found = tickets.search([("id", "in", tickets.ids), ("is_rotting", "=", True)])
        self.assertEqual(found, still_open)

    def test_stale_tickets_are_found_by_the_days_of_their_stage(self):
        other = self.team.stage_ids.filtered(lambda stage: not stage.fold)[1]
        self.new.rotting_threshold_days, other.rotting_threshold_days = 2, 6
        tickets = self.env["helpdesk.ticket"]
        for stage in (self.new, other):
            for days in (1, 4, 9):
                ticket = self._ticket(stage_id=stage.id)
                ticket.date_last_stage_update = fields.Datetime.subtract(
                    fields.Datetime.now(), days=days
                )
                tickets |= ticket
        stale = tickets.filtered("is_rotting")
        self.assertEqual(stale, tickets[1] + tickets[2] + tickets[5])
        ours = [("id", "in", tickets.ids)]
        for value, expected in ((True, stale), (False, tickets - stale)):
            found = tickets.search([*ours, ("is_rotting", "=", value)])
            self.assertEqual(found.sorted("id"), expected.sorted("id"))
        self.env["helpdesk.stage"].search([]).rotting_threshold_days = 0
        self.assertFalse(tickets.search([*ours, ("is_rotting", "=", True)]))

    def test_groups_come_in_the_order_of_stages_and_teams(self):
        tickets = self.env["helpdesk.ticket"]
        other = self.team.copy({"name": "First of all", "sequence": -1})
        for stage in self.team.stage_ids:
            tickets |= self._ticket(stage_id=stage.id)
        tickets |= self._ticket(team_id=other.id)
        self.team.stage_ids[0].sequence = 99
        domain = [("id", "in", tickets.ids)]
        for name in ("stage_id", "team_id"):
            expected = [*tickets[name].sorted()]
            number = Counter(ticket[name] for ticket in tickets)
            for order, groups in (
                (name, expected),
                (f"{name} desc", expected[::-1]),
                (f"{name} ASC, priority", expected),
                (f"{name} desc nulls last", expected[::-1]),
                (f"__count, {name}", sorted(expected, key=number.get)),
            ):
                rows = tickets._read_group(
                    domain, [name, "priority"], ["__count"], order=order
                )
                self.assertEqual([row[0] for row in rows], groups, order)
            for order in (f"{name} desc; SELECT 1", f"{name} desc limit 1"):
                with self.assertRaises(ValueError):
                    tickets._read_group(domain, [name], ["__count"], order=order)

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

    def test_each_hotkey_of_the_form_presses_one_button(self):
        """None is another button's, or what Odoo has on a form: pager, priority..."""
        taken = {*"cdfghijmnprsux"} | {f"shift+{key}" for key in "aimqux"}
        form = self.env.ref("helpdesk_after_sales.helpdesk_ticket_view_form")
        keys = form._get_combined_arch().xpath("//@data-hotkey")
        self.assertIn("a", keys)
        self.assertFalse(taken & set(keys))
        self.assertCountEqual(keys, set(keys))

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
