from odoo import models
from odoo.exceptions import MissingError
from odoo.tools import consteq
from odoo.tools.misc import (
    limited_field_access_token,
    verify_limited_field_access_token,
)


class IrAttachment(models.Model):
    """The links to the files of a ticket end with the link to the ticket itself.

    Odoo signs them with the secret of the database only: whoever was the customer could
    open them for two to six weeks more (T10).
    """

    _inherit = "ir.attachment"

    def _get_ticket_scope(self):
        """Return what the links to this file are signed with beside the secret of the
        database, or ``False`` when it isn't a file of a ticket."""
        # sudo: compared and signed only.
        attachment = self.sudo()
        if attachment.res_model != "helpdesk.ticket" or not attachment.res_id:
            return False
        ticket = self.env["helpdesk.ticket"].sudo().browse(attachment.res_id)
        try:
            return f"helpdesk.ticket {ticket.access_token}"
        except MissingError:
            # Deleted past the ORM, which would have taken its files along: what was
            # signed for its customers opens nothing more.
            return "helpdesk.ticket"

    def _get_raw_access_token(self):
        scope = self._get_ticket_scope()
        if not scope:
            return super()._get_raw_access_token()
        return limited_field_access_token(self, "raw", scope=scope)

    def _get_thumbnail_token(self):
        scope = self._get_ticket_scope()
        if not scope:
            return super()._get_thumbnail_token()
        return limited_field_access_token(self, "thumbnail", scope=scope)

    def _can_return_content(self, field_name=None, access_token=None):
        scope = access_token and self._get_ticket_scope()
        # sudo: compared only.
        if not scope or consteq(self.sudo().access_token or "", access_token):
            return super()._can_return_content(field_name, access_token)
        if verify_limited_field_access_token(
            self, field_name, access_token, scope=scope
        ):
            return True
        # Whoever still may read the ticket goes on with the link of an old page.
        return super()._can_return_content(field_name)
