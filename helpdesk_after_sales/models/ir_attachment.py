from odoo import models
from odoo.exceptions import AccessError


class IrAttachment(models.Model):
    _name = "ir.attachment"
    _inherit = "ir.attachment"

    def _check_access(self, operation):
        """Keep the files of internal notes from customers, who read their ticket.

        Only files of messages that they can read are theirs, and what they upload
        themselves (T13).
        """
        result = super()._check_access(operation)
        if self.env.su or self.env.user._is_internal():
            return result
        # sudo: reads what each file belongs to.
        files = self.sudo().filtered(
            lambda file: (
                file.res_model == "helpdesk.ticket"
                and not file.res_field
                and not file.public
                and file.create_uid != self.env.user
            )
        )
        if not files:
            return result
        messages = (
            self.env["mail.message"]
            .sudo()
            .search(
                [("model", "=", "helpdesk.ticket"), ("attachment_ids", "in", files.ids)]
            )
            .sudo(False)
            ._filtered_access("read")  # as the customer: nothing internal
        )
        hidden = (files - messages.sudo().attachment_ids).sudo(False)
        if not hidden:
            return result
        if result:
            return result[0] | hidden, result[1]
        return hidden, lambda: AccessError(
            self.env._("You can't access this file, or it doesn't exist.")
        )
