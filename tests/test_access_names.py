"""No link tells a name that is not for who set it (rights R2, C1), and no field of ours
on documents of other applications is for customers (C4).

Models, fields and roles come from the registry: a new field is tried without a row.
What is tried: each of our links that a role may set, to records that the role can't
read, by ``create``, ``write``, ``onchange`` and default values; no answer and no
refusal may hold the name of that record, whatever the context asks for.
"""

from contextlib import suppress

import psycopg2
from access import AccessCase

from odoo import Command
from odoo.exceptions import UserError
from odoo.models import MAGIC_COLUMNS
from odoo.orm.model_classes import is_model_definition
from odoo.tests import tagged
from odoo.tools import mute_logger

# What makes names tell more.
TELLING = {
    "name_as_amount_total": True,
    "input_full_display_name": True,
    "sale_show_partner_name": True,
    "show_address": True,
    "show_email": True,
}

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
    maxDiff = None

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

    # -- What there is -------------------------------------------------------

    def _links(self):
        """Return ``[(model, field)]`` of our links: all of our models, and what we
        added to those of other applications."""
        found = []
        for name, model in self.env.registry.items():
            if model._abstract or not model._auto:
                continue
            own = all(
                cls._module.startswith("helpdesk_")
                for cls in model.mro()
                if is_model_definition(cls) and cls._name == name
            )
            found += [
                (name, field.name)
                for field in model._fields.values()
                if field.type in ("many2one", "many2many")
                and (is_our_field(field) or (own and model._transient))
                and field.name not in MAGIC_COLUMNS
            ]
        return sorted(found)

    def _secrets(self, role, model):
        """Return ``{id: names}`` of a few records that the role can't read."""
        records = (
            self.env[model]
            .sudo()
            .with_context(active_test=False)
            .search([], limit=100, order="id desc")
        )
        seen = self._as(role, records)._filtered_access("read").sudo()
        # The newest, and the oldest: of several companies and makers.
        foreign = (records - seen.with_env(records.env)).sorted("id")
        result = {}
        for record in foreign[:1] | foreign[-1:]:
            names = {record.display_name, record.with_context(**TELLING).display_name}
            if model == "loyalty.card":
                names = {record.code}
            elif model == "helpdesk.ticket":
                names = {record.name}
            elif model in ("account.move", "sale.order"):
                # Numbers are what agents see of the documents of their customers.
                names = {record.partner_id.name}
            # Numbers and words that stand everywhere prove nothing.
            result[record.id] = {name for name in names if name and len(name) > 4}
        return {id_: names for id_, names in result.items() if names}

    def _offered(self, records, name):
        """Return the ids that the ticket itself offers to agents."""
        if not hasattr(records, "_get_offer_domain"):
            return set()
        field = records._fields[name]
        domain = records.sudo()._get_offer_domain(field, self.ticket)
        comodel = self.env[field.comodel_name].with_context(active_test=False)
        return set(comodel.search(domain).ids)

    def _known(self, role, model):
        """Return the values of a record of the role's own."""
        fields = self.env[model]._fields
        values = {}
        if "helpdesk_ticket_id" in fields and self.env[model]._transient:
            values["helpdesk_ticket_id"] = self.ticket.id
        for name, field in fields.items():
            if field.required and not field.compute and not field.default:
                if field.type in ("char", "text"):
                    values[name] = "Ada"
                elif name == "wizard_id":
                    wizards = self._as(role, self.env[field.comodel_name])
                    values[name] = wizards.create(
                        {"helpdesk_ticket_id": self.ticket.id}
                    ).id
                elif name == "ticket_id":
                    values[name] = self.ticket.id
        return values

    # -- Trying --------------------------------------------------------------

    def _tries(self, role, records, name, id_):
        """Return functions that try to get the name of a record by a link."""
        many = records._fields[name].type == "many2many"
        value = [Command.set([id_])] if many else id_
        spec = {name: {"fields": {"display_name": {}}}}
        telling = records.with_context(**TELLING)
        default = telling.with_context(**{f"default_{name}": value})

        def read(record):
            return record.read([name]), record.with_context(**TELLING).web_read(spec)

        def create():
            known = self._known(role, records._name)
            return read(telling.create(known | {name: value}))

        def create_default():
            return read(default.create(self._known(role, records._name)))

        def write():
            record = telling.create(self._known(role, records._name))
            record.write({name: value})
            return read(record)

        return {
            "onchange": lambda: telling.onchange(
                self._known(role, records._name) | {name: value}, [name], spec
            ),
            "first onchange": lambda: telling.onchange({name: value}, [], spec),
            "default": lambda: default.onchange({}, [], spec),
            "create": create,
            "create by default": create_default,
            "write": write,
        }

    def _told(self, function):
        """Return all that an answer, or a refusal, says."""
        told = ""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            told = repr(function())
        except (UserError, ValueError, psycopg2.Error) as refusal:
            told = str(refusal)
        finally:
            # What was made must not show to the next.
            with suppress(psycopg2.Error):
                self.env.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()
        return told

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_c1_no_link_tells_a_foreign_name(self):
        """rights C1: holes 1, 6 and 10, and their same kind."""
        tried, leaks = 0, set()
        secrets = {}
        for model, name in self._links():
            for role in self.users:
                records = self._as(role, self.env[model])
                field = records._fields[name]
                if not records.has_access("create") or not (
                    records._has_field_access(field, "write")
                ):
                    continue
                key = role, field.comodel_name
                if key not in secrets:
                    secrets[key] = self._secrets(*key)
                offered = self._offered(records, name) if secrets[key] else ()
                for id_, names in secrets[key].items():
                    if id_ in offered:
                        continue
                    for way, try_ in self._tries(role, records, name, id_).items():
                        told = self._told(try_)
                        tried += 1
                        if any(word in told for word in names):
                            leaks.add((f"{model}.{name}", role, way))
        self.assertEqual(sorted(leaks), [])
        self.assertGreater(tried, 100)

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
            told = self._told(
                lambda: tasks.onchange(
                    {"name": "x"},
                    [],
                    {"helpdesk_ticket_id": {"fields": {"display_name": {}}}},
                )
            )
            self.assertNotIn("SECRET", told)

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
