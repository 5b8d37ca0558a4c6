from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import formatLang


class RepairOrder(models.Model):
    """What an agent without rights to Sales needs of the quotation of a repair: its
    name and amount, and to send it (goods C13)."""

    _inherit = "repair.order"

    helpdesk_quotation = fields.Char(
        string="Quotation of the Repair", compute="_compute_helpdesk_quotation"
    )
    helpdesk_quotation_to_send = fields.Boolean(
        compute="_compute_helpdesk_quotation", export_string_translation=False
    )

    @api.depends(
        "sale_order_id.name", "sale_order_id.state", "sale_order_id.amount_total"
    )
    @api.depends_context("lang")
    def _compute_helpdesk_quotation(self):
        for repair in self:
            # sudo: name, amount and state of the quotation of a repair that the user
            # reads, nothing else of it.
            order = repair.sudo().sale_order_id
            repair.helpdesk_quotation_to_send = order.state in ("draft", "sent")
            repair.helpdesk_quotation = order and self.env._(
                "%(quotation)s: %(amount)s (%(state)s)",
                quotation=order.name,
                amount=formatLang(
                    self.env, order.amount_total, currency_obj=order.currency_id
                ),
                state=dict(order._fields["state"]._description_selection(self.env))[
                    order.state
                ],
            )

    @api.model
    def _get_quotation_to_send_domain(self):
        """Return the domain of repairs whose quotation was not sent yet."""
        return Domain("sale_order_id.state", "=", "draft") & Domain(
            "sale_order_id.order_line", "!=", False
        )

    def _create_quotation(self):
        """Make the quotation of a repair, and tell its ticket. Called with ``sudo()``,
        after checking who asks."""
        self.ensure_one()
        self.action_create_sale_order()
        sentence = self.env._(
            "Quotation %(quotation)s was made for repair %(repair)s.",
            quotation=self.helpdesk_quotation,
            repair=self._get_html_link(),
        )
        self._message_log(
            body=self.env._(
                "Quotation %(quotation)s was made.",
                quotation=self.sale_order_id._get_html_link(),
            )
        )
        self._after_sales_tell_ticket({self: sentence})

    def action_send_quotation(self):
        """Send the customer the quotation of each repair, with the link to accept it.

        For agents who may work on the ticket, and for users of Repairs. Returns the
        action that says to whom they were sent.

        :raises AccessError: when it isn't the user's to do
        :raises UserError: when there is nothing to send, or nobody to send it to
        """
        for ticket, repairs in self.grouped("helpdesk_ticket_id").items():
            if not repairs.has_access("write"):
                ticket._check_after_sales("use_product_repairs")
        # sudo: the user may change these repairs, or work on their tickets.
        for repair in self.sudo():
            repair._send_quotation()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Sent to %(customers)s.",
                    # sudo: as above
                    customers=", ".join(
                        self.sudo().sale_order_id.partner_id.mapped("email")
                    ),
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _send_quotation(self):
        order = self.sale_order_id
        if order.state not in ("draft", "sent") or not order.order_line:
            raise UserError(
                self.env._(
                    "%(repair)s has no open quotation with lines: there is nothing to "
                    "send.",
                    repair=self.name,
                )
            )
        if not order.partner_id.email:
            raise UserError(
                self.env._(
                    "%(customer)s has no email address. Add one to the contact first.",
                    customer=order.partner_id.display_name,
                )
            )
        order._send_order_notification_mail(order._find_mail_template())
        order.filtered(lambda quotation: quotation.state == "draft").write(
            {"state": "sent"}
        )
        self._after_sales_tell_ticket(
            {
                self: self.env._(
                    "Quotation %(quotation)s was sent to %(email)s.",
                    quotation=self.helpdesk_quotation,
                    email=order.partner_id.email,
                )
            }
        )
