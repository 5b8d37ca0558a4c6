from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache


class Warranty(NamedTuple):
    """What is known of the warranty of something that was delivered.

    The pairs differ when the pieces in question were delivered on several days: then
    nobody knows which one it is.
    """

    start_first: object
    start_last: object
    end_first: object
    end_last: object
    #: whether all of these pieces were under warranty at the moment asked for
    covered: bool

    @property
    def end(self):
        """The last day under warranty, if it is known, else ``False``."""
        return self.end_first == self.end_last and self.end_first


class Question(NamedTuple):
    """Which warranty is asked for: of a lot, or of a product that was bought."""

    product_id: int
    lot_id: int | None = None
    customer_id: int | None = None
    order_id: int | None = None
    line_id: int | None = None
    #: a replacement has a warranty of its own
    restarts: bool = False
    #: in UTC: when the defect was told
    moment: object = None


class HelpdeskAfterSalesWarranty(models.AbstractModel):
    """Until when something is under warranty (X8).

    The warranty begins on the day of the delivery, in the time zone of the customer
    (else of the company). A serial number begins with its first delivery on the order:
    what comes back from a repair doesn't begin anew. What is delivered beyond the
    ordered quantity is a replacement; it goes on with the warranty of the order's first
    deliveries unless the question says otherwise. Days, months and leap years are
    PostgreSQL's: one month after 31 January is the last day of February.

    Lists, searches and forms all ask the one query below. Nothing is stored.
    """

    _name = "helpdesk.after.sales.warranty"
    _description = "Warranty of what was delivered"

    @api.model
    def _find_warranties(self, company, questions):
        """Return a :class:`Warranty`, or ``None`` where nothing is known, per question.

        :param company: who sold, one record
        :param questions: list of :class:`Question`; one query for all of them

        What is asked isn't checked against the user's rights: the caller does that.
        """
        if not questions:
            return []
        lots = {ask.lot_id for ask in questions if ask.lot_id}
        orders = {ask.order_id for ask in questions if not ask.lot_id and ask.order_id}
        customers = {
            ask.customer_id
            for ask in questions
            if not ask.lot_id and not ask.order_id and ask.customer_id
        }
        columns = list(zip(*questions, strict=True))
        asks = SQL(
            """SELECT * FROM unnest(
                %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[],
                %s::bool[], %s::timestamp[]
            ) AS asked(id, product_id, lot_id, customer_id, order_id, line_id,
                       restarts, moment)""",
            list(range(len(questions))),
            *(list(column) for column in columns),
        )
        moves = self._get_candidate_moves(list(lots), list(orders), list(customers))
        answers = {
            number: Warranty(*answer)
            for number, *answer in self.env.execute_query(
                self._get_warranty_query(company, asks, moves)
            )
        }
        return [answers.get(number) for number in range(len(questions))]

    @api.model
    def _search_warranty_end(self, operator, value, asks):
        """Return the domain of the records whose last day under warranty is known and
        meets ``operator`` and ``value``, or ``NotImplemented``, for the search
        method of a field. See :meth:`_search_warranty` for ``asks``.
        """
        known = SQL("end_first = end_last")
        if operator in ("<", "<=", ">", ">="):
            return self._search_warranty(
                SQL(
                    "%s AND end_first %s %s::date",
                    known,
                    SQL(operator),
                    fields.Date.to_date(value),
                ),
                asks,
            )
        if operator != "in":
            return NotImplemented
        days = [fields.Date.to_date(day) for day in value if day]
        domain = self._search_warranty(
            SQL("%s AND end_first = ANY(%s::date[])", known, days), asks
        )
        if False in value:
            domain |= ~self._search_warranty(known, asks)
        return domain

    @api.model
    def _search_warranty(self, condition, asks):
        """Return the domain of the records whose warranty meets a condition.

        :param condition: SQL on the columns ``end_first``, ``end_last``, ``covered``
        :param asks: method of a company that returns SQL with the columns ``id`` of the
            record and those of :class:`Question`
        """
        query = SQL(" UNION ").join(
            SQL(
                "SELECT id FROM (%s) AS warranty WHERE %s",
                self._get_warranty_query(company, asks(company)),
                condition,
            )
            for company in self.env.companies
        )
        return Domain.custom(
            to_sql=lambda model, alias, _query: SQL(
                "%s IN (%s)", model._field_to_sql(alias, "id"), query
            )
        )

    @api.model
    def _get_candidate_moves(self, lots, orders, customers):
        """Return SQL for the moves that matter for these questions: all moves of a lot,
        and all of an order, since replacements are told by their number."""
        return SQL(
            """
            SELECT move_id FROM stock_move_line WHERE lot_id = ANY(%(lots)s::int[])
            UNION
            SELECT move.id
              FROM sale_order_line line
              JOIN stock_move move ON move.sale_line_id = line.id
             WHERE line.order_id = ANY(%(orders)s::int[])
                OR line.order_id IN (
                    SELECT ordered.order_id
                      FROM stock_move_line done
                      JOIN stock_move sent ON sent.id = done.move_id
                      JOIN sale_order_line ordered ON ordered.id = sent.sale_line_id
                     WHERE done.lot_id = ANY(%(lots)s::int[])
                )
            UNION
            SELECT move.id
              FROM res_partner partner
              JOIN sale_order sale ON sale.partner_id = partner.id
              JOIN sale_order_line line ON line.order_id = sale.id
              JOIN stock_move move ON move.sale_line_id = line.id
             WHERE partner.commercial_partner_id = ANY(%(customers)s::int[])
            UNION
            SELECT move.id
              FROM res_partner partner
              JOIN stock_picking picking ON picking.partner_id = partner.id
              JOIN stock_move move ON move.picking_id = picking.id
             WHERE partner.commercial_partner_id = ANY(%(customers)s::int[])
            """,
            lots=lots,
            orders=orders,
            customers=customers,
        )

    @api.model
    def _get_warranty_query(self, company, asks, moves=None):
        """Return the query that answers ``asks`` with the columns ``id``,
        ``start_first``, ``start_last``, ``end_first``, ``end_last``, ``covered``.

        :param moves: SQL for the ids of the moves to look at; else those of all
            products with a warranty
        """
        self._flush_warranty_tables()
        # sudo: two fields of the product, which every user may read.
        template = self.env["product.template"].sudo().with_company(company)
        duration = template._field_to_sql("template", "warranty_duration")
        unit = template._field_to_sql("template", "warranty_unit")
        if moves is None:
            moves = SQL(
                """
                WITH sold AS (
                    SELECT product.id
                      FROM product_product product
                      JOIN product_template template
                        ON template.id = product.product_tmpl_id
                     WHERE %s > 0
                )
                SELECT id FROM stock_move WHERE product_id IN (SELECT id FROM sold)
                UNION
                SELECT move.id
                  FROM sale_order_line line
                  JOIN stock_move move ON move.sale_line_id = line.id
                 WHERE line.product_id IN (SELECT id FROM sold)
                """,
                duration,
            )

        def ending(start):
            return SQL(
                """LEAST(%(start)s + interval '100 years', %(start)s + %(duration)s *
                    CASE %(unit)s
                        WHEN 'day' THEN interval '1 day'
                        WHEN 'week' THEN interval '1 week'
                        WHEN 'year' THEN interval '1 year'
                        ELSE interval '1 month'
                    END)::date""",
                start=SQL.identifier(start),
                duration=duration,
                unit=unit,
            )

        return SQL(
            """
            WITH ask AS (%(asks)s),
            delivered AS (
                SELECT move.product_id,
                       sold.product_id AS sold_id,
                       sold.id AS line_id,
                       done.lot_id,
                       template.tracking = 'serial'
                           AND done.lot_id IS NOT NULL AS serial,
                       buyer.commercial_partner_id AS customer_id,
                       sale.id AS order_id,
                       zone.name AS zone,
                       (move.date AT TIME ZONE 'UTC'
                           AT TIME ZONE zone.name)::date AS day,
                       SUM(done.quantity_product_uom) AS quantity
                  FROM stock_move move
                  JOIN stock_location source ON source.id = move.location_id
                  JOIN stock_location target ON target.id = move.location_dest_id
                  JOIN stock_move_line done ON done.move_id = move.id
                  JOIN product_product product ON product.id = move.product_id
                  JOIN product_template template
                    ON template.id = product.product_tmpl_id
             LEFT JOIN stock_picking picking ON picking.id = move.picking_id
             LEFT JOIN sale_order_line sold ON sold.id = move.sale_line_id
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
                SELECT CASE WHEN wanted.name <> ALL(%(unknown_zones)s::text[])
                            THEN wanted.name ELSE 'UTC' END AS name
            ) AS zone
                 WHERE move.state = 'done'
                   AND move.company_id = %(company)s
                   AND target.usage = 'customer'
                   AND source.usage <> 'customer'
                   -- what a return of a return sends is given back, not delivered
                   AND move.origin_returned_move_id IS NULL
                   AND done.quantity_product_uom > 0
                   AND move.id IN (%(moves)s)
              GROUP BY move.id, template.id, sold.id, done.lot_id, sale.id,
                       buyer.id, zone.name
            ),
            ordered AS (
                SELECT line.order_id, line.product_id,
                       SUM(line.product_uom_qty * unit.factor / own.factor) AS quantity
                  FROM sale_order_line line
                  JOIN product_product product ON product.id = line.product_id
                  JOIN product_template template
                    ON template.id = product.product_tmpl_id
                  JOIN uom_uom unit ON unit.id = line.product_uom_id
                  JOIN uom_uom own ON own.id = template.uom_id
                 WHERE line.order_id IN (SELECT order_id FROM delivered)
              GROUP BY line.order_id, line.product_id
            ),
            piece AS (
                SELECT delivered.*,
                       CASE WHEN serial THEN MIN(day) OVER (
                           PARTITION BY delivered.lot_id, customer_id,
                                        delivered.order_id
                       ) ELSE day END AS start,
                       serial AND delivered.order_id IS NULL AND day > MIN(day) OVER (
                           PARTITION BY delivered.lot_id, customer_id
                       ) AS given_back,
                       COALESCE(ordered.quantity > 0
                           -- delivered on earlier days: all so far less this day's
                           AND SUM(delivered.quantity) OVER (
                               PARTITION BY delivered.order_id, delivered.product_id
                               ORDER BY day
                           ) - SUM(delivered.quantity) OVER (
                               PARTITION BY delivered.order_id, delivered.product_id,
                                            day
                           ) >= ordered.quantity, false) AS replacement
                  FROM delivered
             LEFT JOIN ordered ON ordered.order_id = delivered.order_id
                              AND ordered.product_id = delivered.product_id
            ),
            began AS (
                SELECT piece.*,
                       MIN(start) FILTER (WHERE NOT replacement) OVER same AS first,
                       MAX(start) FILTER (WHERE NOT replacement) OVER same AS last
                  FROM piece
                 WHERE NOT given_back
                WINDOW same AS (PARTITION BY order_id, product_id)
            ),
            found AS (
                SELECT ask.*, began.zone, began.start, began.serial,
                       MAX(began.start) OVER (PARTITION BY ask.id) AS latest,
                       replacement AND NOT ask.restarts AS goes_on, first, last
                  FROM ask
                  JOIN began ON began.lot_id = ask.lot_id
                 WHERE (ask.customer_id IS NULL OR began.customer_id = ask.customer_id)
                   AND (ask.order_id IS NULL OR began.order_id = ask.order_id)
             UNION ALL
                SELECT ask.*, began.zone, began.start, false, NULL,
                       replacement AND NOT ask.restarts, first, last
                  FROM ask
                  JOIN (
                      SELECT product_id AS item_id, began.* FROM began
                   UNION ALL
                      SELECT sold_id AS item_id, began.* FROM began
                       WHERE sold_id <> product_id
                  ) AS began ON began.item_id = ask.product_id
                            AND began.customer_id = ask.customer_id
                 WHERE ask.lot_id IS NULL
                   AND (ask.order_id IS NULL OR began.order_id = ask.order_id)
                   AND (ask.line_id IS NULL OR began.line_id = ask.line_id)
            ),
            answer AS (
                SELECT found.id, product_id, zone, moment,
                       CASE WHEN goes_on THEN first ELSE start END AS first,
                       CASE WHEN goes_on THEN last ELSE start END AS last
                  FROM found
                 -- a serial number that was sold again: the latest sale counts
                 WHERE NOT serial OR start = latest
            )
            SELECT answer.id,
                   MIN(first) AS start_first,
                   MAX(last) AS start_last,
                   MIN(%(end_first)s) AS end_first,
                   MAX(%(end_last)s) AS end_last,
                   BOOL_AND(%(end_first)s >= (
                       moment AT TIME ZONE 'UTC' AT TIME ZONE zone
                   )::date) AS covered
              FROM answer
              JOIN product_product product ON product.id = answer.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
             WHERE %(duration)s > 0 AND first IS NOT NULL
          GROUP BY answer.id
            """,
            asks=asks,
            moves=moves,
            company=company.id,
            seller=company.partner_id.id,
            unknown_zones=list(self._get_unknown_zones()),
            duration=duration,
            end_first=ending("first"),
            end_last=ending("last"),
        )

    @api.model
    def _flush_warranty_tables(self):
        for model in (
            "product.template",
            "product.product",
            "res.partner",
            "sale.order",
            "sale.order.line",
            "stock.move",
            "stock.move.line",
            "stock.picking",
        ):
            self.env[model].flush_model()

    @api.model
    @ormcache()
    def _get_unknown_zones(self):
        """Return the time zones that Python knows and PostgreSQL doesn't."""
        self.env.cr.execute("SELECT name FROM pg_timezone_names")
        known = {name for (name,) in self.env.cr.fetchall()}
        return tuple(sorted(set(pytz.all_timezones) - known))
