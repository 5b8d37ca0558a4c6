from odoo import models


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    def _prepare_picking_default_values_based_on(self, picking):
        values = super()._prepare_picking_default_values_based_on(picking)
        location_id = self.env.context.get("helpdesk_return_location")
        if location_id and picking == self.picking_id:
            values["location_dest_id"] = location_id
            location = self.env["stock.location"].browse(location_id)
            if (
                not picking.picking_type_id.return_picking_type_id
                and location.usage == "internal"
            ):
                # A drop shipment that comes to the shop is a receipt there.
                receipts = location.warehouse_id.in_type_id
                values["picking_type_id"] = receipts.id or values["picking_type_id"]
        return values
