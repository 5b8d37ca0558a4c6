from datetime import timedelta
from itertools import count

from lxml import etree

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tests import Form, tagged
from odoo.tools.safe_eval import safe_eval

from .common import AGENT, HelpdeskAfterSalesCommon

COUNTERS = [
    "open_ticket_count",
    "unassigned_ticket_count",
    "urgent_ticket_count",
    "closed_ticket_count",
    "late_ticket_count",
]


@tagged("post_install", "-at_install")
class TestTeam(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.solved = cls.env.ref("helpdesk_after_sales.helpdesk_stage_solved")
        cls.env["mail.alias.domain"].create(
            {"name": "shop.example.com", "company_ids": [Command.set(cls.company.ids)]}
        )
        cls.team.alias_name = "care-test"
        cls.numbers = count()

    def _tickets(self, number, **values):
        return self.env["helpdesk.ticket"].create(
            [{"name": "Lamp", "team_id": self.team.id} | values for _ in range(number)]
        )

    # -- Dashboard -----------------------------------------------------------

    def _fill(self, team):
        """Return what the card of the team must show then."""
        tickets = self._tickets(7, team_id=team.id)
        tickets[:3].user_id = self.agent
        tickets[2:5].priority = "3"
        tickets[:2].sla_deadline = fields.Datetime.now() - timedelta(hours=1)
        closed = self._tickets(4, team_id=team.id, priority="3")
        closed.stage_id = self.solved
        closed[0].close_date = fields.Datetime.now() - timedelta(days=9)
        archived = self._tickets(2, team_id=team.id)
        archived.active = False
        return [7, 4, 3, 3, 2]

    def test_s1_s3_s4_services_are_chosen_per_team_under_after_sales(self):
        """S5, S6, S7, S8, S9: each switch and the addon that it brings."""
        teams = self.env["helpdesk.team"]
        addons = {
            "use_credit_notes": "helpdesk_refund",
            "use_coupons": "helpdesk_coupon",
            "use_product_returns": "helpdesk_return",
            "use_product_repairs": "helpdesk_repair",
            "use_fsm": "helpdesk_fsm",
        }
        services = teams._after_sales_services()
        self.assertEqual({switch: services[switch] for switch in addons}, addons)
        arch = teams.with_user(self.manager).get_view(view_type="form")["arch"]
        before, section = arch.split("After-Sales</h2>")
        for switch in addons:
            self.assertIn(f'<field name="{switch}"', section)
            self.assertNotIn(f'<field name="{switch}"', before)

    def test_dashboard_counts(self):
        expected = self._fill(self.team)
        empty = self.team.copy({"name": "Empty"})
        teams = (self.team + empty).with_user(self.agent)
        self.assertEqual([self.team[name] for name in COUNTERS], expected)
        self.assertEqual(
            [[team[name] for name in COUNTERS] for team in teams], [expected, [0] * 5]
        )

    def test_dashboard_opens_what_it_counts(self):
        """Each counter leads to as many tickets, with the filters of its link."""
        expected = self._fill(self.team)
        view = self.env.ref("helpdesk_after_sales.helpdesk_team_view_kanban")
        teams = self.env["helpdesk.team"].with_user(self.agent)
        arch = teams.get_view(view.id, "kanban")["arch"]
        filters = {
            node.get("name"): safe_eval(node.get("domain"), {"uid": self.agent.id})
            for node in etree.fromstring(
                self.env["helpdesk.ticket"].get_view(False, "search")["arch"]
            ).iter("filter")
            if node.get("domain")
        }
        found = []
        for link in etree.fromstring(arch).find(".//div[@name='counters']"):
            action = self.env["ir.actions.act_window"].browse(int(link.get("name")))
            domain = Domain(safe_eval(action.domain, {"active_id": self.team.id}))
            for key in safe_eval(link.get("context") or "{}"):
                domain &= Domain(filters[key.removeprefix("search_default_")])
            found.append(
                self.env["helpdesk.ticket"].with_user(self.agent).search_count(domain)
            )
        self.assertEqual(found, expected)

    def test_dashboard_is_one_query_for_any_number_of_teams(self):
        expected = self._fill(self.team)
        many = self.team
        for number in range(9):
            many += self.team.copy({"name": f"Team {number}"})
        self.env.flush_all()
        for teams in (self.team, many):
            teams = teams.with_user(self.agent)
            teams.invalidate_recordset(COUNTERS)
            with self.assertQueryCount(1):
                shown = [[team[name] for name in COUNTERS] for team in teams]
            self.assertEqual(shown[0], expected)

    def test_dashboard_shows_the_teams_that_the_user_may_see(self):
        closed = self.team.copy(
            {"name": "Invited only", "privacy_visibility": "invited_internal"}
        )
        teams = self.env["helpdesk.team"]
        for user, seen in (
            (self.agent, True),  # a member
            (self.other_agent, False),
            (self.manager, True),
        ):
            self.assertEqual(closed in teams.with_user(user).search([]), seen)
        with self.assertRaises(AccessError):
            closed.with_user(self.other_agent).read(COUNTERS)

    # -- Visibility ----------------------------------------------------------

    def test_visibility_and_followers_as_invitations(self):
        ticket = self._ticket(self.contact_a1)
        for visibility, seen in (
            ("invited_internal", False),
            ("internal", True),
            ("portal", True),
        ):
            self.team.privacy_visibility = visibility
            self.assertEqual(
                ticket.with_user(self.other_agent).has_access("read"), seen, visibility
            )
            self.assertTrue(ticket.with_user(self.agent).has_access("read"))
            self.assertTrue(ticket.with_user(self.manager).has_access("read"))
            self.assertFalse(ticket.with_user(self.employee).has_access("read"))
        self.team.privacy_visibility = "invited_internal"
        other_ticket = self._ticket(self.contact_a1)
        # Invited to one ticket: this one, and not the team.
        ticket.message_subscribe(partner_ids=self.other_agent.partner_id.ids)
        self.assertTrue(ticket.with_user(self.other_agent).has_access("write"))
        self.assertFalse(other_ticket.with_user(self.other_agent).has_access("read"))
        self.assertFalse(self.team.with_user(self.other_agent).has_access("read"))
        # Invited to the team: all of its tickets.
        self.team.message_subscribe(partner_ids=self.other_agent.partner_id.ids)
        self.assertTrue(other_ticket.with_user(self.other_agent).has_access("write"))
        self.assertTrue(self.team.with_user(self.other_agent).has_access("read"))
        self.team.message_unsubscribe(partner_ids=self.other_agent.partner_id.ids)
        self.assertFalse(other_ticket.with_user(self.other_agent).has_access("read"))

    def test_t28_lists_show_what_may_be_read(self):
        """The rule of agents answers alike for a record and in a query, at once."""
        ticket = self._ticket(self.contact_a1)
        agent, partner = self.other_agent, self.other_agent.partner_id
        self.team.privacy_visibility = "invited_internal"

        def assert_seen(seen):
            as_agent = ticket.with_user(agent)
            self.assertEqual(as_agent.has_access("read"), seen)
            domain = [("id", "=", ticket.id)]
            self.assertEqual(bool(as_agent.search(domain)), seen)
            groups = as_agent._read_group(domain, ["stage_id"], ["__count"])
            self.assertEqual(groups, [(ticket.stage_id, 1)] if seen else [])

        assert_seen(False)
        for invite, leave in (
            (
                lambda: self.team.write({"member_ids": [Command.link(agent.id)]}),
                lambda: self.team.write({"member_ids": [Command.unlink(agent.id)]}),
            ),
            (
                lambda: self.team.message_subscribe(partner.ids),
                lambda: self.team.message_unsubscribe(partner.ids),
            ),
            (
                lambda: ticket.message_subscribe(partner.ids),
                lambda: ticket.message_unsubscribe(partner.ids),
            ),
            (
                lambda: ticket.write({"user_id": agent.id}),
                lambda: ticket.write({"user_id": False}),
            ),
            (
                lambda: self.team.write({"privacy_visibility": "internal"}),
                lambda: self.team.write({"privacy_visibility": "invited_internal"}),
            ),
        ):
            invite()
            assert_seen(True)
            leave()
            if partner in ticket.message_partner_ids:
                ticket.message_unsubscribe(partner.ids)
            assert_seen(False)
        # Nobody answers for somebody else.
        self.assertTrue(self.team.with_user(self.agent).user_sees_tickets)
        self.assertFalse(self.team.with_user(agent).sudo().user_sees_tickets)

    # -- Assignment ----------------------------------------------------------

    def _assignment(self, method, members):
        self.team.write(
            {
                "auto_assignment": True,
                "assign_method": method,
                "member_ids": [Command.set(members.ids)],
            }
        )

    def _load(self, tickets):
        return {
            user: len(tickets.filtered(lambda t, user=user: t.user_id == user))
            for user in tickets.user_id
        }

    def test_randomly_gives_each_member_the_same_number(self):
        members = self.agent + self.other_agent + self.manager
        self._assignment("randomly", members)
        single = self.env["helpdesk.ticket"]
        for _number in range(4):
            single += self._tickets(1)
        many = self._tickets(8)
        self.assertEqual(self._load(single + many), dict.fromkeys(members, 4))
        many[:4].user_id = self.agent
        single.stage_id = self.solved
        self.assertEqual(set(self._load(self._tickets(6)).values()), {2})

    def test_randomly_does_not_flood_a_new_member(self):
        self._assignment("randomly", self.agent)
        self._tickets(20)
        self._assignment("randomly", self.agent + self.other_agent)
        self.assertEqual(
            self._load(self._tickets(6)), {self.agent: 3, self.other_agent: 3}
        )

    def test_balanced_counts_open_tickets_only(self):
        self._assignment("balanced", self.agent + self.other_agent)
        self._tickets(3, user_id=self.agent.id)
        self._tickets(5, user_id=self.other_agent.id).stage_id = self.solved
        self.assertEqual(
            self._load(self._tickets(5)), {self.agent: 1, self.other_agent: 4}
        )

    def test_assignment_leaves_out_who_is_not_there(self):
        self._assignment("balanced", self.agent + self.other_agent)
        self.agent.active = False
        self.assertEqual(self._tickets(3).user_id, self.other_agent)
        self._assignment("balanced", self.env["res.users"])
        self.assertFalse(self._tickets(1).user_id)
        self.team.auto_assignment = False
        self.team.member_ids = self.other_agent
        self.assertFalse(self._tickets(1).user_id)

    def test_kanban_has_columns_for_who_is_in_no_team(self):
        self.env["helpdesk.team"].search([]).privacy_visibility = "invited_internal"
        user = self._new_user("after_sales_newcomer", AGENT)
        tickets = self.env["helpdesk.ticket"].with_user(user)
        self.assertFalse(tickets.search([]))
        tickets = tickets.with_context(read_group_expand=True)
        groups = tickets.web_read_group([], ["stage_id"])["groups"]
        self.assertEqual(
            [group["stage_id"][0] for group in groups],
            self.env["helpdesk.team"]._default_stage_ids().ids,
        )

    def test_assignment_skips_who_is_out_of_office(self):
        self.team.write(
            {
                "auto_assignment": True,
                "member_ids": [(6, 0, (self.agent + self.other_agent).ids)],
            }
        )
        self.agent.out_of_office_from = fields.Datetime.now() - timedelta(days=1)
        tickets = self._ticket() + self._ticket() + self._ticket()
        self.assertEqual(tickets.user_id, self.other_agent)
        # Nobody is there: better somebody than nobody.
        self.other_agent.out_of_office_from = self.agent.out_of_office_from
        tickets = self._ticket() + self._ticket()
        self.assertEqual(tickets.user_id, self.agent + self.other_agent)

    def test_balanced_skips_who_is_on_leave(self):
        """Where Odoo's time off is there, see tests/test_companions.py."""
        if "hr.leave" not in self.env:
            self.skipTest("needs hr_holidays")
        self._assignment("balanced", self.agent + self.other_agent)
        self._tickets(3, user_id=self.other_agent.id)
        employee = self.env["hr.employee"].create(
            {"name": "Agent", "user_id": self.agent.id}
        )
        kind = self.env["hr.leave.type"].create(
            {
                "name": "Holidays",
                "requires_allocation": False,
                "leave_validation_type": "hr",
            }
        )
        today = fields.Date.today()
        leave = self.env["hr.leave"].create(
            {
                "employee_id": employee.id,
                "holiday_status_id": kind.id,
                "request_date_from": today - timedelta(days=7),
                "request_date_to": today + timedelta(days=7),
            }
        )
        # Asked for only: he has fewer tickets, and gets the next one.
        self.assertEqual(self._tickets(1).user_id, self.agent)
        leave.action_approve()
        self.env.invalidate_all()
        self.assertEqual(self._tickets(3).user_id, self.other_agent)
        leave.action_refuse()
        self.env.invalidate_all()
        self.assertEqual(self._tickets(3).user_id, self.agent)

    def test_assignment_keeps_who_was_chosen(self):
        self._assignment("balanced", self.other_agent)
        self.assertEqual(self._tickets(1, user_id=self.agent.id).user_id, self.agent)

    def test_assignment_of_mail_and_by_another_agent(self):
        self._assignment("balanced", self.agent)
        self.assertEqual(self._mail().user_id, self.agent)
        ticket = (
            self.env["helpdesk.ticket"]
            .with_user(self.other_agent)
            .create({"name": "Lamp", "team_id": self.team.id})
        )
        self.assertEqual(ticket.user_id, self.agent)
        ticket.with_user(self.manager).user_id = self.manager
        self.assertEqual(ticket.user_id, self.manager)

    # -- Address -------------------------------------------------------------

    def _mail(self, to="care-test@shop.example.com", **headers):
        number = next(self.numbers)
        raw = (
            f"From: Berta <{self.customer_b.email}>\nTo: {to}\n"
            + "".join(f"{key}: {value}\n" for key, value in headers.items())
            + "Subject: Lamp broken\n"
            + f"Message-ID: <t{number}@birch.example.com>\n\nSee.\n"
        )
        ticket_id = self.env["mail.thread"].message_process(False, raw.encode())
        return self.env["helpdesk.ticket"].browse(ticket_id or ())

    def test_t24_mail_to_an_archived_team_bounces(self):
        ticket = self._mail()
        self.assertEqual(ticket.team_id, self.team)
        self.team.active = False
        before = self.env["mail.mail"].search([])
        self.assertFalse(self._mail())
        [bounce] = self.env["mail.mail"].search([]) - before
        self.assertIn(self.customer_b.email, bounce.email_to)
        # Who answers an earlier ticket is still heard.
        message = ticket.message_post(body="Hello", message_type="comment")
        self._mail(**{"In-Reply-To": message.message_id})
        self.assertIn("See.", ticket.message_ids[0].body)
        self.team.active = True
        self.assertEqual(self._mail().team_id, self.team)

    def test_address_belongs_to_one_team(self):
        with self.assertRaisesRegex(UserError, "care-test"):
            self.team.copy({"name": "Second", "alias_name": "care-test"})
        second = self.team.copy({"name": "Second"})
        self.assertFalse(second.alias_name)
        second.with_user(self.manager).alias_name = "second-test"
        self.assertEqual(self._mail("second-test@shop.example.com").team_id, second)

    # -- Making, copying, archiving ------------------------------------------

    def test_new_team_of_a_manager_is_ready(self):
        with Form(self.env["helpdesk.team"].with_user(self.manager)) as form:
            form.name = "Workshop"
        team = form.record
        self.assertEqual(team.member_ids, self.manager)
        self.assertEqual(len(team.stage_ids), 5)
        self.assertEqual(team.company_id, self.company)
        ticket = self._tickets(1, team_id=team.id)
        self.assertEqual(ticket.stage_id, team.stage_ids[0])

    def test_copy_of_a_team(self):
        self.team.ticket_properties = [
            {"name": "colour", "string": "Colour", "type": "char"}
        ]
        self._tickets(1)
        copy = self.team.with_user(self.manager).copy()
        self.assertEqual(copy.name, "After-Sales Test Team (copy)")
        self.assertEqual(copy.stage_ids, self.team.stage_ids)
        self.assertEqual(copy.member_ids, self.team.member_ids)
        self.assertEqual(copy.ticket_properties[0]["string"], "Colour")
        self.assertNotEqual(copy.alias_id, self.team.alias_id)
        self.assertEqual(copy.open_ticket_count, 0)

    def test_archived_team_keeps_its_tickets_and_gets_no_new_ones(self):
        ticket = self._ticket(self.contact_a1)
        self.team.with_user(self.manager).action_archive()
        self.assertTrue(ticket.with_user(self.agent).has_access("write"))
        new = self.env["helpdesk.ticket"].with_user(self.agent).default_get(["team_id"])
        self.assertNotEqual(new.get("team_id"), self.team.id)

    def test_company_of_a_team_with_tickets_stays(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        self.manager.company_ids += other
        team = self.team.with_user(self.manager).with_context(
            allowed_company_ids=(self.company + other).ids
        )
        team.company_id = other
        team.company_id = self.company
        ticket = self._ticket()
        ticket.active = False
        with self.assertRaisesRegex(UserError, "has tickets of"):
            team.company_id = other
        team.write({"company_id": self.company.id, "name": "Same company"})
        self.assertEqual(ticket.company_id, self.company)

    # -- T28: public methods -------------------------------------------------

    def test_t28_matrix_of_the_teams_methods(self):
        """Everything that RPC reaches on a team, for everybody."""
        portal = self.env.ref("base.public_user")
        for user, may_read, may_write in (
            (portal, False, False),
            (self.employee, False, False),
            (self.seller, False, False),
            (self.agent, True, False),
            (self.manager, True, True),
        ):
            teams = self.env["helpdesk.team"].with_user(user)
            team = self.team.with_user(user)
            calls = {
                lambda team=team: team.web_read({"name": {}}): may_read,
                lambda team=team: team.read(COUNTERS): may_read,
                lambda team=team: team.write({"name": "Mine"}): may_write,
                lambda team=team: team.web_save({"name": "Mine"}, {}): may_write,
                lambda teams=teams: teams.web_save({"name": "Mine"}, {}): may_write,
                lambda teams=teams: teams.create({"name": "Mine"}): may_write,
                lambda team=team: team.copy(): may_write,
                lambda team=team: team.action_archive(): may_write,
            }
            for call, allowed in calls.items():
                if allowed:
                    call()
                else:
                    with self.assertRaises(AccessError):
                        call()
