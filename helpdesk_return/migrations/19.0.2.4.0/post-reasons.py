"""What was lost in transport is no failure of the product, as in new databases."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    if reason := env.ref("helpdesk_return.reason_lost", raise_if_not_found=False):
        reason.is_failure = False
