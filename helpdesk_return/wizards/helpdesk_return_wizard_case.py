import math

from odoo import Command, api, models


class HelpdeskTicketLine(models.Model):
    _inherit = "helpdesk.ticket.line"

    def _get_fitting(self):
        """Return the deliveries that hold what this line is about: a list of those that
        do so alone, else of the ones that do together."""
        self.ensure_one()
        deliveries = {
            picking: left
            for picking, left in self.sale_line_id._get_returnable_deliveries().items()
            if self.uom_id.compare(left, 0) > 0
            and (not self.lot_id or self.lot_id in picking.move_line_ids.lot_id)
        }
        wanted = self.quantity or 0
        alone = [
            picking
            for picking, left in deliveries.items()
            if self.uom_id.compare(left, wanted) >= 0
        ]
        if alone or not deliveries:
            return alone
        together = self.env["stock.picking"].sudo()  # sudo: those of the line
        for picking, left in deliveries.items():
            if self.uom_id.compare(wanted, 0) > 0:
                together |= picking
                wanted -= left
        return [together]


class HelpdeskReturnWizard(models.TransientModel):
    """What the lines of the ticket propose to return (X9, X31)."""

    _inherit = "helpdesk.return.wizard"

    def _get_about_lines(self):
        """Return the lines of the ticket, under ``sudo()``, that propose something: of
        the order line that the pop-up was opened for, if it was."""
        lines = self._get_case_lines().filtered("sale_line_id")
        if self.proposed_line:
            lines = lines.filtered(lambda li: li.sale_line_id.id == self.proposed_line)
        return lines

    def _get_request_pickings(self):
        """Return the deliveries, under ``sudo()``, that hold what the lines of the
        ticket are about, each with its lot and its quantity: as few as do, the one that
        holds most of it first."""
        # sudo: see _get_case_lines
        chosen = self.env["stock.picking"].sudo()
        open_lines = {line: line._get_fitting() for line in self._get_about_lines()}
        while open_lines := {
            line: fitting
            for line, fitting in open_lines.items()
            if fitting and not any(some <= chosen for some in fitting)
        }:
            offers = [some for fitting in open_lines.values() for some in fitting]
            chosen |= max(offers, key=offers.count)
        return chosen

    def _propose_about(self, balance, about):
        """Return the values of all lines, with what the lines of the ticket say instead
        of all that can be returned."""
        wanted = {}
        for line in about:
            unit = line.sale_line_id.product_id.uom_id
            # Without a quantity: all that can be returned.
            wanted[line] = math.inf
            if line.quantity:
                wanted[line] = line.uom_id._compute_quantity(
                    line.quantity, unit, round=False
                )
        lines, kits = [], set()
        for move, out in balance.goods.items():
            kit = move.sale_line_id
            if kit in balance.kits and kit not in kits:
                kits.add(kit)
                lines.append(self._propose_kit(balance, kit, wanted))
            values = self._prepare_line_values(out, 0.0, None)
            if kit not in balance.kits:
                values |= self._propose_goods(out, wanted)
            lines.append(values)
        return lines

    @api.model
    def _propose_kit(self, balance, kit, wanted):
        about = [line for line in wanted if line.sale_line_id == kit]
        quantity = sum(wanted[line] for line in about)
        if quantity == math.inf:
            quantity = balance.count_kits(kit, lambda out: out.left)
        values = self._prepare_kit_values(kit, quantity)
        return values | {"reason_id": about[0].reason_id.id if about else False}

    @api.model
    def _propose_goods(self, out, wanted):
        """Return what is wanted of one part of the delivery.

        :param wanted: ``{line of the ticket: quantity}`` that is still looked for:
            several deliveries of one product share it
        """
        total, lots, reason = 0.0, [], False
        lots_left = out.get_lots_left()
        for line in wanted:
            lot = line.lot_id
            if line.sale_line_id != out.move.sale_line_id or (
                lot and lot not in lots_left
            ):
                continue
            left = out.left - total
            part = min(wanted[line], left, lots_left[lot] if lot else left)
            if part <= 0:
                continue
            wanted[line] -= part
            total += part
            lots += lot.ids
            reason = reason or line.reason_id.id
        return {
            "quantity": out.move._get_after_sales_rounded(total),
            "lot_ids": [Command.set(lots)] if total else [],
            "reason_id": reason,
        }

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
