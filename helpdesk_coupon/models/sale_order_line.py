from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _get_after_sales_lowered(self):
        lowered = super()._get_after_sales_lowered()
        for line in self.filtered("reward_id"):
            reward = line.reward_id
            others = line.order_id.order_line.filtered(
                lambda other: other.product_id and not other.reward_id
            )
            if reward.program_id.is_payment_program:
                # A gift card pays all of it, whatever the taxes.
                lowered += others
            elif reward.reward_type == "shipping":
                lowered += others.filtered(lambda other: other._is_delivery())
            elif reward.discount_applicability == "specific":
                products = others.product_id.filtered_domain(
                    reward._get_discount_product_domain()
                )
                lowered += others.filtered(
                    lambda other, products=products: other.product_id in products
                )
        return lowered
