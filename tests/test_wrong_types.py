"""Wrong types over HTTP to what is documented (issue 14 B): a sentence or "not found",
never a trace. The methods and addresses come from the code: a new one is tried, too."""

import inspect
import json
import logging

import psycopg2
from access import AccessCase
from test_fuzz_rpc import Ears

from odoo.exceptions import UserError
from odoo.http import Request
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tools import mute_logger

LONG = "9" * 5000
ODD = (
    *(None, True, -1, 2**63, 10**30, 1.5, "", "x", "\0", LONG, "\ud800"),
    *([], ["\0"], [2**63], {}, {"\0": LONG}),
)
IN_PATH = (LONG, str(2**31), str(2**63), "-1", "0", "x", "%ED%A0%80")
# Odoo itself looks for a file by the path, and stumbles over NUL there.
IN_QUERY = ("%00", "1%00", *IN_PATH)
IN_LIST = ("search", "search_in", "sortby", "filterby", "groupby", "date_begin")
#: what else anybody may call on a ticket
ALSO = ("get_purchases", "search_purchases", "get_timeline", "get_newer_answers")


@tagged("post_install", "-at_install")
class TestWrongTypes(AccessCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.flush()

    def setUp(self):
        super().setUp()
        self.ears = Ears()
        logging.getLogger().addHandler(self.ears)
        self.addCleanup(logging.getLogger().removeHandler, self.ears)

    def _log_in(self, role):
        login = self.users[role].login if role else None
        self.authenticate(login, login)

    def _heard(self):
        """Return what was logged as an error since the last call."""
        heard = [
            f"{record.getMessage()} {record.exc_info and record.exc_info[1]!r}"[:300]
            for record in self.ears.records
        ]
        self.ears.records.clear()
        return heard

    def _call(self, role, method, ids, kwargs):
        """Return what is wrong with the answer, or nothing."""
        env = self.env(user=self.users[role], context={})
        args = [] if ids is None else [ids]
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            json.dumps(
                call_kw(env["helpdesk.ticket"], method, args, kwargs), default=str
            )
            env.flush_all()
        except (UserError, psycopg2.IntegrityError):
            pass  # a sentence
        except Exception as error:  # noqa: B902 (whatever the server would log)
            return repr(error)
        finally:
            self.env.clear()
            savepoint.close(rollback=True)
        return ""

    def _call_over_http(self, method, ids, kwargs):
        """Return what is wrong with the answer, or nothing."""
        params = {
            "model": "helpdesk.ticket",
            "method": method,
            "args": [] if ids is None else [ids],
            "kwargs": kwargs,
        }
        # Not with url_open's encoder: a lone half of a character is for JSON to carry.
        answer = self.url_open(
            f"/web/dataset/call_kw/helpdesk.ticket/{method}",
            data=json.dumps({"jsonrpc": "2.0", "params": params}),
            headers={"Content-Type": "application/json"},
        )
        self.assertEqual(answer.status_code, 200)
        name = answer.json().get("error", {}).get("data", {}).get("name", "")
        return "" if name.startswith("odoo.exceptions.") else name

    def _methods(self):
        ticket = type(self.env["helpdesk.ticket"])
        names = [n for n in dir(ticket) if n.startswith("portal_")] + [*ALSO]
        for name in names:
            function = getattr(ticket, name)
            parameters = [*inspect.signature(function).parameters.values()][1:]
            yield (
                name,
                getattr(function, "_api_model", False),
                [p for p in parameters if p.kind == p.POSITIONAL_OR_KEYWORD],
            )

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.models")
    def test_methods_answer_in_sentences(self):
        wrong = []
        for role in ("portal", "agent"):
            self._log_in(role)
            for method, on_model, parameters in self._methods():
                if method.startswith("portal_") != (role == "portal"):
                    continue
                known = {
                    p.name: "x" if p.name in ("name", "description") else 1
                    for p in parameters
                    if p.default is p.empty
                }
                tries = [
                    (self.ticket.ids, known | {p.name: value})
                    for p in parameters
                    for value in ODD
                ]
                if not on_model:
                    tries += [
                        (ids, known)
                        for ids in ([], [0], [2**31 - 1], [self.ticket.id] * 2)
                    ]
                for number, (ids, kwargs) in enumerate(tries):
                    ids = None if on_model else ids
                    name = self._call(role, method, ids, kwargs)
                    # What the way there and back makes of them: now and then.
                    if not name and number % 9 == 0:
                        name = self._call_over_http(method, ids, kwargs)
                    if name or self._heard():
                        what = f"{method} {str(ids)[:40]} {str(kwargs)[:80]}"
                        wrong.append(f"{role} {what}: {name}")
        self.assertFalse(wrong, "\n".join(wrong))

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.models")
    def test_addresses_answer_with_a_page(self):
        own, line = self.ticket.id, self.order.order_line[0].id
        key = self.ticket._portal_ensure_token()
        self.env.cr.flush()
        addresses = [
            *(f"/my/tickets?page={value}" for value in IN_QUERY),
            # All of them at once: each is read before the list is.
            *(
                "/my/tickets?" + "&".join(f"{name}={value}" for name in IN_LIST)
                for value in IN_QUERY
            ),
            *(f"/my/tickets/page/{value}" for value in IN_PATH),
            *(f"/my/tickets/{value}" for value in IN_PATH),
            *(f"/my/tickets/{own}?access_token={value}" for value in IN_QUERY),
            *(
                f"/my/tickets/{own}?access_token={key}&message={value}"
                for value in IN_QUERY
            ),
            *(
                f"/my/tickets/{own}/return/{value}?access_token={key}"
                for value in IN_PATH
            ),
            *(f"/my/tickets/new?line_id={value}" for value in IN_QUERY),
            *(f"/my/purchases/page/{value}" for value in IN_PATH),
            *(f"/my/purchases/{value}/return" for value in IN_PATH),
            *(f"/my/purchases/{line}/{value}" for value in IN_PATH),
            *(f"/my/purchases/{line}/return?lot_id={value}" for value in IN_QUERY),
            *(f"/helpdesk/{value}" for value in IN_PATH),
            *(f"/my/visits/{value}" for value in IN_PATH),
            *(f"/my/visits/page/{value}" for value in IN_PATH),
            *(f"/my/visits/{value}/report" for value in IN_PATH),
        ]
        wrong = []
        for role in ("portal", None):
            self._log_in(role)
            for address in addresses:
                if not role and "access_token" not in address and "/my/" in address:
                    continue  # to the log-in
                answer = self.url_open(address, allow_redirects=False)
                if answer.status_code >= 500 or self._heard():
                    wrong.append(f"{role} {address[:80]}: {answer.status_code}")
        self.assertFalse(wrong, "\n".join(wrong))

    @mute_logger("odoo.http", "odoo.addons.base.models.ir_rule", "odoo.models")
    def test_forms_answer_with_a_page(self):
        self._log_in("portal")
        line = self.order.order_line[0].id
        wrong = []
        for address, names in (
            ("/my/tickets/new", ("name", "description", "line_id", "team_id")),
            (
                f"/my/purchases/{line}/return",
                ("quantity", "lot_id", "reason_id", "wish"),
            ),
        ):
            for name in names:
                for value in ("\0", "1\0", LONG, str(2**63), "-1", "nan", "1e309"):
                    data = {"name": "x", "quantity": "1", name: value}
                    data["csrf_token"] = Request.csrf_token(self)
                    answer = self.url_open(address, data=data, allow_redirects=False)
                    if answer.status_code >= 500 or self._heard():
                        wrong.append(
                            f"{address} {name}={value[:9]!r}: {answer.status_code}"
                        )
        self.assertFalse(wrong, "\n".join(wrong))
