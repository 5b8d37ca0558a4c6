from odoo import api, models
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class RepairOrder(models.Model):
    """What a repair under warranty gives, for the rules (X10): its parts. One that the
    customer pays for gives nothing."""

    _inherit = "repair.order"

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("under_warranty", "product_id", "lot_id")):
            # sudo: whether there is a ticket is all that is asked.
            self.filtered(
                lambda repair: repair.sudo().helpdesk_ticket_id
            )._check_after_sales_rules()
        return result

    def _get_rule_act(self):
        if not self.under_warranty or self.state in ("done", "cancel"):
            return None
        sold = self.env["sale.order.line"]
        line = RuleLine(self.product_id, self.helpdesk_reason_id, sold, self.lot_id)
        return self._new_rule_act(
            "use_product_repairs", [line], self._get_given_amount()
        )

    @api.model
    def _get_given_domain(self):
        return Domain("under_warranty", "=", True) & Domain("state", "!=", "cancel")

    def _get_given_amount(self):
        company = self.company_id
        parts = self.move_ids.filtered(
            lambda move: move.repair_line_type == "add" and move.state != "cancel"
        )
        return sum(
            part.product_id.currency_id._convert(
                part.product_id.lst_price * part._get_after_sales_quantity(),
                company.currency_id,
                company,
            )
            for part in parts
        )
