from odoo.tools import SQL

#: what is locked after the transient records: the ticket, then what was bought
TICKET = "helpdesk.ticket"


def lock_records(*recordsets):
    """Hold the rows of ``recordsets`` until the transaction ends.

    Odoo's transactions read from one snapshot. The rows are therefore *written*
    (unchanged): whoever waited for them is thrown back by PostgreSQL, retried by Odoo
    on a new snapshot, and then reads what the first one did. A mere ``FOR UPDATE``
    would let a second snapshot pass (trust.md, T1 and T5).

    The order is always the same, whatever that of the arguments: wizards, tickets, then
    what was bought, by model name and id.
    """

    def rank(records):
        return not records._transient, records._name != TICKET, records._name

    for records in sorted(filter(None, recordsets), key=rank):
        records.flush_recordset()
        records.env.cr.execute(
            SQL(
                """
                WITH held AS (
                    SELECT id FROM %(table)s WHERE id IN %(ids)s
                    ORDER BY id FOR NO KEY UPDATE
                )
                UPDATE %(table)s AS target SET write_date = target.write_date
                FROM held WHERE held.id = target.id
                """,
                table=SQL.identifier(records._table),
                ids=tuple(records.ids),
            )
        )
