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
            picking = wizard._get_allowed_picking()
            return_type = picking.picking_type_id.return_picking_type_id
            wizard.location_id = (
                return_type.default_location_dest_id
                if return_type.code == "incoming"
                else picking.location_id
            )

    @api.depends("picking_id")
    def _compute_line_ids(self):
        for wizard in self:
            picking = wizard._get_allowed_picking()
            moves = picking.move_ids.filtered(
                lambda move: (
                    move.state == "done" and move.location_dest_usage != "inventory"
                )
            )
            returned = moves._get_returned_quantities()
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create(wizard._prepare_line_values(move, returned[move]))
                    for move in moves
                ),
            ]

    def _prepare_line_values(self, move, returned):
        """Return the values of the line that proposes to return ``move`` (S70)."""
        left = max(move.product_uom.round(move.quantity - returned), 0)
        ticket = self.helpdesk_ticket_id.sudo()  # sudo: product and lot are compared
        lots = move.env["stock.lot"]
        if ticket.lot_id in move.move_line_ids.lot_id:
            taken = move._get_lots_on_returns()
            lots = ticket.lot_id.filtered(lambda lot: lot not in taken)
        elif move.has_tracking == "serial":
            taken = move._get_lots_on_returns()
            lots = move.move_line_ids.lot_id.filtered(lambda lot: lot not in taken)
        if ticket.product_id and ticket.product_id not in (
            move.product_id,
            move.sale_line_id.product_id,
        ):
            # The ticket is about another product of this delivery.
            left, lots = 0, lots.browse()
        if lots and move.has_tracking == "serial":
            left = min(left, len(lots))
        return {
            "move_id": move.id,
            "product_id": move.product_id.id,
            "quantity": left,
            "lot_ids": [Command.set(lots.ids)] if left else [],
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
        for line in self.line_ids:
            line.quantity = line.returnable_quantity
        return self._reopen()

    def action_take_none(self):
        """Propose nothing. Returns the action of the pop-up."""
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
        self._check_return()
        pickings = self._create_return_picking(exchange)
        pickings.helpdesk_ticket_id = self.helpdesk_ticket_id
        pickings.reason_id = self.helpdesk_reason_id
        self.sudo().made_picking_ids = pickings  # sudo: read by the rule of the link
        # The context of this wizard must not follow the user into the transfer.
        return pickings.sudo(False)._get_records_action(
            name=self.env._("Returns"), context={}
        )

    def _check_return(self):
        """Refuse what can't be returned, before anything is made."""
        if not self._get_allowed_picking():
            raise UserError(
                self._get_notice()
                or self.env._(
                    "Choose the delivery to return: one that %(customer)s received.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )
        self.line_ids.invalidate_recordset(["returnable_quantity", "refusal"])
        for line in self.line_ids:
            line._check_quantity()
        if not any(self.line_ids.mapped("quantity")):
            raise UserError(self.env._("Enter a quantity to return."))
        location = self.location_id
        if location and (
            not location.active
            or location.usage != "internal"
            or location.company_id
            not in (self.company_id, location.company_id.browse())
        ):
            raise UserError(
                self.env._(
                    "%(location)s can't take returns of %(company)s; choose an "
                    "internal location of it.",
                    location=location.display_name,
                    company=self.company_id.display_name,
                )
            )

    def _create_return_picking(self, exchange):
        """Create the return with Odoo's own wizard; returns the transfers, under sudo.

        The one place that knows that wizard, which Odoo 20 drops. The transfers are
        confirmed and reserved, not validated.
        """
        # sudo: _check_ready and _check_return proved user, ticket and delivery; agents
        # have no right to Inventory, and exactly these transfers are made.
        wizard = self._without_defaults(helpdesk_return_location=self.location_id.id)
        native = wizard.env["stock.return.picking"].sudo()
        native = native.create({"picking_id": self.picking_id.id})
        wanted = {line.move_id.id: line for line in self.line_ids}
        for line in native.product_return_moves:
            ours = wanted.get(line.move_id.id)
            line.quantity = ours.quantity if ours else 0
        native.product_return_moves.filtered(lambda line: not line.quantity).unlink()
        if not exchange:
            made = native._create_return()
            self._set_lots(made)
            return made
        before = self._get_related_pickings()
        action = native.action_create_exchanges()
        made = native.env["stock.picking"].browse(action["res_id"])
        self._set_lots(made)
        return made | (self._get_related_pickings() - before)

    def _get_related_pickings(self):
        # sudo: of the delivery that was proved to be the customer's
        picking = self.picking_id.sudo()
        return picking.search([("reference_ids", "in", picking.reference_ids.ids)])

    def _set_lots(self, picking):
        """Let the return carry exactly the chosen lots and serial numbers (X3)."""
        for line in self.line_ids:
            lots = line.lot_ids.sudo()  # sudo: _check_lots proved them
            move = picking.move_ids.filtered(
                lambda move, line=line: (
                    move.origin_returned_move_id.id == line.move_id.id
                )
            )
            if not lots or not move:
                continue
            move.move_line_ids.unlink()
            left = line.quantity
            for index, lot in enumerate(lots):
                quantity = 1.0 if move.has_tracking == "serial" else left
                if move.has_tracking == "lot" and index < len(lots) - 1:
                    # sudo: the delivery is of the ticket's customer (_check_ready).
                    delivered = line.move_id.sudo().move_line_ids.filtered(
                        lambda ml, lot=lot: ml.lot_id == lot
                    )
                    quantity = min(left, sum(delivered.mapped("quantity")))
                left -= quantity
                move.move_line_ids = [
                    Command.create(self._prepare_move_line_values(move, lot, quantity))
                ]
        for move in picking.move_ids:
            line = self.line_ids.filtered(
                lambda line, move=move: (
                    line.move_id.id == move.origin_returned_move_id.id
                )
            )
            move.helpdesk_reason_id = line.reason_id or self.helpdesk_reason_id

    def _prepare_move_line_values(self, move, lot, quantity):
        """Return the values of the operation that returns ``quantity`` of ``lot``."""
        return {
            "picking_id": move.picking_id.id,
            "product_id": move.product_id.id,
            "product_uom_id": move.product_uom.id,
            "lot_id": lot.id,
            "quantity": quantity,
            "location_id": move.location_id.id,
            "location_dest_id": move.location_dest_id.id,
        }
