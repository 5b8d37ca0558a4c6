"""The digest that comes with Odoo tells what failures cost, as in new ones."""

from odoo import SUPERUSER_ID, api


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    if digest := env.ref("digest.digest_digest_default", raise_if_not_found=False):
        digest.kpi_helpdesk_failure_cost = True
