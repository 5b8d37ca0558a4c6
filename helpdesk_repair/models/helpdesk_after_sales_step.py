from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskAfterSalesStep(models.Model):
    """Send the product back as it is when the quotation of its repair is refused
    (X18)."""

    _inherit = "helpdesk.after.sales.step"

    service = fields.Selection(
        selection_add=[("send_back", "Send back unrepaired")],
        ondelete={"send_back": "cascade"},
    )

    @api.model
    def _get_waits_for(self, service):
        return "refusal" if service == "send_back" else super()._get_waits_for(service)

    def _perform(self):
        if self.service != "send_back":
            return super()._perform()
        self.ticket_id._check_after_sales("use_product_repairs")
        # sudo: the planner may work on the ticket of this repair; agents have no right
        # to Repairs and Inventory, and exactly what came for it goes back.
        repair = self.env["repair.order"].sudo().browse(self.sudo().res_id)
        return repair._send_back_unrepaired()


class RepairOrder(models.Model):
    _inherit = "repair.order"

    def _send_back_unrepaired(self):
        """Cancel this repair, and make the delivery that brings the product back;
        returns it. Called with ``sudo()``.

        :raises UserError: when the product isn't here, or the repair has begun
        """
        self.ensure_one()
        if self.state in ("under_repair", "done"):
            raise UserError(
                self.env._(
                    "Repair %(repair)s has started: decide what to do with it.",
                    repair=self.name,
                )
            )
        if not self._is_piece_here():
            raise UserError(
                self.env._(
                    "%(product)s of repair %(repair)s isn't here: there is nothing to "
                    "send back.",
                    product=self.product_id.display_name or "-",
                    repair=self.name,
                )
            )
        if self.state != "cancel":
            self.action_repair_cancel()
        if not self.helpdesk_delivery_id.filtered(lambda p: p.state != "cancel"):
            self._create_give_back()
        return self.helpdesk_delivery_id
