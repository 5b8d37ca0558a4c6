from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

#: transfers that send something though nothing comes back
WITHOUT_RETURN = Domain("move_ids", "any", Domain("helpdesk_without_return", "=", True))


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    return_ids = fields.One2many(
        comodel_name="stock.picking",
        inverse_name="helpdesk_ticket_id",
        string="Returns",
        copy=False,
        groups="base.group_user",
    )
    returns_count = fields.Integer(
        string="Number of Returns",
        compute="_compute_returns_count",
        groups="base.group_user",
    )
    use_foreign_returns = fields.Boolean(
        related="team_id.use_foreign_returns", groups="base.group_user"
    )
    has_delivery = fields.Boolean(
        compute="_compute_has_delivery",
        groups="base.group_user",
        help="The customer, or its company, has a completed delivery.",
    )

    def _compute_returns_count(self):
        count = self._after_sales_count("stock.picking", ~WITHOUT_RETURN)
        for ticket in self:
            ticket.returns_count = count.get(ticket._origin, 0)

    @api.depends("partner_id", "company_id")
    def _compute_has_delivery(self):
        """One query for all tickets; no delivery is loaded (S68)."""
        customers = self.commercial_partner_id.ids
        done = Domain("state", "=", "done") & Domain(
            "location_dest_id.usage", "=", "customer"
        )
        address = "partner_id.commercial_partner_id"
        orderer = "sale_id.partner_id.commercial_partner_id"
        # sudo: whether there is a delivery is all that is told of it.
        groups = (
            self.env["stock.picking"]
            .sudo()
            ._read_group(
                done
                & (Domain(address, "in", customers) | Domain(orderer, "in", customers)),
                [orderer, address, "company_id"],
            )
        )
        # Who ordered decides; the address only where there is no order.
        delivered = {
            (ordered_by or sent_to, company) for ordered_by, sent_to, company in groups
        }
        for ticket in self:
            key = (ticket.commercial_partner_id._origin, ticket.company_id._origin)
            ticket.has_delivery = key in delivered

    @api.readonly
    def action_return(self):
        """Return the action that opens the pop-up **Reverse Transfer** (S66).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when returns are off for the team, or nothing was delivered
        """
        self.ensure_one()
        action = self._open_after_sales_wizard(
            "helpdesk.return.wizard",
            "use_product_returns",
            self.env._("Reverse Transfer"),
            dialog_size="extra-large",
        )
        if not self.has_delivery and not self.use_foreign_returns:
            raise UserError(
                self.env._(
                    "%(customer)s has no completed delivery: there is nothing to "
                    "return.",
                    customer=self.partner_id.display_name,
                )
            )
        return action

    @api.readonly
    def action_view_returns(self):
        """Return the action for the returns and replacements of this ticket (S76)."""
        self.ensure_one()
        self.check_access("read")
        action = self._open_after_sales_documents("stock.picking", ~WITHOUT_RETURN)
        return action | {"name": self.env._("Returns")}

    @api.model
    def _check_shown_link(self, values):
        """Check the ticket in what a client asks an onchange of: it would tell the name
        of any.

        :raises AccessError: when it isn't the user's to read
        """
        ticket = values.get("helpdesk_ticket_id") or self.env.context.get(
            "default_helpdesk_ticket_id"
        )
        if ticket:
            ticket = ticket.get("id") if isinstance(ticket, dict) else ticket
            self.browse(ticket).check_access("read")

    def _get_latest_return(self):
        """Return the latest return that is still to come, else the latest that came.

        :raises UserError: when there is none
        """
        self.ensure_one()
        self.check_access("write")
        found = self._find_latest_return()
        if not found:
            raise UserError(self.env._("This ticket has no return yet."))
        return found

    def _find_latest_return(self):
        returns = self.return_ids.filtered(
            lambda picking: picking._is_helpdesk_return() and picking.state != "cancel"
        )
        return returns.sorted(lambda picking: (picking.state != "done", picking.id))[
            -1:
        ]

    @api.readonly
    def action_return_papers(self):
        """Return the action that opens the pop-up **Return Label** (X24).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the ticket has no return
        """
        self._check_after_sales("use_product_returns")
        self._get_latest_return()
        return self._open_after_sales_wizard(
            "helpdesk.return.papers",
            "use_product_returns",
            self.env._("Return Label"),
        )

    def action_print_return_slip(self):
        """Return the action that prints the slip of the latest return.

        :raises UserError: when the ticket has no return
        """
        slip = self.env.ref("helpdesk_return.action_report_return_slip")
        return slip.report_action(self._get_latest_return(), config=False)

    def action_send_return_slip(self):
        """Send the slip of the latest return to the customer, at once; returns a
        notification.

        :raises UserError: when the ticket has no return, or the customer no address
        """
        picking = self._get_latest_return()
        customer = self.partner_id
        if not customer.email:
            raise UserError(
                self.env._(
                    "%(customer)s has no email address. Enter it on the contact, or "
                    "print the return slip.",
                    customer=customer.display_name,
                )
            )
        # sudo: the slip of a return of this ticket, which the user may write to.
        reports = self.env["ir.actions.report"]
        slip, _type = reports.sudo()._render_qweb_pdf(
            "helpdesk_return.report_return_slip", picking.ids
        )
        papers = picking.sudo()  # sudo: as above
        tracking = papers._describe_tracking()
        template = self.env.ref("helpdesk_return.mail_template_return_slip")
        # sudo: the template renders names of the ticket, which the user may write to.
        values = template.sudo()._generate_template(self.ids, ("subject", "body_html"))
        self.message_post(
            subject=values[self.id]["subject"],
            body=values[self.id]["body_html"]
            + Markup("<p>%s</p>" * bool(tracking)) % ((tracking,) if tracking else ()),
            partner_ids=customer.ids,
            attachments=[
                (self.env._("Return slip %(number)s.pdf", number=picking.name), slip),
                *filter(None, [papers._get_helpdesk_label_content()]),
            ],
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "The return slip was sent to %(email)s.", email=customer.email
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _get_return_pickings(self):
        return super()._get_return_pickings() | self.return_ids.filtered(
            lambda picking: picking._is_helpdesk_return()
        )

    def _get_returned_purchases(self, arrived=False):
        """What came back on this ticket and was accepted, less what was sent in
        exchange, and what was given back: the customer has it."""
        moves = self.return_ids.move_ids.filtered(lambda move: move.state != "cancel")
        back = moves.filtered(
            lambda move: (
                move.sale_line_id
                and move.to_refund
                and move._get_after_sales_direction() == "back"
                and (move.state == "done" or not arrived)
            )
        )
        decisions = self.env["helpdesk.return.decision"]
        accepted = decisions._get_accepted_by_move(back)
        given = back.returned_move_ids.filtered(
            lambda move: (
                move.state != "cancel"
                and move._get_after_sales_direction() == "out"
                # What the warehouse sends back as it is was never accepted.
                and move.picking_id not in self.return_ids
            )
        )
        lines = back.sale_line_id
        parts = lines._get_after_sales_parts_by_line(
            self.env["stock.move"]._search_after_sales_moves(
                Domain("sale_line_id", "in", lines.ids)
            )
        )
        moves = self.env["stock.move"].search(
            Domain("helpdesk_ticket_id", "=", self.id) & Domain("state", "!=", "cancel")
        )
        # Drop shipments that are still to be bought have no move yet.
        bought = back.filtered(
            lambda move: (
                move.helpdesk_exchange_id
                and not (move.helpdesk_exchange_id.move_ids & moves)
            )
        )
        # What was sent though nothing comes back, and came back: nobody has it.
        moves -= back.origin_returned_move_id.filtered("helpdesk_without_return")
        sent = moves._filter_after_sales_last_step() | given | bought
        returned = {
            line: max(
                line._count_after_sales(back, parts[line], accepted)
                - line._count_after_sales(sent, parts[line]),
                0.0,
            )
            for line in lines
        }
        return super()._get_returned_purchases(arrived) | returned

    def _get_purchase_actions(self, line, values):
        actions = super()._get_purchase_actions(line, values)
        if self.use_product_returns and values["left_to_return"] > 0:
            actions.append(
                {
                    "method": "action_return",
                    "label": self.env._("Return"),
                    "context": {
                        "default_sale_order_id": values["order_id"],
                        "default_proposed_line": line.id,
                    },
                }
            )
        return actions

    # -- Requests of customers (X9) ------------------------------------------

    @api.model
    def _get_request_services(self):
        return super()._get_request_services() | {
            "use_product_returns": {
                "open": "action_return",
                "kind": "return",
                "button": self.env._("Return"),
                "title": self.env._("Request a return"),
                "subject": self.env._("Return of %(product)s"),
                "summary": self.env._("The customer asks to return"),
            }
        }

    @api.model
    def _get_request_left(self, service, line):
        if service != "use_product_returns":
            return super()._get_request_left(service, line)
        if line.product_id.type != "consu":
            return 0, self.env._("Only goods can be returned.")
        deliveries = line._get_returnable_deliveries()
        if not deliveries:
            return 0, self.env._("None of it has been delivered yet.")
        deliveries, refusal = line._filter_helpdesk_window(deliveries)
        if refusal:
            return 0, refusal
        left = max(deliveries.values())
        if line.product_uom_id.compare(left, 0) <= 0:
            return 0, self.env._("All of it is already on a return.")
        return left, False

    @api.model
    def _get_request_lots(self, service, line):
        lots = super()._get_request_lots(service, line)
        if service != "use_product_returns" or line.product_id.tracking != "serial":
            return lots
        left = line._get_after_sales_balance()[line]["lots"]
        return lots.filtered(lambda lot: lot in left and left[lot]["left_to_return"])
