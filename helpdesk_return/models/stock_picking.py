from odoo import api, models
from odoo.fields import Domain
from odoo.tools import format_date

from odoo.addons.helpdesk_after_sales.tools import format_quantity

from ..tools import DeliveryBalance


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
        find = self.env["ir.model.data"]._xmlid_to_res_id
        return {
            kind: find(f"helpdesk_return.stock_picking_view_{kind}_agent")
            for kind in ("list", "form")
        }

    # -- What the ticket is told ---------------------------------------------

    def _action_done(self):
        result = super()._action_done()
        self._after_sales_tell_ticket(
            {
                picking: picking._get_helpdesk_done_sentence()
                for picking in self
                if picking.helpdesk_ticket_id
                and picking.state == "done"
                and (picking._is_helpdesk_return() or picking._is_helpdesk_sent())
            }
        )
        self._fire_helpdesk_steps()
        return result

    def _fire_helpdesk_steps(self):
        """Do what waits for these returns (X18)."""
        # sudo: whether there is a ticket is all that is asked.
        arrived = self.filtered(
            lambda picking: (
                picking.sudo().helpdesk_ticket_id
                and picking.state == "done"
                and picking._is_helpdesk_return()
            )
        )
        if arrived:
            self.env["helpdesk.after.sales.step"]._fire(arrived)

    def _is_helpdesk_return(self):
        """Return whether this transfer brings goods back from a customer, also such
        that were not delivered here (X22). What goes back to them is a return for Odoo
        as well: of the return."""
        self.ensure_one()
        outside = self.env["stock.move"]._is_after_sales_outside
        return outside(self.location_id) and (
            bool(self.return_id) or self.picking_type_id.code == "incoming"
        )

    def _is_helpdesk_sent(self):
        """Return whether this transfer leaves the house: what is fetched from the
        shelf isn't sent yet (goods C1)."""
        return any(move._get_after_sales_direction() == "out" for move in self.move_ids)

    def _get_helpdesk_done_sentence(self):
        date = format_date(self.env, self.date_done)
        kind, document = self._after_sales_kind(), self._get_html_link()
        if not self._is_helpdesk_return():
            return self.env._(
                "%(kind)s %(document)s was sent on %(date)s.",
                kind=kind,
                document=document,
                date=date,
            )
        return self.env._(
            "%(kind)s %(document)s: received %(lines)s on %(date)s.",
            kind=kind,
            document=document,
            lines=self._describe_helpdesk_quantities(),
            date=date,
        )

    def action_cancel(self):
        result = super().action_cancel()
        linked = self.filtered("helpdesk_ticket_id")
        self._after_sales_tell_ticket(
            {
                picking: self.env._(
                    "%(kind)s %(document)s was cancelled.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                )
                for picking in linked
            }
        )
        self._after_sales_tell_ticket(linked._get_helpdesk_free_sentences())
        if linked:
            self.env["helpdesk.after.sales.step"]._drop(linked)
        return result

    def _get_helpdesk_free_sentences(self):
        """Return ``{return: sentence}`` of the cancelled returns whose replacement is
        still going out, so that somebody decides about it (goods C16)."""
        sentences = {}
        for picking in self.filtered(lambda p: p._is_helpdesk_return()):
            products = picking.move_ids.product_id
            # sudo: whoever cancels a return may not see its ticket; names only.
            going = picking.helpdesk_ticket_id.sudo().return_ids.filtered(
                lambda other, products=products: (
                    not other.return_id
                    and not other._is_helpdesk_return()
                    and other.state not in ("done", "cancel")
                    and other.move_ids.product_id & products
                )
            )
            if going:
                sentences[picking] = self.env._(
                    "%(replacements)s will still be sent, though nothing is coming "
                    "back for it: ask the warehouse to cancel it, or leave it as a "
                    "gift.",
                    replacements=", ".join(going.mapped("name")),
                )
        return sentences

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
            self.env["helpdesk.after.sales.step"]._go_on_with(self, backorder)
        return backorder

    # -- Choosing a delivery (S69) -------------------------------------------

    @api.model
    def _search_purchases(self, name, limit, scope, chosen):
        """A customer's deliveries are named with their date, order and goods, the
        newest first; for a return without those of which nothing is left (S22)."""
        domain = self._get_offered_domain(scope, chosen)
        if name:
            domain &= Domain.OR(
                Domain(field, "ilike", name)
                for field in (
                    *("name", "origin", "sale_id.name", "move_ids.product_id"),
                    "move_line_ids.lot_id.name",
                )
            )
        pickings = self._with_purchases()
        pickings = pickings.search(domain, order="date_done desc, id", limit=limit)
        if chosen.get("returnable"):
            balances = pickings._get_delivery_balances()
            pickings = pickings.filtered(
                lambda picking: any(o.left for o in balances[picking].goods.values())
            )
        return [(picking.id, picking._get_helpdesk_label()) for picking in pickings]

    def _get_report_base_filename(self):
        """Return the name of the file of a report, as Odoo's portal asks for it."""
        self.ensure_one()
        return self.name

    def _get_helpdesk_label(self):
        """Return "WH/OUT/00184 · 3 May 2026 · S00042 · Lamp, Desk"."""
        products = self.move_ids.product_id
        goods = ", ".join(products[:3].mapped("display_name"))
        words = (
            self.name,
            self.date_done and format_date(self.env, self.date_done),
            self.sale_id.name,
            goods + " …" if len(products) > 3 else goods,
        )
        return " · ".join(filter(None, words))

    # -- What can be returned ------------------------------------------------

    def _get_returnable_moves(self):
        """Return the moves of these deliveries that reached the customer."""
        return self.move_ids.filtered(
            lambda move: (
                move.state == "done" and move._get_after_sales_direction() == "out"
            )
        )

    def _get_delivery_balances(self, together=False):
        """Return ``{delivery: DeliveryBalance}``: what these deliveries hold that can
        come back, in a fixed number of queries.

        :param together: one balance, of all of them
        """
        moves = self._get_returnable_moves()
        lines = moves.sale_line_id
        loose = moves.filtered(lambda move: not move.sale_line_id)
        all_moves = moves._search_after_sales_moves(
            Domain("sale_line_id", "in", lines.ids)
            | Domain("id", "in", loose.ids)
            | Domain("origin_returned_move_id", "in", moves.ids)
        )
        goods = all_moves._get_after_sales_goods(looked_up=moves)
        parts = lines._get_after_sales_parts_by_line(all_moves)
        groups = [self] if together else self
        return {
            group: self._make_delivery_balance(
                {move: out for move, out in goods.items() if move.picking_id in group},
                parts,
            )
            for group in groups
        }

    @api.model
    def _make_delivery_balance(self, goods, parts):
        """Return the ``DeliveryBalance`` of these goods, with the kits that they hold
        with all their components.

        :param parts: ``{order line: {component: quantity per unit of the line}}``
        """
        kits = {}
        for line, needed in parts.items():
            held = {move.product_id for move in goods if move.sale_line_id == line}
            if needed and held and held >= set(needed):
                unit = line.product_id.uom_id
                per_line = line.product_uom_id._compute_quantity(1, unit, round=False)
                kits[line] = {
                    product: quantity / per_line for product, quantity in needed.items()
                }
        return DeliveryBalance(goods, kits)

    def _get_delivery_balance(self):
        """Return the ``DeliveryBalance`` of these deliveries together: a kit may have
        come in parts."""
        return self._get_delivery_balances(together=True)[self]

    # -- Words ---------------------------------------------------------------

    def _describe_helpdesk_quantities(self):
        """Return "2 of 3 Lamp, 1 of 1 Desk": what came of what was announced, also by
        the transfers before and after this one."""
        self.ensure_one()
        first = self
        while first.backorder_id:
            first = first.backorder_id
        announced, found = first, first
        while found := found.backorder_ids - announced:
            announced |= found
        planned, done = {}, {}
        for move in announced.move_ids:
            if move._get_after_sales_direction() == "back":
                quantity = move.product_uom_qty
                if move.state == "done":
                    quantity = max(quantity, move.quantity)
                quantity = move._get_after_sales_in_unit(quantity)
                planned[move.product_id] = planned.get(move.product_id, 0) + quantity
        for move in self.move_ids:
            # What was scrapped on its way stays in the house, too.
            if move.state == "done" and move._get_after_sales_direction() == "back":
                quantity = move._get_after_sales_quantity()
                done[move.product_id] = done.get(move.product_id, 0) + quantity
        return ", ".join(
            self.env._(
                "%(done)s of %(planned)s %(product)s",
                done=format_quantity(self.env, quantity),
                planned=format_quantity(self.env, max(planned[product], quantity)),
                product=product.display_name,
            )
            for product, quantity in done.items()
        )

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        if self._is_helpdesk_return():
            return self.env._("Return")
        if self.return_id:
            return self.env._("Delivery")  # what came is sent back as it is
        return self.env._("Replacement")

    # -- Timeline (X7) -------------------------------------------------------

    def _is_timeline_of(self, ticket):
        # A return may be sent from another address than the customer's.
        customer = self.sale_id.partner_id or self.partner_id
        return customer.commercial_partner_id == ticket.commercial_partner_id

    def _prepare_timeline_values(self, customer=False):
        returned = self._is_helpdesk_return()
        if not returned and self.state == "done" and not self._is_helpdesk_sent():
            return False  # the goods are in the transfer that leaves the house
        values = super()._prepare_timeline_values(customer)
        states = {
            "done": (self.env._("Received"), "success")
            if returned
            else (self.env._("Sent"), "success"),
            "cancel": (self.env._("Cancelled"), "secondary"),
        }
        default = (
            (self.env._("We are waiting for it"), "info")
            if returned
            else (self.env._("Being prepared"), "info")
        )
        values["state"], values["style"] = states.get(self.state, default)
        values["detail"] = (
            self._describe_found(customer) or self._describe_timeline_quantities()
        )
        if self.state in ("done", "cancel"):
            return values
        if not returned:
            return values | {
                "promised": self.scheduled_date,
                "promise": self.env._("Ships on %(date)s"),
            }
        ticket = self.helpdesk_ticket_id
        values["detail"] = ". ".join(
            filter(None, [values["detail"], self._describe_tracking()])
        )
        if self.helpdesk_label_name:
            suffix = f"/return/{self.id}/label"
            values |= {
                "more_url": ticket.get_portal_url(suffix=suffix),
                "more_url_label": self.env._("Return label"),
            }
        return values | {
            "url": ticket.get_portal_url(suffix=f"/return/{self.id}"),
            "url_label": self.env._("Return slip (PDF)"),
        }

    def _describe_timeline_quantities(self):
        """Return "2 × Lamp, 1 × Desk": what is moved. A piece that was
        scrapped from the return is one of those that came (goods C9)."""
        done = self.state == "done"
        total = {}
        for move in self.move_ids:
            if move.location_dest_id.usage == "inventory" or (
                move.state == "cancel" and self.state != "cancel"
            ):
                continue
            key = move.product_id, move.product_uom
            quantity = move.quantity if done else move.product_uom_qty
            total[key] = total.get(key, 0.0) + quantity
        return ", ".join(
            f"{format_quantity(self.env, quantity, unit)} × {product.display_name}"
            for (product, unit), quantity in total.items()
        )
