from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: what a part says of its acts, with the type in PostgreSQL
OF_ACT = {
    "date": "date",
    "delivery_date": "date",
    "company_id": "int4",
    "ticket_id": "int4",
    "product_id": "int4",
    "lot_id": "int4",
    "reason_id": "int4",
    "disposition": "varchar",
    "res_model": "varchar",
    "res_id": "int4",
    "quantity": "float8",
    "hours": "float8",
    "amount": "float8",
    "cost": "float8",
    "recovered": "float8",
}
OF_TICKET = ("commercial_partner_id", "partner_id", "team_id", "user_id")
MONEY = ("amount", "cost", "recovered")
COSTS = "helpdesk_after_sales.group_helpdesk_costs"


class HelpdeskAfterSalesReport(models.Model):
    """What failures cost: a row is an act that was done for a ticket (X13).

    The documents themselves are read, nothing is stored. A service addon adds its acts
    in :meth:`_get_parts`; without the addon they aren't there. Acts are those of
    tickets that the user sees, as the rules of tickets say.
    """

    _name = "helpdesk.after.sales.report"
    _description = "Cost of Failure"
    _auto = False
    _order = "date DESC, id DESC"
    _rec_name = "document_name"

    act = fields.Selection(selection="_selection_act", readonly=True)
    date = fields.Date(string="Done On", readonly=True)
    delivery_date = fields.Date(
        string="Delivered On",
        readonly=True,
        help="When the goods that this is about were delivered.",
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(
        "res.currency", string="Reader's Currency", readonly=True
    )
    ticket_id = fields.Many2one("helpdesk.ticket", readonly=True)
    team_id = fields.Many2one("helpdesk.team", readonly=True)
    user_id = fields.Many2one("res.users", string="Agent", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Customer", readonly=True)
    commercial_partner_id = fields.Many2one(
        "res.partner", string="Commercial Entity", readonly=True
    )
    country_id = fields.Many2one("res.country", readonly=True)
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
    reason_id = fields.Many2one("helpdesk.after.sales.reason", readonly=True)
    disposition = fields.Selection(
        selection="_selection_disposition",
        readonly=True,
        help="Of returned goods.",
    )
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document ID", model_field="res_model", readonly=True
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")
    quantity = fields.Float(
        digits="Product Unit", readonly=True, help="In the unit of the product."
    )
    hours = fields.Float(readonly=True, help="Working hours on site.")
    amount = fields.Monetary(
        string="Given to the Customer",
        readonly=True,
        help="Paid back, or used of coupons and gift cards; without taxes.",
    )
    cost = fields.Monetary(
        string="Goods and Work",
        readonly=True,
        groups=COSTS,
        help="What was scrapped, sent, built in and worked, at cost.",
    )
    recovered = fields.Monetary(
        string="Came Back",
        readonly=True,
        groups=COSTS,
        help="Goods that were taken back, at cost: no part of the cost of failure, "
        "since they may be sold again or scrapped.",
    )
    total_cost = fields.Monetary(
        string="Cost of Failure",
        readonly=True,
        groups=COSTS,
        help="Given to the customer, and goods and work at cost.",
    )

    _depends = {
        "helpdesk.ticket": [*OF_TICKET, "lot_id", "product_id"],
        "helpdesk.ticket.line": ["sale_line_id", "ticket_id"],
        "product.product": ["product_tmpl_id", "standard_price"],
        "product.template": ["categ_id"],
        "res.partner": ["country_id"],
        "stock.location": ["usage"],
        "stock.move": ["date", "location_dest_id", "location_id", "state"],
        "stock.move.line": ["date", "location_id", "lot_id", "picking_id", "state"],
        "stock.picking": ["partner_id"],
    }

    @api.model
    def _selection_act(self):
        """Return the acts that there are, ``[(value, label)]``. Bridges add theirs."""
        return []

    @api.model
    def _selection_disposition(self):
        """Return what can become of goods that came back. Bridges add theirs."""
        return []

    # -- Query ---------------------------------------------------------------

    @api.model
    def _get_parts(self):
        """Return ``{name: part}``: where acts are found. Bridges add theirs.

        A part is a dictionary of ``SQL``: ``act``, and what it knows of ``OF_ACT``;
        ``id`` and ``from``: rows with an integer that is theirs alone; ``where``.
        Quantities are in the unit of the product, money in the currency of the company.
        """
        return {}

    @property
    def _table_query(self):
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        query = tickets._search(Domain.TRUE)
        ticket, act = query.table, "act"
        query.add_join(
            "JOIN",
            act,
            SQL("(%s)", self._get_acts()),
            SQL(
                "%s = %s",
                SQL.identifier(act, "ticket_id"),
                SQL.identifier(ticket, "id"),
            ),
        )
        columns = self._get_columns(ticket, act)
        self._join_others(query, ticket, columns)
        columns |= {
            "product_categ_id": SQL.identifier("template", "categ_id"),
            "product_tmpl_id": SQL.identifier("template", "id"),
            "country_id": SQL(
                "COALESCE(%s, %s)",
                SQL.identifier("customer", "country_id"),
                SQL.identifier("entity", "country_id"),
            ),
        }
        return query.select(
            *(
                SQL("%s AS %s", sql, SQL.identifier(name))
                for name, sql in columns.items()
            )
        )

    @api.model
    def _search(self, domain, *args, **kwargs):
        # PostgreSQL would compile so many parts for seconds, and read them in less;
        # until the end of this transaction it doesn't.
        self.env.cr.execute("SET LOCAL jit = off")
        return super()._search(domain, *args, **kwargs)

    def _get_acts(self):
        """Return the ``SQL`` of all acts. With no service there is no row."""
        parts = self._get_parts()
        if not parts:
            parts = {"none": {"act": SQL("NULL"), "where": SQL("false")}}
        return SQL(" UNION ALL ").join(
            SQL(
                "SELECT %(id)s::bigint * %(count)s + %(number)s AS id, "
                "%(act)s::varchar AS act, %(columns)s FROM %(from)s WHERE %(where)s",
                **{
                    "id": part.get("id", SQL("0")),
                    "count": len(parts),
                    "number": number,
                    "act": part["act"],
                    "columns": SQL(", ").join(
                        SQL(
                            "(%s)::%s AS %s",
                            part.get(name, SQL("NULL")),
                            SQL(kind),
                            SQL.identifier(name),
                        )
                        for name, kind in OF_ACT.items()
                    ),
                    "from": part.get("from", SQL("(VALUES (0)) AS nothing")),
                    "where": part["where"],
                },
            )
            for number, (_name, part) in enumerate(sorted(parts.items()))
        )

    def _get_columns(self, ticket, act):
        """Return ``{field: SQL}``."""
        columns = {name: SQL.identifier(act, name) for name in ("id", "act", *OF_ACT)}
        columns |= {name: SQL.identifier(ticket, name) for name in OF_TICKET}
        # What no goods are named of is about those of its ticket.
        columns["product_id"] = SQL(
            "COALESCE(%s, %s)",
            columns["product_id"],
            SQL.identifier(ticket, "product_id"),
        )
        columns["lot_id"] = SQL(
            "COALESCE(%s, CASE WHEN %s = %s THEN %s END)",
            columns["lot_id"],
            columns["product_id"],
            SQL.identifier(ticket, "product_id"),
            SQL.identifier(ticket, "lot_id"),
        )
        columns["delivery_date"] = SQL(
            "COALESCE(%s, %s)",
            columns["delivery_date"],
            self._get_delivery_date(
                SQL(
                    "SELECT sale_line_id FROM helpdesk_ticket_line "
                    "WHERE ticket_id = %s",
                    SQL.identifier(ticket, "id"),
                )
            ),
        )
        columns["supplier_id"] = self._get_supplier(columns["lot_id"])
        for name in MONEY:
            columns[name] = SQL(
                "COALESCE(%s, 0) * COALESCE(currency.rate, 1)", columns[name]
            )
        columns["total_cost"] = SQL("%s + %s", columns["amount"], columns["cost"])
        for name in ("quantity", "hours"):
            columns[name] = SQL("COALESCE(%s, 0)", columns[name])
        columns["currency_id"] = SQL("%s", self.env.company.currency_id.id)
        return columns

    def _join_others(self, query, ticket, columns):
        """Join what tells more of products and customers, and the rates."""
        for alias, table, own, other in (
            ("product", "product_product", "id", columns["product_id"]),
            (
                "template",
                "product_template",
                "id",
                SQL.identifier("product", "product_tmpl_id"),
            ),
            ("customer", "res_partner", "id", SQL.identifier(ticket, "partner_id")),
            (
                "entity",
                "res_partner",
                "id",
                SQL.identifier(ticket, "commercial_partner_id"),
            ),
            ("currency", self._get_rates(), "company_id", columns["company_id"]),
        ):
            query.add_join(
                "LEFT JOIN",
                alias,
                table,
                SQL("%s = %s", SQL.identifier(alias, own), other),
            )

    @api.model
    def _get_rates(self):
        """Return the table of rates: from the currency of each company to that of the
        reader's, of today, as Odoo's own reports. Without a rate it is 1."""
        main, today = self.env.company, fields.Date.context_today(self)
        # sudo: rates of companies that the user chose.
        companies = self.env.companies.sudo()
        return SQL(
            "(SELECT * FROM (VALUES %s) AS rates(company_id, rate))",
            SQL(", ").join(
                SQL(
                    "(%s, %s::float8)",
                    company.id,
                    company.currency_id._get_conversion_rate(
                        company.currency_id, main.currency_id, main, today
                    ),
                )
                for company in companies
            ),
        )

    # -- What parts are made of ------------------------------------------------

    @api.model
    def _get_day(self, moment):
        """Return the ``SQL`` of the day of a moment, as the reader's calendar has it.

        :param moment: ``SQL`` of a time stamp
        """
        return SQL("timezone(%s, timezone('UTC', %s))::date", str(self.env.tz), moment)

    @api.model
    def _get_delivery_date(self, sale_lines):
        """Return the ``SQL`` of the day on which order lines were delivered first.

        :param sale_lines: ``SQL`` of a query of their ids
        """
        return self._get_day(
            SQL(
                # Joined: of a subquery PostgreSQL would not ask the index.
                "(SELECT MIN(delivery.date) FROM (%s) AS sold (id) "
                "JOIN stock_move delivery ON delivery.sale_line_id = sold.id "
                "JOIN stock_location place ON place.id = delivery.location_dest_id "
                "WHERE delivery.state = 'done' AND place.usage = 'customer')",
                sale_lines,
            )
        )

    @api.model
    def _get_supplier(self, lot):
        """Return the ``SQL`` of the contact who sent us a lot first.

        :param lot: ``SQL`` of its id
        """
        return SQL(
            "(SELECT COALESCE(receipt.partner_id, moved.partner_id) "
            "FROM stock_move_line line "
            "JOIN stock_location place ON place.id = line.location_id "
            "JOIN stock_move moved ON moved.id = line.move_id "
            "LEFT JOIN stock_picking receipt ON receipt.id = line.picking_id "
            "WHERE line.lot_id = %s AND line.state = 'done' "
            "AND place.usage = 'supplier' ORDER BY line.date, line.id LIMIT 1)",
            lot,
        )

    @api.model
    def _get_outside(self, location):
        """Return the ``SQL`` that says whether goods at a location are with customers,
        see ``stock.move._is_after_sales_outside``.

        :param location: alias of ``stock_location``
        """
        between_companies = self.env["ir.model.data"]._xmlid_to_res_id(
            "stock.stock_location_inter_company", raise_if_not_found=False
        )
        return SQL(
            "(%(place)s.usage = 'customer' OR %(place)s.parent_path LIKE %(path)s)",
            place=SQL.identifier(location),
            path=f"%/{between_companies or 0}/%",
        )

    @api.model
    def _get_move_quantity(self, move, template):
        """Return the ``SQL`` of the quantity of a move in the unit of the product.

        :param move, template: aliases of ``stock_move`` and ``product_template``
        """
        return SQL(
            "(%(move)s.quantity * (SELECT factor FROM uom_uom WHERE id = "
            "%(move)s.product_uom) / NULLIF((SELECT factor FROM uom_uom WHERE id = "
            "%(template)s.uom_id), 0))",
            move=SQL.identifier(move),
            template=SQL.identifier(template),
        )

    @api.model
    def _get_unit_value(self, move, product, template):
        """Return the ``SQL`` of what a unit of the goods of a move is worth: as
        Inventory has valued the move, else what the product costs today, else nothing.

        :param move, product, template: aliases
        """
        return SQL(
            "COALESCE(NULLIF(ABS(%(move)s.value), 0) / NULLIF(%(quantity)s, 0), "
            "(%(product)s.standard_price ->> %(move)s.company_id::text)::float8, 0)",
            move=SQL.identifier(move),
            product=SQL.identifier(product),
            quantity=self._get_move_quantity(move, template),
        )

    # -- Fields --------------------------------------------------------------

    @api.depends("res_model", "res_id")
    def _compute_display_name(self):
        for act in self:
            act.display_name = act.document_name

    @api.depends("res_model", "res_id")
    def _compute_document_name(self):
        for model, acts in self.grouped("res_model").items():
            # sudo: numbers of documents whose ticket the user sees, not more.
            documents = self.env[model].sudo().browse(acts.mapped("res_id"))
            names = {document.id: document.display_name for document in documents}
            for act in acts:
                act.document_name = names[act.res_id]

    @api.model
    def _get_cost_texts(self, field, ids):
        """Return ``{id: text}``: what failures of the last 365 days cost, with the
        currency, by a many2one of this report.

        :raises AccessError: for who may not see costs
        """
        begin = fields.Date.context_today(self) - timedelta(days=365)
        costs = self._read_group(
            Domain(field, "in", ids) & Domain("date", ">=", begin),
            [field],
            ["total_cost:sum"],
        )
        currency = self.env.company.currency_id
        return {record.id: currency.format(cost) for record, cost in costs}

    @api.model
    def _open_for(self, field, ids):
        """Return the action of this report, of some products, lots or customers."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_after_sales_report_action"
        )
        return action | {"domain": [(field, "in", ids)]}

    # -- Actions -------------------------------------------------------------

    @api.readonly
    def action_open_document(self):
        """Return the action that opens the document of this act; its ticket for who may
        not read the document."""
        self.ensure_one()
        self.check_access("read")
        document = self.env[self.res_model].browse(self.res_id)
        if not document.has_access("read"):
            document = self.ticket_id
        return document._get_records_action()

    @api.readonly
    def action_open_ticket(self):
        """Return the action that opens the ticket of this act."""
        self.ensure_one()
        self.check_access("read")
        return self.ticket_id._get_records_action()
