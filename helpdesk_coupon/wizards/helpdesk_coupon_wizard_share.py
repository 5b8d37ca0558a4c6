from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.helpdesk_after_sales.tools import asks_rules


class HelpdeskCouponWizard(models.TransientModel):
    """The page *Share Coupons*: the link that opens the shop with the code (S58)."""

    _inherit = "helpdesk.coupon.wizard"

    share_website = fields.Selection(
        selection="_selection_share_website",
        string="Website",
        compute="_compute_share_website",
        store=True,
        readonly=False,
    )
    share_several = fields.Boolean(compute="_compute_share_link")
    share_link = fields.Char(compute="_compute_share_link")

    @api.model
    def _selection_share_website(self):
        if "coupon.share" not in self.env:
            return []
        # sudo: names of websites, which everybody can see on the web.
        return [
            (str(website.id), website.name)
            for website in self.env["website"].sudo().search([])
        ]

    @api.depends("coupon_id")
    def _compute_share_website(self):
        for wizard in self:
            coupon = wizard._get_own_coupon()
            wizard.share_website = (
                str(coupon._get_helpdesk_websites()[:1].id or "") or False
                if coupon and "coupon.share" in self.env
                else False
            )

    @api.depends("coupon_id", "share_website")
    def _compute_share_link(self):
        for wizard in self:
            coupon = wizard._get_own_coupon()
            wizard.share_link = False
            wizard.share_several = False
            if not coupon or "coupon.share" not in self.env:
                continue
            websites = coupon._get_helpdesk_websites()
            wizard.share_several = len(websites) > 1
            website = websites.filtered(
                lambda w, chosen=wizard.share_website: str(w.id) == chosen
            )
            if website:
                wizard.share_link = coupon._get_helpdesk_share_link(website)

    @asks_rules
    def action_get_share_link(self):
        """Make the code, once, and return the pop-up **Share Coupons** (S58, S59).

        :raises AccessError, UserError: see :meth:`_check_coupon`; without eCommerce
        """
        self.check_access("write")
        self.env["helpdesk.ticket"]._check_coupon_shop()
        self._get_coupon()
        return self._open_share_link()

    def _open_share_link(self):
        self.env["helpdesk.ticket"]._check_coupon_shop()
        coupon = self.coupon_id
        # sudo: the coupon is the one that this wizard made; its program is named.
        if not coupon.sudo()._get_helpdesk_websites():
            raise UserError(
                self.env._(
                    "The program %(program)s can't be used on a website of "
                    "%(company)s. Send the code by email.",
                    program=coupon.sudo().program_id.name,
                    company=self.company_id.display_name,
                )
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Share Coupons"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [
                (
                    self.env.ref(
                        "helpdesk_coupon.helpdesk_coupon_wizard_view_form_share"
                    ).id,
                    "form",
                )
            ],
            "target": "new",
            "context": {},
        }
