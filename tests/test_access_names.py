"""No link tells a name that is not for who set it (rights R2, C1), and no field of ours
on documents of other applications is for customers (C4).

Models, fields and roles come from the registry: a new field is tried without a row.
What is tried: each of our links that a role may set, to records that the role can't
read, by ``create``, ``write``, ``onchange`` and default values; no answer and no
refusal may hold the name of that record, whatever the context asks for.
"""

from contextlib import suppress
from functools import partial

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
        cls.secrets = {}
        cls.users["public"] = env.ref("base.public_user")
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
        """Return ``{id: names}`` of a few records that the role can't read, found once
        for all tests."""
        key = role, model
        if key not in self.secrets:
            self.secrets[key] = self._find_secrets(role, model)
        return self.secrets[key]

    def _find_secrets(self, role, model):
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
        """Return the values of a record of the role's own, found out once."""
        key = role, model
        if key not in self.known:
            self.known[key] = self._find_known(role, model)
        return dict(self.known[key])

    def _find_known(self, role, model):
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
        self.known = {}
        for model, name in self._links():
            for role in self.users:
                records = self._as(role, self.env[model])
                field = records._fields[name]
                if not records.has_access("create") or not (
                    records._has_field_access(field, "write")
                ):
                    continue
                secrets = self._secrets(role, field.comodel_name)
                if not secrets:
                    continue
                with suppress(UserError):
                    self._known(role, model)
                offered = self._offered(records, name)
                for id_, names in secrets.items():
                    if id_ in offered:
                        continue
                    for way, try_ in self._tries(role, records, name, id_).items():
                        told = self._told(try_)
                        tried += 1
                        if any(word in told for word in names):
                            leaks.add((f"{model}.{name}", role, way))
        self.assertEqual(sorted(leaks), [])
        self.assertGreater(tried, 100)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_c1_no_drop_down_tells_a_foreign_name(self):
        """rights C1: ``name_search`` and what the web client makes of it, also with the
        keys that our own drop-downs put into the context."""
        forged = TELLING | {
            "helpdesk_purchase_of": {
                "ticket_id": self.secret.id,
                "company_id": self.company.id,
                "partner_id": self.secret.commercial_partner_id.id,
                "others": True,
            },
            "helpdesk_coupon_of": {
                "ticket_id": self.secret.id,
                "program_type": "coupons",
            },
        }
        comodels = {
            self.env[model]._fields[name].comodel_name for model, name in self._links()
        }
        tried, leaks = 0, set()
        for role in self.users:
            for comodel in sorted(comodels):
                secrets = self._secrets(role, comodel)
                asked = self._as(role, self.env[comodel]).with_context(**forged)
                for typed in {"", *(min(names) for names in secrets.values())}:
                    for method, args in (
                        ("name_search", (typed,)),
                        ("web_name_search", (typed, {"display_name": {}})),
                    ):
                        tried += 1
                        found = []
                        with suppress(UserError):
                            found = getattr(asked, method)(*args)
                        # Others may be called the same.
                        ids = {r["id"] if isinstance(r, dict) else r[0] for r in found}
                        if ids & secrets.keys():
                            leaks.add((comodel, role, method, typed))
        self.assertEqual(sorted(leaks), [])
        self.assertGreater(tried, 100)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_what_a_form_only_shows_is_computed_whatever_it_sends(self):
        """rights R1: what is computed follows links that aren't kept anywhere, too."""
        tried, followed = 0, set()
        self.known = {}
        for model, name in self._links():
            records = self._as("agent", self.env[model])
            field = records._fields[name]
            if (
                not (field.compute and field.readonly and field.type == "many2one")
                or not hasattr(records, "_check_chosen")
                or not records.has_access("create")
                or not records._has_field_access(field, "read")
            ):
                continue
            known = self._known("agent", model)
            comodel = self.env[field.comodel_name].with_context(active_test=False)
            true = records.new(known)[name]
            for other in comodel.search(
                [("id", "!=", true.id)], order="id desc", limit=1
            ):
                answer = records.onchange(
                    known | {name: other.id}, [], {name: {}, "display_name": {}}
                )
                tried += 1
                if answer["value"].get(name) == other.id:
                    followed.add(f"{model}.{name}")
        self.assertEqual(sorted(followed), [])
        self.assertGreater(tried, 5)

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
        for role in self.users.keys() - {"portal", "public"}:
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

    def _secret_documents(self):
        for name in self.env.registry.descendants(
            ["helpdesk.after.sales.document"], "_inherit"
        ):
            if not self.env[name]._abstract:
                yield self.env[name].search(
                    [("helpdesk_ticket_id", "=", self.secret.id)]
                )

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_hole_10_no_other_way_tells_the_subject(self):
        """rights R2: groups, exports, copies, paths and guesses through a document."""
        link = "helpdesk_ticket_id"
        wanted = {"fields": {"display_name": {}, "name": {}, "description": {}}}
        tried, leaks, guessed = 0, set(), set()
        for documents in self._secret_documents():
            for role in self.users.keys() - {"manager"}:
                seen = self._as(role, documents)._filtered_access("read")
                if not seen:
                    continue
                domain = [("id", "in", seen.ids)]
                ways = {
                    "read": partial(seen.read, [link]),
                    "web_read": partial(seen.web_read, {link: wanted}),
                    "web_search_read": partial(
                        seen.web_search_read, domain, {link: wanted}
                    ),
                    "export": partial(seen.export_data, [link, f"{link}/name"]),
                    "group": partial(
                        seen.formatted_read_group, domain, [link], ["__count"]
                    ),
                    "group by path": partial(
                        seen.formatted_read_group, domain, [f"{link}.name"], ["__count"]
                    ),
                    "web_read_group": partial(seen.web_read_group, domain, [link]),
                    "copy": lambda seen=seen: seen[:1].copy().read([link]),
                    "messages": lambda seen=seen: seen.message_ids.read(
                        ["subject", "record_name", "body"]
                    ),
                }
                for way, try_ in ways.items():
                    tried += 1
                    if self.secret.name in self._told(try_):
                        leaks.add((documents._name, role, way))
                for path in ("", ".name", ".display_name", ".description"):
                    guess = [*domain, (f"{link}{path}", "ilike", "SECRET")]
                    with suppress(UserError):
                        if seen.search(guess):
                            guessed.add((documents._name, role, path))
        self.assertEqual(sorted(leaks), [])
        self.assertEqual(sorted(guessed), [])
        self.assertGreater(tried, 20)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_hole_10_what_hangs_on_a_ticket_tells_no_subject(self):
        """rights R2: messages, files, activities, followers, ratings, plans, clocks."""
        ticket, env = self.secret, self.env
        ticket.message_post(
            body="SECRET plan", subject="SECRET plan", attachments=[("a.txt", b"x")]
        )
        ticket.activity_schedule("mail.mail_activity_data_todo", user_id=env.uid)
        env["rating.rating"].create(
            {
                "res_model_id": env["ir.model"]._get_id(ticket._name),
                "res_id": ticket.id,
                "rating": 1,
                "feedback": "SECRET plan",
            }
        )
        models = {"ir.attachment", "rating.rating", "res.partner"} | {
            name
            for name, model in env.registry.items()
            if model._auto
            and not model._abstract
            and not model._transient
            and name.startswith(("helpdesk.", "fsm.", "mail."))
        }
        leaks = set()
        for role in self.users.keys() - {"manager"}:
            for name in sorted(models):
                records = self._as(role, env[name])
                if not records.has_access("read"):
                    continue
                known = records.fields_get(attributes=["type"])
                fields = [f for f in known if known[f]["type"] != "binary"]
                told = self._told(
                    partial(records.search_read, [], fields, limit=80, order="id desc")
                )
                if ticket.name in told:
                    leaks.add((role, name))
        self.assertEqual(sorted(leaks), [])

    def test_hole_10_chatters_of_documents_tell_no_subject(self):
        """rights hole 10: the chatter of a document."""
        told = set()
        for documents in self._secret_documents():
            name = documents._name
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
