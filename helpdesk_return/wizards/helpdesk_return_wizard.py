from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import asks_rules

#: of so many deliveries what is left is counted, to propose the only one that fits
PROPOSED_OF = 20


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
    allowed_picking_id = fields.Many2one(
        comodel_name="stock.picking",
        compute="_compute_allowed_picking_id",
        groups=fields.NO_ACCESS,
        help="The delivery to return, when this customer received it.",
    )
    add_picking_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Add a Delivery",
        help="Its goods are returned at once, also those of another order. Type a "
        "product or serial number to find the deliveries that hold it.",
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
    proposed_line = fields.Integer(
        help="Technical: id of the order line that the pop-up was opened for. No link: "
        "it would tell the name of a line that isn't the user's to read.",
    )
    line_ids = fields.One2many(
        comodel_name="helpdesk.return.wizard.line",
        inverse_name="wizard_id",
        string="Products",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    made_picking_ids = fields.Many2many(
        comodel_name="stock.picking", readonly=True, server_only=True, copy=False
    )
    settlement = fields.Selection(
        selection="_selection_settlement",
        string="When It Has Arrived",
        help="What happens automatically when the goods are received, for those that "
        "are accepted, with your access rights. Leave empty for nothing.",
    )
    settlement_choices = fields.Json(
        compute="_compute_settlement_choices", export_string_translation=False
    )
    notice = fields.Char(compute="_compute_notice")
    several_deliveries = fields.Boolean(
        compute="_compute_notice", export_string_translation=False
    )

    @api.model
    def _selection_settlement(self):
        return self.env["helpdesk.after.sales.step"]._get_choices("receipt")

    # -- Defaults and computes -----------------------------------------------

    @api.depends("helpdesk_ticket_id")
    def _compute_settlement_choices(self):
        steps = self.env["helpdesk.after.sales.step"]
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id
            wizard.settlement_choices = steps._get_choices_for(ticket)

    @api.depends("helpdesk_ticket_id")
    def _compute_sale_order_id(self):
        for wizard in self:
            # sudo: the ticket's own order is carried over, not read.
            wizard.sale_order_id = wizard.helpdesk_ticket_id.sudo().sale_order_id

    @api.depends("helpdesk_ticket_id", "sale_order_id")
    def _compute_picking_id(self):
        """The one delivery that fits is chosen; one that no longer fits is dropped."""
        for wizard in self:
            if not wizard.picking_id and (asked := wizard._get_request_pickings()):
                wizard.picking_id = asked[0].id
                continue
            domain = wizard._get_picking_domain()
            # sudo: ids of the customer's own deliveries, as the domain says.
            pickings = self.env["stock.picking"].sudo()
            chosen = wizard.picking_id.sudo()._origin
            if chosen and pickings.search_count(domain & Domain("id", "=", chosen.id)):
                continue
            found = pickings.search(domain, limit=PROPOSED_OF + 1)
            wizard.picking_id = wizard._choose_picking(found).id

    def _choose_picking(self, pickings):
        """Return the only one of these deliveries of which something is left that the
        ticket may be about (S69); the only one at all; or no record."""
        if len(pickings) < 2 or len(pickings) > PROPOSED_OF:
            return pickings if len(pickings) == 1 else pickings.browse()
        fitting = [
            picking
            for picking, balance in pickings._get_delivery_balances().items()
            if any(
                out.left and self._is_about(self.helpdesk_ticket_id, out)
                for out in balance.goods.values()
            )
        ]
        return fitting[0] if len(fitting) == 1 else pickings.browse()

    def _is_about(self, ticket, out):
        """Return whether what the ticket, or the pop-up, is about is in this part of a
        delivery."""
        # sudo: product, lot and order line are compared.
        ticket, move = ticket.sudo(), out.move
        if not ticket:
            return True
        if self.proposed_line:
            return move.sale_line_id.id == self.proposed_line
        products = move.product_id | move.sale_line_id.product_id
        return (not ticket.product_id or ticket.product_id in products) and (
            not ticket.lot_id or ticket.lot_id in out.get_lots_left(positive=True)
        )

    @api.depends("picking_id")
    def _compute_location_id(self):
        for wizard in self:
            picking = wizard._get_allowed_picking()
            wizard.location_id = wizard._get_default_location(picking)

    @api.model
    def _get_default_location(self, picking):
        """Return where Odoo's own wizard would send the goods: for drop shipments that
        is the supplier (S73)."""
        return_type = picking.picking_type_id.return_picking_type_id
        if return_type.code == "incoming":
            return return_type.default_location_dest_id
        return picking.location_id

    def _get_location_for(self, picking):
        """Return where the goods of one of the deliveries go: to its own place, unless
        the agent has chosen another one."""
        # sudo: compared only.
        location = self.location_id.sudo()
        if location == self._get_default_location(self._get_allowed_picking()):
            return self._get_default_location(picking)
        return location

    @api.depends("picking_id")
    def _compute_line_ids(self):
        """What the lines of the ticket are about may be in several deliveries."""
        for wizard in self:
            picking = wizard._get_allowed_picking()
            asked = picking and wizard._get_request_pickings()
            if picking in asked:
                picking |= asked
            lines = wizard._prepare_lines(wizard.helpdesk_ticket_id, picking)
            wizard.line_ids = [Command.clear(), *map(Command.create, lines)]

    @api.onchange("add_picking_id")
    def _onchange_add_picking_id(self):
        """Add the lines of one more delivery, with all that is left of it."""
        added = self._filter_allowed(self.add_picking_id)
        self.add_picking_id = False
        if not added or added in self._get_allowed_pickings():
            return
        if not self.picking_id:
            self.picking_id = added.id
            return
        nothing = self.env["helpdesk.ticket"]
        kits = self.line_ids.sudo().kit_line_id._origin.ids  # sudo: compared
        self.line_ids = [
            Command.create(values)
            for values in self._prepare_lines(nothing, added)
            if values.get("kit_line_id") not in kits
        ]

    def _get_notice(self):
        """Return why nothing can be returned, or ``False`` (X4)."""
        # What can be returned is counted of allowed deliveries only.
        if any(self.line_ids.mapped("returnable_quantity")):
            return False
        if self._get_allowed_pickings():
            return bool(self.line_ids) and self.env._(
                "All of this delivery is already on a return."
            )
        # sudo: whether there is a delivery is all that is told.
        pickings = self.env["stock.picking"].sudo()
        if pickings.search_count(self._get_picking_domain(), limit=1):
            return False
        if not self.sale_order_id:
            return self.env._(
                "%(customer)s has no completed delivery: there is nothing to return.",
                customer=self.helpdesk_commercial_partner_id.display_name,
            )
        return self.env._(
            "No delivery of this order is done yet, so nothing can be returned. "
            "Choose another order, or empty it."
        )

    @api.depends("picking_id", "sale_order_id", "line_ids.move_id")
    def _compute_notice(self):
        for wizard in self:
            # Whose they are is for the figures and the buttons to ask.
            wizard.several_deliveries = len(wizard._get_chosen_pickings()) > 1
            wizard.notice = wizard._get_notice()

    def _get_picking_domain(self):
        """Return the domain of the deliveries that can be chosen: with a product or lot
        on the ticket, those that hold it (S22, S69)."""
        return self._purchase_domain("stock.picking")

    @api.model
    def _get_purchase_scope_fields(self):
        return {
            "sale_order": "sale_order_id",
            "product": "product_id",
            "lot": "lot_id",
        }

    def _filter_allowed(self, pickings):
        """Return these deliveries with ``sudo()``, without those that this customer
        didn't receive."""
        # sudo: the domain lets in the deliveries of the ticket's customer only.
        pickings = pickings.sudo()._origin
        domain = self.helpdesk_ticket_id._any_purchase_domain("stock.picking")
        return pickings & pickings.search(domain & Domain("id", "in", pickings.ids))

    @api.depends("helpdesk_ticket_id", "picking_id")
    def _compute_allowed_picking_id(self):
        for wizard in self:
            wizard.allowed_picking_id = wizard._filter_allowed(wizard.picking_id)

    def _get_allowed_picking(self):
        """Return *Delivery to Return*, see :meth:`_filter_allowed`."""
        return self.sudo().allowed_picking_id  # sudo: nobody else reads it

    def _get_chosen_pickings(self):
        """Return *Delivery to Return* and those that were added to it, under
        ``sudo()``: nobody has proved yet whose they are."""
        wizard = self.sudo()  # sudo: the caller checks them, or locks the rows only
        return (wizard.picking_id | wizard.line_ids.move_id.picking_id)._origin

    def _get_allowed_pickings(self):
        """Return all chosen deliveries, see :meth:`_filter_allowed`."""
        chosen, allowed = self._get_chosen_pickings(), self._get_allowed_picking()
        return allowed if allowed == chosen else self._filter_allowed(chosen)

    def _get_balance(self):
        """Return the ``DeliveryBalance`` of the chosen deliveries together."""
        return self._get_allowed_pickings()._get_delivery_balance()

    # -- Proposal ------------------------------------------------------------

    def _prepare_lines(self, ticket, pickings):
        """Return the values of the lines of these deliveries, a kit before its
        components (S70, X14).

        Proposed is what the lines of the ticket say, else what can be returned of what
        ``ticket`` is about; without a ticket everything. Of a kit whole ones come
        first: its components propose the rest.
        """
        balance = pickings._get_delivery_balance()
        about = ticket and self._get_about_lines()
        if about:
            return self._propose_about(balance, about)
        lines, taken = [], {}
        left = {move: out.left for move, out in balance.goods.items()}
        for move, out in balance.goods.items():
            kit = move.sale_line_id
            if kit in balance.kits and kit not in taken:
                product = ticket.sudo().product_id  # sudo: compared
                whole = 0  # the ticket is about a component, or something else
                if (
                    self._is_about(ticket, out)
                    and (not product or product == kit.product_id)
                    and not self._get_window_refusal(move)
                ):
                    whole = balance.count_kits(kit, lambda out: out.left)
                lines.append(self._prepare_kit_values(kit, whole))
                taken[kit] = balance.spread_kits(kit, whole, left)
            rest = out.left - taken.get(kit, {}).get(move, 0.0)
            if not self._is_about(ticket, out):
                rest = 0.0
            lot = ticket.sudo().lot_id  # sudo: compared
            lines.append(self._prepare_line_values(out, rest, lot))
        return lines

    @api.model
    def _prepare_kit_values(self, kit, quantity):
        return {
            "kit_line_id": kit.id,
            "product_id": kit.product_id.id,
            "quantity": quantity,
        }

    def _prepare_line_values(self, out, quantity, lot):
        """Return the values of the line that proposes to return of a delivery (S70).

        :param quantity: in the unit of the product
        :param lot: only this one, if the delivery holds it
        """
        move, unit = out.move, out.move.product_id.uom_id
        if self._get_window_refusal(move):
            quantity = 0.0
        lots_left = out.get_lots_left(positive=True)
        chosen = []
        if lot in out.lots:
            chosen = [lot] if lot in lots_left else []
            quantity = min(quantity, lots_left.get(lot, 0.0))
        elif move.product_id.tracking == "serial":
            # All of them, or none: of a part the agent says which.
            chosen = [*lots_left] if unit.compare(quantity, len(lots_left)) == 0 else []
        if unit.compare(quantity, 0) <= 0:
            quantity, chosen = 0.0, []
        return {
            "move_id": move.id,
            "product_id": move.product_id.id,
            "quantity": move._get_after_sales_rounded(quantity),
            "lot_ids": [Command.set([lot.id for lot in chosen])] if chosen else [],
        }

    # -- Buttons -------------------------------------------------------------

    def action_take_all(self):
        """Propose all that is left of each line. Returns the action of the pop-up."""
        self.ensure_one()
        proposed = {
            (values.get("move_id", False), values.get("kit_line_id", False)): values
            for values in self._prepare_lines(
                self.env["helpdesk.ticket"], self._get_allowed_pickings()
            )
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
        return self._reopen(self.env._("Reverse Transfer"))

    def action_take_none(self):
        """Propose nothing. Returns the action of the pop-up."""
        self.ensure_one()
        self.line_ids.write({"quantity": 0, "lot_ids": [Command.clear()]})
        return self._reopen(self.env._("Reverse Transfer"))

    @asks_rules
    def action_return(self):
        """Create the return; returns the action that opens it (S74).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence why this can't be returned
        """
        return self._return(exchange=False)

    @asks_rules
    def action_exchange(self):
        """Create the return and the delivery of the same goods; returns the action
        that opens both (X3). Raises as :meth:`action_return`."""
        return self._return(exchange=True)

    def _return(self, exchange):
        self._check_ready()
        # sudo: _check_ready proved that the user may work on this ticket.
        deliveries = self._get_chosen_pickings().sorted("id")
        # The order lines: what Odoo took back without a link is theirs, too.
        moves = deliveries.move_ids
        self._lock(
            moves.filtered(lambda move: not move.sale_line_id).picking_id,
            moves.sale_line_id,
        )
        if made := self._open_result():
            return made
        steps = self.env["helpdesk.after.sales.step"]
        if self.settlement:
            if exchange:
                raise UserError(
                    self.env._(
                        "An exchange is made at once: leave When It Has Arrived empty, "
                        "or press Return."
                    )
                )
            steps._check_planned(self.settlement, self.helpdesk_ticket_id)
        balance, quantities = self._check_return()
        self._check_foreign(exchange, delivered=bool(quantities))
        others = self._check_other_products(exchange)
        pickings = credited = self.env["stock.picking"].sudo()  # sudo: nothing yet
        # All of them, or none: an error undoes the whole transaction.
        for delivery in (
            deliveries & self.env["stock.move"].union(*quantities).picking_id
        ):
            for other in (False, True):
                part = {
                    move: quantity
                    for move, quantity in quantities.items()
                    if move.picking_id == delivery and (move in others) == other
                }
                made = part and self._create_return_picking(
                    delivery, balance, part, exchange and not other
                )
                pickings |= made or pickings
                credited |= (other and made) or credited
        if others:
            self._offer_other_products(credited)
        if self.settlement:
            for picking in pickings:
                steps._plan(self.helpdesk_ticket_id, self.settlement, picking)
        if self.foreign_line_ids:
            pickings |= self._create_foreign_return()
        self.sudo().made_picking_ids = pickings  # sudo: what was just made
        self._approve_request(pickings)
        # The context of this wizard must not follow the user into the transfer.
        return pickings.sudo(False)._get_records_action(
            name=self.env._("Returns"), context={}
        )
