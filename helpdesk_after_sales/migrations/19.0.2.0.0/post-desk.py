"""Replies to the first mail of a ticket are answers, not notes; nobody is asked how
happy they are with what was cancelled. Both records are noupdate."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for xmlid, values in (
        ("helpdesk_after_sales.mt_ticket_new", {"internal": False}),
        ("helpdesk_after_sales.helpdesk_stage_cancelled", {"ask_rating": False}),
    ):
        if record := env.ref(xmlid, raise_if_not_found=False):
            record.write(values)
