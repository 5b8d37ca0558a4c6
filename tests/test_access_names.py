"""No link tells a name that is not for who set it (rights R2, C1), and no field of ours
on documents of other applications is for customers (C4).

Models, fields and roles come from the registry: a new field is tried without a row.
What is tried: each of our links that a role may set, to records that the role can't
read, by ``create``, ``write``, ``onchange`` and default values; no answer and no
refusal may hold the name of that record, whatever the context asks for.
"""

import json
from contextlib import suppress
from functools import partial
from itertools import cycle

import pytest
from secret_records import TELLING, SecretsCase, is_our_field

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

# Customers read these of their own documents.
PORTAL = {
    "project.project allow_worksheets",
    "project.project is_fsm",
    # Odoo asks for the sheet of a task that is created in a shared project.
    "project.task worksheet_template_id",
}


@tagged("post_install", "-at_install")
class TestAccessNames(SecretsCase):
    maxDiff = None

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
            record = telling.browse(own)
            record.write({name: value})
            return read(record)

        own = self._own(role, records._name)
        ways = {
            "onchange": lambda: telling.onchange(
                self._known(role, records._name) | {name: value}, [name], spec
            ),
            "first onchange": lambda: telling.onchange({name: value}, [], spec),
            "default": lambda: default.onchange({}, [], spec),
            "create": create,
            "create by default": create_default,
        }
        return ways | {"write": write} if own else ways

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def _find_leaks(self, of=1):
        """Return what tells a name, of each ``of`` tries one: each link by each role
        and in each way, if not all of them together."""
        tried, leaks, turn = 0, set(), 0
        self.known, self.own, self.offered = {}, {}, {}
        # All of them before the first record of a role's own is made.
        for model, name, role, secrets in [*self._links_to_try()]:
            records = self._as(role, self.env[model])
            with suppress(UserError):
                self._known(role, model)
            offered = self._offered(model, name, secrets)
            for id_, names in secrets.items():
                if id_ in offered:
                    continue
                turn += 1
                ways = self._tries(role, records, name, id_)
                for number, (way, try_) in enumerate(ways.items(), turn):
                    if number % of:
                        continue
                    told = self._told(try_)
                    tried += 1
                    if any(word in told for word in names):
                        leaks.add((f"{model}.{name}", role, way))
        self.assertGreater(tried, 100)
        return sorted(leaks)

    def test_c1_no_link_tells_a_foreign_name(self):
        """rights C1: holes 1, 6 and 10, and their same kind."""
        self.assertEqual(self._find_leaks(of=3), [])

    @pytest.mark.slow
    def test_c1_no_link_tells_a_foreign_name_in_any_way(self):
        """rights C1: all of them."""
        self.assertEqual(self._find_leaks(), [])

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

    def _guesses(self):
        """Return ``{path: word}``: what a search through a link would find."""
        paths = ("", ".name", ".display_name", ".description", ".partner_name")
        paths += (".team_id.name", ".message_ids.body", ".message_ids.subject")
        token = self.secret._portal_ensure_token()
        return dict.fromkeys(paths, "SECRET") | {".access_token": token[:8]}

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
                for path, word in self._guesses().items():
                    guess = [*domain, (f"{link}{path}", "ilike", word)]
                    with suppress(UserError):
                        if seen.search(guess):
                            guessed.add((documents._name, role, path))
                with self.assertRaises(ValueError):
                    seen.search(domain, order=f"{link}.name")
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

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule", "odoo.sql_db")
    def test_r2_what_points_to_any_record_tells_none(self):
        """rights R2 and hole 9: activities, messages, files, ratings and pop-ups of
        other applications that hold the id of a record: made, moved, only shown."""
        conversation = self.env["helpdesk.ticket.conversation"].create(
            {
                "name": "SECRET talk",
                "ticket_id": self.secret.id,
                "partner_ids": [Command.set(self.customer_b.ids)],
            }
        )
        # By turns: each model meets each of them, and each role some.
        targets = cycle((self.secret, self.secret.team_id, conversation))
        tried, leaks = 0, set()
        for name, key, ids in [*self._pointers()]:
            for role in sorted(self.users.keys() - {"manager"}):
                records = self._as(role, self.env[name])
                known = records.has_access("create") and records.fields_get()
                if not known or key not in known or ids not in known:
                    continue
                shown = [
                    field
                    for field in known
                    if known[field]["type"] not in ("binary", "properties")
                ]
                target = next(targets)
                ways = self._points(records, {key, ids}, shown, target)
                for way, try_ in ways.items():
                    tried += 1
                    if "SECRET" in self._told(try_):
                        leaks.add((name, role, way, target._name))
        self.assertEqual(sorted(leaks), [])
        self.assertGreater(tried, 100)

    @mute_logger("odoo.models", "odoo.addons.base.models.ir_rule")
    def test_r2_nobody_writes_about_what_they_cannot_read(self):
        """rights R2: a notice or an answer names what it is about."""
        ticket, spec = self.secret, {"subject": {}, "parent_id": {"fields": {}}}
        spec["parent_id"]["fields"]["display_name"] = {}
        for role in self.users.keys() - {"manager"}:
            user = self.users[role]
            for record in (ticket, ticket.team_id):
                notice = {"body": "x", "partner_ids": user.partner_id.ids}
                with self.assertRaises(AccessError):
                    self._as(role, record).message_notify(**notice)
                notice |= {"model": record._name, "res_id": record.id}
                with self.assertRaises(AccessError):
                    self._as(role, self.env["mail.thread"]).message_notify(**notice)
            answer = {
                "parent_id": ticket.message_ids.filtered("subject")[:1].id,
                "model": "res.partner",
                "res_ids": repr(user.partner_id.ids),
            }
            composer = self._as(role, self.env["mail.compose.message"])
            self.assertNotIn(
                "SECRET", self._told(partial(composer.onchange, answer, [], spec))
            )

    def test_properties_tell_no_foreign_name(self):
        """rights R2: a property is a link, too, and of a team."""
        agent, ticket = self._as("agent", self.ticket), self.ticket
        for record in (self.secret, self.secret.team_id, self.secret_invoice):
            link = {"name": "aa", "type": "many2one", "comodel": record._name}
            ticket.team_id.ticket_properties = [link | {"string": "Link"}]
            told = self._told(partial(self._set_property, link | {"value": record.id}))
            self.assertIn("comodel", told)
            for word in ("SECRET", record.display_name):
                self.assertNotIn(word, told)
        self.secret.team_id.ticket_properties = [
            {"name": "bb", "type": "char", "string": "SECRET", "default": "SECRET"}
        ]
        team = {"team_id": self.secret.team_id.id}
        for try_ in (
            lambda: [agent.write(team), agent.read(["properties"])],
            lambda: agent.onchange(team, ["team_id"], {"properties": {}}),
            lambda: agent.browse().onchange(team, ["team_id"], {"properties": {}}),
        ):
            self.assertNotIn("SECRET", self._told(try_))
        with self.assertRaises(AccessError):
            agent.write({"properties": [link | {"definition_changed": True}]})

    def _set_property(self, value):
        ticket = self._as("agent", self.ticket)
        ticket.write({"properties": [value]})
        self.env.flush_all()
        self.env.invalidate_all()
        return ticket.read(["properties"]), ticket.web_read({"properties": {}})

    def test_the_bus_tells_those_who_read_the_ticket(self):
        """What a ticket sends to open windows goes to channels of those who read it."""
        ticket, bus = self.secret, self.env["bus.bus"].sudo()
        manager = self.users["manager"]
        manager.notification_type = "inbox"
        self.env.cr.precommit.run()
        last = bus.search([], order="id desc", limit=1).id
        ticket.message_subscribe(partner_ids=manager.partner_id.ids)
        for subtype in ("mail.mt_comment", "mail.mt_note"):
            ticket.message_post(
                body="SECRET words",
                partner_ids=manager.partner_id.ids,
                subtype_xmlid=subtype,
                attachments=[("SECRET.txt", b"SECRET")],
            )
        ticket.user_id = manager
        ticket.activity_schedule(
            "mail.mail_activity_data_todo", user_id=manager.id, summary="SECRET"
        )
        self.env.cr.precommit.run()
        sent = bus.search([("id", ">", last)]).filtered(
            lambda row: "SECRET" in row.message
        )
        self.assertTrue(sent)
        for row in sent:
            _database, model, partner_id, *_more = json.loads(row.channel)
            self.assertEqual(model, "res.partner")
            user = self.env["res.users"].search([("partner_id", "=", partner_id)])
            self.assertTrue(ticket.with_user(user).has_access("read"), row.message)

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
