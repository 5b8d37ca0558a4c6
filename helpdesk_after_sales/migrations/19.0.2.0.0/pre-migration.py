"""The reason of a document has our prefix: other addons have a ``reason_id``, too.

The column is renamed on every table that has the link to a ticket, so that the services
of others are served as well. A column of that name that leads elsewhere isn't ours.
"""

from odoo.tools import SQL


def migrate(cr, _version):
    cr.execute(
        """
        SELECT con.conname, tbl.relname
          FROM pg_constraint con
          JOIN pg_class tbl ON tbl.oid = con.conrelid
          JOIN pg_attribute att
            ON att.attrelid = tbl.oid AND att.attnum = con.conkey[1]
         WHERE con.contype = 'f'
           AND con.confrelid = 'helpdesk_after_sales_reason'::regclass
           AND att.attname = 'reason_id'
           AND EXISTS (
               SELECT FROM pg_attribute link
                WHERE link.attrelid = tbl.oid
                  AND link.attname = 'helpdesk_ticket_id'
                  AND NOT link.attisdropped
           )
        """
    )
    for constraint, table in cr.fetchall():
        renamed = {
            "table": SQL.identifier(table),
            "constraint": SQL.identifier(constraint),
            "new_constraint": SQL.identifier(f"{table}_helpdesk_reason_id_fkey"),
            "index": SQL.identifier(f"{table}__reason_id_index"),
            "new_index": SQL.identifier(f"{table}__helpdesk_reason_id_index"),
        }
        for statement in (
            "ALTER TABLE %(table)s RENAME COLUMN reason_id TO helpdesk_reason_id",
            "ALTER TABLE %(table)s RENAME CONSTRAINT %(constraint)s "
            "TO %(new_constraint)s",
            "ALTER INDEX IF EXISTS %(index)s RENAME TO %(new_index)s",
        ):
            cr.execute(SQL(statement, **renamed))
