"""What a ticket is about is a record: its order, product and lot become its first line,
and what customers asked for becomes lines, too.

Odoo removes the former columns at the end of the update.
"""

from odoo.tools.sql import column_exists, table_exists

REQUESTS = """
    INSERT INTO helpdesk_ticket_line (
        ticket_id, sequence, sale_line_id, sale_order_id, product_id, lot_id, quantity,
        uom_id, reason_id, origin, service, resolution, state, answer, answer_date,
        create_uid, create_date, write_uid, write_date
    )
    SELECT ticket.id, 10, asked.sale_line_id, sold.order_id, asked.product_id,
           asked.lot_id, asked.quantity, asked.uom_id, asked.reason_id, 'customer',
           ticket.request_service, ticket.request_wish,
           CASE ticket.request_state WHEN 'waiting' THEN 'asked'
                ELSE COALESCE(ticket.request_state, 'declined') END,
           ticket.request_answer, ticket.request_date,
           asked.create_uid, asked.create_date, asked.write_uid, asked.write_date
      FROM helpdesk_ticket_request_line AS asked
      JOIN helpdesk_ticket AS ticket ON ticket.id = asked.ticket_id
      JOIN sale_order_line AS sold ON sold.id = asked.sale_line_id
     ORDER BY asked.id
"""
# In front of a request about something else, as when an agent writes the ticket. An
# order line is known where the order has only one of the product.
TICKETS = """
    INSERT INTO helpdesk_ticket_line (
        ticket_id, sequence, sale_line_id, sale_order_id, product_id, lot_id, quantity,
        uom_id, origin, state, create_uid, create_date, write_uid, write_date
    )
    SELECT ticket.id, 9, sold.id, ticket.sale_order_id, ticket.product_id,
           ticket.lot_id, 0, COALESCE(sold.product_uom_id, template.uom_id),
           'agent', 'draft',
           ticket.create_uid, ticket.create_date, ticket.write_uid, ticket.write_date
      FROM helpdesk_ticket AS ticket
      LEFT JOIN product_product AS product ON product.id = ticket.product_id
      LEFT JOIN product_template AS template ON template.id = product.product_tmpl_id
      LEFT JOIN LATERAL (
          SELECT MIN(id) AS id, MIN(product_uom_id) AS product_uom_id
            FROM sale_order_line
           WHERE order_id = ticket.sale_order_id AND product_id = ticket.product_id
          HAVING COUNT(*) = 1
      ) AS sold ON TRUE
     WHERE COALESCE(ticket.sale_order_id, ticket.product_id, ticket.lot_id) IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM helpdesk_ticket_line AS line
            WHERE line.ticket_id = ticket.id
              AND line.sale_order_id IS NOT DISTINCT FROM ticket.sale_order_id
              AND line.product_id IS NOT DISTINCT FROM ticket.product_id
              AND line.lot_id IS NOT DISTINCT FROM ticket.lot_id
       )
     ORDER BY ticket.id
"""


def migrate(cr, _version):
    cr.execute("SELECT FROM helpdesk_ticket_line LIMIT 1")
    if cr.rowcount:
        return
    requested = table_exists(cr, "helpdesk_ticket_request_line")
    if requested and column_exists(cr, "helpdesk_ticket", "request_state"):
        cr.execute(REQUESTS)
        # Odoo leaves the table of a model that is gone; its columns it removes.
        cr.execute("DROP TABLE helpdesk_ticket_request_line")
    cr.execute(TICKETS)
    # Its rule was the administrator's to change: Odoo leaves it where it is.
    cr.execute(
        """
        DELETE FROM ir_rule USING ir_model_data AS data
         WHERE data.model = 'ir.rule' AND data.res_id = ir_rule.id
           AND data.module = 'helpdesk_after_sales'
           AND data.name = 'helpdesk_ticket_request_line_rule_user'
        """
    )
    cr.execute(
        """
        DELETE FROM ir_model_data
         WHERE module = 'helpdesk_after_sales'
           AND name = 'helpdesk_ticket_request_line_rule_user'
        """
    )
