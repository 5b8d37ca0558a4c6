from odoo import Command, fields, models


class StockReturnPickingLine(models.TransientModel):
    _inherit = "stock.return.picking.line"

    helpdesk_operations = fields.Json(
        groups=fields.NO_ACCESS,
        help="Technical: what exactly comes back, see "
        "``stock.move._plan_return_operations``.",
    )

    def _prepare_move_default_values(self, new_picking):
        """Odoo has nothing left to choose where it is said which lots come back."""
        values = super()._prepare_move_default_values(new_picking)
        # sudo: written by the pop-ups of a ticket, and by nobody else.
        operations = self.sudo().helpdesk_operations
        if not operations:
            return values
        product = self.move_id.product_id
        operation = {
            "picking_id": values["picking_id"],
            "product_id": product.id,
            "product_uom_id": product.uom_id.id,
            "location_id": values["location_id"],
            "location_dest_id": values["location_dest_id"],
        }
        return values | {
            "move_line_ids": [
                Command.create(operation | chosen) for chosen in operations
            ]
        }


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    def _create_return(self):
        """What open returns of the same moves hold stays theirs, be it a return, a Give
        Back or an exchange, from a ticket or from Inventory (goods A1)."""
        moves = self.product_return_moves.move_id
        held = moves.returned_move_ids.filtered(
            lambda move: move.state not in ("done", "cancel")
        )
        keeping = self.with_context(helpdesk_held_move_ids=held.ids) if held else self
        picking = super(StockReturnPicking, keeping)._create_return()
        # sudo: see above
        chosen = self.sudo().product_return_moves.filtered("helpdesk_operations")
        chosen = chosen.move_id
        if chosen:
            lines = picking.move_line_ids.filtered(
                lambda line: line.move_id.origin_returned_move_id in chosen
            )
            lines._apply_putaway_strategy()
        return picking.with_env(self.env)
