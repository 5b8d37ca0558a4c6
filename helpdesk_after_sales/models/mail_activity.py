from odoo import models

from ..tools.pointers import find_hidden


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def _compute_res_name(self):
        result = super()._compute_res_name()
        # A saved one was made by who may read the document.
        shown = self.filtered(lambda activity: not activity.id)
        find_hidden(shown, "res_model", lambda model: False).res_name = False
        return result
