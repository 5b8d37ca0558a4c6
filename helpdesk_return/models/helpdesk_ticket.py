from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


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
    has_delivery = fields.Boolean(
        compute="_compute_has_delivery",
        groups="base.group_user",
        help="The customer, or its company, has a delivery that is done.",
    )

    def _compute_returns_count(self):
        count = self._after_sales_count("stock.picking")
        for ticket in self:
            ticket.returns_count = count.get(ticket._origin, 0)

    @api.depends("partner_id", "company_id")
    def _compute_has_delivery(self):
        """One query for all tickets; no delivery is loaded (S68)."""
        customers = self.commercial_partner_id
        # sudo: whether there is a delivery is all that is told of it.
        groups = (
            self.env["stock.picking"]
            .sudo()
            ._read_group(
                Domain("state", "=", "done")
                & Domain("location_dest_id.usage", "=", "customer")
                & Domain("partner_id.commercial_partner_id", "in", customers.ids)
                | Domain("state", "=", "done")
                & Domain("location_dest_id.usage", "=", "customer")
                & Domain(
                    "sale_id.partner_id.commercial_partner_id", "in", customers.ids
                ),
                ["partner_id", "sale_id", "company_id"],
            )
        )
        delivered = {
            ((order.partner_id or partner).commercial_partner_id, company)
            for partner, order, company in groups
        }
        for ticket in self:
            key = (ticket.commercial_partner_id._origin, ticket.company_id._origin)
            ticket.has_delivery = key in delivered

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
        if not self.has_delivery:
            raise UserError(
                self.env._(
                    "%(customer)s has no delivery that is done: there is nothing to "
                    "return.",
                    customer=self.partner_id.display_name,
                )
            )
        return action

    def action_view_returns(self):
        """Return the action for the returns and replacements of this ticket (S76)."""
        self.ensure_one()
        action = self._open_after_sales_documents("stock.picking")
        return action | {"name": self.env._("Returns")}

    def action_send_return_slip(self):
        """Return the composer with the return slip of the latest return attached.

        :raises UserError: when the ticket has no return
        """
        self.ensure_one()
        self.check_access("write")
        returns = self.return_ids.filtered("return_id").sorted("id")[-1:]
        if not returns:
            raise UserError(self.env._("This ticket has no return yet."))
        template = self.env.ref("helpdesk_return.mail_template_return_slip")
        # sudo: the slip of a return of this ticket, which the user may write to.
        slip, _type = (
            self.env["ir.actions.report"]
            .sudo()
            ._render_qweb_pdf("stock.return_label_report", returns.ids)
        )
        attachment = self.env["ir.attachment"].create(
            {
                "name": self.env._("Return slip %(number)s.pdf", number=returns.name),
                "raw": slip,
                "res_model": "mail.compose.message",
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send the return slip"),
            "res_model": "mail.compose.message",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_model": self._name,
                "default_res_ids": self.ids,
                "default_template_id": template.id,
                "default_attachment_ids": attachment.ids,
                "default_partner_ids": self.partner_id.ids,
            },
        }

    def _get_purchase_actions(self, line, values):
        actions = super()._get_purchase_actions(line, values)
        if self.use_product_returns and values["delivered"] > values["returned"]:
            actions.append(
                {
                    "method": "action_return",
                    "label": self.env._("Return"),
                    "context": {"default_sale_order_id": values["order_id"]},
                }
            )
        return actions
