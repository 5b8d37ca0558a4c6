import math

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import float_compare

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskReturnWizardLine(models.TransientModel):
    """A line of the delivery, or a kit whose components are lines of their own."""

    _name = "helpdesk.return.wizard.line"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Line of a return from a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="helpdesk.return.wizard", required=True, ondelete="cascade"
    )
    move_id = fields.Many2one(comodel_name="stock.move", ondelete="cascade")
    kit_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Kit",
        ondelete="cascade",
        help="Instead of a line of the delivery: the kit that was ordered.",
    )
    product_id = fields.Many2one(comodel_name="product.product")
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
        help="Including returns outside this ticket, and those still on their way.",
    )
    returnable_quantity = fields.Float(
        string="Returnable", digits="Product Unit", compute="_compute_figures"
    )
    quantity = fields.Float(digits="Product Unit")
    lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        string="Lot/Serial Numbers",
        help="Leave empty for the first of those that were delivered and not "
        "returned yet.",
    )
    reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        domain="[('services.switch', '=', 'use_product_returns')]",
    )
    refusal = fields.Char(compute="_compute_figures", string="Note")
    delivery = fields.Char(compute="_compute_figures")
    returnable_lot_ids = fields.Many2many(
        comodel_name="stock.lot",
        compute="_compute_figures",
        help="Delivered with this line, and on no return.",
    )

    @api.depends(
        "move_id", "kit_line_id", "wizard_id.picking_id", "wizard_id.line_ids.move_id"
    )
    def _compute_figures(self):
        # sudo: agents may not read transfers; only the moves of a delivery that the
        # wizard has proved to be the customer's tell their figures.
        for wizard, lines in self.grouped("wizard_id").items():
            balance = wizard._get_balance()
            for line in lines:
                line.update(line._prepare_figures(balance))
            if len({move.picking_id for move in balance.goods}) < 2:
                lines.delivery = False  # there is nothing to tell apart

    def _prepare_figures(self, balance):
        """Return the values of the computed fields.

        :param balance: ``DeliveryBalance`` of the delivery
        """
        # sudo: see _compute_figures
        move = self.move_id.sudo()._origin
        kit = self.kit_line_id.sudo()._origin
        if out := balance.goods.get(move):
            rounded = move._get_after_sales_rounded
            return {
                "uom_id": move.product_uom,
                "delivered_quantity": rounded(out.delivered),
                "returned_quantity": rounded(out.returning + out.returned),
                "returnable_quantity": rounded(out.left),
                "refusal": self._get_refusal(out),
                "delivery": move.picking_id.name,
                "returnable_lot_ids": [lot.id for lot in out.get_lots_left(True)],
            }
        figures = {
            "uom_id": False,
            "delivered_quantity": 0,
            "returned_quantity": 0,
            "returnable_quantity": 0,
            "refusal": self.env._("Not a line of this delivery."),
            "delivery": False,
            "returnable_lot_ids": False,
        }
        if not move and kit in balance.kits:
            whole = balance.count_kits(kit, lambda out: out.delivered)
            rest = balance.count_kits(kit, lambda out: out.left)
            figures |= {
                "uom_id": kit.product_id.uom_id,
                "delivered_quantity": whole,
                "returned_quantity": whole - rest,
                "returnable_quantity": rest,
                "refusal": not rest
                and self.env._("No complete kit is left; choose from its components."),
            }
        return figures

    @api.model
    def _get_refusal(self, out):
        """Return the sentence why nothing of a part of the delivery can be returned, or
        ``False`` when something is left (X4)."""
        move = out.move
        if move.product_uom.compare(move._get_after_sales_rounded(out.left), 0) > 0:
            return False
        pickings = move.browse([back.id for back in out.moves_back]).picking_id
        return self.env._(
            "All of it is already on %(returns)s.",
            returns=", ".join(pickings.mapped("name")) or "-",
        )

    @api.onchange("lot_ids")
    def _onchange_lot_ids(self):
        if self.tracking == "serial" and self.lot_ids:
            # sudo: the units only
            unit = self.product_id.sudo().uom_id
            self.quantity = unit._compute_quantity(
                len(self.lot_ids), self.uom_id or unit, rounding_method="DOWN"
            )

    # -- Refusals ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_number(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_number(vals)
        return super().write(vals)

    @api.model
    def _check_number(self, vals):
        """Refuse what the field would silently round, or can't hold (T4)."""
        quantity = vals.get("quantity") or 0
        digits = self._fields["quantity"].get_digits(self.env)[1]
        if (
            not isinstance(quantity, int | float)
            or not math.isfinite(quantity)
            or abs(quantity) > 1e12
        ):
            raise UserError(
                self.env._(
                    "%(quantity)s is not a quantity that can be returned.",
                    quantity=quantity,
                )
            )
        if float_compare(quantity, round(quantity, digits), precision_digits=9):
            raise UserError(
                self.env._(
                    "%(quantity)s has more than %(digits)s decimals: enter a quantity "
                    "as it was delivered.",
                    quantity=quantity,
                    digits=digits,
                )
            )

    def _check_quantity(self, balance):
        """Refuse a line that isn't of the delivery, or is negative.

        :param balance: ``DeliveryBalance`` of the delivery
        :raises UserError: with one sentence
        """
        self.ensure_one()
        # sudo: only compared with what the wizard proved to be the customer's.
        move, kit = self.move_id.sudo(), self.kit_line_id.sudo()
        if (move and (kit or move not in balance.goods)) or (
            not move and kit not in balance.kits
        ):
            raise UserError(
                self.env._(
                    "%(product)s is not a line of the chosen delivery.",
                    product=self.product_id.display_name or self.env._("A line"),
                )
            )
        if not math.isfinite(self.quantity) or self.quantity < 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity that can be returned.",
                    product=(move.product_id or kit.product_id).display_name,
                    quantity=self.quantity,
                )
            )

    def _check_lots(self, out, quantity):
        """Refuse lots that were not delivered with this line, or are on a return.

        :param out: ``GoodsOut`` of the line
        :param quantity: what is returned, in the unit of the delivery
        """
        lots = self.lot_ids.sudo()  # sudo: compared with those of the delivery
        move, lots_left = out.move, out.get_lots_left(positive=True)
        unit, product = move.product_id.uom_id, move.product_id.display_name
        for lot in lots:
            self._check_lot(out, lot, lots_left)
        wanted = move.product_uom._compute_quantity(quantity, unit)
        if move.has_tracking == "serial" and unit.compare(wanted, len(lots)) != 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(count)s serial numbers are chosen for a quantity "
                    "of %(quantity)s.",
                    product=product,
                    count=len(lots),
                    quantity=format_quantity(self.env, wanted),
                )
            )
        free = sum(lots_left[lot] for lot in lots)
        if unit.compare(wanted, free) > 0:
            raise UserError(
                self.env._(
                    "%(product)s: of the chosen lots %(free)s can be returned, not "
                    "%(quantity)s.",
                    product=product,
                    free=format_quantity(self.env, free),
                    quantity=format_quantity(self.env, wanted),
                )
            )

    def _check_lot(self, out, lot, lots_left):
        if lot not in out.lots:
            raise UserError(
                self.env._("%(lot)s was not delivered with this line.", lot=lot.name)
            )
        if lot not in lots_left:
            back = out.move.browse([move.id for move in out.moves_back])
            on = back.filtered(lambda move: lot in move.move_line_ids.lot_id)
            raise UserError(
                self.env._(
                    "%(lot)s is already on %(picking)s.",
                    lot=lot.name,
                    picking=", ".join((on or back).picking_id.mapped("name")),
                )
            )
