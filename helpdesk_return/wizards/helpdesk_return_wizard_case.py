import math

from odoo import Command, models


class HelpdeskReturnWizard(models.TransientModel):
    """What the lines of the ticket propose to return (X9, X31)."""

    _inherit = "helpdesk.return.wizard"

    def _get_request_picking(self):
        """Return the delivery, under ``sudo()``, that holds most of what the lines of
        the ticket are about, each with its lot and its quantity."""
        fitting = []
        for line in self._get_case_lines().filtered("sale_line_id"):
            deliveries = line.sale_line_id._get_returnable_deliveries()
            fitting += [
                picking
                for picking, left in deliveries.items()
                if line.uom_id.compare(left, line.quantity) >= 0
                and (not line.lot_id or line.lot_id in picking.move_line_ids.lot_id)
            ]
        # sudo: see _get_case_lines
        nothing = self.env["stock.picking"].sudo()
        return max(fitting, key=fitting.count, default=nothing)

    def _propose_requested(self, lines):
        """Return the values of all lines, with what the lines of the ticket say instead
        of all that can be returned."""
        about = self._get_case_lines().filtered("sale_line_id")
        if not about:
            return lines
        moves = self._get_allowed_picking()._get_returnable_moves()
        left = moves._get_left_to_return()
        for values in lines:
            values |= {"quantity": 0, "lot_ids": []}
        for line in about:
            self._propose_line(line, lines, moves, left)
        return lines

    def _propose_line(self, line, lines, moves, left):
        """Add what a line of the ticket says to the values of the wizard's lines.

        :param left: ``{move: quantity}`` in its unit, lowered by what is proposed
        """
        order_line, lot = line.sale_line_id, line.lot_id
        kit = order_line in self._get_allowed_picking()._get_kits()
        unit = order_line.product_id.uom_id
        # Without a quantity: all that can be returned.
        wanted = math.inf
        if line.quantity:
            wanted = line.uom_id._compute_quantity(line.quantity, unit, round=False)
        for values in lines:
            move = moves & moves.browse(values.get("move_id"))
            if kit and values.get("kit_line_id") == order_line.id:
                values["quantity"] += line.quantity
            elif (
                not kit
                and move.sale_line_id == order_line
                and (not lot or lot in move.move_line_ids.lot_id)
            ):
                # Several moves of one product share what is wanted.
                quantity = left[move]
                if wanted < math.inf:
                    most = unit._compute_quantity(wanted, move.product_uom, round=False)
                    quantity = move.product_uom.round(min(most, left[move]))
                    wanted -= move.product_uom._compute_quantity(
                        quantity, unit, round=False
                    )
                elif lot and move.product_id.tracking == "serial":
                    quantity = min(1, left[move])
                left[move] -= quantity
                values["quantity"] += quantity
                if lot and quantity:
                    values["lot_ids"] = [*values["lot_ids"], Command.link(lot.id)]
            else:
                continue
            if values["quantity"]:
                values["reason_id"] = line.reason_id.id

    def _get_settled_lines(self):
        # sudo: compared only
        made = self.sudo().made_picking_ids.move_ids
        return (
            super()
            ._get_settled_lines()
            .filtered(
                lambda line: (
                    line.state == "asked"
                    or line.product_id
                    in (made.product_id | made.sale_line_id.product_id)
                )
            )
        )
