import math

from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskReturnWizardLine(models.TransientModel):
    _name = "helpdesk.return.wizard.line"
    _description = "Line of a return from a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="helpdesk.return.wizard", required=True, ondelete="cascade"
    )
    move_id = fields.Many2one(
        comodel_name="stock.move", required=True, readonly=True, ondelete="cascade"
    )
    product_id = fields.Many2one(comodel_name="product.product", readonly=True)
    tracking = fields.Selection(related="product_id.tracking")
    uom_id = fields.Many2one(
        comodel_name="uom.uom", string="Unit", compute="_compute_figures"
    )
    delivered_quantity = fields.Float(
        string="Delivered", digits="Product Unit", compute="_compute_figures"
    )
    returned_quantity = fields.Float(
        string="Already Returned",
        digits="Product Unit",
        compute="_compute_figures",
        help="Also outside of this ticket, and also what is still on its way.",
    )
    returnable_quantity = fields.Float(
        string="Returnable", digits="Product Unit", compute="_compute_figures"
    )
    quantity = fields.Float(digits="Product Unit")
    lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        string="Lot/Serial Numbers",
        help="Empty: Odoo takes those that were delivered.",
    )
    reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        domain="[('services.name', '=', 'use_product_returns')]",
    )
    refusal = fields.Char(compute="_compute_figures", string="Note")

    @api.depends("move_id", "wizard_id.picking_id")
    def _compute_figures(self):
        # sudo: agents may not read transfers; only the moves of a delivery that the
        # wizard has proved to be the customer's tell their figures.
        allowed = self.wizard_id._get_allowed_picking().move_ids
        moves = self.move_id.sudo() & allowed
        returned = moves._get_returned_quantities()
        for line in self:
            move = line.move_id.sudo()._origin
            if move not in moves:
                line.uom_id = line.delivered_quantity = line.returned_quantity = False
                line.returnable_quantity = 0
                line.refusal = self.env._("Not a line of this delivery.")
                continue
            line.uom_id = move.product_uom
            line.delivered_quantity = move.quantity
            line.returned_quantity = returned[move]
            left = move.product_uom.round(move.quantity - returned[move])
            line.returnable_quantity = max(left, 0)
            line.refusal = line._get_refusal(move)

    def _get_refusal(self, move):
        """Return the sentence why this line can't be returned, or ``False`` (X4)."""
        if move.product_uom.compare(self.returnable_quantity, 0) > 0:
            return False
        pickings = move.returned_move_ids.filtered(
            lambda back: back.state != "cancel"
        ).picking_id
        return self.env._(
            "All of it is on %(returns)s already.",
            returns=", ".join(pickings.mapped("name")) or "-",
        )

    @api.onchange("lot_ids")
    def _onchange_lot_ids(self):
        if self.tracking == "serial" and self.lot_ids:
            self.quantity = len(self.lot_ids)

    def _check_quantity(self):
        """Refuse what can't be returned of this line.

        :raises UserError: with the figures, in the unit of the delivery
        """
        self.ensure_one()
        # sudo: _check_ready proved the ticket, and the picking is its customer's.
        move = self.move_id.sudo()
        uom, product = move.product_uom, move.product_id.display_name
        if move not in self.wizard_id._get_allowed_picking().move_ids:
            raise UserError(
                self.env._(
                    "%(product)s is not a line of the chosen delivery.", product=product
                )
            )
        if not math.isfinite(self.quantity) or uom.compare(self.quantity, 0) < 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity that can be returned.",
                    product=product,
                    quantity=self.quantity,
                )
            )
        if uom.compare(self.quantity, self.returnable_quantity) > 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)g %(unit)s are too many, %(left)g of the "
                    "%(delivered)g delivered can still be returned. %(refusal)s",
                    product=product,
                    quantity=self.quantity,
                    unit=uom.name,
                    left=self.returnable_quantity,
                    delivered=self.delivered_quantity,
                    refusal=self.refusal or "",
                ).strip()
            )
        self._check_lots(move)

    def _check_lots(self, move):
        """Refuse lots that were not delivered with this line, or are on a return."""
        lots = self.lot_ids.sudo()  # sudo: see _check_quantity
        if not lots:
            return
        taken = move._get_lots_on_returns()
        for lot in lots:
            if lot not in move.move_line_ids.lot_id:
                raise UserError(
                    self.env._(
                        "%(lot)s was not delivered with this line.", lot=lot.name
                    )
                )
            if move.has_tracking == "serial" and lot in taken:
                raise UserError(
                    self.env._(
                        "%(lot)s is on %(picking)s already.",
                        lot=lot.name,
                        picking=taken[lot].name,
                    )
                )
        if move.has_tracking == "serial" and (
            move.product_uom.compare(self.quantity, len(lots)) != 0
        ):
            raise UserError(
                self.env._(
                    "%(product)s: %(count)s serial numbers are chosen for a quantity "
                    "of %(quantity)g.",
                    product=move.product_id.display_name,
                    count=len(lots),
                    quantity=self.quantity,
                )
            )
