import functools

from odoo import models
from odoo.fields import Domain


class LoyaltyCard(models.Model):
    """Codes for one customer in Point of Sale, which binds coupons to the very contact
    and gift cards to nobody. There is no dependency on it: where it is installed, the
    method that a till asks about a code asks here first."""

    _inherit = "loyalty.card"

    def _register_hook(self):
        result = super()._register_hook()
        till = self.env.registry.get("pos.config")
        use = getattr(till, "use_coupon_code", None)
        if use and not hasattr(use, "helpdesk_asks"):

            @functools.wraps(use)
            def use_coupon_code(config, code, creation_date, partner_id, pricelist_id):
                # As the user of the till, who reads cards.
                card = config.env["loyalty.card"].search(
                    Domain("code", "=", code), limit=1
                )
                refusal, partner_id = card._ask_for_till(partner_id)
                if refusal:
                    payload = {"error_message": refusal}
                    return {"successful": False, "payload": payload}
                return use(config, code, creation_date, partner_id, pricelist_id)

            use_coupon_code.helpdesk_asks = True
            till.use_coupon_code = use_coupon_code
        return result

    def _unregister_hook(self):
        till = self.env.registry.get("pos.config")
        if till and hasattr(vars(till).get("use_coupon_code"), "helpdesk_asks"):
            del till.use_coupon_code
        return super()._unregister_hook()

    def _ask_for_till(self, partner_id):
        """Return why a till can't take this code in an order of this customer, or
        ``False``, and the contact that Odoo shall compare with.

        :param partner_id: as the till sends it; ``False`` without a customer
        """
        card = self.sudo()  # the user has found it; a sentence comes out of it
        if not card.helpdesk_customer_only:
            return False, partner_id
        partner = card.env["res.partner"].browse(partner_id or ())
        if card._is_for_partner(partner):
            return False, card.partner_id.id
        if partner:
            return card._get_helpdesk_refusal_for(partner), partner_id
        return (
            self.env._(
                "The code %(code)s was made for one customer only: choose the customer "
                "of the order first.",
                code=card.code,
            ),
            False,
        )
