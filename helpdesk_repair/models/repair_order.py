from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class RepairOrder(models.Model):
    _name = "repair.order"
    _inherit = [
        "helpdesk.after.sales.document",
        "helpdesk.readable.mixin",
        "repair.order",
    ]

    _after_sales_first_line = True
    _helpdesk_ticket_path = "helpdesk_ticket_id"

    helpdesk_delivery_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Given Back",
        readonly=True,
        copy=False,
        index="btree_not_null",
        check_company=True,
        help="The delivery that brings the repaired product back to the customer.",
    )
    helpdesk_delivery_state = fields.Selection(
        related="helpdesk_delivery_id.state", string="State of the Delivery"
    )

    def action_create_helpdesk_ticket(self):
        """Return the action that opens a new ticket about this repair, filled from it;
        saving links the two.

        :raises AccessError: for users who may not create tickets
        """
        self.ensure_one()
        tickets = self.env["helpdesk.ticket"]
        values = {
            "partner_id": self.partner_id.id,
            "team_id": tickets._default_team_id(self.company_id).id,
            "product_id": self.product_id.id,
        }
        draft = tickets.new(values)
        # Of goods that were bought elsewhere only the product can be named.
        if self.lot_id and draft._is_purchased(self.lot_id):
            values["lot_id"] = self.lot_id.id
        values["repair_ids"] = [Command.link(self.id)]
        return tickets._get_new_ticket_action(values)

    def write(self, vals):
        before = {repair: repair.state for repair in self if "state" in vals}
        result = super().write(vals)
        if self.env.su and self.env.context.get("helpdesk_tells_ticket"):
            return result
        changed = [
            repair
            for repair, state in before.items()
            if repair.helpdesk_ticket_id and repair.state not in (state, "draft")
        ]
        self._after_sales_tell_ticket(
            {repair: repair._get_helpdesk_state_sentence() for repair in changed}
        )
        return result

    def _get_helpdesk_state_sentence(self):
        """Return the sentence for the ticket when this repair has reached its state."""
        repair = self._get_html_link()
        match self.state:
            case "confirmed":
                return self.env._("Repair %(repair)s was confirmed.", repair=repair)
            case "under_repair":
                return self.env._("Repair %(repair)s was started.", repair=repair)
            case "done":
                return self.env._("Repair %(repair)s is done.", repair=repair)
            case _:
                return self.env._("Repair %(repair)s was cancelled.", repair=repair)

    # -- Give back (X15) -----------------------------------------------------

    @api.model
    def _get_give_back_domain(self):
        """Return the domain of finished repairs whose product is still here. What was
        repaired at the customer's never came in, and has nothing to go back."""
        return (
            Domain("state", "=", "done")
            & ~self._get_at_customer_domain()
            & Domain("product_id", "!=", False)
            & (
                Domain("helpdesk_delivery_id", "=", False)
                | Domain("helpdesk_delivery_id.state", "=", "cancel")
            )
        )

    @api.model
    def _get_at_customer_domain(self):
        """Return the domain of repairs of serial numbers that the customer has."""
        return Domain("product_id.tracking", "=", "serial") & Domain(
            "lot_id.quant_ids",
            "any",
            Domain("location_id.usage", "=", "customer") & Domain("quantity", ">", 0),
        )

    def action_give_back(self):
        """Make the delivery that brings the repaired products back to the customer, one
        per repair; returns the action that opens it, or says that it was made to those
        who may not read deliveries.

        For agents who may work on the ticket, and for users of Repairs.

        :raises AccessError: when it isn't the user's to do
        :raises UserError: when a repair isn't done, or its product was given back
        """
        for ticket, repairs in self.grouped("helpdesk_ticket_id").items():
            if not repairs.has_access("write"):
                ticket._check_after_sales("use_product_repairs")
        # sudo: the user may change these repairs, or work on their tickets.
        repairs = self.sudo()
        self.env["helpdesk.ticket"]._lock_after_sales(repairs)
        repairs.invalidate_recordset(["helpdesk_delivery_id", "state"])
        for repair in repairs:
            repair._check_give_back()
            repair._create_give_back()
        deliveries = repairs.helpdesk_delivery_id.sudo(False)
        if deliveries.has_access("read"):
            return deliveries._get_records_action(context={})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Delivery %(deliveries)s was made: Inventory sends the repaired "
                    "product back.",
                    # sudo: the name of what the user has just made.
                    deliveries=", ".join(deliveries.sudo().mapped("name")),
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _check_give_back(self):
        if self.state != "done" or not self.product_id:
            raise UserError(
                self.env._(
                    "Repair %(repair)s is not done yet: nothing can be given back.",
                    repair=self.name,
                )
            )
        delivery = self.helpdesk_delivery_id
        if delivery and delivery.state != "cancel":
            raise UserError(
                self.env._(
                    "What was repaired in %(repair)s is given back with %(delivery)s "
                    "already.",
                    repair=self.name,
                    delivery=delivery.name,
                )
            )
        if self.filtered_domain(self._get_at_customer_domain()):
            raise UserError(
                self.env._(
                    "As far as Inventory knows, %(lot)s is still with the customer: "
                    "receive it with a return first.",
                    lot=self.lot_id.name,
                )
            )

    def _create_give_back(self):
        """Create the delivery of one repair; the caller has checked everything."""
        repair = self.with_env(
            self.env(context=clean_context(self.env.context))
        ).with_company(self.company_id)
        delivery = repair._return_the_return() or repair._create_plain_delivery()
        self.helpdesk_delivery_id = delivery
        delivery._message_log(
            body=self.env._(
                "Brings back what was repaired in %(repair)s.",
                repair=self._get_html_link(),
            )
        )
        sentence = self.env._(
            "%(product)s goes back to the customer with delivery %(delivery)s.",
            product=self.product_id.display_name,
            delivery=delivery.name,
        )
        self._message_log(body=sentence)
        self._after_sales_tell_ticket({self: sentence})

    def _return_the_return(self):
        """Return the return that the product came with: the order counts it as
        delivered again. No record when there was none, or when it isn't done."""
        back = self.picking_id
        moves = back.move_ids.filtered(
            lambda move: (
                move.state == "done"
                and move.product_id == self.product_id
                and (not self.lot_id or self.lot_id in move.lot_ids)
            )
        )
        if not moves:
            return back.browse()
        wizard = self.env["stock.return.picking"].create({"picking_id": back.id})
        line = wizard.product_return_moves.filtered(lambda li: li.move_id == moves[0])
        line.quantity = self.product_uom._compute_quantity(
            self.product_qty, line.uom_id
        )
        delivery = wizard._create_return()
        self._send_repaired(delivery.move_ids)
        return delivery

    def _create_plain_delivery(self):
        operation = self.picking_type_id.warehouse_id.out_type_id
        places = {
            "location_id": self.product_location_dest_id.id,
            "location_dest_id": self.partner_id.property_stock_customer.id,
        }
        delivery = self.env["stock.picking"].create(
            {
                "picking_type_id": operation.id,
                "partner_id": self.partner_id.id,
                "origin": self.name,
                "company_id": self.company_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": self.product_id.id,
                            "product_uom": self.product_uom.id,
                            "product_uom_qty": self.product_qty,
                            "company_id": self.company_id.id,
                            **places,
                        }
                    )
                ],
                **places,
            }
        )
        delivery.action_confirm()
        self._send_repaired(delivery.move_ids)
        return delivery

    def _send_repaired(self, move):
        """Take the repaired piece, and no other of its kind, from where it is."""
        move._do_unreserve()
        move.location_id = self.product_location_dest_id
        move.picking_id.location_id = self.product_location_dest_id
        if not self.lot_id:
            move._action_assign()
            return
        move.move_line_ids = [
            Command.create(
                {
                    "picking_id": move.picking_id.id,
                    "product_id": move.product_id.id,
                    "product_uom_id": move.product_uom.id,
                    "lot_id": self.lot_id.id,
                    "quantity": move.product_uom_qty,
                    "location_id": move.location_id.id,
                    "location_dest_id": move.location_dest_id.id,
                    "company_id": move.company_id.id,
                }
            )
        ]

    @api.model
    def _get_agent_views(self, user):
        # Most users of Repairs have this group: nothing need be asked for them.
        if user.has_group("stock.group_stock_user"):
            return {}
        return super()._get_agent_views(user)

    @api.model
    def _after_sales_agent_views(self):
        view_id = self.env["ir.model.data"]._xmlid_to_res_id
        return {
            kind: view_id(f"helpdesk_repair.repair_order_view_{kind}_agent")
            for kind in ("list", "form")
        }

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        return self.env._("Repair")

    def _prepare_timeline_values(self, customer=False):
        values = super()._prepare_timeline_values(customer)
        states = {
            "draft": (self.env._("New"), "info"),
            "confirmed": (self.env._("Planned"), "info"),
            "under_repair": (self.env._("In repair"), "warning"),
            "done": (self.env._("Repaired"), "success"),
            "cancel": (self.env._("Cancelled"), "secondary"),
        }
        values["state"], values["style"] = states[self.state]
        values["detail"] = " ".join(
            filter(
                None,
                (
                    self.env._(
                        "%(quantity)s %(unit)s of %(product)s",
                        quantity=format_quantity(self.env, self.product_qty),
                        unit=self.product_uom.name,
                        product=self.product_id.display_name,
                    )
                    if self.product_id
                    else "",
                    self.lot_id.name,
                ),
            )
        )
        if self.state in ("confirmed", "under_repair"):
            values["promised"] = self.schedule_date
            values["promise"] = self.env._("Planned for %(date)s")
        return values
