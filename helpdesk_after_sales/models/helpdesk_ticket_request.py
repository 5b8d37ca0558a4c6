import math
from base64 import b64decode
from urllib.parse import urljoin

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.tools import email_normalize, float_repr, formataddr, plaintext2html
from odoo.tools.mimetypes import guess_mimetype

REQUEST_FIELDS = (
    "request_service",
    "request_wish",
    "request_state",
    "request_answer",
    "request_date",
    "request_key",
)
PHOTOS = ("image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf")


class HelpdeskTicket(models.Model):
    """What a customer asks for in the portal: a return or a repair of what was
    delivered (X9).

    A request is a ticket with lines and a state. A service takes part when its bridge
    extends :meth:`_get_request_services` and :meth:`_get_request_left` of this model,
    and its wizard reads ``_get_request_lines()``; the addons never meet each other.
    """

    _inherit = "helpdesk.ticket"

    request_line_ids = fields.One2many(
        comodel_name="helpdesk.ticket.request.line",
        inverse_name="ticket_id",
        string="Requested",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    request_service = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="Technical: the switch of the service that the customer asks for.",
    )
    request_wish = fields.Selection(
        selection="_selection_resolution",
        string="Requested Resolution",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    request_state = fields.Selection(
        selection=[
            ("waiting", "Waiting for an answer"),
            ("approved", "Approved"),
            ("declined", "Declined"),
        ],
        string="Request",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        tracking=True,
    )
    request_answer = fields.Text(
        string="Answer to the Customer",
        readonly=True,
        copy=False,
        groups="base.group_user",
    )
    request_date = fields.Datetime(
        string="Answered On", readonly=True, copy=False, groups="base.group_user"
    )
    request_key = fields.Char(
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_system",
        help="Technical: the form that this ticket came from, so that it makes one.",
    )
    request_origin = fields.Char(
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_system",
        help="Technical: whence a visitor sent this ticket, as a hash, so that nobody "
        "sends too many.",
    )
    request_summary = fields.Char(
        compute="_compute_request_summary", groups="base.group_user"
    )
    request_notice = fields.Char(
        compute="_compute_request_summary", groups="base.group_user"
    )

    @api.model
    def _selection_resolution(self):
        # sudo: codes and names that an administrator wrote.
        resolutions = self.env["helpdesk.after.sales.resolution"].sudo()
        return [(r.code, r.name) for r in resolutions.search(Domain.TRUE)]

    # -- What bridges extend -------------------------------------------------

    @api.model
    def _get_request_services(self):
        """Return ``{switch of the team: {"open", ...}}`` of what customers can ask for.
        A bridge adds its own; its ``helpdesk.after.sales.service`` says which
        resolutions are offered.

        ``open`` is the method of the ticket that opens the pop-up. The others are words
        for it, see :meth:`_get_request_offers`: ``kind`` stands in the address of the
        form, ``button`` and ``title`` are for the customer, ``subject`` becomes that of
        the ticket, ``summary`` says to an agent what is asked for.
        """
        return {}

    @api.model
    def _get_request_offers(self):
        """Return the services of :meth:`_get_request_services`, each with all words."""
        offers = self._get_request_services()
        # sudo: customers may not read services; their names are all that is shown.
        services = self.env["helpdesk.after.sales.service"].sudo()
        names = {
            service.switch: service.name
            for service in services.search(Domain("switch", "in", [*offers]))
        }
        return {
            switch: {
                "kind": switch.removeprefix("use_"),
                "button": names.get(switch, switch),
                "title": names.get(switch, switch),
                "subject": names.get(switch, switch) + ": %(product)s",
                "summary": self.env._("The customer asks for"),
            }
            | offer
            for switch, offer in offers.items()
        }

    @api.model
    def _get_request_left(self, _service, line):
        """Return ``(quantity, sentence)``: how much of an order line can be asked for,
        in its unit, and why nothing can (X4), or ``False``.

        That is what was delivered, unless the bridge of the service knows better.

        :param line: a line of ``sale.order.line``, under ``sudo()``
        """
        if line.product_uom_id.compare(line.qty_delivered, 0) <= 0:
            return 0, self.env._("Nothing of it is delivered yet.")
        return line.qty_delivered, False

    @api.model
    def _get_request_lots(self, service, line):
        """Return the lots, under ``sudo()``, of an order line that can be asked for. A
        bridge takes out those that its wizard would refuse.

        :param line: see :meth:`_get_request_left`
        """
        if line.product_id.tracking == "none":
            return line.env["stock.lot"]
        moves = line.move_ids.filtered(
            lambda move: (
                move.state == "done" and move.location_dest_id.usage == "customer"
            )
        )
        waiting = line.env["helpdesk.ticket.request.line"].search(
            self._get_waiting_domain(service, line)
        )
        taken = waiting.filtered(
            lambda asked: asked.product_id.tracking == "serial"
        ).lot_id
        return moves.move_line_ids.lot_id - taken

    def _open_request_wizard(self):
        """Return the action that opens the wizard for this request, which fills itself
        from ``_get_request_lines()``."""
        offer = self._get_request_services().get(self.request_service)
        if not offer:
            raise UserError(self.env._("This service is not offered any more."))
        return getattr(self, offer["open"])()

    # -- Agent ---------------------------------------------------------------

    @api.depends("request_state", "request_line_ids")
    @api.depends_context("lang")
    def _compute_request_summary(self):
        services = self._get_request_offers()
        wishes = dict(self._fields["request_wish"]._description_selection(self.env))
        # sudo: the ticket is the user's to read; its lines tell figures of its
        # customer's own order.
        for ticket in self.sudo():
            lines = ticket.request_line_ids
            if not lines:
                ticket.request_summary = ticket.request_notice = False
                continue
            service = services.get(ticket.request_service, {})
            ticket.request_summary = self.env._(
                "%(summary)s %(lines)s. Wish: %(wish)s.",
                summary=service.get("summary") or self.env._("The customer asks for"),
                lines=ticket._describe_request(),
                wish=wishes.get(ticket.request_wish, "-"),
            )
            ticket.request_notice = ticket._get_request_notice(lines)

    def _get_request_badge(self):
        """Return ``(words, style)`` of how far the request is, for its customer, or
        nothing. The caller has checked that the user may read the ticket."""
        self.ensure_one()
        # sudo: see above
        ticket = self.sudo()
        state = ticket.request_state
        # Who closes a ticket without an answer has dropped its request.
        if not state or (state == "waiting" and ticket.close_date):
            return False, False
        words = dict(self._fields["request_state"]._description_selection(self.env))
        styles = {"waiting": "info", "approved": "success", "declined": "secondary"}
        return words[state], styles[state]

    def _describe_request(self):
        """Return what is asked for, or nothing: "2 Units of Lamp (S00042)"."""
        return ", ".join(map(self._describe_request_line, self.request_line_ids))

    def _describe_request_line(self, line):
        """Return "2 Units of Lamp (S00042)" for a line of a request."""
        text = self.env._(
            "%(quantity)g %(unit)s of %(product)s (%(order)s)",
            quantity=line.quantity,
            unit=line.uom_id.name,
            product=line.product_id.display_name,
            order=line.sale_line_id.order_id.name,
        )
        details = [line.lot_id.name, line.reason_id.name]
        return ", ".join([text, *filter(None, details)])

    def _get_request_notice(self, lines):
        """Return what can be done about a waiting request, in one sentence (X4)."""
        if self.request_state != "waiting":
            return False
        notices = []
        for line in lines:
            left, refusal = self._get_request_left(
                self.request_service, line.sale_line_id
            )
            if refusal or line.uom_id.compare(line.quantity, left) > 0:
                notices.append(
                    refusal
                    or self.env._(
                        "%(product)s: only %(left)g %(unit)s are left.",
                        product=line.product_id.display_name,
                        left=left,
                        unit=line.uom_id.name,
                    )
                )
        return " ".join(notices) or self.env._("All of it can be done.")

    def action_approve_request(self):
        """Return the action that opens the service's pop-up, filled with the request.

        The request counts as approved when that pop-up has made its document (X9).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when there is no request, or it has been answered
        """
        self.ensure_one()
        self._check_request_waiting()
        return self._open_request_wizard()

    def action_decline_request(self):
        """Return the action that opens the pop-up **Decline**. Raises as
        :meth:`action_approve_request`."""
        self.ensure_one()
        self._check_request_waiting()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decline the Request"),
            "res_model": "helpdesk.ticket.request.decline",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_helpdesk_ticket_id": self.id},
        }

    def _check_request_waiting(self):
        """Raise unless the user may answer the request of this ticket now."""
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(self.env._("Only helpdesk users answer requests."))
        self.sudo(False).check_access("write")
        if self.request_state != "waiting":
            raise UserError(
                self.env._("The request of this ticket has been answered already.")
                if self.request_state
                else self.env._("The customer has asked for nothing on this ticket.")
            )

    def _get_request_lines(self, service):
        """Return the lines, under ``sudo()``, of a request for ``service`` that waits
        on this ticket. For the wizards: none when there is nothing to answer."""
        # sudo: the wizard has proved the ticket, or proves it before it acts.
        ticket = self.sudo()
        if ticket.request_state != "waiting" or ticket.request_service != service:
            return self.env["helpdesk.ticket.request.line"]
        return ticket.request_line_ids

    def _approve_request(self, documents):
        """Mark the request as approved by what was just made for it, and tell the
        customer. The caller has checked the user and the ticket."""
        self.ensure_one()
        # sudo: see above; state and answer of a request are written here only.
        ticket = self.sudo()
        ticket.write({"request_state": "approved", "request_date": self.env.cr.now()})
        ticket = ticket._in_customer_language()
        # sudo: their names, as the customer of the ticket reads them.
        made = documents.sudo().with_context(lang=ticket.env.lang)
        body = Markup("%s<br/>") % ticket.env._(
            "We have approved your request: %(document)s.",
            document=", ".join(made.mapped("display_name")),
        )
        for document in made:
            values = document._prepare_timeline_values(True) or {}
            if url := values.get("url"):
                body += Markup('<a href="%s">%s</a><br/>') % (
                    urljoin(ticket.get_base_url(), url),
                    values["url_label"],
                )
        ticket._tell_customer(body)

    def _decline_request(self, reason, answer):
        """Mark the request as declined.

        :param reason: for colleagues, as plain text
        :param answer: for the customer, as plain text
        """
        self.ensure_one()
        self._check_request_waiting()
        # sudo: _check_request_waiting proved user and ticket.
        ticket = self.sudo()
        ticket.write(
            {
                "request_state": "declined",
                "request_date": self.env.cr.now(),
                "request_answer": answer,
            }
        )
        ticket._message_log(
            body=Markup("%s<br/>%s")
            % (self.env._("Request declined, for colleagues:"), plaintext2html(reason)),
            author_id=self.env.user.partner_id.id,
        )
        ticket = ticket._in_customer_language()
        ticket._tell_customer(
            Markup("%s<br/>%s")
            % (
                ticket.env._("We can't do what you asked for."),
                plaintext2html(answer),
            )
        )

    def _in_customer_language(self):
        return self.with_context(lang=self.partner_id.lang or self.env.lang)

    def _tell_customer(self, body):
        """Send a text to the customer of this ticket."""
        self.message_post(
            body=body,
            partner_ids=self.partner_id.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            author_id=self.env.user.partner_id.id,
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _drop_request(self):
        """Forget the request of who isn't the customer of this ticket any more."""
        self.request_line_ids.unlink()
        self._clear_request()

    def _clear_request(self):
        if self.request_service:
            self.write(dict.fromkeys(REQUEST_FIELDS, False))

    def _take_over_request(self, ticket):
        """Make the request of ``ticket``, which is merged into this one, a request of
        this ticket. Its lines follow as all that links to a ticket."""
        if ticket.request_service:
            self.write({name: ticket[name] for name in REQUEST_FIELDS})
            ticket._clear_request()

    # -- Customer ------------------------------------------------------------
    # Everything that the portal does, for the external API too: called by the customer,
    # whose rights are checked in each method.

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
        ``sudo()``."""
        # sudo: the domain names the user's own company.
        lines = self.env["sale.order.line"].sudo()
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
        """Return an order line of the user's company, under ``sudo()``.

        :raises MissingError: when it isn't one, whether or not it exists
        """
        if type(line_id) is not int or not 0 < line_id < 2**31:
            raise MissingError(self.env._("There is no such order line."))
        # sudo: the domain names the user's own company.
        line = (
            self.env["sale.order.line"]
            .sudo()
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
            self.env["helpdesk.ticket.request.line"]
            .sudo()
            .search(self._get_waiting_domain(service, line))
            .mapped("quantity")
        )
        left = line.product_uom_id.round(left - asked)
        if line.product_uom_id.compare(left, 0) <= 0:
            return team, 0, self.env._("You have asked for this already.")
        return team, left, False

    @api.model
    def _get_waiting_domain(self, service, line):
        """Return the domain of the requests for a line that nobody has answered; who
        closes a ticket without an answer has dropped its request."""
        return (
            Domain("sale_line_id", "=", line.id)
            & Domain("ticket_id.request_state", "=", "waiting")
            & Domain("ticket_id.request_service", "=", service)
            & Domain("ticket_id.close_date", "=", False)
        )

    @api.model
    @api.readonly
    def portal_purchases(self, offset=0, limit=20):
        """Return what the user's company has bought, for the user: a list of
        ``{"id", "order", "product", "delivered", "unit", "date", "requests"}``.

        ``requests`` tells per service what can be asked for: ``{"service", "kind",
        "button", "left", "refusal"}``; quantities in the unit of the line.

        :raises AccessError: for visitors
        """
        if type(offset) is not int or type(limit) is not int:
            raise UserError(self.env._("Offset and limit are whole numbers."))
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
    ):
        """Ask for a service on an order line of the user's company; returns the id of
        the ticket (X9).

        :param service: a key of ``_get_request_services()``
        :param quantity: in the unit of the line, at most what is left
        :param wish: the code of a resolution that the service offers
        :param photos: ``[(name, content in base64)]``
        :param key: any text; a second call with it returns the ticket of the first one
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
            raise UserError(self.env._("Choose one of the offered wishes."))
        ticket = self._create_portal_ticket(
            team,
            {
                "name": offer["subject"] % {"product": line.product_id.display_name},
                "sale_order_id": line.order_id.id,
                "product_id": line.product_id.id,
                "lot_id": lot.id,
                "request_service": service,
                "request_wish": wish or False,
                "request_state": "waiting",
                "request_line_ids": [
                    Command.create(
                        {
                            "sale_line_id": line.id,
                            "product_id": line.product_id.id,
                            "quantity": quantity,
                            "uom_id": line.product_uom_id.id,
                            "lot_id": lot.id,
                            "reason_id": reason.id,
                        }
                    )
                ],
            },
            description,
            photos,
            key,
        )
        return ticket.id

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
            raise UserError(self.env._("Enter how many it is about."))
        if uom.compare(quantity, left) > 0:
            raise UserError(
                self.env._(
                    "%(left)s %(unit)s are left to ask for.",
                    left=float_repr(left, 2).rstrip("0").rstrip("."),
                    unit=uom.name,
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
        return tickets.search(
            Domain("request_key", "=", key) & Domain("create_uid", "=", self.env.uid),
            limit=1,
        )

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

    @api.model
    def _create_visitor_ticket(self, team, values, photos, key, origin):
        """Create a ticket of a visitor; returns it under ``sudo()``.

        Nobody has proved that the address is theirs: no contact is chosen by it, and
        the acknowledgement is limited as that of a mail (T23).

        :param team: one with a public form, under ``sudo()``
        :param values: ``name``, ``partner_name``, ``partner_email`` and
            ``description``, as they were typed
        :param origin: a text that stands for the network address of the visitor
        """
        # sudo: the team has opened its form to everybody.
        tickets = self.env["helpdesk.ticket"].sudo().with_company(team.company_id)
        values = {
            name: self._clean_portal_text(values.get(name), limit, line=limit == 250)
            for name, limit in (
                ("name", 250),
                ("partner_name", 250),
                ("partner_email", 250),
                ("description", 20000),
            )
        }
        values["description"] = plaintext2html(values["description"])
        if not values["name"]:
            raise UserError(self.env._("Enter a subject."))
        values["partner_email"] = email_normalize(values["partner_email"])
        if not values["partner_email"]:
            raise UserError(self.env._("Enter your e-mail address."))
        files = self._check_photos(photos)
        tickets._lock_after_sales(team)
        key = self._clean_portal_text(key, 64)
        if key and (known := tickets.search([("request_key", "=", key)], limit=1)):
            return known
        visitors = Domain("request_origin", "!=", False)
        for domain, parameter, default in (
            (Domain("request_origin", "=", origin), "tickets_per_origin", 10),
            (
                visitors & Domain("partner_email", "=", values["partner_email"]),
                "tickets_per_address",
                5,
            ),
            (visitors, "tickets_of_visitors", 200),
        ):
            self._check_portal_limit(domain, parameter, default)
        ticket = tickets.with_context(helpdesk_from_mail=True).create(
            {
                "team_id": team.id,
                "request_key": key,
                "request_origin": origin,
            }
            | values
        )
        if files:
            ticket.message_post(
                attachments=files,
                author_id=False,
                email_from=formataddr((ticket.partner_name, ticket.partner_email)),
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
            )
        return ticket

    @api.model
    def _check_portal_limit(self, domain, parameter="tickets_per_customer", default=20):
        """Refuse more new tickets within an hour than a person needs."""
        # sudo: a number is all that is asked, the limit is set by the administrator.
        limit = int(
            self.env["ir.config_parameter"]
            .sudo()
            .get_param(f"helpdesk_after_sales.{parameter}", default)
        )
        since = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        recent = Domain("create_date", ">=", since) & domain
        tickets = self.env["helpdesk.ticket"].sudo()  # sudo: see above
        if tickets.with_context(active_test=False).search_count(recent) >= limit:
            raise UserError(
                self.env._("You have sent many requests. Please try again in an hour.")
            )

    @api.model
    def _check_photos(self, photos):
        """Return ``[(name, content)]`` of photos that may be kept."""
        if not isinstance(photos, list | tuple) or len(photos) > 10:
            raise UserError(self.env._("Add at most 10 photos."))
        files = []
        for photo in photos:
            try:
                name, content = photo
                content = b64decode(content, validate=True)
            except (TypeError, ValueError):
                content = name = None
            if not content or not isinstance(name, str):
                raise UserError(self.env._("A photo could not be read."))
            if len(content) > 10 * 1024 * 1024:
                raise UserError(self.env._("A photo may have 10 MB at most."))
            if guess_mimetype(content) not in PHOTOS:
                raise UserError(
                    self.env._("Photos are JPEG, PNG, GIF, WebP or PDF files.")
                )
            files.append((self._clean_portal_text(name, 200, line=True), content))
        return files

    @api.model
    def _clean_portal_text(self, text, limit, line=False):
        """Return what was typed, as PostgreSQL can store it (T27).

        :param line: as one line, without spaces at its ends
        """
        text = str(text or "").replace("\0", "")
        text = text.encode("utf-8", "replace").decode()
        return (" ".join(text.split()) if line else text)[:limit]
