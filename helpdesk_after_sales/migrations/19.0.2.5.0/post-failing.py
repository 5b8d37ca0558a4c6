"""Reasons that are no failure of the product, as in new databases."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name in ("reason_wrong_product", "reason_not_wanted"):
        reason = env.ref(f"helpdesk_after_sales.{name}", raise_if_not_found=False)
        if reason:
            reason.is_failure = False
