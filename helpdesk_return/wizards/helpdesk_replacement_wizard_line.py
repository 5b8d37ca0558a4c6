import math

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskReplacementWizardLine(models.TransientModel):
    """A line of an order, and what is sent for it."""

    _name = "helpdesk.replacement.wizard.line"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Line of a replacement from a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="helpdesk.replacement.wizard", required=True, ondelete="cascade"
    )
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Bought",
        required=True,
        ondelete="cascade",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Send",
        required=True,
        domain="[('type', '=', 'consu')]",
        help="The same product, another one instead, or a part of it.",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="For Serial Number",
        help="Which piece is replaced: its warranty continues, or starts anew, as "
        "set on the team.",
    )
    quantity = fields.Float(digits="Product Unit")
    reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        domain="[('services.switch', '=', 'use_product_replacements')]",
    )
    description = fields.Char(string="Bought As", compute="_compute_figures")
    uom_id = fields.Many2one(
        comodel_name="uom.uom", string="Unit", compute="_compute_figures"
    )
    left_quantity = fields.Float(
        string="Replaceable",
        digits="Product Unit",
        compute="_compute_figures",
        help="Delivered, less what came back or was replaced.",
    )
    offered_lot_ids = fields.Many2many(
        comodel_name="stock.lot", compute="_compute_figures"
    )

    @api.depends("sale_line_id", "product_id", "wizard_id.helpdesk_ticket_id")
    def _compute_figures(self):
        # sudo: only lines that the ticket offers tell their figures.
        for wizard, lines in self.grouped("wizard_id").items():
            sold = lines.sudo().sale_line_id._origin
            ticket = wizard.helpdesk_ticket_id
            allowed = sold.browse()
            if sold and ticket:
                domain = ticket._offer_purchases("sale.order.line")
                allowed = sold.search(domain & Domain("id", "in", sold.ids))
            figures = allowed._get_after_sales_replaceable()
            for line in lines:
                mine = line.sudo().sale_line_id._origin  # sudo: see above
                line.update(line._prepare_figures(mine, figures.get(mine)))

    def _prepare_figures(self, sold, figures):
        if not figures:
            return {
                "description": False,
                "uom_id": False,
                "left_quantity": 0.0,
                "offered_lot_ids": False,
            }
        product = self.product_id
        same = product == sold.product_id
        return {
            "description": f"{sold.order_id.name} · {sold.product_id.display_name}",
            "uom_id": sold.product_uom_id if same else product.uom_id,
            "left_quantity": self._get_left(sold, figures),
            "offered_lot_ids": [lot.id for lot in figures["lots"]],
        }

    def _get_left(self, sold, figures):
        """Return how much of the line's product can be sent, in the unit shown."""
        product = self.product_id
        if product == sold.product_id or not product:
            return figures["left"]
        if product in figures["parts"]:
            return figures["parts_left"][product]
        unit, other = sold.product_uom_id, product.uom_id
        if unit._has_common_reference(other):
            return unit._compute_quantity(
                figures["left"], other, rounding_method="DOWN"
            )
        return figures["left"]

    # -- Checks --------------------------------------------------------------

    def _check_replacement(self, figures):
        """Refuse what can't be sent. The caller has proved the order line.

        :param figures: what is left of it, see ``_get_after_sales_replaceable``
        :raises UserError: with one sentence
        """
        # sudo: see above; the name of the product, which is offered, and the lot.
        sold, product, lot = (
            self.sudo()[n] for n in ("sale_line_id", "product_id", "lot_id")
        )
        unit = sold.product_uom_id if product == sold.product_id else product.uom_id
        self._check_number(product, unit)
        if (
            product.type != "consu"
            or not product.active
            # A branch sends what its head office sells.
            or not product.filtered_domain(
                product._check_company_domain(sold.company_id)
            )
        ):
            raise UserError(
                self.env._(
                    "%(product)s can't be sent: choose goods of your company.",
                    product=product.display_name,
                )
            )
        if (
            product != sold.product_id
            and "is_kits" in product._fields
            and product.with_company(sold.company_id).is_kits
        ):
            raise UserError(
                self.env._(
                    "%(product)s is a kit: choose its components instead.",
                    product=product.display_name,
                )
            )
        left = self._get_left(sold, figures)
        if unit.compare(self.quantity, left) > 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s %(unit)s are too many, %(left)s can "
                    "still be replaced: the rest came back, or was replaced.",
                    product=product.display_name,
                    quantity=format_quantity(self.env, self.quantity),
                    unit=unit.name,
                    left=format_quantity(self.env, left),
                )
            )
        if lot:
            self._check_lot(sold, lot, figures)

    def _check_number(self, product, unit):
        quantity = self.quantity
        if (
            not math.isfinite(quantity)
            or quantity < 0
            or quantity > 1e12
            or unit.compare(unit.round(quantity), quantity)
        ):
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity that can be sent.",
                    product=product.display_name,
                    quantity=quantity,
                )
            )

    def _check_lot(self, sold, lot, figures):
        left = figures["lots"].get(lot, 0.0)
        unit = lot.product_id.uom_id
        if not left:
            raise UserError(
                self.env._(
                    "%(lot)s was not delivered with %(order)s, came back, or was "
                    "replaced already.",
                    lot=lot.name,
                    order=sold.order_id.name,
                )
            )
        if lot.product_id == self.product_id and unit.compare(self.quantity, left) > 0:
            raise UserError(
                self.env._(
                    "%(lot)s: only %(left)s can be replaced. Add a line for each "
                    "serial number.",
                    lot=lot.name,
                    left=format_quantity(self.env, left),
                )
            )

    def _take_replaced(self, figures):
        """Return ``{product: quantity in its unit}`` of what is sent, and take it from
        ``figures``: several lines may replace pieces of one order line."""
        # sudo: see _check_replacement
        sold, product, lot = (
            self.sudo()[n] for n in ("sale_line_id", "product_id", "lot_id")
        )
        of_line, quantity = figures[sold], self.quantity
        parts = of_line["parts"]
        if product == sold.product_id:
            in_unit = quantity
            goods = {
                part: part.uom_id.round(some * quantity) for part, some in parts.items()
            }
            if not parts:
                unit = sold.product_uom_id
                goods = {product: unit._compute_quantity(quantity, product.uom_id)}
        else:
            goods = {product: quantity}
            in_unit = quantity
            if product in parts:
                in_unit = 0.0  # a kit isn't replaced by one of its parts
                of_line["parts_left"][product] -= quantity
            elif sold.product_uom_id._has_common_reference(product.uom_id):
                in_unit = product.uom_id._compute_quantity(
                    quantity, sold.product_uom_id, round=False
                )
        of_line["left"] -= in_unit
        for part, some in parts.items():
            of_line["parts_left"][part] -= in_unit * some
        if lot:
            of_line["lots"].pop(lot, None)
        return goods
