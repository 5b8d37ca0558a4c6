from odoo import http
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal


class CouponPortal(CustomerPortal):
    def _get_helpdesk_coupons(self):
        """Return the codes that were made on tickets of the visitor's company, under
        ``sudo()`` and bound to that company."""
        partner = request.env.user.partner_id.commercial_partner_id
        # sudo: customers may not read cards; the domain names their own company.
        return (
            request.env["loyalty.card"]
            .sudo()
            .search(
                Domain("helpdesk_ticket_id", "!=", False)
                & Domain("partner_id.commercial_partner_id", "=", partner.id),
                order="id desc",
            )
        )

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "helpdesk_coupon_count" in counters:
            values["helpdesk_coupon_count"] = len(self._get_helpdesk_coupons())
        return values

    @http.route("/my/coupons", type="http", auth="user", website=True, readonly=True)
    def portal_my_coupons(self, **_kwargs):
        """The customer's codes from tickets, with what they give and their state."""
        return request.render(
            "helpdesk_coupon.portal_my_coupons",
            {
                "page_name": "helpdesk_coupon",
                "coupons": self._get_helpdesk_coupons(),
            },
        )
