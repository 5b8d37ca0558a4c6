"""Take pictures of all our screens as few people see them, to look at them:

    setup/demo --port 8069
    .ground/python/bin/python tests/looks.py http://127.0.0.1:8069 FOLDER dark rtl phone

In dark colours: Odoo Community has the bundle for them, but neither a switch nor the
colours, which addons of others bring; here they are added for the while. From right to
left: in a language that all users get for the while (Odoo turns its styles around with
``rtlcss`` of npm, which the server must find on its PATH). On a phone. Without one of
these words: as they are. Pop-ups are opened and left.
"""

import contextlib
import itertools
import re
import sys
from pathlib import Path

from screenshots import RETURN_TICKET, TICKET, VISITED, call, client, open_ticket

LANGUAGE = "he_IL"
DARK = """
$o-webclient-color-scheme: dark;
$o-white: #000000;
$o-black: #ffffff;
$o-gray-100: #1b1d26;
$o-gray-200: #262a36;
$o-gray-300: #3c3e4b;
$o-gray-400: #5a5e6b;
$o-gray-500: #7d8090;
$o-gray-600: #9a9dab;
$o-gray-700: #b6b9c4;
$o-gray-800: #d1d3da;
$o-gray-900: #e4e4e4;
$o-view-background-color: $o-gray-200;
$o-action: #a99fdd;
$modal-backdrop-bg: #000000;
"""
SERVICES = {
    "refund": TICKET,
    "generate_coupon": TICKET,
    "return": RETURN_TICKET,
    "repair": "No sound on the left side",
    "plan_intervention": VISITED,
}
ROWS = ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
#: screens without more to press: who, where, what is waited for
SCREENS = {
    "tickets": ("agent", "helpdesk-tickets", ".o_kanban_record"),
    "list": ("agent", "helpdesk-tickets?view_type=list", ROWS),
    "pivot": ("agent", "helpdesk-tickets?view_type=pivot", ".o_view_controller"),
    "overview": ("agent", "helpdesk", ".o_kanban_record"),
    "stages": ("admin", "helpdesk-stages", ROWS),
    "reasons": ("admin", "helpdesk-reasons", ROWS),
    "visits": ("technician", "my-visits", ".o_kanban_record"),
    "planning": ("technician", "visits-planning", ".o_view_controller"),
}


class Looks:
    def __init__(self, address, folder, way=None):
        self.address = address
        self.folder = Path(folder) / (way or "plain")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.way = way
        self.size = (390, 1300) if way == "phone" else (1280, 900)

    def client(self, login):
        prepare = self.darken if self.way == "dark" else None
        return client(self.address, login, *self.size, prepare=prepare)

    def darken(self, page):
        """Serve the dark styles instead, as ``ir.http.color_scheme()`` would."""
        page.context.add_cookies(
            [{"name": "color_scheme", "value": "dark", "url": self.address}]
        )

        def dark(route):
            bundle = re.search(r"web\.assets_(web|backend_lazy)", route.request.url)[0]
            url = f"{self.address}/web/assets/any/{bundle}_dark.min.css"
            route.fulfill(response=route.fetch(url=url, timeout=120_000))

        page.route(re.compile(r"/web\.assets_(web|backend_lazy)\.min\.css"), dark)

    @contextlib.contextmanager
    def colours(self):
        """The dark bundles have dark colours, as long as this lasts."""
        url = "/helpdesk_looks/dark.scss"
        bundles = ("web.assets_web_dark", "web.assets_backend_lazy_dark")
        with client(self.address, "admin") as page:
            file = {
                "name": "dark.scss",
                "url": url,
                "raw": DARK,
                "mimetype": "text/scss",
            }
            files = call(page, self.address, "ir.attachment", "create", [file])
            assets = [
                {
                    "name": f"Dark colours of {bundle}",
                    "bundle": bundle,
                    "directive": "prepend",
                    "path": url,
                }
                for bundle in bundles
            ]
            assets = call(page, self.address, "ir.asset", "create", assets)
            self.forget(page)
        try:
            yield
        finally:
            with client(self.address, "admin") as page:
                call(page, self.address, "ir.asset", "unlink", assets)
                call(page, self.address, "ir.attachment", "unlink", files)
                self.forget(page)

    def forget(self, page):
        """Have the dark bundles made anew."""
        made = [("url", "=like", "/web/assets/%_dark.%")]
        files = call(page, self.address, "ir.attachment", "search", made)
        call(page, self.address, "ir.attachment", "unlink", files)

    def shoot(self, page, name):
        page.wait_for_timeout(1000)
        # A first message of OdooBot covers all of a phone.
        for button in page.locator(".o-mail-ChatWindow [title^=Close]").all():
            button.click()
        page.screenshot(path=self.folder / f"{name}.png")

    def press(self, page, button):
        """Press a button of the header, which a phone has behind another one."""
        if self.way == "phone":
            page.click(".o_statusbar_buttons button.dropdown-toggle")
        page.click(f"button[name={button}]:visible")

    def take(self):
        for login, screens in itertools.groupby(
            sorted(SCREENS.items(), key=lambda item: item[1]), lambda item: item[1][0]
        ):
            with self.client(login) as page:
                for name, (_login, path, wanted) in screens:
                    page.goto(f"{self.address}/odoo/{path}")
                    page.wait_for_selector(wanted)
                    self.shoot(page, name)
        with self.client("agent") as page:
            self.ticket(page)
            for service, subject in SERVICES.items():
                open_ticket(page, self.address, subject)
                self.press(page, f"action_{service}")
                page.wait_for_selector(".modal .o_form_view")
                self.shoot(page, service)
        with self.client("admin") as page:
            page.goto(f"{self.address}/odoo/helpdesk-teams")
            page.click(".o_data_row td[name=name], .o_kanban_record")
            page.wait_for_selector("[name=use_credit_notes]")
            self.shoot(page, "team")
            page.locator("[name=use_fsm]").first.scroll_into_view_if_needed()
            self.shoot(page, "team_services")
        with self.client("technician") as page:
            page.goto(f"{self.address}/odoo/my-visits")
            page.click(f".o_kanban_record:has-text('{VISITED}')")
            page.wait_for_selector(".o_form_view")
            self.shoot(page, "visit")
            page.click("a[name=worksheet]")
            self.shoot(page, "worksheet")

    def ticket(self, page):
        open_ticket(page, self.address, TICKET)
        self.shoot(page, "ticket")
        page.click("a[name=purchases]")
        page.wait_for_selector(".o_helpdesk_purchases")
        page.locator(".o_helpdesk_purchases").scroll_into_view_if_needed()
        self.shoot(page, "purchases")
        for subject in (TICKET, VISITED):
            open_ticket(page, self.address, subject)
            page.click("a[name=timeline]")
            page.wait_for_selector(".o_helpdesk_timeline")
            page.locator(".o_helpdesk_timeline").scroll_into_view_if_needed()
            self.shoot(page, "timeline" if subject == TICKET else "timeline_visit")

    @contextlib.contextmanager
    def turned(self):
        """Everybody's language is one from right to left, as long as this lasts."""
        with client(self.address, "admin") as page:
            [language] = call(
                *(page, self.address, "res.lang", "search", [("code", "=", LANGUAGE)]),
                context={"active_test": False},
            )
            installer = call(
                page,
                self.address,
                "base.language.install",
                "create",
                {"lang_ids": [language]},
            )
            call(
                page, self.address, "base.language.install", "lang_install", [installer]
            )
            users = call(page, self.address, "res.users", "search_read", [], ["lang"])
            ids = [user["id"] for user in users]
            call(page, self.address, "res.users", "write", ids, {"lang": LANGUAGE})
        try:
            yield
        finally:
            with client(self.address, "admin") as page:
                for user in users:
                    lang = {"lang": user["lang"]}
                    call(page, self.address, "res.users", "write", [user["id"]], lang)


def main(address, folder, *ways):
    for way in ways or [None]:
        looks = Looks(address, folder, way)
        ground = {"rtl": looks.turned, "dark": looks.colours}
        with ground.get(way, contextlib.nullcontext)():
            looks.take()


if __name__ == "__main__":
    main(*sys.argv[1:])
