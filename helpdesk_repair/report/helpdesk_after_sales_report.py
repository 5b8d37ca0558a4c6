from odoo import api, models
from odoo.tools import SQL


class HelpdeskAfterSalesReport(models.Model):
    _inherit = "helpdesk.after.sales.report"

    _depends = {
        "repair.order": [
            "helpdesk_reason_id",
            "helpdesk_ticket_id",
            "lot_id",
            "move_id",
            "product_id",
            "product_qty",
            "product_uom",
            "state",
            "under_warranty",
        ],
        "stock.move": ["quantity", "repair_id", "repair_line_type", "value"],
    }

    @api.model
    def _selection_act(self):
        return [*super()._selection_act(), ("repair", self.env._("Warranty Repair"))]

    @api.model
    def _get_parts(self):
        """Repairs under warranty that are done: of other ones the customer pays. A row
        is about the piece that was repaired; its cost is that of the parts."""
        parts_cost = SQL(
            "SELECT SUM(%s * %s) FROM stock_move part "
            "JOIN product_product part_goods ON part_goods.id = part.product_id "
            "JOIN product_template part_kind "
            "ON part_kind.id = part_goods.product_tmpl_id "
            "WHERE part.repair_id = repair.id AND part.state = 'done' "
            "AND part.repair_line_type = 'add'",
            self._get_move_quantity("part", "part_kind"),
            self._get_unit_value("part", "part_goods", "part_kind"),
        )
        return super()._get_parts() | {
            "repair": {
                "id": SQL("repair.id"),
                "act": SQL("'repair'"),
                "date": self._get_day(SQL("COALESCE(ended.date, repair.write_date)")),
                "company_id": SQL("repair.company_id"),
                "ticket_id": SQL("repair.helpdesk_ticket_id"),
                "product_id": SQL("repair.product_id"),
                "lot_id": SQL("repair.lot_id"),
                "reason_id": SQL("repair.helpdesk_reason_id"),
                "res_model": SQL("'repair.order'"),
                "res_id": SQL("repair.id"),
                "quantity": SQL(
                    "repair.product_qty * COALESCE(unit.factor / "
                    "NULLIF(own_unit.factor, 0), 1)"
                ),
                "cost": SQL("(%s)", parts_cost),
                "from": SQL(
                    "repair_order repair "
                    "LEFT JOIN stock_move ended ON ended.id = repair.move_id "
                    "LEFT JOIN uom_uom unit ON unit.id = repair.product_uom "
                    "LEFT JOIN product_product goods ON goods.id = repair.product_id "
                    "LEFT JOIN product_template kind "
                    "ON kind.id = goods.product_tmpl_id "
                    "LEFT JOIN uom_uom own_unit ON own_unit.id = kind.uom_id"
                ),
                "where": SQL(
                    "repair.helpdesk_ticket_id IS NOT NULL AND repair.state = 'done' "
                    "AND repair.under_warranty"
                ),
            }
        }
