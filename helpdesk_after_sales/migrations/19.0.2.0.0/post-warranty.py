"""Warranties were worked out from today's products: from now on they are kept.

What was delivered is filled once, by the products as they are now and as it was worked
out before, in a few statements for any number of moves. What is kept already stays.
"""

from odoo import SUPERUSER_ID, api
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.sql import column_exists

END = """LEAST(%(start)s + interval '100 years', %(start)s + %(duration)s *
        CASE %(unit)s
            WHEN 'day' THEN interval '1 day'
            WHEN 'week' THEN interval '1 week'
            WHEN 'year' THEN interval '1 year'
            ELSE interval '1 month'
        END)::date"""


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env.flush_all()
    cr.execute("SELECT name FROM pg_timezone_names")
    zones = [name for (name,) in cr.fetchall()]
    for company in env["res.company"].search(Domain.TRUE):
        cr.execute(get_deliveries(env, company, zones))
        cr.execute("ANALYZE helpdesk_delivered")
        for statement in (MOVES, LINES, SERIALS, LOTS, GIVEN_BACK, *TICKETS):
            cr.execute(statement)
        cr.execute("DROP TABLE helpdesk_delivered, helpdesk_delivered_lot")
    env.invalidate_all()


def get_deliveries(env, company, zones):
    """Return the statement that notes what this company delivered with a warranty.

    What was delivered beyond the ordered quantity replaces something: it goes on with
    the warranty of the order's last delivery before that, unless the team of its ticket
    lets it begin anew.
    """
    template = env["product.template"].with_company(company)
    own, kit = (
        {
            name: template._field_to_sql(alias, f"warranty_{name}")
            for name in ("duration", "unit")
        }
        for alias in ("template", "kit_template")
    )
    restarts = SQL("false")
    if column_exists(env.cr, "stock_picking", "helpdesk_ticket_id"):
        restarts = SQL(
            """EXISTS (
                SELECT FROM helpdesk_ticket ticket
                  JOIN helpdesk_team team ON team.id = ticket.team_id
                 WHERE ticket.id = picking.helpdesk_ticket_id
                   AND team.warranty_restarts
            )"""
        )
    start = SQL("start")
    return SQL(
        """
        CREATE TEMP TABLE helpdesk_delivered AS
        WITH delivered AS (
            SELECT move.id, move.date, move.company_id, move.product_id,
                   NULLIF(sold.product_id, move.product_id) AS kit_id,
                   sale.id AS order_id, buyer.commercial_partner_id AS customer_id,
                   move.quantity * unit.factor / base.factor AS quantity,
                   zone.name AS zone,
                   (move.date AT TIME ZONE 'UTC' AT TIME ZONE zone.name)::date AS day,
                   %(own_duration)s AS duration, %(own_unit)s AS unit,
                   CASE WHEN sold.product_id <> move.product_id
                        THEN %(kit_duration)s END AS kit_duration,
                   %(kit_unit)s AS kit_unit,
                   %(restarts)s AS restarts
              FROM stock_move move
              JOIN stock_location source ON source.id = move.location_id
              JOIN stock_location target ON target.id = move.location_dest_id
              JOIN product_product product ON product.id = move.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN uom_uom unit ON unit.id = move.product_uom
              JOIN uom_uom base ON base.id = template.uom_id
         LEFT JOIN stock_picking picking ON picking.id = move.picking_id
         LEFT JOIN sale_order_line sold ON sold.id = move.sale_line_id
         LEFT JOIN product_product kit ON kit.id = sold.product_id
         LEFT JOIN product_template kit_template
                ON kit_template.id = kit.product_tmpl_id
         LEFT JOIN sale_order sale
                ON sale.id = COALESCE(sold.order_id, picking.sale_id)
         LEFT JOIN res_partner buyer
                ON buyer.id = COALESCE(sale.partner_id, picking.partner_id)
         LEFT JOIN res_partner entity ON entity.id = buyer.commercial_partner_id
         LEFT JOIN res_partner seller ON seller.id = %(seller)s
        CROSS JOIN LATERAL (
            SELECT COALESCE(buyer.tz, entity.tz, seller.tz, 'UTC') AS name
        ) AS wanted
        CROSS JOIN LATERAL (
            SELECT CASE WHEN wanted.name = ANY(%(zones)s) THEN wanted.name
                        ELSE 'UTC' END AS name
        ) AS zone
             WHERE move.state = 'done'
               AND move.company_id = %(company)s
               AND target.usage = 'customer'
               AND source.usage <> 'customer'
               AND move.origin_returned_move_id IS NULL
               AND move.quantity > 0
        ),
        ordered AS (
            SELECT line.order_id, line.product_id,
                   SUM(line.product_uom_qty * unit.factor / base.factor) AS quantity
              FROM sale_order_line line
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
              JOIN uom_uom unit ON unit.id = line.product_uom_id
              JOIN uom_uom base ON base.id = template.uom_id
             WHERE line.order_id IN (SELECT order_id FROM delivered)
          GROUP BY line.order_id, line.product_id
        ),
        piece AS (
            SELECT delivered.*, COALESCE(
                       NOT restarts AND ordered.quantity > 0
                       AND SUM(delivered.quantity) OVER same - delivered.quantity
                           >= ordered.quantity, false) AS replacement
              FROM delivered
         LEFT JOIN ordered USING (order_id, product_id)
            WINDOW same AS (
                PARTITION BY order_id, product_id ORDER BY date, delivered.id
            )
        ),
        began AS (
            SELECT piece.*,
                   CASE WHEN replacement
                        THEN MAX(day) FILTER (WHERE NOT replacement)
                             OVER (PARTITION BY order_id, product_id)
                        ELSE day END AS start
              FROM piece
             WHERE duration > 0 OR kit_duration > 0
        )
        SELECT id, date, company_id, product_id, kit_id, order_id, customer_id, zone,
               start,
               CASE WHEN duration > 0 THEN %(end)s
                    WHEN kit_duration > 0 THEN %(kit_end)s END AS until,
               CASE WHEN kit_duration > 0 THEN %(kit_end)s END AS kit_until,
               CASE WHEN duration > 0
                    THEN duration || ' ' || COALESCE(unit, 'month') ELSE '' END
               || '|' ||
               CASE WHEN kit_duration > 0
                    THEN kit_duration || ' ' || COALESCE(kit_unit, 'month')
                    ELSE '' END AS terms
          FROM began
        """,
        own_duration=own["duration"],
        own_unit=own["unit"],
        kit_duration=kit["duration"],
        kit_unit=kit["unit"],
        restarts=restarts,
        company=company.id,
        seller=company.partner_id.id,
        zones=zones,
        end=SQL(END, start=start, duration=SQL("duration"), unit=SQL("unit")),
        kit_end=SQL(
            END, start=start, duration=SQL("kit_duration"), unit=SQL("kit_unit")
        ),
    )


MOVES = """
    UPDATE stock_move move
       SET warranty_start = start, warranty_end = until,
           helpdesk_kit_warranty_end = kit_until, helpdesk_warranty_terms = terms
      FROM helpdesk_delivered delivered
     WHERE move.id = delivered.id AND move.warranty_end IS NULL
"""
# Of each lot: its deliveries, and the latest sale that they belong to.
LINES = """
    CREATE TEMP TABLE helpdesk_delivered_lot AS
    WITH line AS (
        SELECT DISTINCT done.lot_id, delivered.*, template.tracking
          FROM stock_move_line done
          JOIN helpdesk_delivered delivered ON delivered.id = done.move_id
          JOIN product_product product ON product.id = delivered.product_id
          JOIN product_template template ON template.id = product.product_tmpl_id
         WHERE done.lot_id IS NOT NULL AND done.quantity > 0
    ),
    owner AS (
        SELECT DISTINCT ON (lot_id) lot_id, customer_id
          FROM line ORDER BY lot_id, date DESC, id DESC
    ),
    sale AS (
        SELECT DISTINCT ON (lot_id) line.lot_id, line.order_id
          FROM line
          JOIN owner ON owner.lot_id = line.lot_id
                    AND owner.customer_id IS NOT DISTINCT FROM line.customer_id
         ORDER BY lot_id, line.order_id IS NULL, date DESC, id DESC
    )
    SELECT line.*,
           owner.customer_id IS NOT DISTINCT FROM line.customer_id AND (
               line.order_id IS NULL
               OR line.order_id IS NOT DISTINCT FROM sale.order_id) AS latest
      FROM line JOIN owner USING (lot_id) JOIN sale USING (lot_id)
"""
SERIALS = """
    UPDATE stock_lot lot
       SET warranty_start = first.start, warranty_end = first.until
      FROM (
          SELECT DISTINCT ON (lot_id) lot_id, start, until
            FROM helpdesk_delivered_lot
           WHERE latest AND tracking = 'serial'
        ORDER BY lot_id, order_id IS NULL, date, id
      ) AS first
     WHERE lot.id = first.lot_id AND lot.warranty_end IS NULL
"""
LOTS = """
    UPDATE stock_lot lot
       SET warranty_start = one.start, warranty_end = one.until
      FROM (
          SELECT lot_id, MIN(start) AS start, MIN(until) AS until
            FROM helpdesk_delivered_lot
           WHERE tracking = 'lot'
        GROUP BY lot_id
          HAVING MIN(start) = MAX(start) AND MIN(until) = MAX(until)
      ) AS one
     WHERE lot.id = one.lot_id AND lot.warranty_end IS NULL
"""
# A serial number that came back to its customer goes on with what it had.
GIVEN_BACK = """
    UPDATE stock_move move
       SET warranty_start = lot.warranty_start, warranty_end = lot.warranty_end
      FROM helpdesk_delivered_lot line JOIN stock_lot lot ON lot.id = line.lot_id
     WHERE move.id = line.id AND line.latest AND line.tracking = 'serial'
       AND move.product_uom_qty = 1 AND lot.warranty_end IS NOT NULL
       AND move.warranty_end > lot.warranty_end
"""
TICKET = """
    UPDATE helpdesk_ticket ticket
       SET warranty_end = CASE WHEN first = last THEN first END,
           warranty_covered_until = (
               (first + 1)::timestamp - interval '1 second'
           ) AT TIME ZONE zone AT TIME ZONE 'UTC'
      FROM (%s) AS found
     WHERE ticket.id = found.id AND ticket.warranty_covered_until IS NULL
"""
TICKETS = [
    TICKET % query
    for query in (
        """
        SELECT ticket.id, lot.warranty_end AS first, lot.warranty_end AS last,
               MIN(line.zone) AS zone
          FROM helpdesk_ticket ticket
          JOIN stock_lot lot ON lot.id = ticket.lot_id
          JOIN helpdesk_delivered_lot line ON line.lot_id = ticket.lot_id
           AND line.latest
           AND line.customer_id = ticket.commercial_partner_id
           AND line.company_id = ticket.company_id
           AND (ticket.sale_order_id IS NULL
                OR line.order_id = ticket.sale_order_id)
         WHERE lot.warranty_end IS NOT NULL
         GROUP BY ticket.id, lot.warranty_end
        """,
        """
        SELECT id, MIN(until) AS first, MAX(until) AS last, MIN(zone) AS zone
          FROM (
              SELECT ticket.id, line.until, line.zone, line.tracking = 'serial'
                     AND line.start < MAX(line.start) OVER (PARTITION BY ticket.id)
                     AS former
                FROM helpdesk_ticket ticket
                JOIN helpdesk_delivered_lot line ON line.lot_id = ticket.lot_id
                 AND line.customer_id = ticket.commercial_partner_id
                 AND line.company_id = ticket.company_id
                 AND (ticket.sale_order_id IS NULL
                      OR line.order_id = ticket.sale_order_id)
          ) AS sold
         WHERE NOT former
         GROUP BY id
        """,
        """
        SELECT ticket.id, MIN(piece.until) AS first, MAX(piece.until) AS last,
               MIN(piece.zone) AS zone
          FROM helpdesk_ticket ticket
          JOIN (
              SELECT company_id, customer_id, order_id, zone, product_id AS item_id,
                     until
                FROM helpdesk_delivered
           UNION ALL
              SELECT company_id, customer_id, order_id, zone, kit_id, kit_until
                FROM helpdesk_delivered WHERE kit_until IS NOT NULL
          ) AS piece ON piece.item_id = ticket.product_id
           AND piece.customer_id = ticket.commercial_partner_id
           AND piece.company_id = ticket.company_id
           AND (ticket.sale_order_id IS NULL
                OR piece.order_id = ticket.sale_order_id)
         WHERE ticket.lot_id IS NULL AND piece.until IS NOT NULL
         GROUP BY ticket.id
        """,
    )
]
