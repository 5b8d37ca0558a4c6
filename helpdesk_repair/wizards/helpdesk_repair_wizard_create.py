from odoo import Command, models


class HelpdeskRepairWizard(models.TransientModel):
    """The repair order that is made, and what it is made of."""

    _inherit = "helpdesk.repair.wizard"

    def _create_repair(self, **context):
        """Create the draft of the repair order; returns it under sudo."""
        self._check_repair()
        # The return's only lot is put on a repair of another product, too, and the
        # lot that was chosen is replaced by it: written once more below (goods A4).
        # sudo: _check_ready and _check_repair proved user, ticket and product; agents
        # have no right to Repairs, and exactly one order is made.
        repairs = self._without_defaults(**context).env["repair.order"].sudo()
        repair = repairs.with_company(self.company_id).create(
            self._prepare_repair_values()
        )
        # sudo: proved by _check_lot
        if repair.lot_id != self.lot_id.sudo():
            repair.lot_id = self.lot_id.sudo()
        if self.if_refused:
            self.env["helpdesk.after.sales.step"]._plan(
                self.helpdesk_ticket_id, self.if_refused, repair
            )
        self._approve_request(repair)
        self.sudo().repair_id = repair  # sudo: what was just made
        if self._overrules_warranty():
            self._tell_overruled(repair)
        return repair

    def _tell_overruled(self, repair):
        """Say in both chatters who decided against the warranty, and why (X8)."""
        sentence = (
            self.env._("Treated as under warranty: %(reason)s. (%(info)s)")
            if self.under_warranty
            else self.env._("Treated as not under warranty: %(reason)s. (%(info)s)")
        ) % {"reason": self.warranty_reason.strip(), "info": self.warranty_info}
        repair._message_log(body=sentence, author_id=self.env.user.partner_id.id)
        repair._after_sales_tell_ticket({repair: sentence})

    def _prepare_repair_values(self):
        """Return the values of the repair order. The return is passed as a value,
        never as ``default_picking_id``, which would leak into the parts (S86)."""
        return {
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "product_id": self.product_id.id,
            "product_qty": self.quantity,
            "product_uom": self.product_id.uom_id.id,
            **self._prepare_workshop_values(),
            "lot_id": self.lot_id.id,
            "picking_id": self.picking_id.id,
            "under_warranty": self.under_warranty,
            "schedule_date": self.schedule_date,
            "user_id": self.user_id.id,
            "tag_ids": [Command.set(self.tag_ids.ids)],
            "internal_notes": self.internal_notes,
            "move_ids": [
                Command.create(part._prepare_move_values()) for part in self.part_ids
            ],
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
        }

    def _prepare_workshop_values(self):
        """Return where the repair happens: where the return has put the piece, in the
        workshop of that warehouse (goods A9).

        :raises UserError: when the workshop is not ready
        """
        # sudo: locations of the application for what was checked, nothing is shown.
        repairs = self.env["repair.order"].sudo().with_company(self.company_id)
        pickings = self.env["stock.picking"].sudo()  # sudo: as above
        back = self.picking_id.sudo()
        operation = repairs._default_picking_type_id() or repairs.picking_type_id
        place = pickings._find_piece(
            self.company_id.sudo(),
            self.product_id.sudo(),
            self.lot_id.sudo(),
            self.quantity,
            self.env["stock.location"].sudo()
            if back
            else operation.default_product_location_src_id,
            back,
        )
        if not place and back.location_dest_id.usage == "internal":
            place = back.location_dest_id  # on its way to there
        operation = place.warehouse_id.repair_type_id or operation
        self._check_workshop(operation)
        return {
            "picking_type_id": operation.id,
            **repairs._prepare_places(
                operation, place or operation.default_product_location_src_id
            ),
        }
