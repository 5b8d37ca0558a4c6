from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        left = self.env.context.get("helpdesk_refund_left") or {}
        for line, vals in zip(self, vals_list, strict=True):
            if line.move_id.id in left and line.display_type == "product":
                lines = left[line.move_id.id]["lines"]
                vals.update(lines.get(line.id) or {"quantity": 0})
        return vals_list
