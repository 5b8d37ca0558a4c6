"""Tickets keep the end of their warranty. Odoo would work it out one by one where the
columns are missing: post-warranty.py fills them at once."""


def migrate(cr, _version):
    cr.execute(
        """
        ALTER TABLE helpdesk_ticket
        ADD COLUMN IF NOT EXISTS warranty_end date,
        ADD COLUMN IF NOT EXISTS warranty_covered_until timestamp
        """
    )
