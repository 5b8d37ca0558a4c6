from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..tools.warranty import Warranty, get_day, get_last_moment


class HelpdeskTicket(models.Model):
    """Whether the very item of a ticket is under warranty (X8). What was promised is
    kept on the delivery and its lots; the ticket keeps the day that follows from it."""

    _inherit = "helpdesk.ticket"

    warranty_end = fields.Date(
        string="Under Warranty Until",
        compute="_compute_warranty",
        store=True,
        precompute=True,
        groups="base.group_user",
        help="As promised at the delivery of this serial number, or of this order. "
        "Empty when it isn't known.",
    )
    warranty_covered_until = fields.Datetime(
        compute="_compute_warranty",
        store=True,
        precompute=True,
        groups="base.group_user",
        export_string_translation=False,
        help="Technical: until when each piece that the ticket may be about is under "
        "warranty, in the time zone of the customer.",
    )
    under_warranty = fields.Boolean(
        compute="_compute_under_warranty",
        search="_search_under_warranty",
        groups="base.group_user",
        help="The product was under warranty on the day of the ticket.",
    )
    warranty_info = fields.Char(
        string="Warranty", compute="_compute_warranty_info", groups="base.group_user"
    )

    _warranty_idx = models.Index(
        "(priority DESC, id DESC) INCLUDE (team_id, user_id, company_id, close_date) "
        "WHERE warranty_covered_until >= create_date AND active IS TRUE"
    )

    @api.depends(
        "commercial_partner_id", "company_id", "sale_order_id", "product_id", "lot_id"
    )
    def _compute_warranty(self):
        for ticket, warranty in self._find_warranties().items():
            ticket.warranty_end = warranty and warranty.end
            ticket.warranty_covered_until = warranty and get_last_moment(
                warranty.end_first, ticket._get_warranty_zone()
            )

    @api.depends("warranty_covered_until", "create_date")
    def _compute_under_warranty(self):
        for ticket in self:
            until = ticket.warranty_covered_until
            opened = ticket.create_date or fields.Datetime.now()
            ticket.under_warranty = bool(until) and opened <= until

    @api.depends("partner_id", "sale_order_id", "product_id", "lot_id", "warranty_end")
    @api.depends_context("lang")
    def _compute_warranty_info(self):
        for ticket, warranty in self._find_warranties().items():
            ticket.warranty_info = ticket._describe_warranty(warranty)

    @api.model
    def _search_under_warranty(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s >= %s",
                model._field_to_sql(alias, "warranty_covered_until", query),
                model._field_to_sql(alias, "create_date", query),
            )
        )

    @api.model
    def _refresh_warranties(self, domain):
        """Look again at the warranty of the tickets of ``domain``, which changed."""
        # sudo: tickets of any team, closed and archived ones, too; only dates are set.
        tickets = self.sudo().with_context(active_test=False).search(domain)
        for name in ("warranty_end", "warranty_covered_until"):
            self.env.add_to_compute(self._fields[name], tickets)

    # -- What is known -------------------------------------------------------

    def _find_warranties(self, **chosen):
        """Return ``{ticket: Warranty or None}``: what is kept of what was delivered to
        the customer of each ticket. A fixed number of queries.

        :param chosen: records under ``product`` and ``lot`` instead of the ticket's own
        """
        found = dict.fromkeys(self)
        items = {}
        # sudo: orders and lots are asked for by id; the user reads the ticket, and
        # gets the dates of what its own customer was delivered.
        for ticket in self.sudo():
            product, lot = (one._origin for one in ticket._get_warranty_item(**chosen))
            if (product or lot) and ticket.commercial_partner_id:
                items[ticket] = product, lot
        if not items:
            return found
        deliveries = self._get_warranty_deliveries(items)
        for ticket, (product, lot) in items.items():
            customer = ticket.commercial_partner_id._origin
            order = ticket._get_warranty_order(product, lot)
            own = deliveries[customer, ticket.company_id, order, lot or product]
            latest = deliveries[lot][-1:] if lot and own else []
            if latest and latest[0]._get_warranty_customer() != customer:
                latest = []  # sold to somebody else since then
            pieces = ticket._get_warranty_pieces(own, latest, product, lot)
            found[ticket.sudo(False)] = ticket._sum_up_warranty(pieces)
        return found

    def _get_warranty_deliveries(self, items):
        """Return ``{(customer, company, order, product or lot): moves}``, by date, for
        ``{ticket: (product, lot)}``; under no order those of all orders, and under a
        lot alone those to anybody."""
        moves = self.env["stock.move"].sudo()  # sudo: see _find_warranties
        lots = {lot.id for _product, lot in items.values() if lot}
        found = defaultdict(list)

        def add(move, item):
            customer, order = move._get_warranty_customer(), move._get_warranty_order()
            for one in {order, order.browse()}:
                found[customer, move.company_id, one, item].append(move)

        if lots:
            lines = moves.move_line_ids.search(
                Domain("lot_id", "in", lots) & Domain("state", "=", "done")
            )
            for line in lines.sorted(lambda line: (line.move_id.date, line.move_id.id)):
                if line.move_id._is_first_hand():
                    add(line.move_id, line.lot_id)
                    found[line.lot_id].append(line.move_id)
        for move in self._search_warranty_moves(items):
            for product in move._get_warranty_products():
                add(move, product)
        return found

    def _search_warranty_moves(self, items):
        """Return the deliveries with a warranty, by date, of the products of
        ``{ticket: (product, lot)}`` without a lot."""
        moves = self.env["stock.move"].sudo()  # sudo: see _find_warranties
        products, orders, customers = set(), set(), set()
        for ticket, (product, lot) in items.items():
            if not lot:
                products.add(product.id)
                if order := ticket._get_warranty_order(product, lot):
                    orders.add(order.id)
                else:
                    customers.add(ticket.commercial_partner_id._origin.id)
        kept = Domain("warranty_end", "!=", False) & (
            Domain("product_id", "in", products)
            | Domain("sale_line_id.product_id", "in", products)
        )
        plain = Domain("sale_line_id", "=", False)
        buyer = "partner_id.commercial_partner_id"
        # One search each: each has its indexes.
        for ids, path, domain in (
            (orders, "sale_line_id.order_id", Domain.TRUE),
            (orders, "picking_id.sale_id", plain),
            (customers, f"sale_line_id.order_id.{buyer}", Domain.TRUE),
            (customers, f"picking_id.{buyer}", plain),
        ):
            if ids:
                moves |= moves.search(kept & domain & Domain(path, "in", ids))
        return moves.sorted(lambda move: (move.date, move.id))

    def _get_warranty_pieces(self, moves, latest, product, lot):
        """Return ``{(first day, last day)}`` of what this ticket may be about.

        :param moves: deliveries to the customer, by date
        :param latest: that of the lot, if it went to this customer
        """
        if lot.product_id.tracking == "serial":
            moves = moves[-1:]
        for delivery in latest:
            # The number itself knows best, also what was corrected.
            known = delivery in moves or not delivery._get_warranty_order()
            if lot.warranty_end and known:
                return {(lot.warranty_start, lot.warranty_end)}
        return {
            (
                move.warranty_start,
                move.warranty_end
                if lot or move.product_id == product
                else move.helpdesk_kit_warranty_end,
            )
            for move in moves
        }

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

    def _get_warranty_zone(self):
        """Return the time zone in which the days of this ticket's customer are."""
        ticket = self.sudo()  # sudo: a time zone of the ticket's own customer
        return ticket.partner_id._get_warranty_zone(ticket.company_id)

    def _sum_up_warranty(self, pieces):
        """Return the :class:`Warranty` of ``{(first day, last day)}``, or ``None``."""
        pieces = [piece for piece in pieces if all(piece)]
        if not pieces:
            return None
        starts, ends = zip(*pieces, strict=True)
        opened = get_day(
            self.create_date or fields.Datetime.now(), self._get_warranty_zone()
        )
        return Warranty(
            min(starts), max(starts), min(ends), max(ends), min(ends) >= opened
        )

    def _describe_warranty(self, warranty, **chosen):
        """Return a sentence on the warranty of this ticket's product, or ``False``
        where there is nothing to say: no product, or one without a warranty."""
        # sudo: names of what the ticket is about.
        ticket = self.sudo()
        product, lot = ticket._get_warranty_item(**chosen)
        if not warranty:
            if not product.with_company(ticket.company_id).warranty_duration:
                return False
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
