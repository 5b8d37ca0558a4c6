"""Take the screenshots of the README from the running demo: setup/demo --screenshots.

Each is what an agent sees in the real web client, with the demo data as it comes.
"""

import contextlib
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TICKET = "The desk lamp arrived broken"


@contextlib.contextmanager
def client(address, login, width=1280, height=760):
    """Yield a page of the web client, logged in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"{address}/web/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", login)
        page.click("button[type=submit]:visible")
        page.wait_for_selector(".o_web_client .o_navbar, .o_portal_wrap")
        yield page
        browser.close()


def shoot(page, addon, name):
    page.wait_for_timeout(1200)
    page.screenshot(path=ROOT / addon / "static" / "description" / f"{name}.png")


def open_ticket(page, address, subject):
    page.goto(f"{address}/odoo/helpdesk-tickets")
    page.click(f".o_kanban_record:has-text('{subject}')")
    page.wait_for_selector(".o_form_view")


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
    with client(address, "agent", width=390, height=800) as page:
        page.goto(f"{address}/odoo/helpdesk-tickets")
        page.wait_for_selector(".o_kanban_record")
        page.click(f".o_kanban_record:has-text('{TICKET}')")
        page.wait_for_selector(".o_form_view")
        shoot(page, "helpdesk_after_sales", "phone")
    with client(address, "admin") as page:
        page.goto(f"{address}/odoo/helpdesk-teams")
        page.click(".o_data_row td[name=name]:has-text('Customer Care')")
        page.wait_for_selector("[name=use_credit_notes]")
        page.locator("[name=use_credit_notes]").scroll_into_view_if_needed()
        shoot(page, "helpdesk_after_sales", "team")


if __name__ == "__main__":
    main(sys.argv[1])
