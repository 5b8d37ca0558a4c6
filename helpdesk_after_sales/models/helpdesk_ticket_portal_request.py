import math

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.tools import plaintext2html

from ..tools.quantity import format_quantity


class HelpdeskTicket(models.Model):
    """What customers do in the portal, for the external API too: new tickets, and
    requests for a service (X9). Each method checks the rights of who calls it."""

    _inherit = "helpdesk.ticket"

    request_key = fields.Char(
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_system",
        help="Technical: the form that this ticket came from, so that it makes one.",
    )

    @api.model
    def _get_portal_customer(self):
        """Return the contact of the user.

        :raises AccessError: for visitors
        """
        if not self.env.user or self.env.user._is_public():
            raise AccessError(self.env._("Log in to do this."))
        return self.env.user.partner_id

    @api.model
    def _get_portal_teams(self, switch=None):
        """Return the teams, under ``sudo()``, that take new tickets in the portal; with
        ``switch`` those that offer a service there."""
        domain = Domain("privacy_visibility", "=", "portal")
        if switch:
            domain &= Domain(switch, "=", True) & Domain(
                "allow_portal_requests", "=", True
            )
        # sudo: customers may not read teams; names are all that is shown.
        return self.env["helpdesk.team"].sudo().search(domain)

    @api.model
    def _get_portal_lines_domain(self, team=None):
        """Return the domain of the delivered order lines of the user's company."""
        customer = self._get_portal_customer().commercial_partner_id
        orders = Domain("state", "=", "sale") & Domain(
            "partner_id.commercial_partner_id", "=", customer.id
        )
        if team:
            orders &= Domain("company_id", "=", team.company_id.id)
        return (
            Domain("display_type", "=", False)
            & Domain("is_downpayment", "=", False)
            & Domain("product_id", "!=", False)
            & Domain("order_id", "any!", orders)
        )

    @api.model
    def _get_portal_lines(self, offset=0, limit=None):
        """Return the order lines of the user's company, the newest first, under
        ``sudo()``; their products are named without our internal references."""
        # sudo: the domain names the user's own company.
        lines = self.env["sale.order.line"].sudo()
        lines = lines.with_context(display_default_code=False)
        return lines.search(
            self._get_portal_lines_domain(),
            order="order_id, id",
            offset=offset,
            limit=limit,
        )

    @api.model
    def _count_portal_lines(self):
        """Return how many order lines the user's company has."""
        # sudo: as in _get_portal_lines
        lines = self.env["sale.order.line"].sudo()
        return lines.search_count(self._get_portal_lines_domain())

    @api.model
    def _get_request_wishes(self, service):
        """Return ``[(wish, label)]`` that a service offers."""
        # sudo: customers may not read services; codes and names are all that is shown.
        services = self.env["helpdesk.after.sales.service"].sudo()
        offered = services.search(Domain("switch", "=", service)).resolution_ids
        return [(resolution.code, resolution.name) for resolution in offered]

    @api.model
    def _get_portal_line(self, line_id):
        """Return an order line of the user's company, as :meth:`_get_portal_lines`.

        :raises MissingError: when it isn't one, whether or not it exists
        """
        if type(line_id) is not int or not 0 < line_id < 2**31:
            raise MissingError(self.env._("There is no such order line."))
        # sudo: the domain names the user's own company.
        line = (
            self.env["sale.order.line"]
            .sudo()
            .with_context(display_default_code=False)
            .search(self._get_portal_lines_domain() & Domain("id", "=", line_id))
        )
        if not line:
            raise MissingError(self.env._("There is no such order line."))
        return line

    @api.model
    def _get_portal_request_left(self, service, line):
        """Return ``(team, quantity, sentence)`` for the customer: who takes the
        request, what can be asked for, and why nothing can. Waiting requests count."""
        team = self.env["helpdesk.team"]
        if isinstance(service, str) and service in self._get_request_services():
            team = self._get_portal_teams(service).filtered(
                lambda team: team.company_id == line.company_id
            )[:1]
        if not team:
            return team, 0, self.env._("This service is not offered.")
        left, refusal = self._get_request_left(service, line)
        if refusal:
            return team, 0, refusal
        # sudo: quantities of the customer's own line.
        asked = sum(
            self.env["helpdesk.ticket.line"]
            .sudo()
            .search(self._get_waiting_domain(service, line))
            .mapped("quantity")
        )
        left = line.product_uom_id.round(left - asked)
        if line.product_uom_id.compare(left, 0) <= 0:
            return team, 0, self.env._("You have already requested this.")
        return team, left, False

    @api.model
    def _get_waiting_domain(self, service, line):
        """Return the domain of the requests for a line that nobody has answered; who
        closes a ticket without an answer has dropped its request."""
        return (
            Domain("sale_line_id", "=", line.id)
            & Domain("state", "=", "asked")
            & Domain("service", "=", service)
            & Domain("ticket_id.close_date", "=", False)
        )

    @api.model
    @api.readonly
    def portal_purchases(self, offset=0, limit=20):
        """Return what the user's company has bought, for the user: a list of
        ``{"id", "order", "product", "delivered", "delivered_text", "unit", "date",
        "requests"}``; ``delivered_text`` is as the user's language writes it.

        ``requests`` tells per service what can be asked for: ``{"service", "kind",
        "button", "left", "refusal"}``; quantities in the unit of the line.

        :raises AccessError: for visitors
        """
        if type(offset) is not int or type(limit) is not int:
            raise UserError(self.env._("Offset and limit must be whole numbers."))
        lines = self._get_portal_lines(
            min(max(offset, 0), 10**9), max(min(limit, 80), 0)
        )
        services = self._get_request_offers()
        offered = {switch for switch in services if self._get_portal_teams(switch)}
        result = []
        for line in lines:
            requests = []
            for switch in services:
                if switch not in offered:
                    continue
                _team, left, refusal = self._get_portal_request_left(switch, line)
                requests.append(
                    {
                        "service": switch,
                        "kind": services[switch]["kind"],
                        "button": services[switch]["button"],
                        "left": left,
                        "refusal": refusal,
                    }
                )
            result.append(
                {
                    "id": line.id,
                    "order": line.order_id.name,
                    "product": line.product_id.display_name,
                    "delivered": line.qty_delivered,
                    "delivered_text": format_quantity(
                        self.env, line.qty_delivered, line.product_uom_id
                    ),
                    "unit": line.product_uom_id.name,
                    "date": line.order_id.date_order,
                    "requests": requests,
                }
            )
        return result

    @api.model
    def portal_request(
        self,
        service,
        line_id,
        quantity,
        wish=None,
        reason_id=None,
        description="",
        lot_id=None,
        photos=(),
        key=None,
        ticket_id=None,
    ):
        """Ask for a service on an order line of the user's company; returns the id of
        the ticket (X9).

        :param service: a key of ``_get_request_services()``
        :param quantity: in the unit of the line, at most what is left
        :param wish: the code of a resolution that the service offers
        :param photos: ``[(name, content in base64)]``
        :param key: any text; a second call with it returns the ticket of the first one
        :param ticket_id: an open ticket of the user to add it to, see
            :meth:`_get_portal_open_tickets`
        :raises UserError: with a sentence why this can't be asked for
        :raises MissingError: when the line isn't one of the user's company
        """
        line = self._get_portal_line(line_id)
        if known := self._get_portal_ticket_of(key):
            return known.id
        # One request at a time for a line: the second one reads what the first took.
        self.env["helpdesk.ticket"]._lock_after_sales(line)
        team, left, refusal = self._get_portal_request_left(service, line)
        if refusal:
            raise UserError(refusal)
        quantity = self._check_request_quantity(line, quantity, left)
        lot = self._check_request_lot(service, line, lot_id, quantity)
        reason = self._check_request_reason(service, team, reason_id)
        offer = self._get_request_offers()[service]
        if wish not in (None, False, "", *dict(self._get_request_wishes(service))):
            raise UserError(self.env._("Choose one of the offered resolutions."))
        asked = {
            "origin": "customer",
            "state": "asked",
            "service": service,
            "resolution": wish or False,
            "sale_line_id": line.id,
            "sale_order_id": line.order_id.id,
            "product_id": line.product_id.id,
            "quantity": quantity,
            "uom_id": line.product_uom_id.id,
            "lot_id": lot.id,
            "reason_id": reason.id,
        }
        self._check_portal_rules(team, line, asked)
        if ticket_id:
            ticket = self._check_portal_open_ticket(line.company_id, ticket_id)
            asked["request_key"] = self._clean_portal_text(key, 64)
            return ticket._add_portal_request(asked, description, photos).id
        name = offer["subject"] % {"product": line.product_id.display_name}
        values = {"name": name, "line_ids": [Command.create(asked)]}
        return self._create_portal_ticket(team, values, description, photos, key).id

    @api.model
    def _get_portal_open_tickets(self, company):
        """Return the user's own tickets, under ``sudo()``, to which a request for
        something sold by ``company`` can be added: open ones with a request."""
        customer = self._get_portal_customer()
        # sudo: the domain names the user's own tickets.
        return (
            self.env["helpdesk.ticket"]
            .sudo()
            .search(
                Domain("partner_id", "=", customer.id)
                & Domain("company_id", "=", company.id)
                & Domain("close_date", "=", False)
                & Domain("team_id.privacy_visibility", "=", "portal")
                & Domain("team_id.allow_portal_requests", "=", True)
                & Domain("line_ids.state", "=", "asked"),
                order="id desc",
                limit=20,
            )
        )

    @api.model
    def _check_portal_open_ticket(self, company, ticket_id):
        tickets = self._get_portal_open_tickets(company)
        ticket = tickets.filtered(lambda ticket: ticket.id == ticket_id)
        if not ticket:
            raise UserError(self.env._("Choose one of your open requests."))
        return ticket

    def _add_portal_request(self, asked, description, photos):
        """Add what the customer asks for to this ticket, under ``sudo()``; the caller
        has checked both. Returns the ticket."""
        self.ensure_one()
        customer = self._get_portal_customer()
        lines = self.env["helpdesk.ticket.line"].sudo()  # sudo: see the caller
        own = Domain("create_uid", "=", self.env.uid)
        self._check_portal_limit(own, model=lines._name)
        files = self._check_photos(photos)
        last = max(self.line_ids.mapped("sequence"), default=9)
        line = lines.create(asked | {"ticket_id": self.id, "sequence": last + 1})
        text = self._clean_portal_text(description, 20000)
        self.message_post(
            body=Markup("%s<br/>%s") % (line._describe(), plaintext2html(text)),
            attachments=files,
            author_id=customer.id,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        return self

    @api.model
    def _check_request_quantity(self, line, quantity, left):
        """Return the quantity as a number that can be asked for."""
        uom = line.product_uom_id
        try:
            quantity = float(quantity)
        except (TypeError, ValueError, OverflowError):
            quantity = math.nan
        # What is far too much can't even be rounded.
        if not abs(quantity) < 1e9 or uom.compare(quantity, 0) <= 0:
            raise UserError(self.env._("Enter the quantity concerned."))
        if uom.compare(quantity, left) > 0:
            raise UserError(
                self.env._(
                    "Only %(left)s can still be requested.",
                    left=format_quantity(self.env, left, uom),
                )
            )
        return uom.round(quantity)

    @api.model
    def _check_request_lot(self, service, line, lot_id, quantity):
        """Return the lot that is asked for, under ``sudo()``."""
        lots = self._get_request_lots(service, line)
        lot = lots.filtered(lambda lot: lot.id == lot_id)
        if lot_id and not lot:
            raise UserError(
                self.env._(
                    "This serial number was not delivered with the order, or something "
                    "is done about it already."
                )
            )
        if line.product_id.tracking != "serial" or not (lot or lots):
            return lot
        if not lot:
            raise UserError(self.env._("Choose the serial number."))
        if line.product_uom_id.compare(quantity, 1) > 0:
            raise UserError(self.env._("Ask for one serial number at a time."))
        return lot

    @api.model
    def _get_request_reasons(self, service, team):
        """Return the reasons to choose from, under ``sudo()``."""
        # sudo: customers may not read reasons; they are shown the names of these.
        return (
            self.env["helpdesk.after.sales.reason"]
            .sudo()
            .search(
                Domain("services.switch", "=", service)
                & Domain("company_id", "in", (False, team.company_id.id))
            )
        )

    @api.model
    def _check_request_reason(self, service, team, reason_id):
        reasons = self._get_request_reasons(service, team)
        reason = reasons.filtered(lambda reason: reason.id == reason_id)
        if (reason_id or (team.require_reason and reasons)) and not reason:
            raise UserError(self.env._("Choose one of the offered reasons."))
        return reason

    @api.model
    def portal_create(
        self, name, description="", team_id=None, line_id=None, photos=(), key=None
    ):
        """Open a ticket for the user; returns its id.

        :param team_id: a team that takes tickets in the portal; the first one if left
        :param line_id: an order line of the user's company that it is about
        :param photos, key: see :meth:`portal_request`
        :raises UserError: when the subject is missing, or no team takes tickets
        """
        self._get_portal_customer()
        values = {"name": self._clean_portal_text(name, 250, line=True)}
        if not values["name"]:
            raise UserError(self.env._("Enter a subject."))
        if known := self._get_portal_ticket_of(key):
            return known.id
        teams = self._get_portal_teams()
        team = teams.filtered(lambda t: t.id == team_id) if team_id else teams[:1]
        if not team:
            raise UserError(self.env._("Choose one of the offered teams."))
        if line_id:
            line = self._get_portal_line(line_id)
            if line.company_id != team.company_id:
                team = teams.filtered(lambda t: t.company_id == line.company_id)[:1]
            if not team:
                raise UserError(self.env._("Choose one of the offered teams."))
            values["sale_order_id"] = line.order_id.id
            values["product_id"] = line.product_id.id
        return self._create_portal_ticket(team, values, description, photos, key).id

    def _describe_portal_lines(self):
        """Return what this ticket is about, for its customer: a list of
        ``{"id", "description", "product", "serial_number", "quantity", "unit", "order",
        "asked", "state", "style", "answer"}``. The caller has checked the access."""
        self.ensure_one()
        result = []
        # sudo: see the caller; nothing of it but this is told.
        lines = self.with_context(display_default_code=False).sudo().line_ids
        for line in lines.filtered("product_id"):
            dropped = line.state == "asked" and self.close_date
            known = line.state != "draft" and not dropped
            state, style = line._get_badge() if known else (False, "")
            result.append(
                {
                    "id": line.id,
                    "description": line._describe(),
                    "product": line.product_id.display_name,
                    "serial_number": line.lot_id.name,
                    "quantity": line.quantity,
                    "unit": line.uom_id.name,
                    "order": line.sale_order_id.name,
                    "asked": line.origin == "customer",
                    "state": state,
                    "style": style,
                    "answer": line.answer,
                }
            )
        return result

    @api.model
    def _get_portal_ticket_of(self, key):
        """Return the ticket that this form of the user has made already.

        Two clicks at once are held one after the other by the user's contact."""
        # sudo: only the own ticket, by a key that the form alone knows.
        tickets = self.env["helpdesk.ticket"].sudo()
        tickets._lock_after_sales(self.env.user.partner_id)
        key = self._clean_portal_text(key, 64)
        if not key:
            return tickets
        own = Domain("request_key", "=", key) & Domain("create_uid", "=", self.env.uid)
        lines = tickets.env["helpdesk.ticket.line"]
        return tickets.search(own, limit=1) or lines.search(own, limit=1).ticket_id

    @api.model
    def _create_portal_ticket(self, team, values, description, photos, key=None):
        """Create a ticket for the user, whose input has been checked; returns it under
        ``sudo()``."""
        customer = self._get_portal_customer()
        self._check_portal_limit(Domain("create_uid", "=", self.env.uid))
        files = self._check_photos(photos)
        # sudo: the caller has checked what the ticket is about; it is the user's own.
        ticket = (
            self.env["helpdesk.ticket"]
            .sudo()
            .with_company(team.company_id)
            .create(
                {
                    "team_id": team.id,
                    "partner_id": customer.id,
                    "description": plaintext2html(
                        self._clean_portal_text(description, 20000)
                    ),
                    "request_key": self._clean_portal_text(key, 64),
                }
                | values
            )
        )
        if files:
            ticket.message_post(
                attachments=files,
                author_id=customer.id,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
        return ticket
