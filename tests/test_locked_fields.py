"""What only the server sets is out of reach over RPC (rights, holes 2, 4, 5, 7).

Fields, models and roles come from the registry and from tests/access.py: a new field is
tried without anybody adding a row. ``server_only`` is explained in models/base.py.
"""

from contextlib import contextmanager, suppress

import psycopg2
import pytest
from access import AccessCase, is_server_only

from odoo import Command
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.models import MAGIC_COLUMNS
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

# Whoever may create or write something at all.
ROLES = ("portal", "employee", "apps", "elsewhere", "agent", "manager", "both")
QUIET = ("odoo.sql_db", "odoo.addons.base.models.ir_model", "odoo.orm.models")


@tagged("post_install", "-at_install")
class TestLockedFields(AccessCase):
    maxDiff = None

    def _our_fields(self):
        """Return the columns and computed fields that the addons bring."""
        return [
            field
            for _name, model in sorted(self.env.registry.items())
            # What is only queried has no columns.
            if not model._abstract and model._auto
            for field in model._fields.values()
            if any(name.startswith("helpdesk_") for name in field._modules)
            and field.name not in MAGIC_COLUMNS
        ]

    def _forged(self, field):
        """Return a value for a field, as a client would send it."""
        some = self.env[field.comodel_name or "res.partner"]
        some = some.sudo().with_context(active_test=False).search([], limit=1)
        return {
            "boolean": lambda: True,
            "binary": lambda: "iVBORw0KGgo=",
            "date": lambda: "2001-01-01",
            "datetime": lambda: "2001-01-01 10:00:00",
            "integer": lambda: 77,
            "float": lambda: 77.0,
            "monetary": lambda: 77.0,
            "many2one": lambda: some.id or 1,
            "many2many": lambda: [Command.set(some.ids)],
            "one2many": lambda: [Command.create({})],
            "selection": lambda: field.get_values(self.env)[-1],
        }.get(field.type, lambda: "forged")()

    def _values(self, role, model):
        """Return what a new record needs, so that nothing else is refused."""
        if self.env[model]._transient:
            return self._pop_up(model)
        values = {
            "helpdesk.ticket": {"name": "New", "team_id": self.team.id},
            "project.task": {
                "name": "New",
                "user_ids": [Command.set(self.users[role].ids)],
            },
            "mail.activity": {
                "res_model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "res_id": self.ticket.id,
            },
            "repair.order": {"product_id": self.phone.id},
            "helpdesk.ticket.line": {
                "ticket_id": self.ticket.id,
                "product_id": self.phone.id,
            },
        }
        return values.get(model, {"name": "New"})

    @contextmanager
    def _taken_back(self):
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            yield
        finally:
            with suppress(psycopg2.Error):
                self.env.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _call(self, role, model, method, *args, **context):
        """Return the answer as the client gets it, or the exception."""
        env = self.env(user=self.users[role].id, su=False, context={})
        try:
            answer = call_kw(env[model], method, list(args), {"context": context})
            self.env.flush_all()
        except (UserError, MissingError, ValueError, psycopg2.Error) as error:
            return error
        return answer

    def _created(self, role, model, values, **context):
        """Return the ids of new records, or the exception."""
        return self._call(role, model, "create", [values], **context)

    def _creators(self, model):
        """Return the roles that may create records of a model."""
        return [
            role
            for role in ROLES
            if self._call(role, model, "has_access", [], "create") is True
        ]

    def _writers(self, record):
        """Return the roles that may write a record."""
        return [
            role
            for role in ROLES
            if self._call(role, record._name, "has_access", record.ids, "write") is True
        ]

    def _some_record(self, role, model):
        """Return the id of a record that a role may write, or ``False``; a pop-up is
        opened by the role."""
        if self.env[model]._transient or not self._record(model):
            ids = self._created(role, model, self._values(role, model))
            return ids[0] if isinstance(ids, list) else False
        record = self._record(model)
        return role in self._writers(record) and record.id

    def _stored(self, field, record_id):
        record = self.env[field.model_name].sudo().browse(record_id)
        record.invalidate_recordset()
        value = record.with_context(bin_size=False)[field.name]
        return value.ids if field.relational else value

    # -- What is declared ----------------------------------------------------

    def test_c2_each_readonly_column_is_declared(self):
        """``readonly`` alone holds in the web client only."""
        loose = [
            str(field)
            for field in self._our_fields()
            if field.readonly
            and field.store
            and not field.compute
            # False says: whoever makes the document, with their own rights.
            and not hasattr(field, "server_only")
        ]
        self.assertEqual(loose, [])

    def test_c2_what_is_declared_is_readonly_and_not_copied(self):
        declared = [f for f in self._our_fields() if is_server_only(f)]
        self.assertGreater(len(declared), 15)
        for field in declared:
            # What the members of a group import is editable for them.
            imported = isinstance(field.server_only, str)
            self.assertTrue(field.readonly or imported, field)
            self.assertFalse(field.copy, field)

    # -- Values of clients ---------------------------------------------------

    def test_c2_declared_fields_refuse_every_way_in(self):
        """Each field is tried by one role that may make a record, and one that may
        write one, in turns."""
        self._try_declared(1)

    @pytest.mark.slow
    def test_c2_declared_fields_refuse_every_way_in_of_everybody(self):
        self._try_declared(len(ROLES))

    @mute_logger(*QUIET)
    def _try_declared(self, most):
        tried = set()
        for number, field in enumerate(self._our_fields()):
            if not is_server_only(field):
                continue
            model, name = field.model_name, field.name
            forged = self._forged(field)
            creators = self._creators(model)
            turn, made = number % max(len(creators), 1), 0
            for role in creators[turn:] + creators[:turn]:
                values = self._values(role, model)
                with self._taken_back():
                    control = self._created(role, model, values)
                if isinstance(control, AccessError):
                    continue  # refused for another reason
                for given, context in (
                    (values | {name: forged}, {}),
                    (values, {f"default_{name}": forged}),
                ):
                    with self._taken_back():
                        answer = self._created(role, model, given, **context)
                        self.assertIsInstance(answer, AccessError, (role, field))
                self._try_import(role, field, forged)
                self._try_onchange(role, field, forged)
                tried.add((field, "create"))
                made += 1
                if made == most:
                    break
            turn, wrote = number % len(ROLES), 0
            for role in ROLES[turn:] + ROLES[:turn]:
                wrote += self._try_write(role, field, forged, tried)
                if wrote == most:
                    break
        for field in self._our_fields():
            if is_server_only(field) and self._creators(field.model_name):
                self.assertIn((field, "create"), tried)
                self.assertIn((field, "write"), tried)

    def _try_write(self, role, field, forged, tried):
        """Return whether there was a record that the role may write."""
        model, name = field.model_name, field.name
        for method, args in (
            ("write", [{name: forged}]),
            ("web_save", [{name: forged}, {}]),
            ("copy", [{name: forged}]),
            ("onchange", [{name: forged}, [name], {name: {}}]),
        ):
            with self._taken_back():
                record_id = self._some_record(role, model)
                if not record_id:
                    return False
                before = self._stored(field, record_id)
                answer = self._call(role, model, method, [record_id], *args)
                if method == "onchange":
                    self._check_onchange(role, field, answer, before)
                elif method == "copy" and isinstance(answer, list):
                    # Project leaves out what the user may not read.
                    copied = self._stored(field, answer[0])
                    self.assertNotIn(str(forged), str(copied), (role, field))
                else:
                    self.assertIsInstance(answer, UserError, (role, field, method))
                self.assertEqual(self._stored(field, record_id), before, (role, field))
                tried.add((field, "write"))
        return True

    def _try_onchange(self, role, field, forged):
        model, name = field.model_name, field.name
        for args, context in (
            ([{name: forged}, [name], {name: {}}], {}),
            ([{name: forged}, [], {name: {}}], {}),
            ([{}, [], {name: {}}], {f"default_{name}": forged}),
        ):
            with self._taken_back():
                answer = self._call(role, model, "onchange", [], *args, **context)
                self._check_onchange(role, field, answer)

    def _check_onchange(self, role, field, answer, stored=None):
        """The client gets nothing of what it has sent; what is ``stored``, it may."""
        if isinstance(answer, UserError):
            return  # groups of the field
        self.assertIsInstance(answer, dict, (role, field, answer))
        value = answer.get("value", {}).get(field.name)
        own = field.default or (stored and value == stored)
        self.assertTrue(not value or own, (role, field, answer))
        self.assertNotIn("forged", str(value))
        self.assertNotIn("2001-01-01", str(value))

    def _try_import(self, role, field, forged):
        model = self.env[field.model_name]
        row = {
            f"{name}/.id" if model._fields[name].type == "many2one" else name: str(
                value
            )
            for name, value in self._values(role, field.model_name).items()
            if not isinstance(value, list)
        }
        row[field.name] = str(forged)
        with self._taken_back():
            # Files of fields show only to who asks for ids: the latest one tells.
            latest = model.sudo().with_context(active_test=False).search
            newest = [("id", "!=", False)]
            before = latest(newest, order="id desc", limit=1)
            answer = self._call(
                role, field.model_name, "load", [*row], [[*row.values()]]
            )
            after = latest(newest, order="id desc", limit=1)
            self.assertEqual(after, before, (role, field, answer))

    @mute_logger(*QUIET)
    def test_c2_declared_fields_ignore_the_defaults_of_users(self):
        """Everybody may set defaults for themselves (ir.default)."""
        tried = 0
        for field in self._our_fields():
            if not is_server_only(field) or field.relational:
                continue
            for role in self._creators(field.model_name)[:2]:
                with self._taken_back():
                    values = self._values(role, field.model_name)
                    control = self._created(role, field.model_name, values)
                    if not isinstance(control, list):
                        continue
                    before = self._stored(field, control[0])
                    forged = self._forged(field)
                    answer = self._call(
                        role,
                        "ir.default",
                        "set",
                        *(field.model_name, field.name, forged, True),
                    )
                    if isinstance(answer, Exception):
                        continue
                    [made] = self._created(role, field.model_name, values)
                    stored = self._stored(field, made)
                    self.assertNotIn(str(forged), str(stored), (role, field))
                    self.assertEqual(bool(before), bool(stored), (role, field))
                    tried += 1
        self.assertTrue(tried)

    def test_c2_computed_fields_follow_their_source(self):
        """Of a new record they are computed, later they refuse."""
        self._try_computed(("agent", "apps"))

    @pytest.mark.slow
    def test_c2_computed_fields_follow_their_source_for_everybody(self):
        self._try_computed(ROLES)

    @mute_logger(*QUIET)
    def _try_computed(self, roles):
        tried = set()
        for field in self._our_fields():
            if not field.compute or not field.readonly or field.inverse:
                continue
            model, name = field.model_name, field.name
            forged = self._forged(field)
            for role in roles:
                with self._taken_back():
                    record_id = self._some_record(role, model)
                    if not record_id:
                        continue
                    answer = self._call(
                        role, model, "write", [record_id], {name: forged}
                    )
                    self.assertIsInstance(answer, AccessError, (role, field))
                    tried.add(field)
            if not field.store or field.type in ("datetime", "date"):
                continue
            for role in self._creators(model):
                if role not in roles:
                    continue
                values = self._values(role, model)
                with self._taken_back():
                    plain = self._created(role, model, values)
                    if not isinstance(plain, list):
                        continue
                    follows = self._stored(field, plain[0])
                    made = self._created(role, model, values | {name: forged})
                    if not isinstance(made, list):
                        # A link to what the user can't read is refused at once.
                        self.assertIsInstance(made, AccessError, (role, field))
                        continue
                    self.assertEqual(
                        self._stored(field, made[0]), follows, (role, field)
                    )
        self.assertGreater(len(tried), 50)
