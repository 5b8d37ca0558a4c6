from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import clean_context

from odoo.addons.helpdesk_after_sales.tools import lock_records


class RepairOrder(models.Model):
    """Deliver to Customer (X15): the transfer that brings back what was repaired."""

    _inherit = "repair.order"

    helpdesk_delivery_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Delivery to Customer",
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        check_company=True,
        help="The delivery that brings the repaired product back to the customer.",
    )
    helpdesk_delivery_state = fields.Selection(
        related="helpdesk_delivery_id.state", string="State of the Delivery"
    )

    @api.model
    def _get_give_back_domain(self):
        """Return the domain of finished repairs whose product is still here. What was
        repaired at the customer's never came in, and has nothing to go back."""
        return (
            Domain("state", "=", "done")
            & ~self._get_at_customer_domain()
            & ~self._get_on_its_way_domain()
            & Domain("product_id", "!=", False)
            & (
                Domain("helpdesk_delivery_id", "=", False)
                | Domain("helpdesk_delivery_id.state", "=", "cancel")
            )
        )

    @api.model
    def _get_at_customer_domain(self):
        """Return the domain of repairs of serial numbers that the customer has: there,
        and in no place of ours, whoever owns it."""
        here = Domain("location_id.usage", "in", ("internal", "transit"))
        there = Domain("location_id.usage", "=", "customer")
        some = Domain("quantity", ">", 0)
        return (
            Domain("product_id.tracking", "=", "serial")
            & Domain("lot_id.quant_ids", "any", there & some)
            & ~Domain("lot_id.quant_ids", "any", here & some)
        )

    @api.model
    def _get_on_its_way_domain(self):
        """Return the domain of repairs of serial numbers that another repair gives back
        now: there is one piece of it."""
        # sudo: which serial numbers are about to leave, nothing else of the repairs.
        others = self.sudo()._search(
            Domain("product_id.tracking", "=", "serial")
            & Domain("lot_id", "!=", False)
            & Domain("helpdesk_delivery_id.state", "not in", ("done", "cancel"))
        )
        return Domain("lot_id", "in", others.subselect("lot_id"))

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
        lock_records(repairs)
        repairs.invalidate_recordset(["helpdesk_delivery_id", "state"])
        for repair in repairs:
            if not repair._goes_with(repairs - repair):
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

    def _goes_with(self, others):
        """Let a serial number that was repaired twice go back once: with the delivery
        of the other repair, when that is made by the same press of the button."""
        self.ensure_one()
        if self.product_id.tracking != "serial" or self.helpdesk_delivery_id:
            return False
        same = others.filtered(
            lambda other: other.lot_id == self.lot_id and other.helpdesk_delivery_id
        )
        self.helpdesk_delivery_id = same.helpdesk_delivery_id[:1]
        return bool(same)

    def _check_give_back(self):
        if self.state != "done" or not self.product_id:
            raise UserError(
                self.env._(
                    "Repair %(repair)s is not done yet: nothing can be delivered to "
                    "the customer.",
                    repair=self.name,
                )
            )
        delivery = self.helpdesk_delivery_id
        if delivery and delivery.state != "cancel":
            raise UserError(
                self.env._(
                    "What was repaired in %(repair)s is already being sent back with "
                    "%(delivery)s.",
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
        if self.filtered_domain(self._get_on_its_way_domain()):
            raise UserError(
                self.env._(
                    "%(lot)s already goes back with the delivery of another repair.",
                    lot=self.lot_id.name,
                )
            )

    def _create_give_back(self):
        """Create the delivery of one repair; the caller has checked everything."""
        repair = self.with_env(
            self.env(context=clean_context(self.env.context))
        ).with_company(self.company_id)
        delivery = repair._return_the_return() or repair._create_plain_delivery()
        delivery._message_log(
            body=self.env._(
                "Sends back what was repaired in %(repair)s.",
                repair=self._get_html_link(),
            )
            if self.state == "done"
            else self.env._(
                "Sends back, unrepaired, what came in for %(repair)s.",
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
        back = self._find_return()
        quantities = self._share_returned(back)
        if not quantities:
            return back.browse()
        wizard = self.env["stock.return.picking"].create({"picking_id": back.id})
        for line in wizard.product_return_moves:
            line.quantity = quantities.get(line.move_id, 0)
        delivery = wizard._create_return()
        partner = self._get_give_back_partner(back)
        delivery.write({"partner_id": partner.id, "origin": self.name})
        delivery.move_ids.partner_id = partner
        self._send_repaired(delivery)
        return delivery

    def _get_give_back_partner(self, back):
        """Return to whom the product goes: where it came from, unless the repair says
        somebody else than its ticket (goods C4, A6)."""
        chosen = self.partner_id
        if self.helpdesk_ticket_id and chosen == self.helpdesk_ticket_id.partner_id:
            return back.partner_id or chosen
        return chosen or back.partner_id

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
        self._send_repaired(delivery)
        return delivery

    def _get_place_around(self):
        """Return where to look for goods that were put elsewhere by hand: where the
        repair has left them if some are there, else in all the stock."""
        place = self.product_location_dest_id
        quantity = self.env["stock.quant"]._get_available_quantity(
            self.product_id, place, lot_id=self.lot_id or None
        )
        stock = place.warehouse_id.lot_stock_id
        return place if quantity > 0 or not stock else stock

    def _send_repaired(self, delivery):
        """Take the repaired piece, and no other of its kind, from where it lies: with
        its owner and out of its package, as far as it is there."""
        place = self._find_piece() or self._get_place_around()
        self.helpdesk_delivery_id = delivery
        moves = delivery.move_ids
        moves._do_unreserve()
        # Not only what the receipt has put down: it was carried on, and repaired.
        moves.write({"location_id": place.id, "move_orig_ids": [Command.clear()]})
        delivery.location_id = place
        for move in moves:
            if move._should_bypass_reservation():
                continue
            came = move.origin_returned_move_id.move_line_ids
            move._update_reserved_quantity(
                move.product_qty,
                place,
                lot_id=self.lot_id if move.product_id == self.product_id else None,
                owner_id=came.owner_id[:1],
                strict=False,
            )
        moves._recompute_state()
        # The rest: of what has no number any piece will do, else only this one.
        moves._action_assign()
        moves.move_line_ids.result_package_id = False
