"""Take pictures of all our screens as few people see them, to look at them:

    setup/demo --port 8069
    .ground/python/bin/python tests/looks.py http://127.0.0.1:8069 FOLDER \\
        plain dark rtl phone long phone+long

In dark colours: Odoo Community has the bundle for them, but neither a switch nor the
colours, which addons of others bring; here they are added for the while. From right to
left: in a language that all users get for the while (Odoo turns its styles around with
``rtlcss`` of npm, which the server must find on its PATH). On a phone, with a finger.
With names as long as people make them. Without one of these words: as they are. Words
that are joined hold at once.

The agent is one with helpdesk rights only. Pop-ups are opened and left, but for Repair
and Return, whose documents are looked at, too: try it on demo data that may change. The
link of a coupon is among the pictures where eCommerce is installed. What sticks out of
the window, and what is pressed but has no name for who can't see it, is printed.
"""

import contextlib
import itertools
import re
import sys
from pathlib import Path

from screenshots import (
    RETURN_TICKET,
    TICKET,
    VISITED,
    call,
    choose,
    client,
    open_ticket,
)

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
$o-main-link-color: #a99fdd;
$modal-backdrop-bg: #000000;
"""
REPAIR_TICKET = "No sound on the left side"
#: who presses the button on which ticket; a refund wants the rights of Invoicing
SERVICES = {
    "refund": ("agent", TICKET),
    "generate_coupon": ("looks", TICKET),
    "macro": ("looks", TICKET),
    "return": ("looks", RETURN_TICKET),
    "replacement": ("looks", RETURN_TICKET),
    "repair": ("looks", REPAIR_TICKET),
    "plan_intervention": ("looks", VISITED),
}
ROWS = ".o_data_row, .o_kanban_record:not(.o_kanban_ghost)"
#: screens without more to press: who, where, what is waited for
SCREENS = {
    "tickets": ("looks", "helpdesk-tickets", ".o_kanban_record"),
    "list": ("looks", "helpdesk-tickets?view_type=list", ROWS),
    "pivot": ("looks", "helpdesk-tickets?view_type=pivot", ".o_view_controller"),
    "overview": ("looks", "helpdesk", ".o_kanban_record"),
    "new": ("looks", "helpdesk-tickets/new", ".o_form_view"),
    "stages": ("admin", "helpdesk-stages", ROWS),
    "reasons": ("admin", "helpdesk-reasons", ROWS),
    "macros": (
        "admin",
        "action-helpdesk_after_sales.helpdesk_macro_action",
        ROWS,
    ),
    "visits": ("technician", "my-visits", ".o_kanban_record"),
    "planning": ("technician", "visits-planning", ".o_view_controller"),
}
#: pages of a customer
PAGES = (
    "my",
    "my/tickets",
    "my/tickets/new",
    "my/purchases",
    "my/visits",
    "my/coupons",
)
#: what is named by people, and gets a long name for the while
NAMED = ("helpdesk.ticket", "helpdesk.team", "helpdesk.stage", "helpdesk.tag")
NAMED += ("product.template", "res.partner", "project.task", "loyalty.program")
LONG = (
    " Oberammergauer Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunter"
    "beamtengesellschaft and Sons of the Late Founder, Wholesale and Retail"
)
#: what is wrong with a page, as far as a program sees it
FAULTS = """() => {
    const faults = [];
    const what = (el) => `${el.localName}.${[...el.classList].slice(0, 4).join(".")}`
        + ` "${el.textContent.trim().replace(/\\s+/g, " ").slice(0, 50)}"`;
    const shown = (el) => el.checkVisibility({opacityProperty: true})
        && el.getBoundingClientRect().width > 0;
    const active = ".o_dialog:not(:has(.o_inactive_modal)) .modal-content";
    const top = [...document.querySelectorAll(active)].pop();
    const root = top || document.body;
    // These scroll by themselves, or are Odoo's.
    const scrolls = ".table-responsive, .o_list_renderer, .o_kanban_renderer, .o_pivot,"
        + ".o_notebook_headers, .o_calendar_container, .o_statusbar_status, .offcanvas,"
        + ".o-mail-Message, .o-mail-Chatter-topbar, svg";
    const cut = (el) => {
        for (let up = el; up && up !== root; up = up.parentElement) {
            if (getComputedStyle(up).textOverflow === "ellipsis") {
                return true;
            }
        }
    };
    const limits = top ? top.getBoundingClientRect() : {left: 0, right: innerWidth};
    const out = [...root.querySelectorAll("*")].filter((el) => {
        const box = el.getBoundingClientRect();
        return shown(el) && !el.closest(scrolls) && !cut(el)
            && (box.right > limits.right + 1 || box.left < limits.left - 1);
    });
    for (const el of out) {
        if (!out.some((up) => up !== el && up.contains(el))) {
            faults.push("sticks out: " + what(el));
        }
    }
    const odoo = ".o_main_navbar, .o_control_panel, .o_button_more, .o_property_text,"
        + ".o_searchview, .o_data_cell .o-checkbox, .o_list_record_selector,"
        + ".o_optional_columns_dropdown, .o_field_boolean.o_readonly_modifier,"
        + ".o_calendar_sidebar_container, .o_sidebar_toggler, .o_portal_search_panel,"
        + ".o_web_sign_auto_select_style, [type=hidden]";
    const pressed = "button, a[href], input, select, textarea, [role=button],"
        + "[tabindex='0']";
    for (const el of root.querySelectorAll(pressed)) {
        const named = el.textContent.trim() || el.ariaLabel || el.title
            || el.placeholder
            || [...(el.labels || [])].some((label) => label.textContent.trim())
            || el.getAttribute("aria-labelledby") || el.dataset.tooltip
            || el.querySelector("[aria-label], [title], img[alt]:not([alt=''])");
        if (shown(el) && !named && !el.closest(odoo)) {
            faults.push("no name: " + what(el) + " in " + what(el.parentElement));
        }
    }
    return faults;
}"""


class Looks:
    def __init__(self, address, folder, way="plain"):
        self.address = address
        self.folder = Path(folder) / way
        self.folder.mkdir(parents=True, exist_ok=True)
        self.way = set(way.split("+"))
        self.size = (375, 1300) if "phone" in self.way else (1280, 900)

    def client(self, login):
        """Yield a page of this kind, logged in."""
        return client(self.address, login, *self.size, prepare=self.prepare)

    def prepare(self, page):
        if "dark" in self.way:
            self.darken(page)
        if "rtl" in self.way:
            # The portal speaks the language of the visit.
            cookie = {"name": "frontend_lang", "value": LANGUAGE, "url": self.address}
            page.context.add_cookies([cookie])
        if "phone" in self.way:
            # Odoo asks for it, and shows other fields then.
            page.add_init_script("window.ontouchstart = null")

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
        for fault in page.evaluate(FAULTS):
            print(f"{self.folder.name} {name}: {fault}", flush=True)

    def press(self, page, button):
        """Press a button of the header, which a phone has behind another one."""
        if "phone" in self.way:
            page.click(".o_statusbar_buttons button.dropdown-toggle")
        # The sheet of a phone slides in.
        page.locator(f"button[name={button}]:visible").evaluate("el => el.click()")

    def take(self):
        for login, screens in itertools.groupby(
            sorted(SCREENS.items(), key=lambda item: item[1]), lambda item: item[1][0]
        ):
            with self.client(login) as page:
                for name, (_login, path, wanted) in screens:
                    page.goto(f"{self.address}/odoo/{path}")
                    page.wait_for_selector(wanted)
                    self.shoot(page, name)
        for login, services in itertools.groupby(
            SERVICES.items(), lambda item: item[1][0]
        ):
            with self.client(login) as page:
                for service, (_login, subject) in services:
                    self.pop_up(page, service, subject)
                    self.shoot(page, service)
        with self.client("looks") as page:
            self.ticket(page)
            self.merge(page)
            self.share(page)
            self.documents(page)
        with self.client("customer") as page:
            self.portal(page)
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

    def pop_up(self, page, service, subject):
        open_ticket(page, self.address, subject)
        self.press(page, f"action_{service}")
        page.wait_for_selector(".modal .o_form_view")

    def merge(self, page):
        """As it opens from a ticket."""
        tickets = ("helpdesk.ticket", "search", [("name", "like", TICKET)])
        [ticket] = call(page, self.address, *tickets)
        page.goto(f"{self.address}/odoo/helpdesk-tickets/{ticket}")
        page.wait_for_selector(".o_form_view")
        page.click(".o_cp_action_menus button.dropdown-toggle:visible")
        page.click(".o-dropdown-item:has-text('Merge')")
        page.wait_for_selector(".modal .o_form_view")
        self.shoot(page, "merge")

    def share(self, page):
        """The link of a code, where eCommerce is installed."""
        self.pop_up(page, "generate_coupon", TICKET)
        choose(page, "program_id", "We Are Sorry")
        button = page.locator(".modal button[name=action_get_share_link]")
        if button.count():
            button.click()
            page.wait_for_selector(".modal .o_field_widget[name=share_link]")
            self.shoot(page, "share")

    def documents(self, page):
        """What ticket and document say of each other in the chatter."""
        for name, subject, model, confirm in (
            ("repair", REPAIR_TICKET, "repair.order", self.confirm_repair),
            ("return", RETURN_TICKET, "stock.picking", self.confirm_return),
        ):
            made = [("create_uid.login", "=", "looks")]
            made += [("helpdesk_ticket_id.name", "=like", f"{subject}%")]
            if not call(page, self.address, model, "search", made):
                self.pop_up(page, name, subject)
                confirm(page)
                page.wait_for_selector(".modal", state="detached")
            [document, *_others] = call(page, self.address, model, "search", made)
            page.goto(f"{self.address}/odoo/{model}/{document}")
            page.wait_for_selector(".o_form_view")
            self.chatter(page, f"{name}_document")
            open_ticket(page, self.address, subject)
            self.chatter(page, f"{name}_ticket")

    def confirm_repair(self, page):
        button = "button[name=action_confirm_repair]"
        page.click(f".modal {button}")
        # It isn't in stock, as far as Inventory knows: all the same.
        page.click(f".modal:has(.alert-warning:visible) {button}")

    def confirm_return(self, page):
        page.click(".modal button[name=action_take_all]")
        page.click(".modal button[name=action_return]")

    def chatter(self, page, name):
        page.wait_for_selector(".o-mail-Message")
        page.locator(".o-mail-Message").first.scroll_into_view_if_needed()
        self.shoot(page, name)

    def portal(self, page):
        for path in PAGES:
            page.goto(f"{self.address}/{path}")
            self.shoot(page, path.replace("/", "_"))
        for name, path, link in (
            ("my_ticket", "my/tickets", f"a:has-text('{TICKET}')"),
            ("my_visit", "my/visits", "td a"),
            ("my_request", "my/purchases", ".o_helpdesk_purchase a"),
        ):
            page.goto(f"{self.address}/{path}")
            page.locator(link).first.click()
            page.wait_for_load_state("networkidle")
            self.shoot(page, name)

    def ticket(self, page):
        open_ticket(page, self.address, TICKET)
        self.shoot(page, "ticket")
        page.click("a[name=purchases]")
        page.wait_for_selector(".o_helpdesk_purchases")
        page.locator(".o_helpdesk_purchases").scroll_into_view_if_needed()
        self.shoot(page, "purchases")
        page.click("a[name=conversations]")
        page.click("button[name=action_begin_conversation]:visible")
        page.wait_for_selector(".o_form_view .o_field_widget[name=partner_ids]")
        self.shoot(page, "conversation")
        for subject in (TICKET, VISITED):
            open_ticket(page, self.address, subject)
            page.click("a[name=timeline]")
            page.wait_for_selector(".o_helpdesk_timeline")
            page.locator(".o_helpdesk_timeline").scroll_into_view_if_needed()
            self.shoot(page, "timeline" if subject == TICKET else "timeline_visit")

    @contextlib.contextmanager
    def agent(self):
        """There is an agent with helpdesk rights only, as long as this lasts."""
        with client(self.address, "admin") as page:
            group = "helpdesk_after_sales.group_helpdesk_user"
            module, name = group.split(".")
            reference = [("module", "=", module), ("name", "=", name)]
            args = ("ir.model.data", "search_read", reference, ["res_id"])
            [group] = call(page, self.address, *args)
            values = {
                "name": "Only Helpdesk",
                "login": "looks",
                "password": "looks",
                "active": True,
                # Its first message would cover all of a phone.
                "odoobot_state": "disabled",
            }
            args = ("res.users", "search", [("login", "=", "looks")])
            users = call(page, self.address, *args, context={"active_test": False})
            if users:
                call(page, self.address, "res.users", "write", users, values)
            else:
                values["group_ids"] = [(4, group["res_id"])]
                users = call(page, self.address, "res.users", "create", [values])
        try:
            yield
        finally:
            with client(self.address, "admin") as page:
                args = ("res.users", "write", users, {"active": False})
                call(page, self.address, *args)

    @contextlib.contextmanager
    def renamed(self):
        """Everything has a long name, as long as this lasts."""
        before = []
        with client(self.address, "admin") as page:
            for model in NAMED:
                domain = []
                if model == "res.partner":
                    # Users are found by their names, the company's is everywhere.
                    domain = [("user_ids", "=", False), ("ref_company_ids", "=", False)]
                args = (model, "search_read", domain, ["name"])
                before += [
                    (model, record["id"], record["name"])
                    for record in call(page, self.address, *args)
                ]
        self.rename((model, id, f"{name}{LONG}") for model, id, name in before)
        try:
            yield
        finally:
            self.rename(before)

    def rename(self, names):
        with client(self.address, "admin") as page:
            for model, id, name in names:
                args = (model, "write", [id], {"name": name})
                call(page, self.address, *args, context={"tracking_disable": True})

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
    for way in ways or ["plain"]:
        looks = Looks(address, folder, way)
        ground = {"rtl": looks.turned, "dark": looks.colours, "long": looks.renamed}
        with contextlib.ExitStack() as stack:
            stack.enter_context(looks.agent())
            for word in sorted(looks.way & set(ground)):
                stack.enter_context(ground[word]())
            looks.take()


if __name__ == "__main__":
    main(*sys.argv[1:])
