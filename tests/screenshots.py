"""Take the screenshots of the README from the running demo: setup/demo --screenshots.

Each is what an agent sees in the real web client, with the demo data as it comes.
"""

import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PRODUCT = "Desk Lamp"
TICKET = "The desk lamp arrived broken"
VISITED = "Desk does not go down any more"
RETURN_TICKET = "Two lamps too many"


@contextlib.contextmanager
def client(address, login, width=1280, height=760, prepare=None):
    """Yield a page of the web client, logged in; ``prepare`` is called with it before
    that."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        if prepare:
            prepare(page)
        page.goto(f"{address}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", login)
        page.click("button[type=submit]:visible")
        page.wait_for_selector(".o_web_client .o_navbar, .o_portal_wrap")
        yield page
        browser.close()


def call(page, address, model, method, *args, **kwargs):
    """Call a method as the user of the page."""
    answer = page.request.post(
        f"{address}/web/dataset/call_kw/{model}/{method}",
        data={
            "jsonrpc": "2.0",
            "params": {"model": model, "method": method, "args": args}
            | {"kwargs": kwargs},
        },
        timeout=300_000,
    )
    return answer.json()["result"]


def shoot(page, addon, name):
    page.wait_for_timeout(1200)
    page.screenshot(path=ROOT / addon / "static" / "description" / f"{name}.png")


def open_ticket(page, address, subject):
    page.goto(f"{address}/odoo/helpdesk-tickets")
    page.click(f".o_kanban_record:has-text('{subject}')")
    page.wait_for_selector(".o_form_view")


def coupon(page, address):
    open_ticket(page, address, TICKET)
    page.click("button[name=action_generate_coupon]")
    page.wait_for_selector(".modal .o_form_view")
    choose(page, "program_id", "We Are Sorry")
    shoot(page, "helpdesk_coupon", "popup")
    page.click(".modal button[name=action_send_by_email]")
    page.wait_for_selector(".modal .o_mail_send")
    shoot(page, "helpdesk_coupon", "mail")
    page.click(".modal .o_mail_send")
    page.click("button[name=action_view_coupons]")
    page.wait_for_selector(".o_field_widget[name=coupon_summary]")
    shoot(page, "helpdesk_coupon", "coupon")


def choose(page, field, text):
    page.fill(f".modal .o_field_widget[name={field}] input", text)
    page.click(f".o-autocomplete--dropdown-item:has-text('{text}')")


def shop(address):
    """With eCommerce: a code is shared, and the customer follows the link."""
    with client(address, "admin") as page:
        product = "product.template"
        ids = call(page, address, product, "search", [("name", "like", PRODUCT)])
        call(page, address, product, "write", ids, {"is_published": True})
    with client(address, "agent") as page:
        open_ticket(page, address, TICKET)
        page.click("button[name=action_generate_coupon]")
        page.wait_for_selector(".modal .o_form_view")
        choose(page, "program_id", "We Are Sorry")
        page.click(".modal button[name=action_get_share_link]")
        page.wait_for_selector(".modal-title:has-text('Share Coupons')")
        shoot(page, "helpdesk_coupon", "share")
        link = page.inner_text(".modal .o_field_widget[name=share_link] a")
    with client(address, "customer") as page:
        page.goto(f"{address}/shop?search={PRODUCT}")
        page.click(".oe_product a.oe_product_image_link")
        page.click("#add_to_cart")
        page.wait_for_selector(".my_cart_quantity:has-text('1')")
        page.goto(link)
        page.goto(f"{address}/shop/cart")
        page.wait_for_selector("#cart_products:has-text('15')")
        shoot(page, "helpdesk_coupon", "cart")


def visit(page, address):
    open_ticket(page, address, VISITED)
    page.click("button[name=action_plan_intervention]")
    page.wait_for_selector(".modal .o_form_view")
    shoot(page, "helpdesk_fsm", "popup")


def technician(address):
    """The form on a phone, and the report of a signed worksheet."""
    with client(address, "technician", width=390, height=1400) as page:
        page.goto(f"{address}/odoo/my-visits")
        page.click(f".o_kanban_record:has-text('{VISITED}')")
        page.wait_for_selector(".o_form_view")
        shoot(page, "helpdesk_fsm", "phone")
    # On a phone the filter is behind a button.
    with client(address, "technician") as page:
        page.goto(f"{address}/odoo/my-visits")
        page.click(".o_searchview_facet .o_facet_remove")
        page.click(".o_kanban_record:has-text('Assemble the standing desk')")
        page.wait_for_selector(".o_form_view")
        visit_id = re.search(r"/(\d+)$", page.url)[1]
        report = f"{address}/report/pdf/helpdesk_fsm.report_worksheet/{visit_id}"
        pdf = page.request.get(report).body()
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(pdf)
        file.flush()
        target = ROOT / "helpdesk_fsm" / "static" / "description" / "worksheet"
        # "pdftoppm" of the package poppler-utils turns pages into pictures.
        command = ("pdftoppm", "-png", "-r", "80", "-singlefile", file.name, target)
        subprocess.run(command, check=True)


def returned(page, address):
    open_ticket(page, address, RETURN_TICKET)
    page.click("button[name=action_return]")
    page.wait_for_selector(".modal .o_data_row")
    page.click(".modal .o_data_row:has-text('Lamp') td[name=quantity]")
    page.keyboard.type("2")
    shoot(page, "helpdesk_return", "popup")
    page.click(".modal button[name=action_return]")
    page.wait_for_selector(".o_breadcrumb a:has-text('Two lamps')")
    shoot(page, "helpdesk_return", "transfer")
    open_ticket(page, address, RETURN_TICKET)
    page.wait_for_selector("button[name=action_view_returns]")
    shoot(page, "helpdesk_return", "ticket")


def repair(page, address):
    open_ticket(page, address, "No sound on the left side")
    shoot(page, "helpdesk_repair", "ticket")
    page.click("button[name=action_view_repairs]")
    page.wait_for_selector(".o_field_widget[name=move_ids]")
    shoot(page, "helpdesk_repair", "repair")
    open_ticket(page, address, "No sound on the left side")
    page.click("button[name=action_repair]")
    page.wait_for_selector(".modal .o_field_widget[name=warranty_info]")
    page.click(".modal .o_field_x2many_list_row_add a")
    page.fill(".modal .o_data_row .o_field_widget[name=product_id] input", "Speaker")
    page.click(".o-autocomplete--dropdown-item:has-text('Speaker')")
    shoot(page, "helpdesk_repair", "popup")


def main(address):
    with client(address, "agent") as page:
        page.goto(f"{address}/odoo/helpdesk-tickets")
        page.wait_for_selector(".o_kanban_record")
        shoot(page, "helpdesk_after_sales", "tickets")
        open_ticket(page, address, TICKET)
        shoot(page, "helpdesk_after_sales", "ticket")
        page.click("a[name=purchases]")
        page.wait_for_selector(".o_helpdesk_purchases")
        shoot(page, "helpdesk_after_sales", "purchases")
        page.click("button[name=action_refund]")
        page.wait_for_selector(".modal .o_form_view")
        shoot(page, "helpdesk_refund", "popup")
        page.click(".modal button[name=refund_moves]")
        page.wait_for_selector(".o_form_view .o_account_move_form_view, .o_form_view")
        shoot(page, "helpdesk_refund", "credit_note")
        open_ticket(page, address, TICKET)
        shoot(page, "helpdesk_refund", "ticket")
        returned(page, address)
        coupon(page, address)
        visit(page, address)
        repair(page, address)
    with client(address, "agent", width=390, height=800) as page:
        page.goto(f"{address}/odoo/helpdesk-tickets")
        page.wait_for_selector(".o_kanban_record")
        page.click(f".o_kanban_record:has-text('{TICKET}')")
        page.wait_for_selector(".o_form_view")
        shoot(page, "helpdesk_after_sales", "phone")
        open_ticket(page, address, RETURN_TICKET)
        page.click(".o_statusbar_buttons button.dropdown-toggle")
        page.click("button[name=action_return]")
        page.wait_for_selector(".modal .o_form_view")
        shoot(page, "helpdesk_return", "phone")
    with client(address, "admin") as page:
        page.goto(f"{address}/odoo/helpdesk-teams")
        page.click(".o_data_row td[name=name]:has-text('Customer Care')")
        page.wait_for_selector("[name=use_credit_notes]")
        page.locator("[name=use_credit_notes]").scroll_into_view_if_needed()
        shoot(page, "helpdesk_after_sales", "team")
    # After an administrator: the log-in says where the PDF finds its styles.
    technician(address)


if __name__ == "__main__":
    (shop if "shop" in sys.argv[2:] else main)(sys.argv[1])
