from collections import defaultdict

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import format_date

from ..tools.warranty import get_day, get_end


class StockMove(models.Model):
    """The warranty begins when the delivery is done, and is kept on its moves and lots.

    The day is that of the customer's time zone. What replaces a piece goes on with its
    warranty unless the team says otherwise; what comes back from a repair doesn't begin
    anew.
    """

    _name = "stock.move"
    _inherit = ["helpdesk.warranty.mixin", "stock.move"]

    warranty_end = fields.Date(index=False)  # found by product and customer
    helpdesk_warranty_terms = fields.Char(
        copy=False,
        export_string_translation=False,
        help="Technical: what product and kit promised at the delivery, as "
        "“2 year|6 month”. Counts when the date of the delivery is corrected.",
    )
    helpdesk_kit_warranty_end = fields.Date(
        string="Kit Under Warranty Until",
        copy=False,
        help="The last day of the warranty of the kit that this is a component of.",
    )

    def _action_done(self, cancel_backorder=False):
        done = super()._action_done(cancel_backorder)
        done._begin_warranties()
        return done

    def write(self, vals):
        moved = self.browse()
        if vals.get("date"):
            date = fields.Datetime.to_datetime(vals["date"])
            moved = self.filtered(
                lambda move: (
                    move.helpdesk_warranty_terms
                    and move.state == "done"
                    and not move.helpdesk_warranty_reason
                    and move._get_warranty_day() != move._get_warranty_day(date)
                )
            )
        former = {}
        if "warranty_end" in vals and not self.env.su:
            former = {move: move.warranty_end for move in self}
        result = super().write(vals)
        for move, end in former.items():
            move._log_warranty_correction(end)
        moved._begin_warranties(again=True)
        return result

    def _log_warranty_correction(self, former):
        """Say in the chatter of the transfer who corrected the warranty, and why."""
        self.picking_id._message_log(
            body=self.env._(
                "Warranty of %(product)s until %(end)s instead of %(former)s: "
                "%(reason)s",
                product=self.product_id.display_name,
                end=format_date(self.env, self.warranty_end) or "–",
                former=format_date(self.env, former) or "–",
                reason=self.helpdesk_warranty_reason,
            )
        )

    def _warranty_changed(self):
        # sudo: which tickets are about these products; only their dates are set anew.
        moves = self.sudo()
        self.env["helpdesk.ticket"]._refresh_warranties(
            Domain(
                "commercial_partner_id",
                "in",
                [move._get_warranty_customer().id for move in moves],
            )
            & (
                Domain("product_id", "in", moves._get_warranty_products().ids)
                | Domain("lot_id", "in", moves.move_line_ids.lot_id.ids)
            )
        )

    # -- Begin ---------------------------------------------------------------

    def _begin_warranties(self, again=False):
        """Keep the warranty of these deliveries, and of the lots in them (X32).

        :param again: their date or lots were corrected, or they are older than the
            warranty: what somebody corrected by hand stays
        """
        # sudo: what products promise, and who bought them; only warranties are kept.
        moves = self.sudo().filtered(
            lambda move: move._is_first_hand() and any(move._get_warranty_terms())
        )
        if not moves:
            return
        earlier, returns = moves._get_order_history()
        for move in moves.sorted(lambda move: (move.date, move.id)):
            before = earlier[move._get_warranty_order(), move.product_id].filtered(
                lambda other, move=move: other._is_before(move)
            )
            move.write(move._prepare_warranty(before, returns))
        moves._begin_lot_warranties(again)
        moves._warranty_changed()

    def _is_first_hand(self):
        """Return whether this has brought something to a customer that wasn't theirs:
        what a return of a return sends is given back."""
        return (
            self.state == "done"
            and self.location_dest_id.usage == "customer"
            and self.location_id.usage != "customer"
            and not self.origin_returned_move_id
            and self.product_uom.compare(self.quantity, 0) > 0
        )

    def _is_before(self, other):
        return (self.date, self.id) < (other.date, other.id)

    def _get_warranty_terms(self):
        """Return ``(term of the product, term of its kit)`` as promised, see
        ``product.template._get_warranty_term``."""
        if self.helpdesk_warranty_terms:
            return tuple(self.helpdesk_warranty_terms.split("|"))
        kit = self.sale_line_id.product_id - self.product_id
        return tuple(
            template.with_company(self.company_id)._get_warranty_term()
            for template in (self.product_id.product_tmpl_id, kit.product_tmpl_id)
        )

    def _get_warranty_order(self):
        return self.sale_line_id.order_id or self.picking_id.sale_id

    def _get_warranty_products(self):
        return self.product_id | self.sale_line_id.product_id

    def _get_warranty_customer(self):
        buyer = self._get_warranty_order().partner_id or self.picking_id.partner_id
        return buyer.commercial_partner_id

    def _get_warranty_day(self, moment=None):
        """Return the day of the delivery where the customer is."""
        move = self.sudo()  # sudo: the time zone of the buyer, nothing else
        buyer = move._get_warranty_order().partner_id or move.picking_id.partner_id
        return get_day(moment or move.date, buyer._get_warranty_zone(move.company_id))

    def _get_order_history(self):
        """Return ``({(order, product): deliveries}, their returns)`` of the orders of
        these moves: a replacement is told by what was delivered before."""
        lines = self.sale_line_id.order_id.order_line
        history = defaultdict(self.browse)
        delivered = self.browse()
        if lines:
            delivered = self.search(
                Domain("sale_line_id", "in", lines.ids) & Domain("state", "=", "done")
            ).filtered(lambda move: move._is_first_hand())
        for move in delivered:
            history[move._get_warranty_order(), move.product_id] |= move
        before = delivered - self
        returns = before and self.search(
            Domain("origin_returned_move_id", "in", delivered.ids)
            & Domain("state", "!=", "cancel")
        )
        return history, returns

    def _prepare_warranty(self, before, returns):
        """Return the values of this delivery's warranty.

        :param before: earlier deliveries of the product on the same order
        :param returns: of any delivery of the order
        """
        self.ensure_one()
        own, kit = self._get_warranty_terms()
        start = self._get_warranty_day()
        if before and not self._restarts_warranty():
            returns = returns.filtered(lambda m: m.origin_returned_move_id in before)
            if self._is_replacement(before, returns):
                start, end, kit_end = self._get_warranty_of_replaced(before, returns)
                if end:
                    return self._pack_warranty(start, end, kit_end, own, kit)
        kit_end = get_end(start, kit)
        return self._pack_warranty(
            start, get_end(start, own) or kit_end, kit_end, own, kit
        )

    def _pack_warranty(self, start, end, kit_end, own, kit):
        return {
            "warranty_start": start,
            "warranty_end": end,
            "helpdesk_kit_warranty_end": kit_end,
            "helpdesk_warranty_terms": f"{own}|{kit}",
        }

    def _restarts_warranty(self):
        """Return whether a replacement has a warranty of its own: the addon of returns
        asks the team of its ticket."""
        return False

    def _is_replacement(self, before, returns):
        """Return whether this was sent in exchange, or what was ordered had been
        delivered before. Of a kit's components nobody ordered a number: as many as now
        had come back."""
        if self._is_after_sales_replacement():
            return True
        unit = self.product_id.uom_id
        lines = self._get_warranty_order().order_line.filtered(
            lambda line: line.product_id == self.product_id
        )
        if not lines:
            back = sum(move._get_after_sales_quantity() for move in returns)
            return unit.compare(back, self._get_after_sales_quantity()) >= 0
        ordered = sum(
            line.product_uom_id._compute_quantity(
                line.product_uom_qty, unit, round=False
            )
            for line in lines
        )
        sent = sum(move._get_after_sales_quantity() for move in before)
        return ordered > 0 and unit.compare(sent, ordered) >= 0

    def _get_warranty_of_replaced(self, before, returns):
        """Return ``(start, end, end of the kit)`` of what this replaces: of the pieces
        that came back, if any did, else of all, the one that lasts longest."""
        replaced = returns.origin_returned_move_id or before
        lots = returns.move_line_ids.lot_id.filtered("warranty_end")
        pieces = lots or replaced.filtered("warranty_end")
        if not pieces:
            return False, False, False
        piece = max(pieces, key=lambda one: one.warranty_end)
        kits = replaced.filtered("helpdesk_kit_warranty_end")
        return (
            piece.warranty_start,
            piece.warranty_end,
            max(kits.mapped("helpdesk_kit_warranty_end"), default=False),
        )

    # -- Lots ----------------------------------------------------------------

    def _begin_lot_warranties(self, again):
        """Keep the warranty of the lots and serial numbers in these deliveries."""
        lots = self.move_line_ids.filtered("quantity").lot_id
        same = defaultdict(lots.browse)
        for lot, moves in self._get_lot_deliveries(lots).items():
            if again and lot.helpdesk_warranty_reason:
                continue
            if lot.product_id.tracking == "serial":
                dates = self._get_serial_warranty(lot, moves)
            else:
                found = {(move.warranty_start, move.warranty_end) for move in moves}
                dates = found.pop() if len(found) == 1 else (False, False)
            if dates:
                same[dates] |= lot
        for (start, end), group in same.items():
            # What is promised at the delivery is no news for the chatter.
            group.with_context(tracking_disable=True).write(
                {
                    "warranty_start": start,
                    "warranty_end": end,
                    "helpdesk_warranty_reason": False,
                }
            )

    def _get_lot_deliveries(self, lots):
        """Return ``{lot: its deliveries, by date}`` of lots that were delivered."""
        deliveries = defaultdict(self.browse)
        # sudo: see _begin_warranties
        lines = lots and self.env["stock.move.line"].sudo().search(
            Domain("lot_id", "in", lots.ids) & Domain("state", "=", "done")
        )
        for line in lines:
            if line.move_id._is_first_hand():
                deliveries[line.lot_id] |= line.move_id
        return {
            lot: moves.sorted(lambda move: (move.date, move.id))
            for lot, moves in deliveries.items()
        }

    def _get_serial_warranty(self, lot, moves):
        """Return ``(start, end)`` of the latest sale of a serial number, or ``None`` to
        leave it: who gets theirs again has the warranty that they had.

        :param moves: all deliveries of it, the latest is the last
        """
        latest = moves[-1]
        first = latest
        for move in reversed(moves[:-1]):
            order = latest._get_warranty_order()
            if move._get_warranty_customer() != latest._get_warranty_customer() or (
                order and move._get_warranty_order() != order
            ):
                break
            first = move
            order = order or move._get_warranty_order()
        dates = first.warranty_start, first.warranty_end
        if first == latest:
            return dates
        if lot.warranty_end and first not in self:
            dates = lot.warranty_start, lot.warranty_end
        if latest in self and latest.move_line_ids.lot_id == lot:
            latest.write({"warranty_start": dates[0], "warranty_end": dates[1]})
        return dates if first in self or not lot.warranty_end else None
