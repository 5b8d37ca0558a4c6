from odoo import models


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _has_included(self):
        """Return whether prices hold one of these taxes already."""
        return any(self.flatten_taxes_hierarchy().mapped("price_include"))
