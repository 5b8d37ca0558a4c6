from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = [
        "helpdesk.after.sales.document",
        "helpdesk.readable.mixin",
        "stock.picking",
    ]

    _after_sales_first_line = True
    _helpdesk_ticket_path = "helpdesk_ticket_id"

    @api.model
    def _after_sales_agent_views(self):
        return {
            kind: self.env.ref(f"helpdesk_return.stock_picking_view_{kind}_agent").id
            for kind in ("list", "form")
        }

    def _action_done(self):
        result = super()._action_done()
        self._after_sales_tell_ticket(
            {
                picking: self.env._(
                    "%(kind)s %(document)s: received %(lines)s on %(date)s.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                    lines=picking._describe_helpdesk_quantities(),
                    date=format_date(self.env, picking.date_done),
                )
                if picking.return_id
                else self.env._(
                    "%(kind)s %(document)s was sent on %(date)s.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                    date=format_date(self.env, picking.date_done),
                )
                for picking in self
                if picking.helpdesk_ticket_id and picking.state == "done"
            }
        )
        return result

    def action_cancel(self):
        result = super().action_cancel()
        self._after_sales_tell_ticket(
            {
                picking: self.env._(
                    "%(kind)s %(document)s was cancelled.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                )
                for picking in self
                if picking.helpdesk_ticket_id
            }
        )
        return result

    def _create_backorder_picking(self):
        """What is still to come of a ticket's return stays on the ticket."""
        backorder = super()._create_backorder_picking()
        if self.helpdesk_ticket_id:
            # sudo: the warehouse may not see the ticket that this transfer is on; the
            # link and the reason are carried over as they are.
            backorder.sudo().write(
                {
                    "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                    "helpdesk_reason_id": self.helpdesk_reason_id.id,
                    "return_id": self.return_id.id,
                }
            )
        return backorder

    # -- What can be returned ------------------------------------------------

    def _get_returnable_moves(self):
        """Return the moves of these deliveries that reached the customer."""
        return self.move_ids.filtered(
            lambda move: (
                move.state == "done" and move.location_dest_usage != "inventory"
            )
        )

    def _get_kits(self):
        """Return ``{order line: {component: quantity per kit}}`` of the kits that these
        deliveries hold with all their components (X14).

        Quantities are in the unit of the component, for one unit of the order line. A
        kit is known by its order line being of another product than its moves: what
        bills of materials say, whatever application has them, is in the demand.
        """
        kits = {}
        delivered = self._get_returnable_moves().filtered("sale_line_id")
        for line, moves in delivered.grouped("sale_line_id").items():
            if line.product_id in moves.product_id or line.product_uom_qty <= 0:
                continue
            sent = line.move_ids.filtered(
                lambda move: (
                    move.location_dest_id.usage == "customer"
                    and not move.origin_returned_move_id
                )
            )
            demand = sent._sum_by_product({move: move.product_uom_qty for move in sent})
            if sent.product_id <= moves.product_id:
                kits[line] = {
                    product: quantity / line.product_uom_qty
                    for product, quantity in demand.items()
                    if quantity > 0
                }
        return {line: parts for line, parts in kits.items() if parts}

    def _get_returned_purchases(self):
        """Return ``{order line: quantity}``, in the unit of the line: what comes back
        with these returns and reduces what is delivered. A kit counts when all of its
        components came."""
        moves = self.filtered("return_id").move_ids.filtered(
            lambda move: move.state != "cancel" and move.to_refund and move.sale_line_id
        )
        kits = moves.origin_returned_move_id.picking_id._get_kits()
        returned = {}
        for line, back in moves.grouped("sale_line_id").items():
            total = back._sum_by_product(
                {
                    move: move.quantity
                    if move.state == "done"
                    else move.product_uom_qty
                    for move in back
                }
            )
            if line in kits:
                returned[line] = back._count_kits(kits[line], total)
            elif line.product_id in total:
                returned[line] = line.product_id.uom_id._compute_quantity(
                    total[line.product_id], line.product_uom_id, round=False
                )
        return returned

    def _describe_helpdesk_quantities(self):
        """Return "2 of 3 Lamp, 1 of 1 Desk": what came of what was expected."""
        self.ensure_one()
        planned, done = {}, {}
        expected = self.move_ids + self.backorder_ids.move_ids
        for move in expected:
            product = move.product_id
            planned[product] = planned.get(product, 0) + move.product_uom_qty
        for move in self.move_ids.filtered(lambda move: move.state == "done"):
            done[move.product_id] = done.get(move.product_id, 0) + move.quantity
        return ", ".join(
            self.env._(
                "%(done)g of %(planned)g %(product)s",
                done=quantity,
                planned=max(planned[product], quantity),
                product=product.display_name,
            )
            for product, quantity in done.items()
        )

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        if self.return_id:
            return self.env._("Return")
        return self.env._("Replacement")

    # -- Timeline (X7) -------------------------------------------------------

    def _is_timeline_of(self, ticket):
        # A return may be sent from another address than the customer's.
        customer = self.sale_id.partner_id or self.partner_id
        return customer.commercial_partner_id == ticket.commercial_partner_id

    def _prepare_timeline_values(self, customer=False):
        values = super()._prepare_timeline_values(customer)
        states = {
            "done": (self.env._("Received"), "success")
            if self.return_id
            else (self.env._("Sent"), "success"),
            "cancel": (self.env._("Cancelled"), "secondary"),
        }
        default = (
            (self.env._("We are waiting for it"), "info")
            if self.return_id
            else (self.env._("Is being prepared"), "info")
        )
        values["state"], values["style"] = states.get(self.state, default)
        done = self.state == "done"
        values["detail"] = ", ".join(
            self.env._(
                "%(quantity)g %(unit)s of %(product)s",
                quantity=move.quantity if done else move.product_uom_qty,
                unit=move.product_uom.name,
                product=move.product_id.display_name,
            )
            for move in self.move_ids
            if move.state != "cancel" or self.state == "cancel"
        )
        if self.state in ("done", "cancel"):
            return values
        if not self.return_id:
            return values | {
                "promised": self.scheduled_date,
                "promise": self.env._("Leaves us on %(date)s"),
            }
        return values | {
            "url": self.helpdesk_ticket_id.get_portal_url(suffix=f"/return/{self.id}"),
            "url_label": self.env._("Return slip (PDF)"),
        }
