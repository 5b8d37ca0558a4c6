from odoo import api, models


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _has_included(self):
        """Return whether prices hold one of these taxes already."""
        return any(self.flatten_taxes_hierarchy().mapped("price_include"))

    @api.model
    def _get_base_line_total(self, base_line):
        """Return what a base line comes to with taxes, in its currency, after it was
        rounded."""
        details = base_line["tax_details"]
        return (
            details["total_excluded_currency"]
            + details["delta_total_excluded_currency"]
            + sum(data["tax_amount_currency"] for data in details["taxes_data"])
        )
