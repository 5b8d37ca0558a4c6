"""Random calls of public methods over RPC, as each role (spec/trust.md, T14 and T28).

Whatever somebody sends: no trace in the log, no row of others changed, nothing of
others told. The methods come from the registry, the arguments from a random generator
with a fixed seed, so that a failure can be had again: it names the number of the call.
What a mail can do is tried in test_mail_gateway.
"""

import inspect
import logging
import random
import traceback
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest

from odoo import Command
from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

SEED = 20260301
ROLES = ("portal", "public", "employee", "seller", "stock", "agent", "manager")
# The mail gateway, and what installs addons or waits for the network.
LEFT_OUT = {
    *("message_process", "message_parse", "message_route"),
    *("message_new", "message_update"),
    *("button_immediate_install", "get_views", "get_view", "get_import_templates"),
}
OURS = "odoo.addons.helpdesk_"
OUR_FILES = str(Path(__file__).parents[1] / "helpdesk_")
SECRETS = {"b": "Secret-of-Berta", "hidden": "Secret-Hidden", "foreign": "Secret-Far"}


class Ears(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@tagged("post_install", "-at_install")
class TestFuzzRpc(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.methods = []
        if "helpdesk.ticket" not in cls.env:
            pytest.skip("helpdesk_after_sales is not installed")
        far = cls.env["res.company"].create({"name": "Far away"})
        anna, berta = cls.env["res.partner"].create(
            [
                {"name": "Anna", "email": "anna@example.com"},
                {"name": "Berta", "email": "berta@example.com"},
            ]
        )
        cls.users = {
            role: new_test_user(cls.env, f"fuzz_{role}", groups=groups)
            for role, groups in {
                "employee": "base.group_user",
                "seller": "sales_team.group_sale_salesman_all_leads",
                "stock": "stock.group_stock_user",
                "agent": "helpdesk_after_sales.group_helpdesk_user",
                "manager": "helpdesk_after_sales.group_helpdesk_manager",
            }.items()
        }
        cls.users["public"] = cls.env.ref("base.public_user")
        cls.users["portal"] = new_test_user(
            cls.env, "fuzz_portal", groups="base.group_portal", partner_id=anna.id
        )
        services = {
            switch: True
            for switch, addon in cls.env["helpdesk.team"]
            ._after_sales_services()
            .items()
            if addon in cls.env.registry._init_modules
        }
        cls.team, cls.hidden_team, cls.far_team = cls.env["helpdesk.team"].create(
            [
                {
                    "name": "Open",
                    "member_ids": [Command.set(cls.users["agent"].ids)],
                    "allow_portal_ticket_closing": True,
                    **services,
                },
                {
                    "name": SECRETS["hidden"],
                    "privacy_visibility": "invited_internal",
                    "member_ids": [Command.clear()],
                },
                {
                    "name": SECRETS["foreign"],
                    "company_id": far.id,
                    "member_ids": [Command.clear()],
                },
            ]
        )
        cls.tickets = {
            name: cls.env["helpdesk.ticket"].create(
                {
                    "name": SECRETS.get(name, "Own"),
                    "description": SECRETS.get(name, "Own"),
                    "team_id": team.id,
                    "partner_id": partner.id,
                }
            )
            for name, team, partner in (
                ("own", cls.team, anna),
                ("b", cls.team, berta),
                ("hidden", cls.hidden_team, berta),
                ("foreign", cls.far_team, berta),
            )
        }
        for name, ticket in cls.tickets.items():
            for subtype in ("mail.mt_comment", "mail.mt_note"):
                ticket.message_post(
                    body=SECRETS.get(name, "Own"),
                    message_type="comment",
                    subtype_xmlid=subtype,
                    attachments=[("file.txt", SECRETS.get(name, "Own").encode())],
                )
        cls.berta = berta
        cls.env.cr.flush()
        cls.env.invalidate_all()

    # -- What belongs to others ----------------------------------------------

    def _others(self, role):
        """Return the names of the tickets that a role may neither see nor change."""
        return {
            "agent": ("hidden", "foreign"),
            "manager": ("foreign",),
        }.get(role, ("b", "hidden", "foreign"))

    def _fingerprint(self, role):
        """Return a digest of the rows of others, by table."""
        tickets = tuple(self.tickets[name].id for name in self._others(role))
        teams = {
            "manager": self.far_team.ids,
        }.get(role, (self.team | self.hidden_team | self.far_team).ids)
        rows = {
            "helpdesk_ticket": ("id IN %s", tickets),
            "mail_message": ("model = 'helpdesk.ticket' AND res_id IN %s", tickets),
            "ir_attachment": (
                "res_model = 'helpdesk.ticket' AND res_id IN %s",
                tickets,
            ),
            "mail_followers": (
                "res_model = 'helpdesk.ticket' AND res_id IN %s",
                tickets,
            ),
            "rating_rating": (
                "res_model = 'helpdesk.ticket' AND res_id IN %s",
                tickets,
            ),
            "mail_activity": (
                "res_model = 'helpdesk.ticket' AND res_id IN %s",
                tickets,
            ),
            "helpdesk_team": ("id IN %s", tuple(teams)),
            "res_partner": ("id IN %s", tuple(self.berta.ids)),
        }
        if role != "manager":
            rows["helpdesk_stage"] = ("id NOT IN %s", (0,))
            rows["helpdesk_after_sales_reason"] = ("id NOT IN %s", (0,))
        # Mail to a contact, of a ticket that an agent makes, lets Odoo note how they
        # may sign up: that isn't a change of their data.
        contact = (
            "(t.name, t.email, t.phone, t.active, t.parent_id, t.company_id)::text"
        )
        query, parameters = [], []
        for table, (condition, ids) in rows.items():
            row = contact if table == "res_partner" else "t::text"
            query.append(
                f"SELECT '{table}', md5(string_agg({row}, '|' ORDER BY id)) "
                f"FROM {table} t WHERE {condition}"
            )
            parameters.append(ids)
        self.env.cr.execute(" UNION ALL ".join(query), parameters)
        return dict(self.env.cr.fetchall())

    # -- Methods -------------------------------------------------------------

    @classmethod
    def _methods(cls):
        """Return ``[(model, method, whether ours)]`` that can be called over RPC: all
        of our models, and on other models what our addons have added. Found once."""
        if not cls.methods:
            for name, model in sorted(cls.env.registry.items()):
                if not model._abstract:
                    cls.methods += cls._methods_of(name, model)
        return cls.methods

    @classmethod
    def _methods_of(cls, name, model):
        ours = name.startswith(("helpdesk.", "fsm."))
        definitions = [vars(c) for c in model.mro()]
        added = set().union(
            *(vars(c) for c in model.mro() if c.__module__.startswith(OURS))
        )
        result = []
        for method in sorted(dir(model) if ours else added):
            if method.startswith("_") or method in LEFT_OUT:
                continue
            value = inspect.getattr_static(model, method)
            if not callable(getattr(model, method)) or isinstance(value, property):
                continue
            if any(
                getattr(of_class.get(method), "_api_private", False)
                for of_class in definitions
            ):
                continue
            result.append((name, method, method in added))
        return result

    # -- Arguments -----------------------------------------------------------

    def _ids(self, chance, name):
        """Return ids of a model: own ones, those of others, none, missing."""
        if name == "helpdesk.ticket":
            pool = [ticket.id for ticket in self.tickets.values()]
        elif name == "helpdesk.team":
            pool = (self.team | self.hidden_team | self.far_team).ids
        else:
            pool = self.pool_ids.get(name)
            if pool is None:
                records = self.env[name].sudo().with_context(active_test=False)
                pool = self.pool_ids[name] = []
                # Some of Odoo's models refuse to be searched.
                with suppress(UserError):
                    pool += records.search([], limit=4).ids
        pool = [*pool, 10**8]
        return chance.sample(pool, chance.choice([0, 1, 1, 1, min(2, len(pool))]))

    def _value(self, chance, field):
        comodel = field.comodel_name
        return {
            "boolean": lambda: chance.choice([True, False]),
            "char": lambda: chance.choice(["x", "", "<b>y</b>", "a" * 300, False]),
            "text": lambda: chance.choice(["x", "", False]),
            "html": lambda: chance.choice(["<p>x</p>", "<script>1</script>", False]),
            "integer": lambda: chance.choice([0, 1, -1, 10**6]),
            "float": lambda: chance.choice([0.0, 1.5, -1.0, 1e6]),
            "monetary": lambda: chance.choice([0.0, 1.5, -1.0]),
            "date": lambda: chance.choice(["2026-01-01", False]),
            "datetime": lambda: chance.choice(["2026-01-01 10:00:00", False]),
            "selection": lambda: chance.choice([*field.get_values(self.env), False]),
            "many2one": lambda: chance.choice([*self._ids(chance, comodel), False]),
            "many2many": lambda: [Command.set(self._ids(chance, comodel))],
        }[field.type]()

    def _vals(self, chance, model):
        names = [
            name
            for name, field in model._fields.items()
            if (field.store or field.inverse)
            and field.type
            not in (
                *("one2many", "binary", "image", "properties", "json", "reference"),
                *("properties_definition", "many2one_reference"),
            )
            and name not in ("id", "parent_path")
        ]
        return {
            name: self._value(chance, model._fields[name])
            for name in chance.sample(names, min(len(names), chance.randint(0, 4)))
        }

    def _domain(self, chance, model):
        names = [
            name
            for name, field in model._fields.items()
            if field.type in ("char", "integer", "boolean", "many2one")
            and (field.store or field.search)
        ]
        name = chance.choice(names)
        field = model._fields[name]
        if field.type == "boolean":
            return [(name, "=", chance.choice([True, False]))]
        operator = "ilike" if field.type == "char" else "="
        return chance.choice([[], [(name, operator, self._value(chance, field))]])

    def _argument(self, chance, model, name):
        """Return a value for a parameter of this name.

        :raises KeyError: when nothing is known about it
        """
        stored = [n for n, f in model._fields.items() if f.store and f.type != "binary"]
        some = chance.sample(stored, min(3, len(stored)))
        partners = self.env["res.partner"].sudo().search([], limit=5).ids
        return {
            "domain": lambda: self._domain(chance, model),
            "fields": lambda: some,
            "field_names": lambda: some,
            "fields_list": lambda: some,
            "fields_to_export": lambda: some,
            "allfields": lambda: some,
            "barcode": lambda: chance.choice(["4001", "", False]),
            "attributes": lambda: ["string", "type"],
            "groupby": lambda: [chance.choice(["id", "create_uid", "write_uid"])],
            "aggregates": lambda: ["__count"],
            "group_by": lambda: "create_uid",
            "progress_bar": lambda: {
                "field": "kanban_state" if "kanban_state" in model else "write_uid",
                "colors": chance.choice([{"blocked": "danger"}, {}]),
            },
            "order": lambda: chance.choice(["id desc", None]),
            "limit": lambda: chance.choice([0, 1, 80]),
            "offset": lambda: chance.choice([0, 1]),
            "before_id": lambda: chance.choice([None, 1, 10**6]),
            "vals": lambda: self._vals(chance, model),
            "values": lambda: self._vals(chance, model),
            "vals_list": lambda: [self._vals(chance, model)],
            "default": dict,
            "name": lambda: chance.choice(["x", "%", ""]),
            "operator": lambda: "ilike",
            "load": lambda: "_classic_read",
            "specification": lambda: {"display_name": {}},
            "next_id": lambda: None,
            "options": dict,
            "body": lambda: chance.choice(["x", "<b>y</b>", ""]),
            "subject": lambda: "x",
            "message_type": lambda: chance.choice(["comment", "notification"]),
            "partner_ids": lambda: chance.sample(partners, 1),
            "partner_id": lambda: chance.choice(partners),
            "subtype_ids": lambda: None,
            "access_uid": lambda: chance.choice(
                [None, self.env.ref("base.user_root").id]
            ),
            "suffix": lambda: None,
            "after": lambda: None,
            "filter_recipients": lambda: False,
            "notification_type": lambda: "email",
            "count": lambda: chance.choice([0, 1]),
            "view_id": lambda: None,
            "view_type": lambda: chance.choice(["form", "list"]),
            "fields_spec": lambda: {"display_name": {}},
            "service": lambda: chance.choice(["use_product_returns", "name", ""]),
            "sale_line_ids": lambda: self._ids(chance, "sale.order.line"),
            "line_id": lambda: chance.choice(
                [*self._ids(chance, "sale.order.line"), "1", None]
            ),
            "team_id": lambda: chance.choice(self._ids(chance, "helpdesk.team") or [0]),
            "quantity": lambda: chance.choice([1, 0, -1, 1e308, "nan", None]),
            "wish": lambda: chance.choice(["money", "gold", None]),
            "description": lambda: chance.choice(["x", "<b>y</b>", ""]),
            "photos": lambda: chance.choice([(), [["a.png", "eA=="]], "x"]),
            "reason_id": lambda: chance.choice([None, 10**8]),
            "lot_id": lambda: chance.choice([None, 10**8]),
            "message_id": lambda: chance.choice([0, 10**8, "x", None]),
            "state": lambda: chance.choice(["here", "x", 5, None]),
            "model": lambda: chance.choice(["sale.order", "res.users", 5, None]),
            "chosen": lambda: chance.choice(
                [None, "x", {"partner_id": chance.choice(partners)}, {"ids": [1, "x"]}]
            ),
            "key": lambda: chance.choice([None, "x" * 100]),
        }[name]()

    def _arguments(self, chance, model, method):
        """Return ``(ids or nothing, keyword arguments)``, or ``None`` if a parameter is
        unknown."""
        function = getattr(type(model), method)
        kwargs = {}
        for name, parameter in [*inspect.signature(function).parameters.items()][1:]:
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                continue
            required = parameter.default is parameter.empty
            if required or chance.random() < 0.3:
                try:
                    kwargs[name] = self._argument(chance, model, name)
                except KeyError:
                    if required:
                        return None
        if {"values", "field_names"} <= kwargs.keys():
            # Odoo's onchange has a trace for a changed field without a value.
            kwargs["field_names"] = [*kwargs["values"]]
        if chance.random() < 0.3:
            kwargs["context"] = chance.choice(
                [
                    {"default_helpdesk_ticket_id": self.tickets[name].id}
                    for name in self.tickets
                ]
                + [
                    {"active_test": False},
                    {"active_model": "helpdesk.ticket", "active_id": 1},
                    {"allowed_company_ids": self.far_team.company_id.ids},
                ]
            )
        if getattr(function, "_api_model", False):
            return [], kwargs
        return [self._ids(chance, model._name)], kwargs

    # -- Running -------------------------------------------------------------

    def _fuzz(self, role, calls, version):
        """Make random calls as a role; returns what went wrong."""
        chance = random.Random(f"{SEED} {role} {version}")
        self.pool_ids = {}
        user = self.users[role]
        secrets = [SECRETS[name] for name in self._others(role)]
        methods = self._methods()
        before = self._fingerprint(role)
        ears, wrong, done, answered = Ears(), [], 0, 0
        root = logging.getLogger()
        root.addHandler(ears)
        self.addCleanup(root.removeHandler, ears)
        while done < calls:
            name, method, ours = chance.choice(methods)
            arguments = self._arguments(chance, self.env[name], method)
            if arguments is None:
                self.assertFalse(ours, f"say what {name}.{method} is called with")
                continue
            args, kwargs = arguments
            done += 1
            what = f"{done}: {name}.{method}{args}{kwargs}"
            trace, answer = self._call(user, name, method, args, kwargs)
            answered += bool(answer)
            if trace:
                wrong.append(f"{what}: {trace}")
            if any(secret in answer for secret in secrets):
                wrong.append(f"{what} tells {answer[:500]}")
            # What was refused is taken back.
            if self.changed is not None and self.changed != before:
                wrong.append(f"{what} changes {self.changed}, was {before}")
        wrong.extend(record.getMessage() for record in ears.records)
        if role in ("agent", "manager"):
            self.assertGreater(answered, calls / 5, "most were refused: tried nothing")
        return wrong

    @mute_logger(
        "odoo.addons.base.models.ir_model",
        "odoo.addons.base.models.ir_rule",
        "odoo.sql_db",
    )
    def _call(self, user, name, method, args, kwargs):
        """Return ``(trace, answer as text)`` of one call, which is taken back."""
        answer, trace, self.changed = "", "", None
        role = next(role for role, other in self.users.items() if other == user)
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            env = self.env(user=user.id, su=False, context={})
            answer = repr(call_kw(env[name], method, args, kwargs))
            env.cr.flush()
            self.changed = self._fingerprint(role)
        except (UserError, psycopg2.IntegrityError):
            pass  # what Odoo answers with a sentence
        except Exception as error:  # noqa: B902 (whatever the server would log)
            # Odoo's own methods answer to nonsense with a trace, also when we only
            # pass it on to them; so does its ensure_one(), which is how all of its
            # methods ask for one record.
            if "Expected singleton" not in str(error) and any(
                frame.filename.startswith(OUR_FILES) and "super(" not in frame.line
                for frame in traceback.extract_tb(error.__traceback__)
            ):
                trace = traceback.format_exc()
        finally:
            with suppress(psycopg2.Error):
                self.env.clear()
            savepoint.close(rollback=True)
            self.env.invalidate_all()
        return trace, answer

    def test_t14_t28_some_random_calls(self):
        for role in ROLES:
            with self.subTest(role=role):
                wrong = self._fuzz(role, 150, "short")
                self.assertFalse(wrong, "\n\n".join(wrong[:5]))

    @pytest.mark.slow
    def test_t14_t28_2000_random_calls(self):
        for role in ROLES:
            with self.subTest(role=role):
                wrong = self._fuzz(role, 2000, "long")
                self.assertFalse(wrong, "\n\n".join(wrong[:5]))
