"""No link tells a name that is not for who set it (rights R2, C1), and no field of ours
on documents of other applications is for customers (C4).

Models, fields and roles come from the registry: a new field is tried without a row.
"""

from access import AccessCase

from odoo.tests import tagged

# Customers read these of their own documents.
PORTAL = {
    "project.project allow_worksheets",
    "project.project is_fsm",
    # Odoo asks for the sheet of a task that is created in a shared project.
    "project.task worksheet_template_id",
}


def is_our_field(field):
    modules = field._modules
    return bool(modules) and all(name.startswith("helpdesk_") for name in modules)


@tagged("post_install", "-at_install")
class TestAccessNames(AccessCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        env = cls.env
        customer = env["res.partner"].create(
            {"name": "SECRET customer", "street": "SECRET street 1"}
        )
        cls.secret_order = cls._sell(
            customer, (cls.lamp, 1), (cls.phone, 1), serials=cls.serials[1]
        )
        cls.secret_invoice = cls.secret_order._create_invoices()
        cls.secret_invoice.action_post()
        private = env["helpdesk.team"].create(
            {"name": "SECRET team", "privacy_visibility": "invited_internal"}
        )
        cls.secret = cls._ticket(customer, name="SECRET plan", team_id=private.id)
        cls._make_secret_documents(customer)

    @classmethod
    def _make_secret_documents(cls, customer):
        """Make a document of each kind on the ticket that no role may read."""
        env, link = cls.env, {"helpdesk_ticket_id": cls.secret.id}
        elsewhere = cls.users["elsewhere"].company_id
        for model, values in (
            ("helpdesk.team", {"name": "SECRET team two"}),
            ("helpdesk.after.sales.reason", {"name": "SECRET reason"}),
            ("res.partner", {"name": "SECRET contact", "street": "SECRET street 2"}),
            ("fsm.worksheet.template", {"name": "SECRET sheet"}),
        ):
            if model in env:
                env[model].create(values | {"company_id": elsewhere.id})
        if "loyalty.card" in env:
            program = env["loyalty.program"].create(
                {"name": "SECRET program", "program_type": "coupons"}
            )
            env["loyalty.card"].create(
                {"program_id": program.id, "partner_id": customer.id} | link
            )
        if "repair.order" in env:
            env["repair.order"].create(
                {"product_id": cls.phone.id, "partner_id": customer.id} | link
            )
        if "fsm.worksheet.template" in env:
            project = env["project.project"].create(
                {
                    "name": "SECRET project",
                    "is_fsm": True,
                    "privacy_visibility": "followers",
                }
            )
            env["project.task"].create(
                {"name": "SECRET task", "project_id": project.id} | link
            )
        if "helpdesk_ticket_id" in env["account.move"]._fields:
            cls.secret_invoice._reverse_moves([dict(link)])

    def _as(self, role, records):
        """Return ``records`` as a role sees them who has just logged in."""
        user = self.users[role]
        return records.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    # -- Customers -----------------------------------------------------------

    def test_c4_our_fields_on_documents_are_not_for_customers(self):
        """rights hole 3, C4."""
        open_fields = set()
        for name, model in self.env.registry.items():
            if model._abstract or not model._auto or name.startswith("helpdesk."):
                continue
            records = self._as("portal", self.env[name])
            if not records.has_access("read"):
                continue
            open_fields |= {
                f"{name} {field}"
                for field in records.fields_get(attributes=["type"])
                if is_our_field(model._fields[field])
            }
        self.assertEqual(open_fields - PORTAL, set())

    def test_hole_3_customers_read_no_ticket_through_their_documents(self):
        """rights hole 3: search_read of a customer's invoices and transfers."""
        for model in ("account.move", "stock.picking"):
            documents = self._as("portal", self.env[model])
            known = documents.fields_get(attributes=["type"])
            for name in ("helpdesk_ticket_id", "helpdesk_reason_id"):
                self.assertNotIn(name, known)

    # -- Colleagues ----------------------------------------------------------

    def test_hole_10_the_subject_is_for_who_reads_the_ticket(self):
        """rights holes 3 and 10: links to tickets tell colleagues the number."""
        for role in self.users.keys() - {"portal"}:
            ticket = self._as(role, self.secret)
            told = ticket.sudo().display_name
            seen = bool(ticket._filtered_access("read"))
            self.assertEqual(seen, role == "manager")
            self.assertEqual("SECRET" in told, seen, role)
            self.assertIn(self.secret.ticket_ref, told)
        own = self._as("agent", self.ticket)
        self.assertIn(self.ticket.name, own.sudo().display_name)
        # Every employee makes tasks of their own.
        if "project.task" in self.env and "helpdesk_ticket_id" in (
            self.env["project.task"]._fields
        ):
            tasks = self._as("employee", self.env["project.task"]).with_context(
                default_helpdesk_ticket_id=self.secret.id
            )
            values = tasks.onchange(
                {"name": "x"},
                [],
                {"helpdesk_ticket_id": {"fields": {"display_name": {}}}},
            )
            self.assertNotIn("SECRET", str(values))

    def test_hole_10_chatters_of_documents_tell_no_subject(self):
        """rights hole 10: the chatter of a document."""
        told = set()
        for name in self.env.registry.descendants(
            ["helpdesk.after.sales.document"], "_inherit"
        ):
            if self.env[name]._abstract:
                continue
            documents = self.env[name].search(
                [("helpdesk_ticket_id", "=", self.secret.id)]
            )
            for document in documents.filtered("message_ids"):
                bodies = "".join(document.message_ids.mapped("body"))
                self.assertNotIn(self.secret.name, bodies, name)
                self.assertIn(self.secret.ticket_ref, bodies, name)
                told.add(name)
        self.assertTrue(told)

    def test_hole_6_names_of_documents_stay_short(self):
        """rights hole 6: what the context of a client makes a name tell."""
        telling = {
            "name_as_amount_total": True,
            "input_full_display_name": True,
            "sale_show_partner_name": True,
        }
        for record in (self.secret_invoice, self.secret_order):
            [short] = self._as("agent", record).sudo().mapped("display_name")
            [told] = (
                self._as("agent", record)
                .sudo()
                .with_context(**telling)
                .mapped("display_name")
            )
            self.assertEqual(told, short)
        [full] = (
            self._as("apps", self.secret_order)
            .sudo()
            .with_context(**telling)
            .mapped("display_name")
        )
        self.assertIn("SECRET", full)

    def test_hole_1_names_of_codes_hold_no_code(self):
        """rights hole 1: the name of a card holds its code."""
        if "loyalty.card" not in self.env:
            self.skipTest("helpdesk_coupon isn't installed")
        [card] = self.env["loyalty.card"].search(
            [("helpdesk_ticket_id", "=", self.secret.id)]
        )
        for role in ("employee", "agent", "elsewhere"):
            name = self._as(role, card).sudo().display_name
            self.assertNotIn(card.code, name, role)
        self.assertIn(card.code, card.display_name)
