from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import TECHNICIAN, HelpdeskFsmCommon


@tagged("post_install", "-at_install")
class TestFsmAccess(HelpdeskFsmCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.task = cls._plan()
        cls.photo = cls._photo(cls.task)
        # Made by the superuser: nobody but the technician is invited.
        cls.closed_team = cls.team.copy(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(cls.other_agent.ids)],
            }
        )
        cls.closed_ticket = cls._ticket(cls.contact_a1, team_id=cls.closed_team.id)
        cls.closed_task = cls.env["project.task"].create(
            {
                "name": "Behind closed doors",
                "project_id": cls.project.id,
                "partner_id": cls.contact_a1.id,
                "helpdesk_ticket_id": cls.closed_ticket.id,
                "user_ids": [Command.set(cls.other_technician.ids)],
            }
        )

    def _sees(self, user, task):
        model = self.env["project.task"].with_user(user)
        found = task in model.search([("id", "=", task.id)])
        self.assertEqual(found, task.with_user(user).has_access("read"))
        return found

    def test_agents_read_the_tasks_of_visible_tickets_only(self):
        self.assertTrue(self._sees(self.agent, self.task))
        self.assertFalse(self._sees(self.agent, self.closed_task))
        self.assertTrue(self._sees(self.other_agent, self.closed_task))
        self.assertTrue(self._sees(self.manager, self.closed_task))

    def test_agents_open_the_form_and_change_nothing(self):
        form = Form(
            self.task.with_user(self.agent),
            view="helpdesk_fsm.project_task_view_form_fsm",
        )
        self.assertEqual(form.partner_id, self.contact_a1)
        for vals in ({"name": "x"}, {"helpdesk_ticket_id": False}):
            with self.assertRaises(AccessError):
                self.task.with_user(self.agent).write(vals)
        for method in (
            "action_fsm_validate",
            "action_sign_worksheet",
            "action_send_worksheet",
            "action_fsm_cancel",
            "action_fsm_start",
            "action_fsm_reopen",
            "action_reopen_worksheet",
        ):
            with self.assertRaises(AccessError):
                getattr(self.task.with_user(self.agent), method)()

    def test_agents_get_a_form_in_which_nothing_can_be_typed(self):
        readonly = self.env.ref("helpdesk_fsm.project_task_view_form_fsm_readonly")
        form = self.env.ref("helpdesk_fsm.project_task_view_form_fsm")
        for user, view in (
            (self.agent, readonly),
            (self.technician, form),
            (self.project_user, form),
        ):
            with self.subTest(user=user.login):
                task = self.task.with_user(user)
                self.assertEqual(task.get_formview_id(), view.id)
                self.assertEqual(self.task.get_formview_id(user.id), view.id)
        action = self.ticket_a.with_user(self.agent).action_view_fsm_tasks()
        self.assertIn((readonly.id, "form"), action["views"])
        arch = self.task.with_user(self.agent).get_view(readonly.id, "form")["arch"]
        self.assertRegex(arch, r'^<form[^>]* edit="(false|False|0)"')

    def test_technicians_see_and_write_their_own_tasks_only(self):
        self.assertTrue(self._sees(self.technician, self.task))
        self.assertFalse(self._sees(self.technician, self.closed_task))
        self.task.with_user(self.technician).action_fsm_start()
        with self.assertRaises(AccessError):
            self.task.with_user(self.other_technician).write({"name": "x"})
        with self.assertRaises(AccessError):
            self.task.with_user(self.technician).unlink()
        with self.assertRaises(AccessError):
            self.env["project.task"].with_user(self.technician).create(
                {"name": "x", "project_id": self.project.id}
            )

    def test_technicians_see_no_other_projects_and_no_tickets(self):
        projects = self.env["project.project"].with_user(self.technician)
        self.assertNotIn(self.project, projects.search([]))
        with self.assertRaises(AccessError):
            self.ticket_a.with_user(self.technician).check_access("read")

    def test_technician_opens_the_form(self):
        form = Form(
            self.task.with_user(self.technician),
            view="helpdesk_fsm.project_task_view_form_fsm",
        )
        self.assertEqual(form.project_id, self.project)
        self.assertIsNotNone(form.worksheet_properties)
        form.save()

    def test_plain_employees_and_project_users_see_what_project_allows(self):
        for user in (self.employee, self.project_user):
            self.assertFalse(self._sees(user, self.task))
        self.project.privacy_visibility = "employees"
        for user in (self.employee, self.project_user):
            self.assertTrue(self._sees(user, self.task))
        self.assertTrue(self._sees(self.project_manager, self.task))

    def test_nobody_sees_less_than_before(self):
        """An application user with helpdesk or technician rights on top sees at least
        what they saw, in every group that reads tasks or projects."""
        normal = self.env["project.project"].create({"name": "Normal"})
        self.env["project.task"].create({"name": "Plain", "project_id": normal.id})
        for model in ("project.task", "project.project"):
            groups = (
                self.env["ir.model.access"]
                .search([("model_id.model", "=", model), ("perm_read", "=", True)])
                .group_id
            )
            for number, group in enumerate(groups - self.env.ref("base.group_portal")):
                xmlid = group.get_external_id()[group.id]
                base = f"base.group_user,{xmlid}"
                plain = self._new_user(f"{model}-{number}", base)
                count = self.env[model].with_user(plain).search_count([])
                for more in (AGENT, TECHNICIAN, f"{AGENT},{TECHNICIAN}"):
                    plain.group_ids = [
                        Command.link(self.env.ref(name).id) for name in more.split(",")
                    ]
                    self.assertGreaterEqual(
                        self.env[model].with_user(plain).search_count([]), count, xmlid
                    )
                for operation in ("write", "create", "unlink"):
                    self.assertEqual(
                        self.env[model]
                        .with_user(self.project_manager)
                        .has_access(operation),
                        True,
                    )

    def test_photos_are_seen_and_changed_as_their_task(self):
        for user, seen in (
            (self.agent, True),
            (self.technician, True),
            (self.manager, True),
            (self.other_technician, False),
            (self.employee, False),
        ):
            found = self.env["fsm.task.photo"].with_user(user).search([])
            self.assertEqual(self.photo in found, seen, user.login)
        for user in (self.agent, self.other_technician, self.project_user):
            with self.assertRaises(AccessError):
                self._photo(self.task, user)
            with self.assertRaises(AccessError):
                self.photo.with_user(user).caption = "x"
            with self.assertRaises(AccessError):
                self.photo.with_user(user).unlink()

    def test_templates_are_read_by_employees_and_changed_by_project_managers(self):
        for user in (self.agent, self.technician, self.project_user):
            self.template.with_user(user).read(["properties_definition"])
            with self.assertRaises(AccessError):
                self.template.with_user(user).name = "x"
        self.template.with_user(self.project_manager).name = "Better name"

    def test_technician_cannot_change_the_template_through_a_worksheet(self):
        with self.assertRaises(AccessError):
            self.task.with_user(self.technician).write(
                {
                    "worksheet_properties": [
                        {
                            "name": "evil",
                            "type": "char",
                            "string": "Evil",
                            "definition_changed": True,
                        }
                    ]
                }
            )

    def test_agents_choose_among_field_service_projects_of_their_company(self):
        _company, theirs = self._other_company()
        secret = self.env["project.project"].create(
            {"name": "Secret", "privacy_visibility": "followers"}
        )
        seen = self.env["project.project"].with_user(self.agent).search([])
        self.assertIn(self.project, seen)
        self.assertNotIn(theirs, seen)
        self.assertNotIn(secret, seen)
        with self.assertRaises(AccessError):
            self.project.with_user(self.agent).name = "x"

    def test_portal_users_reach_nothing_through_rpc(self):
        portal = self._new_user(
            "after_sales_portal_a1", "base.group_portal", partner_id=self.contact_a1.id
        )
        self.assertFalse(self._sees(portal, self.task))
        for model in ("fsm.task.photo", "fsm.worksheet.template"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(portal).search([])
        for field in ("fsm_access_token", "worksheet_signature", "worksheet_snapshot"):
            with self.assertRaises(AccessError):
                self.task.with_user(portal).read([field])
            with self.assertRaises(AccessError):
                self.env["project.task"].with_user(portal).search(
                    [(field, "!=", False)]
                )

    def test_only_administrators_read_the_links_of_customers(self):
        self.task._get_visit_url()
        for user in (self.agent, self.technician, self.manager, self.project_manager):
            with self.assertRaises(AccessError):
                self.task.with_user(user).read(["fsm_access_token"])
            with self.assertRaises(AccessError):
                self.env["project.task"].with_user(user).search(
                    [("fsm_access_token", "=like", "a%")]
                )

    def test_customers_create_tasks_in_projects_shared_with_them(self):
        """Project lets them, with fields of its own choice: ours ask for none more."""
        portal = self._new_user(
            "after_sales_portal_a1", "base.group_portal", partner_id=self.contact_a1.id
        )
        shared = self.env["project.project"].create(
            {
                "name": "Shared",
                "privacy_visibility": "portal",
                "collaborator_ids": [
                    Command.create({"partner_id": self.contact_a1.id})
                ],
            }
        )
        tasks = self.env["project.task"].with_user(portal)
        task = tasks.with_context(default_project_id=shared.id).create(
            {"name": "Mine", "child_ids": [Command.create({"name": "Part of it"})]}
        )
        self.assertEqual((task | task.child_ids).sudo().project_id, shared)

    def test_other_company_sees_nothing(self):
        company, _project = self._other_company()
        stranger = self._new_user(
            "after_sales_stranger",
            f"{AGENT},{TECHNICIAN},project.group_project_manager",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        env = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        self.assertFalse(env["project.task"].search([("id", "=", self.task.id)]))
        self.assertFalse(self.task.with_env(env).has_access("read"))
        self.assertNotIn(self.photo.id, env["fsm.task.photo"].search([]).ids)

    def test_t30_deleting_ticket_or_task_leaves_the_other(self):
        self.ticket_a.unlink()
        self.assertTrue(self.task.exists())
        self.assertFalse(self.task.helpdesk_ticket_id)
        self.closed_task.unlink()
        self.assertTrue(self.closed_ticket.exists())
        self.assertIn("deleted", self.closed_ticket.message_ids[0].body)

    def test_hole_11b_no_address_of_a_foreign_contact(self):
        """rights hole 11b: by onchange, and through a task of one's own."""
        other = self.env["res.company"].create({"name": "Elsewhere"})
        secret = self.env["res.partner"].create(
            {"name": "Hidden", "street": "Secret street 1", "company_id": other.id}
        )
        tasks = self.env["project.task"].with_user(self.employee)
        values = tasks.onchange(
            {"partner_id": secret.id, "name": "x"},
            ["partner_id"],
            {"fsm_partner_address": {}},
        )
        self.assertNotIn("Secret street", str(values))
        own = tasks.create({"name": "x", "user_ids": [Command.set(self.employee.ids)]})
        own.sudo().partner_id = secret
        self.env.invalidate_all()
        self.assertNotIn("Secret street", own.fsm_partner_address or "")

    def test_hole_11b_employees_send_no_worksheets(self):
        """Everybody has tasks of their own."""
        own = self.task.copy({"user_ids": [Command.set(self.employee.ids)]})
        own.sudo().message_subscribe(self.employee.partner_id.ids)
        with self.assertRaises(AccessError):
            own.with_user(self.employee).action_send_worksheet()
