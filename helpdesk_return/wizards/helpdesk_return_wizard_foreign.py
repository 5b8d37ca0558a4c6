import math

from odoo import Command, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskReturnWizardForeign(models.TransientModel):
    """Goods that were not delivered here, and are taken back (X22)."""

    _name = "helpdesk.return.wizard.foreign"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Goods from elsewhere that are returned on a helpdesk ticket"

    wizard_id = fields.Many2one(
        comodel_name="helpdesk.return.wizard", required=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        ondelete="cascade",
        domain="[('type', '=', 'consu')]",
    )
    tracking = fields.Selection(related="product_id.tracking")
    lot_name = fields.Char(string="Lot/Serial Number")
    quantity = fields.Float(digits="Product Unit", default=1.0)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")

    def _check_foreign(self):
        """Refuse what can't be taken back.

        :raises UserError: with one sentence
        """
        self.ensure_one()
        product, quantity = self.product_id, self.quantity
        names = {
            "product": product.display_name,
            "quantity": format_quantity(self.env, quantity),
            "lot": self.lot_name,
        }
        if product.type != "consu":
            raise UserError(
                self.env._("%(product)s: only goods can be returned.", **names)
            )
        company = self.wizard_id.company_id
        # sudo: compared; the name is of what the user has chosen.
        if not product.sudo().filtered_domain(product._check_company_domain(company)):
            raise UserError(
                self.env._("%(product)s belongs to another company.", **names)
            )
        unit = product.uom_id
        if (
            not math.isfinite(quantity)
            or unit.compare(quantity, 0) <= 0
            or quantity > 1e9
        ):
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity that can be returned.",
                    **names,
                )
            )
        if product.tracking == "none":
            return
        if not (self.lot_name or "").strip():
            raise UserError(
                self.env._(
                    "%(product)s is tracked: enter its lot or serial number.", **names
                )
            )
        if product.tracking == "serial":
            if unit.compare(quantity, 1) != 0:
                raise UserError(
                    self.env._(
                        "%(product)s: one line for each serial number, with a "
                        "quantity of 1.",
                        **names,
                    )
                )
            self._check_piece(names)

    def _check_piece(self, names):
        """Refuse a serial number that is in the house, or on a return."""
        # sudo: whether there is such a piece; nothing of it is told.
        lot = self._find_lot()
        lines = self.env["stock.move.line"].sudo()
        here = Domain("location_id.usage", "in", ("internal", "transit"))
        coming = Domain("state", "not in", ("done", "cancel", "draft")) & Domain(
            "location_id.usage", "=", "customer"
        )
        if lot and (
            lot.quant_ids.filtered_domain(here & Domain("quantity", ">", 0))
            or lines.search_count(coming & Domain("lot_id", "=", lot.id), limit=1)
        ):
            raise UserError(
                self.env._(
                    "%(lot)s of %(product)s is already here, or on a return.", **names
                )
            )
        ticket = self.wizard_id.helpdesk_ticket_id
        theirs = ticket._any_purchase_domain("stock.lot")
        if lot and lot.search_count(theirs & Domain("id", "=", lot.id), limit=1):
            raise UserError(
                self.env._(
                    "%(lot)s of %(product)s was delivered to this customer: choose its "
                    "delivery.",
                    **names,
                )
            )

    def _find_lot(self):
        """Return the lot of this name, under ``sudo()``, or no record."""
        company = self.wizard_id.company_id
        # sudo: agents may not read all lots; the caller checks the ticket.
        return (
            self.env["stock.lot"]
            .sudo()
            .search(
                Domain("product_id", "=", self.product_id.id)
                & Domain("name", "=", (self.lot_name or "").strip())
                & Domain("company_id", "in", (company.id, False)),
                limit=1,
            )
        )

    def _prepare_operation(self, move):
        """Return the values of the operation that brings a lot: a new one, unless there
        is one of this name. Called with ``sudo()``."""
        lot = self._find_lot() or self.env["stock.lot"].create(
            {
                "name": self.lot_name.strip(),
                "product_id": self.product_id.id,
                "company_id": move.company_id.id,
            }
        )
        return {
            "picking_id": move.picking_id.id,
            "product_id": self.product_id.id,
            "product_uom_id": self.uom_id.id,
            "quantity": self.quantity,
            "lot_id": lot.id,
            "location_id": move.location_id.id,
            "location_dest_id": move.location_dest_id.id,
        }


class HelpdeskReturnWizard(models.TransientModel):
    _inherit = "helpdesk.return.wizard"

    use_foreign_returns = fields.Boolean(
        related="helpdesk_ticket_id.team_id.use_foreign_returns"
    )
    foreign_line_ids = fields.One2many(
        comodel_name="helpdesk.return.wizard.foreign",
        inverse_name="wizard_id",
        string="Not Delivered Here",
    )

    def _check_foreign(self, exchange, delivered):
        """Refuse goods from elsewhere that can't be taken back.

        :param delivered: whether goods of deliveries come back, too
        :raises UserError: with one sentence
        """
        if not self.foreign_line_ids:
            return
        if not self.helpdesk_ticket_id.team_id.use_foreign_returns:
            raise UserError(
                self.env._(
                    "The team %(team)s takes back only what was delivered here. A "
                    "Helpdesk administrator can allow more.",
                    team=self.helpdesk_ticket_id.team_id.display_name,
                )
            )
        if exchange or (self.settlement and not delivered):
            raise UserError(
                self.env._(
                    "Nothing happens automatically for goods that were not delivered "
                    "here: leave When It Has Arrived empty, and press Return."
                )
            )
        for line in self.foreign_line_ids:
            line._check_foreign()
        serials = [
            (line.product_id, line.lot_name.strip())
            for line in self.foreign_line_ids
            if line.tracking == "serial"
        ]
        if len(serials) != len(set(serials)):
            raise UserError(self.env._("A serial number is listed twice."))
        self._check_location(self._get_allowed_picking())

    def _create_foreign_return(self):
        """Create the receipt of what was not delivered here; returns it under
        ``sudo()``. No order counts it, and no refund follows from it."""
        # sudo: _check_ready and _check_foreign proved user, ticket and goods; agents
        # have no right to Inventory, and exactly this receipt is made.
        wizard = self._without_defaults().sudo().with_company(self.company_id)
        partner = wizard.helpdesk_ticket_id.partner_id
        location = wizard.location_id
        warehouse = location.warehouse_id or (
            # sudo: the warehouse of the agent
            self.env.user.sudo()
            .with_company(self.company_id)
            ._get_default_warehouse_id()
        )
        operation = warehouse.in_type_id
        if not operation:
            raise UserError(
                self.env._(
                    "%(company)s has no warehouse that receives goods.",
                    company=self.company_id.display_name,
                )
            )
        if location.usage != "internal":
            location = operation.default_location_dest_id
        picking = wizard.env["stock.picking"].create(
            {
                "picking_type_id": operation.id,
                "partner_id": partner.id,
                "company_id": self.company_id.id,
                "location_id": partner.property_stock_customer.id,
                "location_dest_id": location.id,
                "origin": f"#{self.helpdesk_ticket_id.ticket_ref}",
                "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                "helpdesk_reason_id": self.helpdesk_reason_id.id,
            }
        )
        by_product = wizard.foreign_line_ids.grouped("product_id")
        picking.move_ids = [
            Command.create(
                {
                    "product_id": product.id,
                    "product_uom": product.uom_id.id,
                    "product_uom_qty": sum(lines.mapped("quantity")),
                    "company_id": self.company_id.id,
                    "location_id": picking.location_id.id,
                    "location_dest_id": location.id,
                    "helpdesk_reason_id": self.helpdesk_reason_id.id,
                }
            )
            for product, lines in by_product.items()
        ]
        picking.action_confirm()
        picking.action_assign()
        for move in picking.move_ids.filtered(lambda m: m.has_tracking != "none"):
            move.move_line_ids.unlink()
            move.move_line_ids = [
                Command.create(line._prepare_operation(move))
                for line in by_product[move.product_id]
            ]
        return picking
