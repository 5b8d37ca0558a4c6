from odoo import fields, models


class StockReturnPickingLine(models.TransientModel):
    _inherit = "stock.return.picking.line"

    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason", groups=fields.NO_ACCESS
    )

    def _prepare_move_default_values(self, new_picking):
        values = super()._prepare_move_default_values(new_picking)
        # sudo: written by the pop-up of a ticket, and by nobody else.
        if reason := self.sudo().helpdesk_reason_id:
            values["helpdesk_reason_id"] = reason.id
        return values


class StockReturnPicking(models.TransientModel):
    """Odoo's own wizard, which the one of a ticket fills and presses.

    Users of Inventory have no access to our fields: they would tell them the names of
    tickets, and put transfers on them.
    """

    _inherit = "stock.return.picking"

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket", groups=fields.NO_ACCESS
    )
    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason", groups=fields.NO_ACCESS
    )
    helpdesk_reference_id = fields.Many2one(
        comodel_name="stock.reference",
        groups=fields.NO_ACCESS,
        help="Of what is sent in exchange for a drop shipment: the supplier's transfer "
        "is made when the purchase is confirmed.",
    )
    helpdesk_location_id = fields.Many2one(
        comodel_name="stock.location", groups=fields.NO_ACCESS
    )

    def _prepare_picking_default_values_based_on(self, picking):
        values = super()._prepare_picking_default_values_based_on(picking)
        wizard = self.sudo()  # sudo: written by the pop-up of a ticket, see above
        if picking != self.picking_id or not wizard.helpdesk_ticket_id:
            return values
        values |= {
            "helpdesk_ticket_id": wizard.helpdesk_ticket_id.id,
            "helpdesk_reason_id": wizard.helpdesk_reason_id.id,
        }
        if location := wizard.helpdesk_location_id:
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
        wizard = self.sudo()  # sudo: written by the pop-up of a ticket, see above
        if not wizard.helpdesk_ticket_id:
            return values
        values |= {
            "helpdesk_ticket_id": wizard.helpdesk_ticket_id.id,
            # sudo: as above
            "helpdesk_reason_id": line.sudo().helpdesk_reason_id.id,
        }
        if self.picking_id.location_id.usage == "supplier":
            # Alone: a purchase, and so a transfer, of its own.
            values["reference_ids"] = wizard._get_helpdesk_reference()
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

    def _send_once_more(self, lines):
        """Ask for the goods of these lines once more, as Odoo does for an exchange."""
        procurements = [
            self.env["stock.rule"].Procurement(
                line.product_id,
                line.quantity,
                line.uom_id,
                line.move_id.location_dest_id,
                line.product_id.display_name,
                self.picking_id.origin,
                self.picking_id.company_id,
                self._get_proc_values(line),
            )
            for line in lines
        ]
        if procurements:
            self.env["stock.rule"].run(procurements)
