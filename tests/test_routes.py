"""Every address that the addons add, tried with every wrong key (spec/trust.md, T8).

The addresses come from Odoo's routing rules: a new one without a row here fails.
"""

from collections import defaultdict

import pytest

from odoo import Command
from odoo.http import Request
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

# ``{address: how it is guarded}``
# "user": a list of one's own; visitors are sent to the log-in.
# "employee": a call of the web client, closed to customers and visitors.
# "public": a form for visitors, where it is switched on; it shows nothing of anybody.
# model: a record of somebody else is in the address; the field holds its key, or there
# is none: only a log-in opens it.
ROUTES = {
    # Odoo's own, for employees: see test_conversation_matrix.
    "/mail/partner/from_email": "employee",
    "/my/tickets": "user",
    "/my/tickets/page/<int:page>": "user",
    "/my/tickets/<int:ticket_id>": ("helpdesk.ticket", "access_token"),
    "/my/tickets/<int:ticket_id>/<any(close, reopen):action>": (
        "helpdesk.ticket",
        "access_token",
    ),
    "/my/tickets/new": "user",
    "/my/tickets/<int:ticket_id>/return/<int:picking_id>": (
        "helpdesk.ticket",
        "access_token",
    ),
    "/my/tickets/<int:ticket_id>/return/<int:picking_id>/label": (
        "helpdesk.ticket",
        "access_token",
    ),
    "/my/purchases": "user",
    "/my/purchases/page/<int:page>": "user",
    "/my/purchases/<int:line_id>/<string:kind>": ("sale.order.line", None),
    "/helpdesk/<int:team_id>": "public",
    "/my/coupons": "user",
    "/my/visits": "user",
    "/my/visits/page/<int:page>": "user",
    "/my/visits/<int:task_id>": ("project.task", "fsm_access_token"),
    "/my/visits/<int:task_id>/answer": ("project.task", "fsm_access_token"),
    "/my/visits/<int:task_id>/report": ("project.task", "fsm_access_token"),
    "/my/visits/<int:task_id>/sign": ("project.task", "fsm_access_token"),
}
SECRET = "Secret of Berta"
# Odoo's own that print nothing of the document to customers.
EMPTY_REPORTS = ("account.report_original_vendor_bill", "stock.report_reception")


@tagged("post_install", "-at_install")
class TestRoutes(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.ticket" not in cls.env:
            pytest.skip("helpdesk_after_sales is not installed")
        stranger, berta = cls.env["res.partner"].create(
            [
                {"name": "Stranger", "email": "stranger@example.com"},
                {"name": "Berta", "email": "berta@example.com"},
            ]
        )
        cls.stranger = new_test_user(
            cls.env,
            "routes_stranger",
            groups="base.group_portal",
            partner_id=stranger.id,
            email=stranger.email,
        )
        team = cls.env["helpdesk.team"].create(
            {
                "name": "Routes",
                "allow_portal_ticket_closing": True,
                "member_ids": [Command.clear()],
            }
        )
        product = cls.env["product.product"].create({"name": "Lamp of the routes"})
        cls.team = team
        cls.records = defaultdict(dict)
        for whose, partner in (("own", stranger), ("foreign", berta)):
            ticket = cls.env["helpdesk.ticket"].create(
                {"name": SECRET, "team_id": team.id, "partner_id": partner.id}
            )
            cls.records["helpdesk.ticket"][whose] = ticket
            order = cls.env["sale.order"].create(
                {
                    "partner_id": partner.id,
                    "order_line": [
                        Command.create(
                            {"product_id": product.id, "name": SECRET, "price_unit": 1}
                        )
                    ],
                }
            )
            order.action_confirm()
            cls.records["sale.order.line"][whose] = order.order_line
            tasks = cls.env.get("project.task")
            if tasks is not None and "fsm_access_token" in tasks._fields:
                project = cls.env["project.project"].create(
                    {"name": SECRET, "is_fsm": True}
                )
                cls.records["project.task"][whose] = tasks.create(
                    {
                        "name": SECRET,
                        "project_id": project.id,
                        "partner_id": partner.id,
                        "helpdesk_ticket_id": ticket.id,
                        "fsm_access_token": f"key-of-{whose}-visit",
                    }
                )
        cls.env.cr.flush()  # what the system says by itself
        cls.env.invalidate_all()

    def _added_routes(self):
        """Return ``{address: (methods, type)}`` of the controllers of our addons."""
        result = {}
        http = self.env["ir.http"]
        for address, endpoint in http._generate_routing_rules(
            sorted(self.registry._init_modules), http._get_converters()
        ):
            method = endpoint.original_endpoint
            controller = type(getattr(method, "__self__", None))
            modules = {method.__module__} | {
                klass.__module__
                for klass in controller.mro()
                if method.__name__ in vars(klass)
            }
            if any(name.startswith("odoo.addons.helpdesk_") for name in modules):
                routing = endpoint.routing
                result[address] = (routing.get("methods"), routing["type"])
        return result

    def test_every_route_has_a_row(self):
        added = self._added_routes()
        self.assertIn("/my/tickets", added)
        self.assertEqual(set(added) - set(ROUTES), set(), "routes without a row")

    def _request(self, url, methods, kind, key):
        """Return the status and the text of an answer."""
        if kind == "jsonrpc":
            with mute_logger("odoo.http"):
                try:
                    params = {} if key is None else {"access_token": key}
                    return 200, str(self.make_jsonrpc_request(url, params))
                except JsonRpcException as error:
                    return 404, str(error)
        data = {} if key is None else {"access_token": key}
        if "POST" in (methods or ()):
            data["csrf_token"] = Request.csrf_token(self)
            answer = self.url_open(url, data=data, allow_redirects=False)
        else:
            answer = self.url_open(url, params=data, allow_redirects=False)
        return answer.status_code, answer.text

    def test_t8_no_key_opens_what_belongs_to_others(self):
        tried = 0
        for rule, (methods, kind) in self._added_routes().items():
            guard = ROUTES.get(rule)
            if guard in ("user", "employee", "public") or guard is None:
                continue
            model, field = guard
            own, foreign = (self.records[model][whose] for whose in ("own", "foreign"))
            key = field and foreign[field]
            keys = (
                (None, "", own[field], key[:-1], key + "0", "é", "\u202e", "0")
                if field
                else (None, own.order_id.access_token, "0")
            )
            before = foreign.read()
            for login in (self.stranger.login, None):
                self.authenticate(login, login)
                for number in (foreign.id, foreign.id + 10**6):
                    url = self._fill(rule, number)
                    for wrong in keys:
                        with self.subTest(url=url, login=login, key=wrong):
                            status, text = self._request(url, methods, kind, wrong)
                            self.assertNotIn(SECRET, text)
                            if kind == "http":
                                refused = (403, 404)
                                if not field and not login:
                                    refused = (303,)  # to the log-in
                                self.assertIn(status, refused)
                            tried += 1
            foreign.invalidate_recordset()
            self.assertEqual(foreign.read(), before)
        self.assertGreater(tried, 50)

    def _documents(self):
        """Return ``{model: {"own": document, "foreign": document}}``."""
        product = self.env["product.product"].create({"name": SECRET})
        operation = self.env["stock.picking.type"].search(
            [("code", "=", "incoming")], limit=1
        )
        values = {
            "account.move": {
                "move_type": "out_refund",
                "invoice_line_ids": [Command.create({"name": SECRET, "price_unit": 1})],
            },
            "stock.picking": {
                "picking_type_id": operation.id,
                "move_ids": [
                    Command.create({"product_id": product.id, "product_uom_qty": 1})
                ],
            },
            "repair.order": {"product_id": product.id},
            "loyalty.card": {},
        }
        result = {"project.task": self.records.get("project.task")}
        for model, vals in values.items():
            if "helpdesk_ticket_id" not in self.env.get(model, self.env.user)._fields:
                continue
            if model == "loyalty.card":
                program = {"name": SECRET, "program_type": "coupons"}
                vals["program_id"] = self.env["loyalty.program"].create(program).id
            result[model] = {
                whose: self.env[model].create(
                    vals
                    | {
                        "partner_id": ticket.partner_id.id,
                        "helpdesk_ticket_id": ticket.id,
                    }
                )
                for whose, ticket in self.records["helpdesk.ticket"].items()
            }
        return {model: records for model, records in result.items() if records}

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule")
    def test_t12_no_report_prints_what_belongs_to_others(self):
        """Every report of every document that a ticket leads to, alone and mixed."""
        documents = self._documents()
        reports = self.env["ir.actions.report"].search(
            [("model", "in", [*documents]), ("report_type", "like", "qweb")]
        )
        if documents:
            self.assertTrue(reports)
        self.env.cr.flush()
        for login in (self.stranger.login, None):
            self.authenticate(login, login)
            for report in reports:
                own, foreign = (
                    documents[report.model][whose].id for whose in ("own", "foreign")
                )
                for ids in (f"{foreign}", f"{own},{foreign}", f"{foreign},{own}"):
                    for kind in ("html", "pdf"):
                        url = f"/report/{kind}/{report.report_name}/{ids}"
                        with self.subTest(login=login, url=url):
                            answer = self.url_open(url, allow_redirects=False)
                            self.assertNotIn(SECRET, answer.text)
                            if report.report_name not in EMPTY_REPORTS:
                                self.assertNotEqual(answer.status_code, 200)

    def test_lists_need_a_log_in(self):
        self.authenticate(None, None)
        for rule in self._added_routes():
            if ROUTES.get(rule) != "user":
                continue
            with self.subTest(rule=rule):
                answer = self.url_open(self._fill(rule, 1), allow_redirects=False)
                self.assertEqual(answer.status_code, 303)
                self.assertIn("/web/login", answer.headers["Location"])

    def test_lists_show_what_is_ones_own(self):
        for records in self.records.values():
            records["foreign"].name = "Foreign name"
        self.authenticate(self.stranger.login, self.stranger.login)
        for rule in self._added_routes():
            if ROUTES.get(rule) != "user":
                continue
            with self.subTest(rule=rule):
                answer = self.url_open(self._fill(rule, 1))
                self.assertEqual(answer.status_code, 200)
                self.assertNotIn("Foreign name", answer.text)

    @mute_logger("odoo.http")
    def test_calls_of_employees_are_closed_to_others(self):
        """The customer's own ticket is tried, too: they read it, and no more."""
        address = "made-by-nobody@example.com"
        calls = [rule for rule, guard in ROUTES.items() if guard == "employee"]
        self.assertTrue(calls)
        for login in (self.stranger.login, None):
            self.authenticate(login, login)
            for rule in calls:
                for ticket in self.records["helpdesk.ticket"].values():
                    with self.subTest(rule=rule, login=login, ticket=ticket):
                        params = {
                            "thread_model": ticket._name,
                            "thread_id": ticket.id,
                            "emails": [address],
                        }
                        with self.assertRaises(JsonRpcException):
                            self.make_jsonrpc_request(rule, params)
        made = self.env["res.partner"].search([("email", "=", address)])
        self.assertFalse(made)

    def test_t23_public_forms_are_closed_unless_a_team_opens_its_own(self):
        for rule, (methods, kind) in self._added_routes().items():
            if ROUTES.get(rule) != "public":
                continue
            self.authenticate(None, None)
            for number in (self.team.id, self.team.id + 10**6):
                with self.subTest(rule=rule, number=number):
                    url = self._fill(rule, number)
                    self.assertEqual(self._request(url, methods, kind, None)[0], 404)

    def _fill(self, rule, number):
        url = rule.replace("<any(close, reopen):action>", "close")
        url = url.replace("<string:kind>", "return")
        for name in (
            "ticket_id",
            "picking_id",
            "task_id",
            "page",
            "line_id",
            "team_id",
        ):
            url = url.replace(f"<int:{name}>", str(number))
        self.assertNotIn("<", url, "say here what stands for this part of an address")
        return url
