from odoo import models


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    def _prepare_picking_default_values_based_on(self, picking):
        values = super()._prepare_picking_default_values_based_on(picking)
        location_id = self.env.context.get("helpdesk_return_location")
        if location_id and picking == self.picking_id:
            values["location_dest_id"] = location_id
        return values
