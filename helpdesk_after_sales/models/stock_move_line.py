from odoo import models


class StockMoveLine(models.Model):
    _inherit = "stock.move.line"

    def write(self, vals):
        """A serial number that is corrected after the delivery takes the warranty."""
        done = former = self.browse()
        if "lot_id" in vals:
            done = self.filtered(
                lambda line: line.state == "done" and line.lot_id.id != vals["lot_id"]
            )
            former = done.lot_id
        result = super().write(vals)
        if done:
            former._forget_warranty()
            done.move_id._begin_warranties(again=True)
        return result
