from odoo import fields, models


class StockReturnPickingLine(models.TransientModel):
    _inherit = "stock.return.picking.line"

    helpdesk_reason_id = fields.Many2one(comodel_name="helpdesk.after.sales.reason")

    def _prepare_move_default_values(self, new_picking):
        values = super()._prepare_move_default_values(new_picking)
        if self.helpdesk_reason_id:
            values["helpdesk_reason_id"] = self.helpdesk_reason_id.id
        return values


class StockReturnPicking(models.TransientModel):
    """Odoo's own wizard, which the one of a ticket fills and presses."""

    _inherit = "stock.return.picking"

    helpdesk_ticket_id = fields.Many2one(comodel_name="helpdesk.ticket")
    helpdesk_reason_id = fields.Many2one(comodel_name="helpdesk.after.sales.reason")
    helpdesk_reference_id = fields.Many2one(
        comodel_name="stock.reference",
        help="Of what is sent in exchange for a drop shipment: the supplier's transfer "
        "is made when the purchase is confirmed.",
    )
    helpdesk_location_id = fields.Many2one(comodel_name="stock.location")

    def _prepare_picking_default_values_based_on(self, picking):
        values = super()._prepare_picking_default_values_based_on(picking)
        if picking != self.picking_id or not self.helpdesk_ticket_id:
            return values
        values |= {
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
        }
        if location := self.helpdesk_location_id:
            values["location_dest_id"] = location.id
            if (
                not picking.picking_type_id.return_picking_type_id
                and location.usage == "internal"
            ):
                # A drop shipment that comes to the shop is a receipt there.
                receipts = location.warehouse_id.in_type_id
                values["picking_type_id"] = receipts.id or values["picking_type_id"]
        return values

    def _get_proc_values(self, line):
        """What is sent in exchange is on the ticket, whatever makes or moves it."""
        values = super()._get_proc_values(line)
        if not self.helpdesk_ticket_id:
            return values
        values |= {
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": line.helpdesk_reason_id.id,
        }
        if self.picking_id.location_id.usage == "supplier":
            # Alone: a purchase, and so a transfer, of its own.
            values["reference_ids"] = self._get_helpdesk_reference()
        if "bom_line_id" in line.move_id:
            # Components of a kit: the order counts them as those of the kit.
            values["bom_line_id"] = line.move_id.bom_line_id.id
        return values

    def _get_helpdesk_reference(self):
        if not self.helpdesk_reference_id:
            self.helpdesk_reference_id = self.env["stock.reference"].create(
                {
                    "name": self.picking_id.origin or self.picking_id.name,
                    "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                }
            )
        return self.helpdesk_reference_id
