from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import AGENT, HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestAccess(HelpdeskAfterSalesCommon):
    """Who may do what with the models of the base (T28).

    tests/test_access_matrix.py of the repository asks the registry for all models and
    public methods, over RPC, about one ticket that its team shows to everybody. Here is
    what comes with the addon, for whoever has nothing else: the same tables, and what
    that one leaves out: tickets for invited users only, strangers, rules by themselves.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal_user = new_test_user(
            cls.env,
            "after_sales_portal",
            groups="base.group_portal",
            partner_id=cls.contact_a1.id,
        )
        cls.stranger = new_test_user(
            cls.env,
            "after_sales_stranger",
            groups="base.group_portal",
            partner_id=cls.customer_b.id,
        )
        cls.other_company = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.foreign_agent = cls._new_user(
            "after_sales_foreign_agent",
            AGENT,
            company_id=cls.other_company.id,
            company_ids=[Command.set(cls.other_company.ids)],
        )
        cls.closed_team = cls.team.copy(
            {
                "name": "Invited only",
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(cls.agent.ids)],
            }
        )
        cls.ticket = cls._ticket(cls.contact_a1)
        cls.closed_ticket = cls._ticket(cls.contact_a1, team_id=cls.closed_team.id)

    def _may(self, user, operation, record):
        return (
            record.with_user(user)
            .with_context(allowed_company_ids=None)
            .has_access(operation)
        )

    def test_a_ticket_is_not_pushed_into_a_team_that_one_does_not_see(self):
        """Rights hole 13: neither of another company, nor of invited users only."""
        far_team = self.team.copy({"name": "Far", "company_id": self.other_company.id})
        self.closed_team.member_ids = self.other_agent
        ticket = self.ticket.with_user(self.agent)
        for team in (far_team, self.closed_team):
            for method in (ticket.write, lambda vals: ticket.web_save(vals, {})):
                with self.assertRaises(AccessError):
                    method({"team_id": team.id})
        self.assertEqual(self.ticket.team_id, self.team)
        ticket.team_id = self.team.copy({"name": "Open to all"})

    def test_what_the_server_trusts_is_not_written_by_agents(self):
        """Rights holes 2 and 4: the customer's company, the merge, the token."""
        ticket = self.ticket.with_user(self.agent)
        followers = {
            "commercial_partner_id": self.customer_b.id,
            "company_id": self.other_company.id,
        }
        locked = {
            "merged_into_id": self.closed_ticket.id,
            "access_token": "abc",
            "is_automatic_mail": True,
            "acknowledge_date": "2001-01-01",
            "ticket_ref": "99999",
        }
        new = {"name": "New", "team_id": self.team.id}
        for name, value in (followers | locked).items():
            with self.assertRaises(AccessError):
                ticket.write({name: value})
        for name, value in locked.items():
            with self.assertRaises(AccessError):
                ticket.create(new | {name: value})
        made = ticket.create(new | followers | {"partner_id": self.contact_a1.id})
        self.assertEqual(made.commercial_partner_id, self.customer_a)
        self.assertEqual(made.company_id, self.company)

    def test_t28_matrix_of_tickets(self):
        public = self.env.ref("base.public_user")
        rows = [
            # user, ticket of an open team, ticket of an invited-only team
            (self.agent, "rwc", "rwc"),
            (self.other_agent, "rwc", ""),
            (self.manager, "rwcu", "rwcu"),
            (self.employee, "", ""),
            (self.seller, "", ""),
            (self.stock_user, "", ""),
            (self.foreign_agent, "", ""),
            (self.portal_user, "r", ""),
            (self.stranger, "", ""),
            (public, "", ""),
        ]
        operations = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
        for user, *expected in rows:
            for ticket, letters in zip(
                (self.ticket, self.closed_ticket), expected, strict=True
            ):
                found = "".join(
                    letter
                    for letter, operation in operations.items()
                    if self._may(user, operation, ticket)
                )
                self.assertEqual(found, letters, (user.login, ticket.team_id.name))

    def test_t28_matrix_of_configuration(self):
        records = (
            self.team,
            self.team.stage_ids[:1],
            self.env["helpdesk.tag"].create({"name": "Transport"}),
            self.env.ref("helpdesk_after_sales.reason_wear"),
        )
        for user, letters in (
            (self.agent, ("r", "r", "rw", "r")),
            (self.manager, ("rwu", "rwu", "rwu", "rwu")),
            (self.employee, ("", "", "", "r")),
            (self.portal_user, ("", "", "", "")),
            (self.foreign_agent, ("", "r", "rw", "r")),
        ):
            for record, expected in zip(records, letters, strict=True):
                found = "".join(
                    operation[0]
                    for operation in ("read", "write", "unlink")
                    if self._may(user, operation, record)
                )
                self.assertEqual(found, expected, (user.login, record._name))

    def test_t28_followers_are_invited_to_one_ticket(self):
        self.closed_ticket.message_subscribe(
            partner_ids=self.other_agent.partner_id.ids
        )
        self.assertTrue(self._may(self.other_agent, "read", self.closed_ticket))
        self.assertFalse(self._may(self.other_agent, "read", self.closed_team))

    def test_t28_user_can_read_is_asked_as_the_user_himself(self):
        """Rules of documents lead through this field; they run as superuser."""
        tickets = self.env["helpdesk.ticket"].with_user(self.other_agent).sudo()
        domain = [("user_can_read", "=", True)]
        self.assertIn(self.ticket, tickets.search(domain))
        self.assertNotIn(self.closed_ticket, tickets.search(domain))
        both = (self.ticket + self.closed_ticket).with_user(self.other_agent).sudo()
        self.assertEqual(both.filtered_domain(domain), both[0])

    def test_t14_portal_customer_changes_nothing(self):
        ticket = self.ticket.with_user(self.portal_user)
        for values in (
            {"stage_id": self.team.stage_ids[-1].id},
            {"partner_id": self.customer_b.id},
            {"name": "x"},
        ):
            with self.assertRaises(AccessError):
                ticket.write(values)
        with self.assertRaises(AccessError):
            ticket.action_assign_to_me()
        with self.assertRaises(AccessError):
            self.env["helpdesk.ticket"].with_user(self.portal_user).create(
                {"name": "x", "team_id": self.team.id}
            )

    def test_s2_service_that_is_off_is_refused(self):
        ticket = self.ticket.with_user(self.agent)
        self.assertFalse(ticket.use_fsm)
        with self.assertRaisesRegex(UserError, "Field Service"):
            ticket._check_after_sales("use_fsm")

    def test_s2_service_wants_an_agent_a_visible_ticket_and_a_customer(self):
        # Straight to the column: the bridge of this switch may not be there.
        self.env.cr.execute("UPDATE helpdesk_team SET use_fsm = TRUE")
        self.env.invalidate_all()
        self.ticket.with_user(self.agent)._check_after_sales("use_fsm")
        for user in (self.employee, self.portal_user, self.seller, self.foreign_agent):
            with self.assertRaises(AccessError):
                self.ticket.with_user(user)._check_after_sales("use_fsm")
        with self.assertRaises(AccessError):
            self.closed_ticket.with_user(self.other_agent)._check_after_sales("use_fsm")
        self.ticket.partner_id = False
        with self.assertRaisesRegex(UserError, "customer"):
            self.ticket.with_user(self.agent)._check_after_sales("use_fsm")

    def test_s5_to_s9_the_table_of_services(self):
        services = self.env["helpdesk.team"]._after_sales_services()
        self.assertEqual(
            services,
            services
            | {
                "use_credit_notes": "helpdesk_refund",
                "use_coupons": "helpdesk_coupon",
                "use_product_returns": "helpdesk_return",
                "use_product_repairs": "helpdesk_repair",
                "use_fsm": "helpdesk_fsm",
            },
        )

    def test_s11_who_may_not_install_reads_who_can(self):
        module = self.env["ir.module.module"].create(
            {
                "name": "helpdesk_test_only",
                "shortdesc": "A Service",
                "state": "uninstalled",
            }
        )
        services = {"use_fsm": module.name}
        self.patch(
            type(self.env["helpdesk.team"]),
            "_after_sales_services",
            lambda self: services,
        )
        administrator = self._new_user("after_sales_admin", "base.group_system")
        with self.assertRaisesRegex(AccessError, administrator.login):
            self.team.with_user(self.manager).use_fsm = True
        services["use_fsm"] = "helpdesk_nowhere"
        with self.assertRaisesRegex(UserError, "not on this server"):
            self.team.with_user(administrator).sudo().use_fsm = True
        self.assertFalse(self.team.use_fsm)
