from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .helpdesk_after_sales_warranty import Question


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    warranty_end = fields.Date(
        string="Under Warranty Until",
        compute="_compute_warranty",
        search="_search_warranty_end",
        groups="base.group_user",
        help="Counted from the delivery of this serial number, or of this order. Empty "
        "when it isn't known.",
    )
    under_warranty = fields.Boolean(
        compute="_compute_warranty",
        search="_search_under_warranty",
        groups="base.group_user",
        help="The product was under warranty on the day of the ticket.",
    )
    warranty_info = fields.Char(
        string="Warranty", compute="_compute_warranty", groups="base.group_user"
    )

    @api.depends(
        "partner_id",
        "sale_order_id",
        "product_id",
        "lot_id",
        "team_id.warranty_restarts",
    )
    @api.depends_context("lang")
    def _compute_warranty(self):
        for ticket, warranty in self._find_warranties().items():
            ticket.warranty_end = warranty and warranty.end
            ticket.under_warranty = bool(warranty and warranty.covered)
            ticket.warranty_info = ticket._describe_warranty(warranty)

    def _find_warranties(self, **chosen):
        """Return ``{ticket: Warranty or None}``, see ``helpdesk.after.sales.warranty``.

        :param chosen: records under ``product`` and ``lot`` instead of the ticket's own
        """
        found = dict.fromkeys(self)
        for company, tickets in self.grouped("company_id").items():
            questions = {}
            # sudo: orders and lots are asked for by id; the user reads the ticket, and
            # gets the dates of what its own customer was delivered.
            for ticket in tickets.sudo():
                product, lot = ticket._get_warranty_item(**chosen)
                if product.with_company(company).warranty_duration:
                    questions[ticket.sudo(False)] = Question(
                        product._origin.id,
                        lot._origin.id or None,
                        ticket.commercial_partner_id._origin.id or 0,
                        ticket._get_warranty_order(product, lot).id or None,
                        restarts=ticket.team_id.warranty_restarts,
                        moment=ticket.create_date or fields.Datetime.now(),
                    )
            answers = self.env["helpdesk.after.sales.warranty"]._find_warranties(
                company, [*questions.values()]
            )
            found.update(zip(questions, answers, strict=True))
        return found

    def _get_warranty_item(self, product=None, lot=None):
        """Return ``(product, lot)`` whose warranty is asked for."""
        product = self.product_id if product is None else product
        lot = self.lot_id if lot is None else lot
        return product or lot.product_id, lot

    def _get_warranty_order(self, product, lot):
        """Return the ticket's order, unless another product or lot was chosen, which
        may have been bought with another order."""
        order = self.sale_order_id._origin
        if (product, lot) == (self.product_id or self.lot_id.product_id, self.lot_id):
            return order
        return order.filtered(lambda o: not lot and product in o.order_line.product_id)

    def _describe_warranty(self, warranty, **chosen):
        """Return a sentence on the warranty of this ticket's product, or ``False``
        where there is nothing to say: no product, or one without a warranty."""
        # sudo: names of what the ticket is about.
        ticket = self.sudo()
        product, lot = ticket._get_warranty_item(**chosen)
        if not product.with_company(ticket.company_id).warranty_duration:
            return False
        if not warranty:
            return self.env._(
                "Warranty unknown: no delivery of %(product)s to this customer is "
                "recorded.",
                product=product.display_name,
            )
        start, end = (
            format_date(self.env, day, date_format="long")
            for day in (warranty.start_first, warranty.end_first)
        )
        if not warranty.end:
            last = format_date(self.env, warranty.start_last, date_format="long")
            if warranty.covered:
                return self.env._(
                    "Under warranty until %(end)s or later (delivered between "
                    "%(first)s and %(last)s)",
                    end=end,
                    first=start,
                    last=last,
                )
            return self.env._(
                "Warranty unknown: delivered between %(first)s and %(last)s. Choose "
                "the order or the serial number.",
                first=start,
                last=last,
            )
        delivered = (
            self.env._(
                "delivered %(date)s, S/N %(serial)s", date=start, serial=lot.name
            )
            if lot
            else self.env._("delivered %(date)s", date=start)
        )
        sentence = (
            self.env._("Under warranty until %(end)s (%(delivered)s)")
            if warranty.covered
            else self.env._("The warranty ended on %(end)s (%(delivered)s)")
        )
        return sentence % {"end": end, "delivered": delivered}

    # -- Search --------------------------------------------------------------

    @api.model
    def _search_warranty_end(self, operator, value):
        return self.env["helpdesk.after.sales.warranty"]._search_warranty_end(
            operator, value, self._get_warranty_asks
        )

    @api.model
    def _search_under_warranty(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return self.env["helpdesk.after.sales.warranty"]._search_warranty(
            SQL("covered"), self._get_warranty_asks
        )

    @api.model
    def _get_warranty_asks(self, company):
        self.flush_model()
        self.env["helpdesk.team"].flush_model(["warranty_restarts"])
        return SQL(
            """
            SELECT ticket.id, COALESCE(ticket.product_id, lot.product_id) AS product_id,
                   ticket.lot_id, ticket.commercial_partner_id AS customer_id,
                   ticket.sale_order_id AS order_id, NULL::int AS line_id,
                   COALESCE(team.warranty_restarts, false) AS restarts,
                   ticket.create_date AS moment
              FROM helpdesk_ticket ticket
              JOIN helpdesk_team team ON team.id = ticket.team_id
         LEFT JOIN stock_lot lot ON lot.id = ticket.lot_id
             WHERE ticket.company_id = %s
               AND ticket.commercial_partner_id IS NOT NULL
               AND COALESCE(ticket.product_id, lot.product_id) IS NOT NULL
            """,
            company.id,
        )
