from werkzeug.exceptions import NotFound

from odoo import http

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
        # Odoo makes it under sudo(): the visitor may see the ticket, and this is a
        # return of its customer.
        return self._show_report(
            picking, "pdf", "helpdesk_return.report_return_slip", download=True
        )
