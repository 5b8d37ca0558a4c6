import math

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskRepairWizard(models.TransientModel):
    """What is refused, in a sentence, before a repair is made."""

    _inherit = "helpdesk.repair.wizard"

    def _check_repair(self):
        """Refuse what can't be repaired here, in a sentence."""
        product, customer = self.product_id, self.helpdesk_commercial_partner_id
        if not product:
            raise UserError(self.env._("Choose the product to repair."))
        if product.type != "consu":
            raise UserError(
                self.env._(
                    "Only goods can be repaired, and %(product)s is a service.",
                    product=product.display_name,
                )
            )
        if self.partner_id.commercial_partner_id != customer:
            raise UserError(
                self.env._(
                    "The customer of the repair must belong to %(customer)s, as on "
                    "the ticket.",
                    customer=customer.display_name,
                )
            )
        # sudo: compared only; a branch repairs what its head office sells.
        ours = product._check_company_domain(self.company_id)
        if not product.sudo().filtered_domain(ours):
            raise UserError(
                self.env._(
                    "%(product)s belongs to another company than the ticket.",
                    product=product.display_name,
                )
            )
        self._check_quantity()
        self._check_requested()
        self._check_lot()
        self._check_return()
        self._check_technician()
        self._check_parts()
        if self._overrules_warranty() and not (self.warranty_reason or "").strip():
            raise UserError(
                self.env._(
                    "%(info)s. Enter why this repair is handled differently.",
                    info=self.warranty_info,
                )
            )

    def _check_quantity(self):
        product = self.product_id
        unit = product.sudo().uom_id  # sudo: compared, and named
        if (
            not math.isfinite(self.quantity)
            or unit.compare(self.quantity, 0) <= 0
            or unit.compare(self.quantity, unit.round(self.quantity)) != 0
        ):
            raise UserError(
                self.env._(
                    "%(product)s: enter the quantity to repair.",
                    product=product.display_name,
                )
            )
        if product.tracking == "serial" and unit.compare(self.quantity, 1) != 0:
            raise UserError(
                self.env._(
                    "%(product)s has serial numbers: make a repair for each piece.",
                    product=product.display_name,
                )
            )
        brought = self._get_brought_quantity()
        if brought and unit.compare(self.quantity, brought) > 0:
            raise UserError(
                self.env._(
                    "%(product)s: the return brought %(left)s %(unit)s that are in no "
                    "other repair.",
                    product=product.display_name,
                    left=format_quantity(self.env, brought),
                    unit=unit.name,
                )
            )

    def _check_technician(self):
        """Refuse a colleague who can't do the repair in the company of the ticket."""
        # sudo: whether the colleague works there is all that is asked.
        user = (self.user_id - self.env.user).sudo()
        if user and not (user.active and self.company_id in user.company_ids):
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(company)s.",
                    user=user.name,
                    company=self.company_id.display_name,
                )
            )

    def _check_workshop(self, operation):
        """Refuse an operation type that isn't ready."""
        if not operation or not (
            operation.default_location_src_id
            and operation.default_product_location_src_id
            and operation.default_location_dest_id
        ):
            raise UserError(
                self.env._(
                    "%(company)s has no location for repairs: ask an Inventory "
                    "administrator to set the locations of the operation type "
                    "Repairs.",
                    company=self.company_id.display_name,
                )
            )

    def _check_parts(self):
        for part in self.part_ids:
            part._check_part()

    def _check_requested(self):
        """Refuse more than is left of what a customer has asked for (X9)."""
        for line in self._get_request_lines():
            left, refusal = self.helpdesk_ticket_id._get_request_left(
                self._after_sales_switch, line.sale_line_id
            )
            if refusal or line.uom_id.compare(line.quantity, left) > 0:
                raise UserError(refusal or line._get_left_sentence(left))

    def _check_lot(self):
        if not self.lot_id:
            return
        lot = self.lot_id.sudo()  # sudo: compared, and named to who chose it
        if lot.product_id != self.product_id or not self._has_customer(lot):
            raise UserError(
                self.env._(
                    "%(lot)s was not delivered to %(customer)s as a %(product)s.",
                    lot=lot.name,
                    customer=self.helpdesk_commercial_partner_id.display_name,
                    product=self.product_id.display_name,
                )
            )
        if lot.product_id.tracking != "serial":
            return
        # sudo: where the serial number went last, nothing of it is shown.
        last = (
            self.env["stock.move.line"]
            .sudo()
            .search(
                Domain("lot_id", "=", lot.id) & Domain("state", "=", "done"),
                order="date desc, id desc",
                limit=1,
            )
        )
        if last.location_dest_id.usage == "inventory":
            raise UserError(
                self.env._(
                    "%(lot)s was scrapped: there is nothing to repair.", lot=lot.name
                )
            )

    def _has_customer(self, lot):
        """Return whether a lot went to the customer of the ticket, or came from them:
        goods that were bought elsewhere are repaired, too."""
        ticket = self.helpdesk_ticket_id
        delivered = ticket._purchase_domain(
            "stock.lot",
            sale_order=self.env["sale.order"],
            product=self.product_id,
            lot=lot,
        )
        if lot.search_count(delivered, limit=1):
            return True
        # sudo: a yes or no about transfers of the ticket's own customer.
        lines = self.env["stock.move.line"].sudo()
        customer = lines.picking_id._get_orderer_domain(ticket.commercial_partner_id)
        return bool(
            lines.search_count(
                Domain("lot_id", "=", lot.id)
                & Domain("state", "=", "done")
                & Domain("company_id", "=", ticket.company_id.id)
                & Domain("picking_id", "any!", customer),
                limit=1,
            )
        )

    def _check_return(self):
        if not self.picking_id:
            return
        picking = self.picking_id.sudo()  # sudo: compared, and named to who chose it
        if not self._is_of_customer(picking):
            raise UserError(
                self.env._(
                    "%(picking)s is not a return of %(product)s by %(customer)s.",
                    picking=picking.name,
                    product=self.product_id.display_name,
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )
        lot = self.lot_id.sudo()  # sudo: as above
        if lot and picking.state == "done" and lot not in picking.move_line_ids.lot_id:
            raise UserError(
                self.env._(
                    "%(picking)s did not bring %(lot)s: choose the return that did, or "
                    "none.",
                    picking=picking.name,
                    lot=lot.name,
                )
            )
