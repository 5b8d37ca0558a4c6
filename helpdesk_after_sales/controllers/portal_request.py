from base64 import b64encode
from contextlib import suppress
from ipaddress import ip_address, ip_network
from uuid import uuid4

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import MissingError, UserError
from odoo.http import request
from odoo.tools import hmac

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager

from ..tools import format_quantity
from ..tools.reading import read_id, read_integer

PER_SESSION = 5


class HelpdeskRequestPortal(CustomerPortal):
    """New tickets, and requests for a return or a repair (X9).

    The forms only pass on what was typed: rights, limits and quantities are checked in
    the methods ``portal_*`` of the ticket, which the external API calls as well.
    """

    def _get_form_photos(self):
        """Return the uploaded files as the methods of the ticket want them."""
        return [
            (file.filename, b64encode(file.read()).decode())
            for file in request.httprequest.files.getlist("photos")
            if file.filename
        ]

    def _get_form_id(self, text):
        """Return the id that a field of a form holds, or ``None``."""
        return read_id(text)

    def _show_form(self, template, values, params, error=None):
        """Return the page of a form, with what was typed after a refusal."""
        return request.render(
            template,
            self._prepare_portal_layout_values()
            | {
                "typed": params,
                "error": error,
                "key": params.get("key") or uuid4().hex,
            }
            | values,
        )

    # -- New ticket ----------------------------------------------------------

    @http.route(
        "/my/tickets/new",
        type="http",
        auth="user",
        methods=["GET", "POST"],
        website=True,
    )
    def portal_new_ticket(self, **params):
        """The form of a new ticket; sending it leads to the page of the ticket."""
        tickets = request.env["helpdesk.ticket"]
        error = None
        if request.httprequest.method == "POST":
            try:
                with request.env.cr.savepoint():
                    ticket_id = tickets.portal_create(
                        params.get("name"),
                        description=params.get("description"),
                        team_id=self._get_form_id(params.get("team_id")),
                        line_id=self._get_form_id(params.get("line_id")),
                        photos=self._get_form_photos(),
                        key=params.get("key"),
                    )
                return request.redirect(f"/my/tickets/{ticket_id}?status=sent")
            except (UserError, MissingError) as refusal:
                error = str(refusal)
        return self._show_form(
            "helpdesk_after_sales.portal_new_ticket",
            {
                "page_name": "ticket_new",
                "teams": tickets._get_portal_teams(),
                "purchases": tickets._get_portal_lines(limit=80),
            },
            params,
            error,
        )

    @http.route(
        "/helpdesk/<int:team_id>",
        type="http",
        auth="public",
        methods=["GET", "POST"],
        website=True,
    )
    def portal_public_form(self, team_id, **params):
        """The form of a team for visitors; who is logged in gets their own form."""
        tickets = request.env["helpdesk.ticket"]
        team = tickets._get_portal_teams().filtered(
            lambda team: team.id == team_id and team.allow_public_form
        )
        if not team:
            raise NotFound
        if not request.env.user._is_public():
            return request.redirect(f"/my/tickets/new?team_id={team.id}")
        error = None
        if request.httprequest.method == "POST":
            try:
                with request.env.cr.savepoint():
                    self._send_public_form(team, params)
                return request.redirect(f"/helpdesk/{team.id}?status=sent")
            except UserError as refusal:
                error = str(refusal)
        return self._show_form(
            "helpdesk_after_sales.portal_public_form",
            {
                "page_name": "ticket_public",
                "team": team,
                "sent": params.get("status") == "sent",
            },
            params,
            error,
        )

    def _send_public_form(self, team, params):
        """Create the ticket of a visitor, who may not send many (T23)."""
        tickets = request.env["helpdesk.ticket"]
        sent = request.session.get("helpdesk_sent", 0)
        if sent >= PER_SESSION:
            raise UserError(
                request.env._(
                    "You have sent too many requests. Please write us an email."
                )
            )
        tickets._create_visitor_ticket(
            team,
            {
                "name": params.get("name"),
                "partner_name": params.get("partner_name"),
                "partner_email": params.get("partner_email"),
                "description": params.get("description"),
            },
            self._get_form_photos(),
            params.get("key"),
            self._get_origin(),
        )
        request.session["helpdesk_sent"] = sent + 1

    def _get_origin(self):
        """Return what stands for the network address of the visitor: the network that
        one provider may hand to one customer, and what one household has of it."""
        networks = [request.httprequest.remote_addr or ""]
        with suppress(ValueError):  # behind some proxies it is no address
            address = ip_address(networks[0].partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            networks = [
                str(ip_network((address, size), strict=False))
                for size in ((24, 32) if address.version == 4 else (48, 64))
            ]
        # sudo: the secret of the database; the address itself isn't kept.
        secret = request.env(su=True)
        return " ".join(
            hmac(secret, "helpdesk.ticket-origin", network) for network in networks
        )

    # -- Requests ------------------------------------------------------------

    @http.route(
        ["/my/purchases", "/my/purchases/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_my_purchases(self, page=1, **_params):
        """What the customer bought, and what can be asked for on each line (X4, X9)."""
        tickets = request.env["helpdesk.ticket"]
        step = 10
        pager = portal_pager(
            url="/my/purchases",
            total=tickets._count_portal_lines(),
            page=read_integer(page, default=1, minimum=1),
            step=step,
        )
        return request.render(
            "helpdesk_after_sales.portal_my_purchases",
            self._prepare_portal_layout_values()
            | {
                "page_name": "purchases",
                "default_url": "/my/purchases",
                "pager": pager,
                "purchases": tickets.portal_purchases(pager["offset"], step),
            },
        )

    @http.route(
        "/my/purchases/<int:line_id>/<string:kind>",
        type="http",
        auth="user",
        methods=["GET", "POST"],
        website=True,
    )
    def portal_request(self, line_id, kind, **params):
        """The form that asks for a return or a repair of an order line (X9)."""
        tickets = request.env["helpdesk.ticket"]
        services = tickets._get_request_offers()
        service = next(
            (switch for switch, offer in services.items() if offer["kind"] == kind),
            None,
        )
        try:
            line = tickets._get_portal_line(line_id)
        except MissingError as error:
            raise NotFound from error
        if not service:
            raise NotFound
        error = None
        if request.httprequest.method == "POST":
            try:
                with request.env.cr.savepoint():
                    ticket_id = tickets.portal_request(
                        service,
                        line_id,
                        params.get("quantity"),
                        wish=params.get("wish"),
                        reason_id=self._get_form_id(params.get("reason_id")),
                        description=params.get("description"),
                        lot_id=self._get_form_id(params.get("lot_id")),
                        photos=self._get_form_photos(),
                        key=params.get("key"),
                        ticket_id=self._get_form_id(params.get("ticket_id")),
                    )
                return request.redirect(f"/my/tickets/{ticket_id}?status=sent")
            except UserError as refusal:
                error = str(refusal)
        team, left, refusal = tickets._get_portal_request_left(service, line)
        unit = line.product_uom_id
        return self._show_form(
            "helpdesk_after_sales.portal_request",
            {
                "page_name": "purchase_request",
                "offer": services[service],
                "wishes": tickets._get_request_wishes(service),
                "line": line,
                "delivered_text": format_quantity(
                    request.env, line.qty_delivered, unit
                ),
                "left": left,
                "left_text": format_quantity(request.env, left, unit),
                "refusal": refusal,
                "lots": tickets._get_request_lots(service, line),
                "reasons": tickets._get_request_reasons(service, team),
                "reason_required": team.require_reason,
                "open_tickets": tickets._get_portal_open_tickets(line.company_id),
            },
            params,
            error,
        )
