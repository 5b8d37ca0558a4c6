from odoo import api, fields, models
from odoo.tools import SQL

#: days after which what was delivered in a month has mostly come back, if it does
YOUNG_DAYS = 90


class HelpdeskReturnRateReport(models.Model):
    """How much of what was delivered in a month has come back since (X13).

    A row is a delivery, or a return that counts in the month of *its delivery*: the
    rate of a month is of the very pieces that were delivered then, however sales grow.
    What came back is what Inventory has received, with a ticket or without.
    """

    _name = "helpdesk.return.rate.report"
    _description = "Return Rate"
    _auto = False
    _order = "date DESC, id DESC"
    _rec_name = "document_name"

    date = fields.Date(string="Delivered On", readonly=True)
    age = fields.Selection(
        selection=[("young", "So far: less than 90 days ago"), ("old", "Complete")],
        string="Month of Delivery",
        readonly=True,
        help="More of the recent deliveries will still come back: recent months look "
        "better than they are.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    product_tmpl_id = fields.Many2one(
        "product.template", string="Product Template", readonly=True
    )
    product_categ_id = fields.Many2one(
        "product.category", string="Product Category", readonly=True
    )
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", readonly=True)
    supplier_id = fields.Many2one(
        "res.partner",
        string="Supplier of the Lot",
        readonly=True,
        help="Who sent us the lot or serial number.",
    )
    picking_id = fields.Many2one("stock.picking", string="Transfer", readonly=True)
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    delivered = fields.Float(
        digits="Product Unit", readonly=True, help="In the unit of the product."
    )
    returned = fields.Float(
        string="Came Back",
        digits="Product Unit",
        readonly=True,
        help="Of what was delivered then; in the unit of the product.",
    )
    returned_in_30 = fields.Float(
        string="Came Back in 30 Days", digits="Product Unit", readonly=True
    )
    returned_in_90 = fields.Float(
        string="Came Back in 90 Days", digits="Product Unit", readonly=True
    )
    customer_days = fields.Float(
        string="Days with Customers",
        readonly=True,
        help="Of each piece that was delivered, the days since then: 365 at most.",
    )
    return_rate = fields.Float(
        aggregator="avg",
        readonly=True,
        help="What came back, divided by what was delivered.",
    )

    _depends = {
        "product.product": ["product_tmpl_id"],
        "product.template": ["categ_id"],
        "stock.location": ["parent_path", "usage"],
        "stock.move": ["date", "origin_returned_move_id", "sale_line_id", "state"],
        "stock.move.line": [
            "company_id",
            "date",
            "location_dest_id",
            "location_id",
            "lot_id",
            "move_id",
            "picking_id",
            "product_id",
            "quantity_product_uom",
            "state",
        ],
        "stock.picking": ["partner_id"],
    }

    # -- Query ---------------------------------------------------------------

    @property
    def _table_query(self):
        costs = self.env["helpdesk.after.sales.report"]
        today = fields.Date.context_today(self)
        return SQL(
            """
            SELECT goods.*, template.categ_id AS product_categ_id,
                template.id AS product_tmpl_id,
                %(supplier)s AS supplier_id,
                CASE WHEN date_trunc('month', goods.date) + interval '1 month'
                    > %(today)s::date - %(days)s THEN 'young' ELSE 'old' END AS age,
                goods.returned / NULLIF(goods.delivered, 0) AS return_rate,
                goods.delivered * LEAST(GREATEST(%(today)s::date - goods.date, 1), 365)
                    AS customer_days
            FROM (%(delivered)s UNION ALL %(returned)s) AS goods
            JOIN product_product product ON product.id = goods.product_id
            JOIN product_template template ON template.id = product.product_tmpl_id
            """,
            supplier=costs._get_supplier(SQL("goods.lot_id")),
            today=today,
            days=YOUNG_DAYS,
            delivered=self._get_delivered(costs),
            returned=self._get_returned(costs),
        )

    def _get_delivered(self, costs):
        """Return the ``SQL`` of what went to customers; what was only sent back to them
        is no other piece."""
        return SQL(
            """
            SELECT line.id::bigint * 2 AS id, %(day)s AS date, line.company_id,
                line.product_id, line.lot_id, line.picking_id,
                line.quantity_product_uom::float8 AS delivered,
                0::float8 AS returned, 0::float8 AS returned_in_30,
                0::float8 AS returned_in_90
            FROM stock_move_line line
            JOIN stock_move move ON move.id = line.move_id
            JOIN stock_location source ON source.id = line.location_id
            JOIN stock_location target ON target.id = line.location_dest_id
            WHERE line.state = 'done' AND move.origin_returned_move_id IS NULL
                AND NOT %(from_customer)s AND %(to_customer)s
            """,
            day=costs._get_day(SQL("move.date")),
            from_customer=costs._get_outside("source"),
            to_customer=costs._get_outside("target"),
        )

    def _get_returned(self, costs):
        """Return the ``SQL`` of what came back, in the month of the delivery that Odoo
        linked, else of the first one of its order line; without either it has none."""
        first = costs._get_delivery_date(SQL("SELECT move.sale_line_id"))
        delivery = SQL("COALESCE(%s, %s)", costs._get_day(SQL("delivery.date")), first)
        days = SQL("(%s - %s)", costs._get_day(SQL("move.date")), delivery)
        quantity = SQL("line.quantity_product_uom::float8")
        return SQL(
            """
            SELECT line.id::bigint * 2 + 1, %(day)s, line.company_id,
                line.product_id, line.lot_id, line.picking_id,
                0::float8, %(quantity)s,
                CASE WHEN %(days)s <= 30 THEN %(quantity)s ELSE 0 END,
                CASE WHEN %(days)s <= 90 THEN %(quantity)s ELSE 0 END
            FROM stock_move_line line
            JOIN stock_move move ON move.id = line.move_id
            JOIN stock_location source ON source.id = line.location_id
            JOIN stock_location target ON target.id = line.location_dest_id
            LEFT JOIN stock_move delivery ON delivery.id = move.origin_returned_move_id
            WHERE line.state = 'done' AND %(from_customer)s AND NOT %(to_customer)s
            """,
            day=delivery,
            days=days,
            quantity=quantity,
            from_customer=costs._get_outside("source"),
            to_customer=costs._get_outside("target"),
        )

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec != "return_rate:avg":
            return super()._read_group_select(aggregate_spec, query)
        # Of all pieces of the group: no average of rates. Nothing delivered has none.
        return SQL(
            "SUM(%s) / NULLIF(SUM(%s), 0)",
            self._field_to_sql(self._table, "returned", query),
            self._field_to_sql(self._table, "delivered", query),
        )

    # -- Fields --------------------------------------------------------------

    @api.depends("picking_id")
    def _compute_document_name(self):
        # sudo: numbers of transfers whose goods the user sees here.
        for row in self.sudo():
            row.document_name = row.picking_id.name

    @api.depends("document_name")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.document_name

    # -- Actions -------------------------------------------------------------

    @api.readonly
    def action_open_document(self):
        """Return the action that opens the transfer of this row.

        :raises AccessError: when it isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        self.picking_id.check_access("read")
        return self.picking_id._get_records_action()
