"""The portal's pages don't feel how many tickets a customer has (issue 9).

A company with 20,000 tickets of 50 contacts against one with 20 tickets of one contact,
asked for in turns in one run; the figures are in the log, and in a failure.
"""

import logging
import time

import pytest

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import HOST

_logger = logging.getLogger(__name__)

ROUNDS = 20
WARM_UP = 3
GOAL = 1.3


@pytest.mark.slow
@tagged("post_install", "-at_install")
class TestPortalScale(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "helpdesk.ticket" not in cls.env:
            pytest.skip("helpdesk_after_sales is not installed")
        cls.team = cls.env["helpdesk.team"].create({"name": "Scale"})
        cls.users = {}
        for name, contacts, tickets in (("few", 1, 20), ("many", 50, 20_000)):
            company = cls.env["res.partner"].create(
                {"name": f"Company with {name}", "is_company": True}
            )
            people = cls.env["res.partner"].create(
                [
                    {
                        "name": f"Contact {number} with {name}",
                        "email": f"contact{number}@{name}.example.com",
                        "parent_id": company.id,
                    }
                    for number in range(contacts)
                ]
            )
            cls.users[name] = new_test_user(
                cls.env,
                f"scale_{name}",
                groups="base.group_portal",
                partner_id=people[0].id,
                email=people[0].email,
            )
            cls._fill(people, tickets)
        # As PostgreSQL does by itself after a while.
        cls.env.cr.execute("ANALYZE helpdesk_ticket, helpdesk_team")
        for field in ("name", "ticket_ref", "partner_email"):
            index = f"helpdesk_ticket__{field}_index"
            cls.env.cr.execute("SELECT gin_clean_pending_list(%s::regclass)", [index])

    @classmethod
    def _fill(cls, people, count):
        """Copy one ticket many times, one in ten of them open."""
        closed = cls.team.stage_ids.filtered("fold")[0]
        model = cls.env["helpdesk.ticket"].create(
            {"name": "Model", "team_id": cls.team.id, "partner_id": people[0].id}
        )
        cls.env.flush_all()
        columns = [
            name
            for name, field in model._fields.items()
            if field.store and field.column_type and name != "id"
        ]
        special = {
            "name": "'Lamp ' || n",
            "ticket_ref": f"'S{model.id}-' || n",
            "access_token": "md5(random()::text)",
            "partner_id": "(%(people)s)[1 + n %% %(number)s]",
            "partner_name": "(%(names)s)[1 + n %% %(number)s]",
            "date_last_stage_update": "now() - n * interval '1 minute'",
            "stage_id": "CASE WHEN n %% 10 = 0 THEN stage_id ELSE %(closed)s END",
            "close_date": "CASE WHEN n %% 10 = 0 THEN NULL ELSE now() END",
        }
        values = ", ".join(special.get(name, f'"{name}"') for name in columns)
        names = ", ".join(f'"{name}"' for name in columns)
        cls.env.cr.execute(
            f"INSERT INTO helpdesk_ticket ({names}) SELECT {values} "
            "FROM helpdesk_ticket, generate_series(1, %(count)s) n "
            "WHERE id = %(model)s",
            {
                "people": people.ids,
                "names": people.mapped("name"),
                "number": len(people),
                "closed": closed.id,
                "count": count - 1,
                "model": model.id,
            },
        )
        cls.env.invalidate_all()

    def _time(self, url):
        start = time.perf_counter()
        if url == "/my/counters":
            self.make_jsonrpc_request(url, {"counters": ["ticket_count"]})
        else:
            self.assertEqual(self.url_open(url).status_code, 200)
        return (time.perf_counter() - start) * 1000

    def test_list_of_20000_tickets(self):
        newest = {
            name: self.env["helpdesk.ticket"]
            .with_user(user)
            .search([], limit=1, order="id desc")
            for name, user in self.users.items()
        }
        sessions = {}
        for name, user in self.users.items():
            self.session = None  # or the next log-in ends this one
            sessions[name] = self.authenticate(user.login, user.login)
        pages = {
            "list": "/my/tickets",
            "open": "/my/tickets?filterby=open",
            "search": "/my/tickets?search=Lamp+1",
            "search of little": "/my/tickets?search=Lamp+19&search_in=name",
            "search in vain": "/my/tickets?search=Nothing",
            "by change of stage": "/my/tickets?sortby=update",
            "by contact": "/my/tickets?groupby=partner_id",
            "counters of home": "/my/counters",
            "ticket": "/my/tickets/%s",
        }
        figures = []
        # A burst of work elsewhere spoils a round: what misses is looked at again.
        for _attempt in range(3):
            missed = {}
            for title, url in pages.items():
                few, many = self._compare(url, sessions, newest)
                figures.append(f"{title}: {few:.0f} ms, {many:.0f} ms")
                if many / few > GOAL:
                    missed[title] = url
            pages = missed
        _logger.info("few and many tickets: %s", "; ".join(figures))
        self.assertFalse(missed, figures)

    def _compare(self, url, sessions, newest):
        """Return how long a page takes at least for few and for many, in turns."""
        spent = {name: [] for name in self.users}
        for number in range(WARM_UP + ROUNDS):
            for name in ("few", "many") if number % 2 else ("many", "few"):
                self.opener.cookies.set("session_id", sessions[name].sid, domain=HOST)
                milliseconds = self._time(url % newest[name].id if "%" in url else url)
                if number >= WARM_UP:
                    spent[name].append(milliseconds)
        # What else runs on the machine only adds to the least.
        return min(spent["few"]), min(spent["many"])
