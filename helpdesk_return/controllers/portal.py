from werkzeug.exceptions import NotFound

from odoo import http
from odoo.tools.mimetypes import guess_mimetype

from odoo.addons.helpdesk_after_sales.controllers.portal import HelpdeskPortal


class HelpdeskReturnPortal(HelpdeskPortal):
    """The slip that customers put into the parcel."""

    @http.route(
        "/my/tickets/<int:ticket_id>/return/<int:picking_id>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def portal_return_slip(self, ticket_id, picking_id, access_token=None, **_kwargs):
        """The return slip of a ticket, as a PDF, for who may see the ticket."""
        picking = self._get_return(ticket_id, picking_id, access_token)
        # Odoo makes it under sudo(): the visitor may see the ticket, and this is a
        # return of its customer.
        return self._show_report(
            picking, "pdf", "helpdesk_return.report_return_slip", download=True
        )

    @http.route(
        "/my/tickets/<int:ticket_id>/return/<int:picking_id>/label",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def portal_return_label(self, ticket_id, picking_id, access_token=None, **_kwargs):
        """The carrier's label of a return, for who may see the ticket (X24)."""
        picking = self._get_return(ticket_id, picking_id, access_token)
        label = picking.sudo()._get_helpdesk_label_content()  # sudo: checked above
        if not label:
            raise NotFound
        name, content = label
        return http.request.make_response(
            content,
            headers=[
                ("Content-Type", guess_mimetype(content)),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(name)),
            ],
        )

    def _get_return(self, ticket_id, picking_id, access_token):
        """Return a return of a ticket that the visitor may see.

        :raises NotFound: unless it is one that its customer is to send
        """
        ticket = self._ticket_check_access(ticket_id, access_token)
        picking = ticket.return_ids.filtered(
            lambda picking: (
                picking.id == picking_id
                and picking._is_helpdesk_return()
                and picking.state != "cancel"
                and picking._is_timeline_of(ticket)
            )
        )
        if not picking:
            raise NotFound
        return picking
