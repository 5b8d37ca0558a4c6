from odoo import models
from odoo.exceptions import ValidationError


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _try_apply_code(self, code):
        """Refuse a code that was made on a ticket of another customer (X2)."""
        self.ensure_one()
        # sudo: buyers may not read cards. Only a sentence comes out of it. Withdrawn
        # codes are archived, and shall be named as what they are.
        card = (
            self.env["loyalty.card"]
            .sudo()
            .with_context(active_test=False)
            .search([("code", "=", code)], limit=1)
        )
        refusal = card and card._get_helpdesk_refusal(self)
        return {"error": refusal} if refusal else super()._try_apply_code(code)

    def _apply_program_reward(self, reward, coupon, **kwargs):
        refusal = coupon and coupon._get_helpdesk_refusal(self)
        if refusal:
            return {"error": refusal}
        return super()._apply_program_reward(reward, coupon, **kwargs)

    def _update_programs_and_rewards(self):
        """Take codes off that don't belong to the customer who has the order now: a
        visitor signed in, or the customer of a quotation was changed."""
        for order in self:
            if refused := order._get_refused_helpdesk_coupons():
                order.order_line.filtered(
                    lambda line, refused=refused: line.coupon_id in refused
                ).unlink()
                order.applied_coupon_ids -= refused
                order._message_log(
                    body=self.env._(
                        "Removed, as they were made for another customer or "
                        "withdrawn: %(codes)s.",
                        codes=", ".join(refused.mapped("code")),
                    )
                )
        return super()._update_programs_and_rewards()

    def action_confirm(self):
        for order in self:
            for coupon in order._get_refused_helpdesk_coupons():
                raise ValidationError(
                    self.env._(
                        "%(refusal)s Remove its line from %(order)s.",
                        refusal=coupon._get_helpdesk_refusal(order),
                        order=order.display_name,
                    )
                )
        return super().action_confirm()

    def _action_cancel(self):
        """Odoo gives the cards of a cancelled order back what they paid, and takes what
        it gave them: what credit notes of tickets did of it before isn't done again."""
        # sudo: whoever may cancel the order; its cards follow it, as in Odoo.
        orders = self.filtered(lambda order: order.state == "sale").sudo()
        notes = orders.invoice_ids.filtered(
            lambda note: (
                note.state == "posted"
                and note._is_after_sales_refund()
                and note.invoice_line_ids.sale_line_ids.order_id <= orders
            )
        )
        history = notes._get_card_changes() if notes else []
        result = super()._action_cancel()
        for line in history and history.exists():
            line.card_id.points -= line.issued - line.used
            line.unlink()
        return result

    def _get_refused_helpdesk_coupons(self):
        """Return the codes in this open order that may not be in it, by ``sudo()``."""
        self.ensure_one()
        # sudo: the buyer of a cart may not read cards; they are taken off, not shown.
        order = self.sudo()
        if order.state not in ("draft", "sent"):
            return order.env["loyalty.card"]
        coupons = order.applied_coupon_ids | order.order_line.coupon_id
        return coupons.filtered(lambda coupon: coupon._get_helpdesk_refusal(order))
