from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang


class HelpdeskReturnWizard(models.TransientModel):
    """Return for Exchange of another product: a quotation of it, and a credit note of
    what comes back."""

    _inherit = "helpdesk.return.wizard"

    exchange_notice = fields.Char(compute="_compute_exchange_notice")
    send_quotation = fields.Boolean(
        string="Send the Quotation",
        default=True,
        help="The customer gets the quotation of the other product at once.",
    )

    @api.depends(
        "line_ids.exchange_product_id", "line_ids.quantity", "line_ids.move_id"
    )
    def _compute_exchange_notice(self):
        for wizard in self:
            lines = wizard._get_exchange_lines()
            sentences = [
                wizard._describe_exchange(order, of_order)
                for order, of_order in lines._group_by_order().items()
                if order
            ]
            wizard.exchange_notice = " ".join(sentences) or False

    def _get_exchange_lines(self):
        """Return the lines of which another product is sent."""
        return self.line_ids.filtered(
            lambda line: (
                line.exchange_product_id
                and line.exchange_product_id != line.product_id
                and line.quantity > 0
            )
        )

    def _describe_exchange(self, order, lines):
        """Return "New: 120.00, credited: 100.00, to pay: 20.00"."""
        # sudo: the price of what the ticket offers, and nothing else of the order.
        quotation = order.new(lines._prepare_quotation(order))
        currency = order.currency_id
        credit = sum(line._get_paid() for line in lines)
        difference = quotation.amount_total - credit
        words = {
            "new": formatLang(self.env, quotation.amount_total, currency_obj=currency),
            "credit": formatLang(self.env, credit, currency_obj=currency),
            "difference": formatLang(self.env, abs(difference), currency_obj=currency),
        }
        match currency.compare_amounts(difference, 0):
            case 1:
                return self.env._(
                    "The other product costs %(new)s, %(credit)s is credited: "
                    "%(difference)s to pay.",
                    **words,
                )
            case -1:
                return self.env._(
                    "The other product costs %(new)s, %(credit)s is credited: "
                    "%(difference)s in the customer's favour.",
                    **words,
                )
            case _:
                return self.env._(
                    "The other product costs %(new)s, and the same amount is credited.",
                    **words,
                )

    def _check_other_products(self, exchange):
        """Refuse other products that can't be sent in exchange; returns the moves of
        deliveries that they are sent for.

        :raises UserError: with one sentence
        """
        lines = self._get_exchange_lines()
        if lines and not exchange:
            raise UserError(
                self.env._(
                    "Another product is chosen: press Return for Exchange, or empty it."
                )
            )
        for line in lines:
            line._check_other_product()
        return lines.sudo().move_id  # sudo: proved by _check_return

    def _offer_other_products(self, pickings):
        """Make the quotations of the other products, and plan the credit.

        :param pickings: the returns of what they are sent for
        """
        ticket = self.helpdesk_ticket_id
        steps = self.env["helpdesk.after.sales.step"]
        credit = steps._get_credit_service(ticket)
        for picking in pickings:
            if credit:
                steps._plan(ticket, credit, picking)
            else:
                ticket._message_log(
                    body=self.env._(
                        "Once %(picking)s has arrived, credit what came back on its "
                        "order.",
                        picking=picking._get_html_link(),
                    )
                )
        # sudo: the order lines of what comes back, proved by _check_return.
        lines = self._without_defaults().sudo()._get_exchange_lines()
        for order, of_order in lines._group_by_order().items():
            # sudo: agents have no right to Sales; exactly this quotation is made, with
            # the customer and conditions of the order.
            quotation = order.create(of_order._prepare_quotation(order))
            ticket._message_log(
                body=self.env._(
                    "Quotation %(quotation)s of what is sent in exchange: %(words)s It "
                    "is sent when the customer accepts it.",
                    quotation=quotation._get_html_link(),
                    words=self._describe_exchange(order, of_order),
                )
            )
            if self.send_quotation and quotation.partner_id.email:
                quotation._send_order_notification_mail(quotation._find_mail_template())
                quotation.state = "sent"


class HelpdeskReturnWizardLine(models.TransientModel):
    _inherit = "helpdesk.return.wizard.line"

    exchange_product_id = fields.Many2one(
        comodel_name="product.product",
        string="Exchange For",
        domain="[('type', '=', 'consu'), ('sale_ok', '=', True)]",
        help="Another size, colour or model, sent when the customer accepts its "
        "quotation. Leave empty for the same product.",
    )

    def _group_by_order(self):
        """Return ``{order: lines}``, under ``sudo()``."""
        # sudo: which order a delivery of the ticket's customer is of.
        return self.sudo().grouped(lambda line: line._get_sold().order_id)

    def _get_sold(self):
        """Return the order line of what comes back, under ``sudo()``."""
        return self.sudo().move_id._origin.sale_line_id  # sudo: see _group_by_order

    def _check_other_product(self):
        sold, product = self._get_sold(), self.exchange_product_id
        if not sold or sold.product_id != self.sudo().move_id.product_id:
            raise UserError(
                self.env._(
                    "%(product)s can't be exchanged for another product: it was not "
                    "sold by itself.",
                    product=self.product_id.display_name,
                )
            )
        company = sold.company_id
        # sudo: compared; the name is of what the user has chosen.
        ours = product.sudo().filtered_domain(product._check_company_domain(company))
        if product.type != "consu" or not (ours.active and ours.sale_ok):
            raise UserError(
                self.env._(
                    "%(product)s isn't sold by %(company)s: choose another one in "
                    "exchange.",
                    product=product.display_name,
                    company=company.display_name,
                )
            )

    def _get_paid(self):
        """Return what was asked for what comes back, with taxes, in the currency of its
        order."""
        sold = self._get_sold()
        quantity = self.uom_id._compute_quantity(
            self.quantity, sold.product_uom_id, round=False
        )
        price = sold.price_total / (sold.product_uom_qty or 1.0)
        return sold.currency_id.round(price * quantity)

    def _prepare_quotation(self, order):
        """Return the values of the quotation of the other products of one order."""
        ticket = self.wizard_id.helpdesk_ticket_id
        return {
            "partner_id": order.partner_id.id,
            "partner_invoice_id": order.partner_invoice_id.id,
            "partner_shipping_id": order.partner_shipping_id.id,
            "company_id": order.company_id.id,
            "pricelist_id": order.pricelist_id.id,
            "fiscal_position_id": order.fiscal_position_id.id,
            "payment_term_id": order.payment_term_id.id,
            "warehouse_id": order.warehouse_id.id,
            "user_id": order.user_id.id,
            "team_id": order.team_id.id,
            "origin": f"{order.name} #{ticket.ticket_ref}",
            "order_line": [
                Command.create(
                    {
                        "product_id": line.exchange_product_id.id,
                        "product_uom_qty": line._get_exchange_quantity(),
                    }
                )
                for line in self
            ],
        }

    def _get_exchange_quantity(self):
        """Return how many of the other product are sent, in its unit."""
        unit = self.exchange_product_id.uom_id
        if self.uom_id._has_common_reference(unit):
            return self.uom_id._compute_quantity(self.quantity, unit)
        return self.quantity
