from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    repair_ids = fields.One2many(
        comodel_name="repair.order",
        inverse_name="helpdesk_ticket_id",
        string="Repairs",
        copy=False,
        groups="base.group_user",
    )
    repairs_count = fields.Integer(
        string="Number of Repairs",
        compute="_compute_repairs_count",
        groups="base.group_user",
    )

    repairs_to_give_back = fields.Integer(
        string="Repairs to Deliver",
        compute="_compute_repairs_to_give_back",
        groups="base.group_user",
        help="Finished repairs whose product has not been delivered back to the "
        "customer.",
    )
    repair_quotations_to_send = fields.Integer(
        string="Repair Quotations to Send",
        compute="_compute_repair_quotations_to_send",
        groups="base.group_user",
        help="Quotations of repairs that the customer hasn't received yet.",
    )

    def _compute_repairs_count(self):
        count = self._after_sales_count("repair.order")
        for ticket in self:
            ticket.repairs_count = count.get(ticket._origin, 0)

    def _compute_repairs_to_give_back(self):
        count = self._after_sales_count(
            "repair.order", self.env["repair.order"]._get_give_back_domain()
        )
        for ticket in self:
            ticket.repairs_to_give_back = count.get(ticket._origin, 0)

    def _compute_repair_quotations_to_send(self):
        count = self._after_sales_count(
            "repair.order", self.env["repair.order"]._get_quotation_to_send_domain()
        )
        for ticket in self:
            ticket.repair_quotations_to_send = count.get(ticket._origin, 0)

    def action_send_repair_quotations(self):
        """Send the customer the quotations of repairs that they did not get yet; see
        ``repair.order.action_send_quotation``.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when there is nothing to send, or no address
        """
        self.ensure_one()
        self._check_after_sales("use_product_repairs")
        # sudo: agents may not read quotations; the repairs are those of this ticket,
        # which was just checked.
        repairs = self.env["repair.order"].sudo()
        domain = Domain("helpdesk_ticket_id", "=", self.id)
        repairs = repairs.search(domain & repairs._get_quotation_to_send_domain())
        if not repairs:
            raise UserError(
                self.env._("No quotation of this ticket is waiting to be sent.")
            )
        return repairs.sudo(False).action_send_quotation()

    def action_give_back(self):
        """Make the deliveries of all repairs of this ticket that are finished and not
        yet given back (X15); see ``repair.order.action_give_back``.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when there is nothing to give back
        """
        self.ensure_one()
        self._check_after_sales("use_product_repairs")
        # sudo: agents may not read deliveries; the repairs are those of this ticket,
        # which was just checked.
        repairs = self.env["repair.order"].sudo()
        domain = Domain("helpdesk_ticket_id", "=", self.id)
        repairs = repairs.search(domain & repairs._get_give_back_domain()).sudo(False)
        if not repairs:
            raise UserError(
                self.env._(
                    "No repair of this ticket is done and waiting for delivery to "
                    "the customer."
                )
            )
        return repairs.action_give_back()

    @api.readonly
    def action_repair(self):
        """Return the action that opens the pop-up **Repair Reference** (S79).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when repairs are off for the team, or there is no customer
        """
        self.ensure_one()
        return self._open_after_sales_wizard(
            "helpdesk.repair.wizard",
            "use_product_repairs",
            self.env._("Repair Reference"),
            dialog_size="extra-large",
        )

    @api.readonly
    def action_view_repairs(self):
        """Return the action for the repairs of this ticket: a form for one, a list for
        several (S97)."""
        self.ensure_one()
        action = self._open_after_sales_documents("repair.order")
        return action | {"name": self.env._("Repairs")}

    def _get_purchase_actions(self, line, values):
        actions = super()._get_purchase_actions(line, values)
        if (
            self.use_product_repairs
            and line.product_id.type == "consu"
            and values["delivered"] > values["returned"]
        ):
            actions.append(
                {
                    "method": "action_repair",
                    "label": self.env._("Repair"),
                    "context": {"default_product_id": values["product_id"]},
                }
            )
        return actions

    # -- Requests of customers (X9) ------------------------------------------

    @api.model
    def _get_request_services(self):
        return super()._get_request_services() | {
            "use_product_repairs": {
                "open": "action_repair",
                "kind": "repair",
                "button": self.env._("Repair"),
                "title": self.env._("Request a repair"),
                "subject": self.env._("Repair of %(product)s"),
                "summary": self.env._("The customer asks to repair"),
            }
        }

    @api.model
    def _get_request_left(self, service, line):
        if service != "use_product_repairs":
            return super()._get_request_left(service, line)
        if line.product_id.type != "consu":
            return 0, self.env._("Only goods can be repaired.")
        uom = line.product_uom_id
        if uom.compare(line.qty_delivered, 0) <= 0:
            return 0, self.env._("You don't have any of it.")
        in_repair = line._get_after_sales_balance()[line]["repairing"]
        left = uom.round(line.qty_delivered - in_repair)
        if uom.compare(left, 0) <= 0:
            return 0, self.env._("All of it is already in repair.")
        return left, False

    @api.model
    def _get_request_lots(self, service, line):
        lots = super()._get_request_lots(service, line)
        if service == "use_product_repairs":
            lots -= self._get_requested_repairs(line).lot_id
        return lots

    @api.model
    def _get_requested_repairs(self, line):
        """Return the repairs under way on tickets about an order line."""
        return line.env["repair.order"].search(
            Domain("helpdesk_ticket_id.line_ids.sale_line_id", "=", line.id)
            & Domain("product_id", "=", line.product_id.id)
            & line.env["repair.order"]._after_sales_open_domain()
        )
