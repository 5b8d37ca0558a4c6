"""Tickets keep how long they took. Odoo would count it one by one where the columns are
missing: post-times.py fills them in batches, from what messages tell."""


def migrate(cr, _version):
    cr.execute(
        """
        ALTER TABLE helpdesk_ticket
        ADD COLUMN IF NOT EXISTS assign_hours float8,
        ADD COLUMN IF NOT EXISTS first_response_hours float8,
        ADD COLUMN IF NOT EXISTS close_hours float8
        """
    )
