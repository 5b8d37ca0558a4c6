"""Databases made before ask for tickets as new ones do.

The rule of agents is the administrator's to change, so an update leaves it alone: it is
rewritten where it is still as the addon made it. Odoo keeps indexes that no field asks
for any more.
"""

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import drop_index

RULES = {
    """[
        '|', '|', '|', '|',
        ('team_id.privacy_visibility', '!=', 'invited_internal'),
        ('team_id.member_ids', 'in', [user.id]),
        ('team_id.message_partner_ids', 'in', [user.partner_id.id]),
        ('user_id', '=', user.id),
        ('message_partner_ids', 'in', [user.partner_id.id]),
    ]""",
    """[
        '|', '|',
        ('team_id.user_sees_tickets', '=', True),
        ('user_id', '=', user.id),
        ('message_partner_ids', 'in', [user.partner_id.id]),
    ]""",
}
RULE = """[
    '|', '|',
    ('team_id.user_sees_tickets', '=', True),
    ('user_follows', '=', True),
    ('user_id', '=', user.id),
]"""
INDEXES = (
    "helpdesk_ticket__commercial_partner_id_index",
    "helpdesk_ticket__company_id_index",
    "helpdesk_ticket__partner_id_index",
    "helpdesk_ticket__stage_id_index",
)


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    rule = env.ref("helpdesk_after_sales.helpdesk_ticket_rule_user", False)
    if rule and words(rule.domain_force) in map(words, RULES):
        rule.domain_force = RULE
    for index in INDEXES:
        drop_index(cr, index, "helpdesk_ticket")


def words(domain):
    return "".join(domain.split())
