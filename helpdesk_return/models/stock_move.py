from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class StockMove(models.Model):
    _name = "stock.move"
    _inherit = ["helpdesk.chosen.mixin", "helpdesk.readable.mixin", "stock.move"]
    _chosen_ours = True
    # They travel with the goods, whoever moves them; see _check_helpdesk_ticket().
    _chosen_constrained = (
        "helpdesk_ticket_id",
        "helpdesk_exchange_id",
        "helpdesk_replaced_lot_id",
    )
    _helpdesk_ticket_path = "picking_id.helpdesk_ticket_id"

    helpdesk_ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        index="btree_not_null",
        copy=False,
        help="The helpdesk ticket on which these goods are sent in exchange.",
    )
    helpdesk_exchange_id = fields.Many2one(
        comodel_name="stock.reference",
        string="Exchanged For",
        index="btree_not_null",
        copy=False,
        help="What this drop shipment that comes back is exchanged for.",
    )
    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        string="Return Reason",
        index="btree_not_null",
        copy=False,
        help="Why the customer sends this product back.",
    )

    helpdesk_without_return = fields.Boolean(
        string="Sent Without Return",
        copy=False,
        help="Sent as a replacement without a return: not invoiced.",
    )
    helpdesk_replaced_lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Replaced Lot/Serial Number",
        index="btree_not_null",
        copy=False,
        help="What the customer keeps, or has lost.",
    )

    def _restarts_warranty(self):
        # sudo: the setting of the team whose ticket the replacement is for.
        team = self.picking_id.sudo().helpdesk_ticket_id.team_id
        return team.warranty_restarts or super()._restarts_warranty()

    # -- The ticket of a replacement travels with the goods (X3) ---------------

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        if any(vals.get("helpdesk_ticket_id") for vals in vals_list):
            moves._check_helpdesk_ticket()
        if any(vals.get("helpdesk_without_return") for vals in vals_list):
            moves._check_helpdesk_without_return()
        # Only purchases make moves that are of nobody's procurement.
        if any(vals.get("purchase_line_id") for vals in vals_list):
            moves._link_helpdesk_dropships()
        return moves

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        self.env["helpdesk.ticket"]._check_shown_link(values)
        return super().onchange(values, field_names, fields_spec)

    def _link_helpdesk_dropships(self):
        """Put what a supplier sends in exchange on the ticket of its reference."""
        # sudo: buyers may not see the ticket. Who writes it on a reference must.
        for move in self.sudo():
            ticket = move.reference_ids.helpdesk_ticket_id
            if len(ticket) == 1 and move._get_after_sales_direction() == "out":
                free = move.reference_ids.filtered("helpdesk_without_return")[:1]
                values = {
                    "helpdesk_ticket_id": ticket.id,
                    "helpdesk_without_return": bool(free),
                }
                if free.helpdesk_sale_line_id:
                    _product, _quantity, lot = free.helpdesk_sent
                    values |= {
                        "sale_line_id": free.helpdesk_sale_line_id.id,
                        "helpdesk_replaced_lot_id": lot,
                    }
                move.write(values)
                if not move.picking_id.helpdesk_ticket_id:
                    move.picking_id.helpdesk_ticket_id = ticket

    def write(self, vals):
        if "helpdesk_without_return" in vals and not self.env.su:
            free = bool(vals["helpdesk_without_return"])
            self.filtered(
                lambda move: move.helpdesk_without_return != free
            )._refuse_helpdesk_without_return()
        result = super().write(vals)
        if vals.get("helpdesk_ticket_id"):
            self._check_helpdesk_ticket()
        return result

    def _check_helpdesk_without_return(self):
        """What isn't counted by its order is made by the pop-up, or split off from a
        move of the same transfer by the warehouse."""
        if self.env.su:
            return
        for move in self.filtered("helpdesk_without_return"):
            # sudo: moves of the user's own transfer, and what it is the rest of.
            transfer = move.picking_id.sudo()
            origin = transfer.backorder_id.move_ids | (transfer.move_ids - move)
            if not any(origin.mapped("helpdesk_without_return")):
                move._refuse_helpdesk_without_return()

    def _refuse_helpdesk_without_return(self):
        if self:
            raise AccessError(
                self.env._(
                    "Whether the order counts what is sent is set on the helpdesk "
                    "ticket, and can't be changed by hand."
                )
            )

    def _check_helpdesk_ticket(self):
        """Nobody reaches a foreign ticket by linking a move of their own: its transfer
        is linked to it as well.

        :raises AccessError: when the ticket isn't the user's to read, unless other
            moves of the transfer are on it: the warehouse splits what it can't send
        """
        for move in self.filtered("helpdesk_ticket_id"):
            # sudo: links of the user's own transfer are compared.
            others = (move.picking_id.sudo().move_ids - self).helpdesk_ticket_id
            if move.helpdesk_ticket_id.sudo() not in others:  # sudo: as above
                move.helpdesk_ticket_id.check_access("read")

    def _is_after_sales_replacement(self):
        return (
            bool(self.helpdesk_ticket_id) and not self.origin_returned_move_id
        ) or super()._is_after_sales_replacement()

    @api.model
    def _prepare_merge_moves_distinct_fields(self):
        return [
            *super()._prepare_merge_moves_distinct_fields(),
            "helpdesk_ticket_id",
            "helpdesk_without_return",
            "helpdesk_replaced_lot_id",
        ]

    def _key_assign_picking(self):
        return (
            *super()._key_assign_picking(),
            self.helpdesk_ticket_id,
            self.helpdesk_without_return,
        )

    def _search_picking_for_assignation_domain(self):
        """A replacement has a transfer of its own, and the ticket's transfers take in
        nothing else."""
        domain = [
            *super()._search_picking_for_assignation_domain(),
            ("helpdesk_ticket_id", "=", self.helpdesk_ticket_id.id),
        ]
        if self.helpdesk_ticket_id:
            free = Domain("helpdesk_without_return", "=", True)
            operator = "any" if self.helpdesk_without_return else "not any"
            domain.append(("move_ids", operator, free))
        return domain

    def _get_new_picking_values(self):
        values = super()._get_new_picking_values()
        ticket = self.helpdesk_ticket_id
        # Where one step fetches what the next one sends, the agent follows the latter.
        outside = self._is_after_sales_outside
        if len(ticket) == 1 and any(
            outside(move.location_final_id) or outside(move.location_dest_id)
            for move in self
        ):
            values["helpdesk_ticket_id"] = ticket.id
            values["helpdesk_reason_id"] = self.helpdesk_reason_id[:1].id
        return values

    def _prepare_helpdesk_link(self):
        """Return the values that follow the goods into other moves."""
        return {
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
            "helpdesk_without_return": self.helpdesk_without_return,
            "helpdesk_replaced_lot_id": self.helpdesk_replaced_lot_id.id,
        }

    def _prepare_procurement_values(self):
        values = super()._prepare_procurement_values()
        if self.helpdesk_ticket_id:
            values |= self._prepare_helpdesk_link()
        return values

    def _prepare_move_split_vals(self, qty):
        values = super()._prepare_move_split_vals(qty)
        if self.helpdesk_ticket_id or self.helpdesk_reason_id:
            values |= self._prepare_helpdesk_link()
        if self.helpdesk_exchange_id:
            values["helpdesk_exchange_id"] = self.helpdesk_exchange_id.id
        return values

    # -- Replacements without goods back (X23) ---------------------------------

    @api.model
    def _get_after_sales_move_fields(self):
        return [*super()._get_after_sales_move_fields(), "helpdesk_without_return"]

    def _is_after_sales_counted(self):
        return not self.helpdesk_without_return and super()._is_after_sales_counted()

    def _get_warranty_of_replaced(self, before, returns):
        """The piece that the agent named, if there is one."""
        lot = self.helpdesk_replaced_lot_id
        if lot.warranty_end:
            return lot.warranty_start, lot.warranty_end, False
        return super()._get_warranty_of_replaced(before, returns)
