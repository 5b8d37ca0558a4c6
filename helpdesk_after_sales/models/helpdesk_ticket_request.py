from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """What customers ask for in the portal, as agents answer it: a return or a repair
    of what was delivered (X9).

    A request is a line of the ticket with the origin *customer*. A service takes part
    when its bridge extends :meth:`_get_request_services` and :meth:`_get_request_left`,
    and its wizard reads the lines that it is for; the addons never meet each other.
    """

    _inherit = "helpdesk.ticket"

    request_line_id = fields.Many2one(
        comodel_name="helpdesk.ticket.line",
        string="Request",
        compute="_compute_request_line_id",
        groups="base.group_user",
        help="The first request of the customer that is still open.",
    )
    request_summary = fields.Char(
        compute="_compute_request_line_id", groups="base.group_user"
    )
    request_notice = fields.Char(
        compute="_compute_request_line_id", groups="base.group_user"
    )

    # -- What bridges extend -------------------------------------------------

    @api.model
    def _get_request_services(self):
        """Return ``{switch of the team: {"open", ...}}`` of what customers can ask for.
        They are the services with resolutions that have an action of their name, as
        ``use_repair`` has ``action_repair``. A bridge says more about its own.

        ``open`` is the method of the ticket that opens the pop-up. The others are words
        for it, see :meth:`_get_request_offers`: ``kind`` stands in the address of the
        form, ``button`` and ``title`` are for the customer, ``subject`` becomes that of
        the ticket, ``summary`` says to an agent what is asked for.
        """
        # sudo: customers may not read services; names of methods are all that it tells.
        services = self.env["helpdesk.after.sales.service"].sudo()
        switches = services.search(Domain("resolution_ids", "!=", False)).mapped(
            "switch"
        )
        names = {switch: f"action_{switch.removeprefix('use_')}" for switch in switches}
        return {
            switch: {"open": name}
            for switch, name in names.items()
            if hasattr(self, name)
        }

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
            return 0, self.env._("None of it has been delivered yet.")
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
        waiting = line.env["helpdesk.ticket.line"].search(
            self._get_waiting_domain(service, line)
        )
        taken = waiting.filtered(
            lambda asked: asked.product_id.tracking == "serial"
        ).lot_id
        return moves.move_line_ids.lot_id - taken

    def _open_request_wizard(self, line):
        """Return the action that opens the wizard for a request, which fills itself
        from it."""
        offer = self._get_request_services().get(line.service)
        if not offer:
            raise UserError(self.env._("This service is not offered any more."))
        action = getattr(self, offer["open"])()
        lines = [Command.set(line.ids)]
        context = action["context"] | {"default_helpdesk_case_line_ids": lines}
        return action | {"context": context}

    # -- Agent ---------------------------------------------------------------

    @api.depends("line_ids.state")
    @api.depends_context("lang")
    def _compute_request_line_id(self):
        # sudo: the ticket is the user's to read; its lines tell figures of its
        # customer's own order.
        for ticket in self.sudo():
            line = ticket.line_ids.filtered(lambda line: line.state == "asked")[:1]
            ticket.request_line_id = line
            ticket.request_summary = line and line._get_summary()
            ticket.request_notice = line and line._get_notice()

    def _get_requests(self):
        """Return what the customer of these tickets has asked for, under ``sudo()``.
        The caller has checked that the user may read them."""
        # sudo: see above
        return self.sudo().line_ids.filtered(lambda line: line.origin == "customer")

    def _get_request_badge(self):
        """Return ``(words, style)`` of how far the requests are, for the customer, or
        nothing: that which waits, else the last answer. The caller has checked that the
        user may read the ticket."""
        self.ensure_one()
        lines = self._get_requests()
        waiting = lines.filtered(lambda line: line.state == "asked")
        # Who closes a ticket without an answer has dropped its request.
        if waiting and not self.close_date:
            return waiting[0]._get_badge()
        answered = (lines - waiting).sorted("answer_date")
        return answered[-1]._get_badge() if answered else (False, False)

    def action_approve_request(self):
        """Return the action that opens the service's pop-up, filled with the request
        that waits longest.

        The request counts as approved when that pop-up has made its document (X9).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when there is no request, or it has been answered
        """
        return self._get_request_to_answer().action_approve()

    def action_decline_request(self):
        """Return the action that opens the pop-up **Decline**. Raises as
        :meth:`action_approve_request`."""
        return self._get_request_to_answer().action_decline()

    def _get_request_to_answer(self):
        """Return the request of this ticket that waits longest, as the user.

        :raises AccessError, UserError: see :meth:`action_approve_request`
        """
        self.ensure_one()
        self._check_answers()
        lines = self._get_requests()
        waiting = lines.filtered(lambda line: line.state == "asked")
        if not waiting:
            raise UserError(
                self.env._("The request of this ticket has already been answered.")
                if lines
                else self.env._(
                    "The customer hasn't requested anything on this ticket."
                )
            )
        return waiting[0].sudo(False)

    def _check_answers(self):
        """Raise unless the user may answer requests of this ticket."""
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(self.env._("Only helpdesk users can answer requests."))
        self.sudo(False).check_access("write")

    def _get_case_lines(self, service):
        """Return the lines, under ``sudo()``, that a wizard of ``service`` is for: the
        request that waits longest, else what an agent has noted. None when there is
        nothing to tell but order, product and lot of the ticket itself.
        """
        # sudo: the wizard has proved the ticket, or proves it before it acts.
        lines = self.env["helpdesk.ticket.line"].sudo()
        lines = lines.search_fetch([("ticket_id", "in", self._origin.ids)])
        asked = lines.filtered(
            lambda line: line.state == "asked" and line.service == service
        )
        noted = lines.filtered(lambda line: line.state == "draft" and line.product_id)
        return asked[:1] or (noted if any(noted.mapped("quantity")) else noted[:0])

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
