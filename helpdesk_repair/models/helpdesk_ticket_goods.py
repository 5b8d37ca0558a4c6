from odoo import api, models
from odoo.exceptions import UserError


class HelpdeskTicket(models.Model):
    """Goods that came back and are to be repaired (X17)."""

    _inherit = "helpdesk.ticket"

    @api.model
    def _get_goods_kinds(self):
        return super()._get_goods_kinds() | {"repair"}

    def _take_goods(self, kind, goods):
        if kind != "repair":
            return super()._take_goods(kind, goods)
        self.ensure_one()
        product, lot = goods["product"], goods["lot"]
        # The ticket's company, and no defaults of the pop-up that asks.
        repairs = self.env["repair.order"].with_company(self.company_id)
        operation = goods["location"].warehouse_id.repair_type_id
        operation = operation or repairs._default_picking_type_id()
        warranty = self._find_warranties(product=product, lot=lot).get(self)
        repair = repairs.create(
            {
                "company_id": self.company_id.id,
                "partner_id": self.partner_id.id,
                "product_id": product.id,
                "product_qty": goods["quantity"],
                "product_uom": product.uom_id.id,
                "lot_id": lot.id,
                "picking_id": goods["picking"].id,
                "picking_type_id": operation.id,
                "under_warranty": bool(warranty and warranty.covered),
                "helpdesk_ticket_id": self.id,
                "helpdesk_reason_id": goods["picking"].helpdesk_reason_id.id,
                **repairs._prepare_places(operation, goods["location"]),
            }
        )
        if repair.lot_id != lot:
            # The only lot of the return is put on it, whatever it is of (goods A4).
            repair.lot_id = lot
        repair._confirm_with_stock()
        return repair

    def _release_goods(self, kind, document):
        if kind != "repair":
            return super()._release_goods(kind, document)
        if document.state not in ("draft", "confirmed", "cancel"):
            raise UserError(
                self.env._(
                    "Repair %(repair)s was started: cancel it first, or leave it.",
                    repair=document.name,
                )
            )
        return document.action_repair_cancel()
