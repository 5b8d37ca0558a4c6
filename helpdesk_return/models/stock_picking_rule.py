from odoo import api, models
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools.rules import RuleLine


class StockMove(models.Model):
    _inherit = "stock.move"

    def _get_rule_line(self, reason):
        """Return what this move brings back or sends, for the rules (X10)."""
        origin = self.origin_returned_move_id
        sold = self.sale_line_id or origin.sale_line_id
        return RuleLine(
            sold.product_id or self.product_id,
            self.helpdesk_reason_id or reason,
            sold,
            self.move_line_ids.lot_id[:1],
            origin if origin.state == "done" else None,
        )

    def _get_rule_worth(self):
        """Return what was paid for the goods of this move, else what they cost now,
        with taxes, in company currency."""
        sold = self.sale_line_id or self.origin_returned_move_id.sale_line_id
        quantity = self._get_after_sales_quantity()
        if sold.product_id == self.product_id:
            unit = self.product_id.uom_id
            return sold._get_after_sales_worth(
                unit._compute_quantity(quantity, sold.product_uom_id, round=False)
            )
        company = self.company_id
        product = self.product_id.with_company(company)
        return product.currency_id._convert(
            product.lst_price * quantity, company.currency_id, company
        )


class StockPicking(models.Model):
    """What a return or replacement gives, for the rules (X10). They are asked when it
    is confirmed: a new transfer has no goods yet."""

    _inherit = "stock.picking"

    _after_sales_rules_when_linked = False

    def action_confirm(self):
        # sudo: whether there is a ticket is all that is asked.
        begun = self.filtered(
            lambda picking: (
                picking.sudo().helpdesk_ticket_id
                and "draft" in picking.move_ids.mapped("state")
            )
        )
        result = super().action_confirm()
        begun._check_after_sales_rules()
        return result

    def _get_rule_act(self):
        moves = self.move_ids.filtered(lambda move: move.state != "cancel")
        if not moves:
            return None
        if self._is_helpdesk_return():
            service = "use_product_returns"
        elif any(moves.mapped("helpdesk_without_return")) or self._is_rule_handmade():
            service = "use_product_replacements"
        else:
            return None
        lines = [move._get_rule_line(self.helpdesk_reason_id) for move in moves]
        return self._new_rule_act(
            service, lines, sum(move._get_rule_worth() for move in moves)
        )

    def _is_rule_handmade(self):
        """Return whether somebody made this delivery on the ticket in Inventory: nobody
        ordered or returned what it sends."""
        return self._is_helpdesk_sent() and not any(
            move.sale_line_id or move.origin_returned_move_id or move.move_orig_ids
            for move in self.move_ids
        )

    @api.model
    def _get_given_domain(self):
        return Domain("state", "!=", "cancel") & Domain(
            "move_ids.helpdesk_without_return", "=", True
        )

    def _get_given_amount(self):
        moves = self.move_ids.filtered(
            lambda move: move.helpdesk_without_return and move.state != "cancel"
        )
        return sum(move._get_rule_worth() for move in moves)
