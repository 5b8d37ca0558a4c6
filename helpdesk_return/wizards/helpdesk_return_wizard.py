from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskReturnWizard(models.TransientModel):
    _name = "helpdesk.return.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Return from a helpdesk ticket"

    _after_sales_switch = "use_product_returns"
    _after_sales_result = "made_picking_ids"

    company_id = fields.Many2one(related="helpdesk_ticket_id.company_id")
    product_id = fields.Many2one(related="helpdesk_ticket_id.product_id")
    lot_id = fields.Many2one(related="helpdesk_ticket_id.lot_id")
    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        compute="_compute_sale_order_id",
        store=True,
        readonly=False,
        help="Narrows the deliveries to those of this order.",
    )
    picking_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Delivery to Return",
        compute="_compute_picking_id",
        store=True,
        readonly=False,
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Return Location",
        compute="_compute_location_id",
        store=True,
        readonly=False,
        domain="[('usage', '=', 'internal'),"
        " ('company_id', 'in', (company_id, False))]",
        help="Where the goods go when they are received.",
    )
    line_ids = fields.One2many(
        comodel_name="helpdesk.return.wizard.line",
        inverse_name="wizard_id",
        string="Products",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    made_picking_ids = fields.Many2many(comodel_name="stock.picking", readonly=True)
    notice = fields.Char(compute="_compute_notice")

    # -- Defaults and computes -----------------------------------------------

    @api.depends("helpdesk_ticket_id")
    def _compute_sale_order_id(self):
        for wizard in self:
            # sudo: the ticket's own order is carried over, not read.
            wizard.sale_order_id = wizard.helpdesk_ticket_id.sudo().sale_order_id

    @api.depends("helpdesk_ticket_id", "sale_order_id")
    def _compute_picking_id(self):
        """The one delivery that fits is chosen; one that no longer fits is dropped."""
        for wizard in self:
            if not wizard.picking_id and (asked := wizard._get_request_picking()):
                wizard.picking_id = asked.id
                continue
            domain = wizard._get_picking_domain()
            # sudo: ids of the customer's own deliveries, as the domain says.
            found = self.env["stock.picking"].sudo().search(domain, limit=2)
            chosen = wizard.picking_id.sudo()._origin
            if chosen and found.search_count(domain & Domain("id", "=", chosen.id)):
                continue
            wizard.picking_id = found.id if len(found) == 1 else False

    @api.depends("picking_id")
    def _compute_location_id(self):
        for wizard in self:
            wizard.location_id = wizard._get_default_location()

    def _get_default_location(self):
        """Return where Odoo's own wizard would send the goods: for drop shipments that
        is the supplier (S73)."""
        picking = self._get_allowed_picking()
        return_type = picking.picking_type_id.return_picking_type_id
        if return_type.code == "incoming":
            return return_type.default_location_dest_id
        return picking.location_id

    @api.depends("picking_id")
    def _compute_line_ids(self):
        for wizard in self:
            lines = wizard._prepare_lines(wizard.helpdesk_ticket_id)
            lines = wizard._propose_requested(lines)
            wizard.line_ids = [Command.clear(), *map(Command.create, lines)]

    def _prepare_lines(self, ticket):
        """Return the values of all lines, a kit before its components (S70, X14).

        Proposed is what can be returned of the product and lot of ``ticket``; without
        a product, or without a ticket, of everything. Of a kit whole ones come first:
        its components propose the rest.
        """
        ticket = ticket.sudo()  # sudo: product and lot are compared
        picking = self._get_allowed_picking()
        moves = picking._get_returnable_moves()
        left = moves._get_left_to_return()
        lots_left, _returns = moves._get_lots_left()
        lines, in_kits = [], {}
        kits = picking._get_kits()
        for move in moves:
            order_line = move.sale_line_id
            parts = kits.get(order_line)
            product = ticket.product_id
            if parts and order_line not in in_kits:
                of_kit = moves.filtered(
                    lambda m, line=order_line: m.sale_line_id == line
                )
                whole = 0  # the ticket is about something else
                if product in (order_line.product_id, product.browse()):
                    whole = moves._count_kits(parts, of_kit._sum_by_product(left))
                lines.append(
                    {
                        "kit_line_id": order_line.id,
                        "product_id": order_line.product_id.id,
                        "quantity": whole,
                    }
                )
                in_kits[order_line] = self._spread_kits(parts, of_kit, left, whole)
            quantity = left[move]
            if parts:
                quantity = move.product_uom.round(
                    quantity - in_kits[order_line].get(move, 0)
                )
            if product and product not in (move.product_id, order_line.product_id):
                quantity = 0  # the ticket is about another product of this delivery
            lines.append(
                self._prepare_line_values(ticket, move, quantity, lots_left[move])
            )
        return lines

    @api.model
    def _spread_kits(self, parts, moves, left, kits):
        """Return ``{move: quantity}``, in the unit of the move: what ``kits`` whole
        ones take of the moves of their components.

        The last move of a component gets what passes all that is left: it is refused
        there.
        """
        spread = {}
        for product, part in parts.items():
            needed = part * kits
            of_product = moves.filtered(lambda m, p=product: m.product_id == p)
            for move in of_product:
                quantity = product.uom_id._compute_quantity(
                    needed, move.product_uom, round=False
                )
                if move != of_product[-1]:
                    quantity = min(quantity, left[move])
                spread[move] = quantity
                needed -= move.product_uom._compute_quantity(
                    quantity, product.uom_id, round=False
                )
        return spread

    @api.model
    def _prepare_line_values(self, ticket, move, quantity, lots_left):
        """Return the values of the line that proposes to return ``move`` (S70).

        :param lots_left: ``{lot: quantity}`` that can be returned of it
        """
        unit = move.product_id.uom_id
        free = [lot for lot, some in lots_left.items() if unit.compare(some, 0) > 0]
        chosen = []
        if ticket.lot_id in lots_left:
            chosen = [lot for lot in free if lot == ticket.lot_id]
            quantity = min(
                quantity,
                unit._compute_quantity(
                    sum(lots_left[lot] for lot in chosen),
                    move.product_uom,
                    rounding_method="DOWN",
                ),
            )
        elif move.has_tracking == "serial":
            wanted = move.product_uom._compute_quantity(quantity, unit)
            # All of them, or none: of a part the agent says which.
            chosen = free if unit.compare(wanted, len(free)) == 0 else []
        return {
            "move_id": move.id,
            "product_id": move.product_id.id,
            "quantity": quantity,
            "lot_ids": [Command.set([lot.id for lot in chosen])] if quantity else [],
        }

    @api.depends("picking_id", "sale_order_id", "line_ids")
    def _compute_notice(self):
        for wizard in self:
            wizard.notice = wizard._get_notice()

    def _get_notice(self):
        """Return why nothing can be returned, or ``False`` (X4)."""
        if not self._get_allowed_picking():
            # sudo: whether there is a delivery is all that is told.
            pickings = self.env["stock.picking"].sudo()
            if pickings.search_count(self._get_picking_domain(), limit=1):
                return False
            if not self.sale_order_id:
                return self.env._(
                    "%(customer)s has no delivery that is done: there is nothing to "
                    "return.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            return self.env._(
                "No delivery of this order is done yet, so nothing can be returned. "
                "Choose another order, or empty it."
            )
        if self.line_ids and not any(self.line_ids.mapped("returnable_quantity")):
            return self.env._("Everything of this delivery is on a return already.")
        return False

    def _get_picking_domain(self):
        """Return the domain of the deliveries that can be chosen (S69)."""
        return self._purchase_domain("stock.picking")

    @api.model
    def _get_purchase_scope_fields(self):
        # Product and lot of the ticket propose quantities; they don't hide deliveries
        # of the chosen order.
        return {"sale_order": "sale_order_id"}

    def _purchase_domain(self, model):
        ticket = self.helpdesk_ticket_id
        return ticket._purchase_domain(
            model,
            sale_order=self.sale_order_id,
            product=ticket.product_id.browse(),
            lot=self.env["stock.lot"],
        )

    def _get_allowed_picking(self):
        """Return the chosen delivery with ``sudo()``, or no record when it isn't one
        that this customer received."""
        # sudo: the domain lets in the deliveries of the ticket's customer only.
        picking = self.picking_id.sudo()._origin
        return picking.search(
            self.helpdesk_ticket_id._purchase_domain(
                "stock.picking",
                sale_order=self.env["sale.order"],
                product=self.env["product.product"],
                lot=self.env["stock.lot"],
            )
            & Domain("id", "=", picking.id)
        )

    # -- Buttons -------------------------------------------------------------

    def action_take_all(self):
        """Propose all that is left of each line. Returns the action of the pop-up."""
        self.ensure_one()
        proposed = {
            (values.get("move_id", False), values.get("kit_line_id", False)): values
            for values in self._prepare_lines(self.env["helpdesk.ticket"])
        }
        for line in self.line_ids:
            # sudo: the ids of move and order line are compared.
            values = proposed.get((line.sudo().move_id.id, line.sudo().kit_line_id.id))
            line.update(
                {
                    "quantity": values["quantity"] if values else 0,
                    "lot_ids": values and values.get("lot_ids") or [Command.clear()],
                }
            )
        return self._reopen()

    def action_take_none(self):
        """Propose nothing. Returns the action of the pop-up."""
        self.ensure_one()
        self.line_ids.write({"quantity": 0, "lot_ids": [Command.clear()]})
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reverse Transfer"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": dict(self.env.context, dialog_size="extra-large"),
        }

    def action_return(self):
        """Create the return; returns the action that opens it (S74).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence why this can't be returned
        """
        return self._return(exchange=False)

    def action_exchange(self):
        """Create the return and the delivery of the same goods; returns the action
        that opens both (X3). Raises as :meth:`action_return`."""
        return self._return(exchange=True)

    def _return(self, exchange):
        self._check_ready()
        # sudo: _check_ready proved that the user may work on this ticket.
        self._lock(self.picking_id.sudo())
        if made := self._open_result():
            return made
        quantities = self._check_return()
        pickings = self._create_return_picking(quantities, exchange)
        ticket = self.helpdesk_ticket_id
        pickings.filtered(lambda p: not p.helpdesk_ticket_id).write(
            {
                "helpdesk_ticket_id": ticket.id,
                "helpdesk_reason_id": self.helpdesk_reason_id.id,
            }
        )
        if exchange and len(pickings) == 1:
            # Drop shipments, or goods that are bought or made first.
            ticket._message_log(
                body=self.env._(
                    "The delivery in exchange for %(picking)s is not made yet: the "
                    "products are to be bought or made first.",
                    picking=pickings._get_html_link(),
                )
            )
        self.sudo().made_picking_ids = pickings  # sudo: read by the rule of the link
        self._approve_request(pickings)
        # The context of this wizard must not follow the user into the transfer.
        return pickings.sudo(False)._get_records_action(
            name=self.env._("Returns"), context={}
        )

    # -- Checks --------------------------------------------------------------

    def _check_return(self):
        """Refuse what can't be returned, before anything is made.

        Returns ``{move: quantity}``, in the unit of the move, of what will be.
        """
        picking = self._get_allowed_picking()
        if not picking:
            raise UserError(
                self._get_notice()
                or self.env._(
                    "Choose the delivery to return: one that %(customer)s received.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )
        self._check_location()
        moves = picking._get_returnable_moves()
        kits = picking._get_kits()
        for line in self.line_ids:
            line._check_quantity(moves, kits)
        left = moves._get_left_to_return()
        quantities = self._get_quantities(moves, kits, left)
        for move, quantity in quantities.items():
            self._check_left(move, quantity, left[move])
        if not quantities:
            raise UserError(self.env._("Enter a quantity to return."))
        lots_left, returns = moves._get_lots_left()
        for line in self.line_ids.filtered("lot_ids"):
            move = line.move_id.sudo()  # sudo: proved by _check_quantity
            line._check_lots(move, quantities.get(move, 0), lots_left[move], returns)
        return quantities

    def _check_location(self):
        # sudo: it is compared only. A foreign one isn't named.
        location = self.location_id.sudo()
        company = self.company_id
        if not location or location == self._get_default_location():
            return
        if (
            not location.active
            or location.usage != "internal"
            or location.company_id not in (company, company.browse())
        ):
            raise UserError(
                self.env._(
                    "The chosen location can't take returns of %(company)s; choose an "
                    "internal location of it.",
                    company=company.display_name,
                )
            )

    def _get_quantities(self, moves, kits, left):
        """Return ``{move: quantity}``, in the unit of the move, of what all lines ask
        for together: a component by itself, and in kits."""
        asked = dict.fromkeys(moves, 0.0)
        for line in self.line_ids.filtered("move_id"):
            asked[line.move_id.sudo()] += line.quantity  # sudo: see _check_quantity
        for line in self.line_ids.filtered("kit_line_id"):
            order_line = line.kit_line_id.sudo()  # sudo: see _check_quantity
            of_kit = moves.filtered(lambda m, ol=order_line: m.sale_line_id == ol)
            free = {move: max(left[move] - asked[move], 0) for move in of_kit}
            spread = self._spread_kits(kits[order_line], of_kit, free, line.quantity)
            for move, quantity in spread.items():
                asked[move] += quantity
        return {
            move: move.product_uom.round(quantity)
            for move, quantity in asked.items()
            if not move.product_uom.is_zero(quantity)
        }

    def _check_left(self, move, quantity, left):
        if move.product_uom.compare(quantity, left) <= 0:
            return
        refusal = self.line_ids._get_refusal(move, left)
        raise UserError(
            self.env._(
                "%(product)s: %(quantity)g %(unit)s are too many, %(left)g of the "
                "%(delivered)g delivered can still be returned. %(refusal)s",
                product=move.product_id.display_name,
                quantity=quantity,
                unit=move.product_uom.name,
                left=left,
                delivered=move.quantity,
                refusal=refusal or "",
            ).strip()
        )

    # -- What is made --------------------------------------------------------

    def _create_return_picking(self, quantities, exchange):
        """Create the return with Odoo's own wizard; returns the transfers, under sudo.

        The one place that knows that wizard, which Odoo 20 drops. The transfers are
        confirmed and reserved, not validated.

        :param quantities: ``{move of the delivery: quantity}``, in the unit of the move
        :param exchange: whether the same goods are delivered once more
        """
        # sudo: _check_ready and _check_return proved user, ticket and delivery; agents
        # have no right to Inventory, and exactly these transfers are made.
        wizard = self._without_defaults(helpdesk_return_location=self.location_id.id)
        native = wizard.env["stock.return.picking"].sudo()
        native = native.create({"picking_id": self.picking_id.id})
        for line in native.product_return_moves:
            line.quantity = quantities.get(line.move_id, 0)
        native.product_return_moves.filtered(lambda line: not line.quantity).unlink()
        moves = native.env["stock.move"]
        lots = self._plan_lots(
            quantities, moves.concat(*quantities)._get_lots_left()[0]
        )
        latest = moves.search([], order="id desc", limit=1).id
        if exchange:
            action = native.action_create_exchanges()
            made = native.env["stock.picking"].browse(action["res_id"])
        else:
            made = native._create_return()
        self._set_lots(made, lots)
        self._set_reasons(made)
        if exchange:
            # Of a snapshot, these are the moves of this transaction, whatever they
            # were put together with.
            made |= moves.search([("id", ">", latest)]).picking_id.filtered(
                lambda picking: (
                    "customer"
                    in picking.move_ids.mapped("location_final_id.usage")
                    + picking.location_dest_id.mapped("usage")
                )
            )
        return made

    def _plan_lots(self, quantities, lots_left):
        """Return ``{move of the delivery: [(lot, quantity)]}``, in the unit of the
        product: the lots that come back (X3).

        :param lots_left: ``{move: {lot: quantity}}`` that can be returned
        """
        # sudo: proved by _check_quantity and _check_lots
        chosen = {line.move_id: line.lot_ids for line in self.line_ids.sudo()}
        plan = {}
        for move, quantity in quantities.items():
            unit = move.product_id.uom_id
            wanted = move.product_uom._compute_quantity(quantity, unit)
            plan[move] = []
            # Nothing was chosen: the first that are on no other return (T5).
            for lot in chosen.get(move) or lots_left[move]:
                part = min(wanted, lots_left[move][lot])
                if unit.compare(part, 0) > 0:
                    plan[move].append((lot, part))
                    wanted -= part
            if unit.compare(wanted, 0) > 0:
                plan[move] = []  # lots unknown to the returns: as Odoo reserves
        return plan

    def _set_lots(self, picking, plan):
        """Let the return carry exactly these lots and serial numbers (X3)."""
        for move in picking.move_ids:
            lots = plan.get(move.origin_returned_move_id)
            if not lots:
                continue
            move.move_line_ids.unlink()
            move.move_line_ids = [
                Command.create(self._prepare_move_line_values(move, lot, quantity))
                for lot, quantity in lots
            ]
            move.move_line_ids._apply_putaway_strategy()

    def _set_reasons(self, picking):
        """Write the reason of each line, else that of the whole return (X5)."""
        # sudo: the ids of moves and order lines are compared.
        reasons = {}
        for line in self.line_ids.sudo().filtered("reason_id"):
            reasons[line.move_id or line.kit_line_id] = line.reason_id
        for move in picking.move_ids:
            move.helpdesk_reason_id = (
                reasons.get(move.origin_returned_move_id)
                or reasons.get(move.sale_line_id)
                or self.helpdesk_reason_id
            )

    def _prepare_move_line_values(self, move, lot, quantity):
        """Return the values of the operation that returns ``quantity`` of ``lot``, in
        the unit of the product."""
        return {
            "picking_id": move.picking_id.id,
            "product_id": move.product_id.id,
            "product_uom_id": move.product_id.uom_id.id,
            "lot_id": lot.id,
            "quantity": quantity,
            "location_id": move.location_id.id,
            "location_dest_id": move.location_dest_id.id,
        }
