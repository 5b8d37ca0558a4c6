from odoo import api, models


class RepairOrder(models.Model):
    """Where the piece is that is repaired, and which return brought it."""

    _inherit = "repair.order"

    def action_repair_done(self):
        """The piece may have been carried on since the repair was made."""
        for repair in self.filtered("helpdesk_ticket_id"):
            repair._follow_piece()
        return super().action_repair_done()

    def _follow_piece(self):
        """Let the repair take place where the piece is, if it isn't where it was
        expected: what isn't there would become less than nothing."""
        self.ensure_one()
        place = self._find_piece(self.product_location_src_id)
        if place and place != self.product_location_src_id:
            self.update(self._prepare_places(self.picking_type_id, place))

    def _is_piece_here(self):
        """Return whether Inventory has the piece where the repair takes it from,
        whoever owns it."""
        self.ensure_one()
        place = self.product_location_src_id
        return self._find_piece(place) == place

    @api.model
    def _prepare_places(self, operation, place):
        """Return the values of a repair that happens in ``place``.

        :param operation: the operation type of the repair, of the same warehouse
        """
        if place == operation.default_product_location_src_id:
            back = operation.default_product_location_dest_id
        else:
            back = place  # where it was put on purpose
        return {
            "product_location_src_id": place.id,
            "product_location_dest_id": back.id,
        }

    def _find_piece(self, expected=None):
        """Return the location with the piece, or no record when Inventory knows none.

        :param expected: looked at first; where the repair puts the piece by default
        """
        self.ensure_one()
        expected = expected or self.product_location_dest_id
        return self.env["stock.picking"]._find_piece(
            self.company_id,
            self.product_id,
            self.lot_id,
            self.product_uom._compute_quantity(
                self.product_qty, self.product_id.uom_id
            ),
            expected,
            self._find_return(),
        )

    def _find_return(self):
        """Return the return that brought the piece: the one that the repair names, else
        one of its ticket, else that of its serial number. No record without one."""
        self.ensure_one()
        if self.picking_id or not self.helpdesk_ticket_id:
            return self.picking_id
        return self.env["stock.picking"]._find_customer_return(
            self.helpdesk_ticket_id, self.product_id, self.lot_id
        )

    def _share_returned(self, back):
        """Return ``{move of the return: quantity}``, in the unit of the move: what goes
        out again of what ``back`` brought. Empty when it brought nothing of it.

        Of a kit its components go out; of several lines first what isn't out yet.
        """
        self.ensure_one()
        moves = back.move_ids.filtered(lambda move: move.state == "done")
        own = moves.filtered(
            lambda move: (
                move.product_id == self.product_id
                and (not self.lot_id or self.lot_id in move.lot_ids)
            )
        )
        unit = self.product_id.uom_id
        wanted = self.product_uom._compute_quantity(self.product_qty, unit, round=False)
        if not own:
            return self._share_kits(moves, wanted)
        left = own._get_left_of_return()
        shares = {}
        for move in own.sorted(lambda move: not left[move]):
            part = min(
                wanted,
                move.product_uom._compute_quantity(left[move], unit, round=False),
            )
            shares[move] = unit._compute_quantity(part, move.product_uom)
            wanted -= part
        if unit.compare(wanted, 0) > 0:
            last = own[-1]
            shares[last] += unit._compute_quantity(wanted, last.product_uom)
        return {move: share for move, share in shares.items() if share}

    def _share_kits(self, moves, wanted):
        """Return the shares of the components that ``wanted`` kits are made of."""
        shares = {}
        kits = moves.filtered(
            lambda move: move.sale_line_id.product_id == self.product_id
        )
        balance = kits.sale_line_id._get_after_sales_balance()
        for line, back in kits.grouped("sale_line_id").items():
            lines = self.product_id.uom_id._compute_quantity(
                wanted, line.product_uom_id, round=False
            )
            for product, part in balance[line]["parts"].items():
                needed = part * lines
                for move in back.filtered(lambda m, of=product: m.product_id == of):
                    share = min(needed, move.product_qty)
                    needed -= share
                    shares[move] = product.uom_id._compute_quantity(
                        share, move.product_uom
                    )
        return {move: share for move, share in shares.items() if share}

    def _find_sale_line(self, lines, balance):
        """Return that of ``lines``, all of the product, that this repair is of; no
        record when it is of another.

        :param balance: see ``sale.order.line._get_after_sales_balance``
        """
        self.ensure_one()
        if came := self.picking_id.move_ids.sale_line_id:
            return (lines & came)[:1]
        if self.lot_id:
            return lines.filtered(lambda line: self.lot_id in balance[line]["lots"])[:1]
        ticket = self.helpdesk_ticket_id
        return (
            lines & ticket.line_ids.sale_line_id
            or lines & ticket.sale_order_id.order_line
        )[:1]
