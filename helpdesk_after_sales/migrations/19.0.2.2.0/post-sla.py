"""The promised answer of a team is its policy for first answers. What customers of open
tickets were told in their mail goes on."""

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists


def migrate(cr, _version):
    if not column_exists(cr, "helpdesk_team", "answer_hours"):
        return
    cr.execute("SELECT id, answer_hours FROM helpdesk_team WHERE answer_hours > 0")
    promised = dict(cr.fetchall())
    cr.execute("ALTER TABLE helpdesk_team DROP COLUMN answer_hours")
    env = api.Environment(cr, SUPERUSER_ID, {})
    for team in env["helpdesk.team"].browse(promised):
        team.answer_hours = promised[team.id]
        team._get_answer_policy().action_apply_to_open()
