"""The services of a reason are records, no longer fields of the team.

At the end of the update every addon has brought its services, those of others, too.
"""

from odoo.tools import SQL
from odoo.tools.sql import table_exists

OLD = "helpdesk_after_sales_reason_service_rel"


def migrate(cr, _version):
    if not table_exists(cr, OLD):
        return
    cr.execute(
        SQL(
            """
        INSERT INTO helpdesk_reason_service_rel (reason_id, service_id)
        SELECT old.reason_id, service.id
          FROM %s AS old
          JOIN ir_model_fields AS field ON field.id = old.field_id
          JOIN helpdesk_after_sales_service AS service ON service.switch = field.name
            ON CONFLICT DO NOTHING
        """,
            SQL.identifier(OLD),
        )
    )
    cr.execute(SQL("DROP TABLE %s", SQL.identifier(OLD)))
    cr.execute("DELETE FROM ir_model_relation WHERE name = %s", [OLD])
