from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import asks_rules


class HelpdeskRepairWizard(models.TransientModel):
    _name = "helpdesk.repair.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Repair from a helpdesk ticket"

    _after_sales_switch = "use_product_repairs"
    _after_sales_result = "repair_id"

    company_id = fields.Many2one(related="helpdesk_ticket_id.company_id")
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', helpdesk_commercial_partner_id)]",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        string="Product to Repair",
        compute="_compute_product_id",
        store=True,
        precompute=True,
        readonly=False,
    )
    product_tracking = fields.Selection(related="product_id.tracking")
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial",
        compute="_compute_lot_id",
        store=True,
        precompute=True,
        readonly=False,
    )
    picking_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Return",
        compute="_compute_picking_id",
        store=True,
        precompute=True,
        readonly=False,
        help="The return that the product came back with.",
    )
    quantity = fields.Float(
        digits="Product Unit",
        compute="_compute_quantity",
        store=True,
        precompute=True,
        readonly=False,
        help="The quantity to repair; by default, what the return brought.",
    )
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    notice = fields.Text(compute="_compute_notice")
    draft_repair_id = fields.Many2one(
        comodel_name="repair.order",
        string="Waiting Draft",
        compute="_compute_draft_repair_id",
        help="A repair of the same product on this ticket that hasn't been confirmed "
        "yet.",
    )
    under_warranty = fields.Boolean(
        compute="_compute_under_warranty",
        store=True,
        readonly=False,
        help="The parts are free of charge on the repair's quotation.",
    )
    warranty_info = fields.Char(string="Warranty", compute="_compute_warranty")
    warranty_known = fields.Boolean(compute="_compute_warranty")
    warranty_proposal = fields.Boolean(
        compute="_compute_warranty",
        help="The product was under warranty on the day of the ticket.",
    )
    warranty_reason = fields.Char(
        string="Override Reason",
        help="Why the repair is under warranty although the product no longer is, or "
        "the other way round. It is noted in the chatter of the repair and the "
        "ticket.",
    )
    schedule_date = fields.Datetime(
        string="Scheduled Date", required=True, default=fields.Datetime.now
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    tag_ids = fields.Many2many(comodel_name="repair.tags", string="Tags")
    part_ids = fields.One2many(
        comodel_name="helpdesk.repair.wizard.part",
        inverse_name="wizard_id",
        string="Parts",
    )
    internal_notes = fields.Html(string="Repair Notes")
    if_refused = fields.Selection(
        selection="_selection_if_refused",
        string="If the Quotation Is Refused",
        help="What happens automatically when the customer refuses it, with your "
        "access rights. Leave empty for nothing.",
    )
    if_refused_choices = fields.Json(
        compute="_compute_if_refused_choices", export_string_translation=False
    )
    repair_id = fields.Many2one(
        comodel_name="repair.order", readonly=True, server_only=True, copy=False
    )
    shortage = fields.Boolean(
        readonly=True,
        server_only=True,
        copy=False,
        help="The product is not in stock; the draft waits for an answer.",
    )

    @api.model
    def _selection_if_refused(self):
        return self.env["helpdesk.after.sales.step"]._get_choices("refusal")

    @api.depends("helpdesk_ticket_id")
    def _compute_if_refused_choices(self):
        steps = self.env["helpdesk.after.sales.step"]
        for wizard in self:
            wizard.if_refused_choices = steps._get_choices_for(
                wizard.helpdesk_ticket_id, "refusal"
            )

    # One method each: who gives the product alone still gets the ticket's customer.

    @api.depends("helpdesk_ticket_id")
    def _compute_partner_id(self):
        for wizard in self:
            wizard.partner_id = wizard.helpdesk_ticket_id.partner_id

    @api.depends("helpdesk_ticket_id", "helpdesk_case_line_ids")
    def _compute_product_id(self):
        for wizard in self:
            product = wizard._get_first_line().product_id
            product = product.sudo(False) or wizard.helpdesk_ticket_id.product_id
            wizard.product_id = product.filtered(lambda p: p.type == "consu")

    @api.depends("helpdesk_ticket_id", "product_id")
    def _compute_lot_id(self):
        """The lot of the line or ticket, else the only one of this product that came
        back."""
        for wizard in self:
            # sudo: lots of the ticket and of its returns, which are the customer's.
            ticket, product = wizard.helpdesk_ticket_id.sudo(), wizard.product_id
            lots = (wizard._get_first_line() or ticket).lot_id.filtered(
                lambda lot, of=product: lot.product_id == of
            )
            if not lots and ticket and product.tracking in ("lot", "serial"):
                lots = wizard._get_returned_lots()
            wizard.lot_id = lots if len(lots) == 1 else False

    def _get_returned_lots(self):
        """Return the lots of the product, under ``sudo()``, that the returns of the
        ticket brought."""
        ticket = self.helpdesk_ticket_id.sudo()  # sudo: see _compute_lot_id
        received = ticket._get_return_pickings().filtered(
            lambda picking: picking.state == "done"
        )
        return received.move_line_ids.lot_id.filtered(
            lambda lot: lot.product_id == self.product_id
        )

    @api.depends("helpdesk_ticket_id", "product_id", "lot_id")
    def _compute_picking_id(self):
        """The latest return of this product and lot that was received on the ticket."""
        for wizard in self:
            wizard.picking_id = False
            if wizard.helpdesk_ticket_id and wizard.product_id:
                found = self.env["stock.picking"]._find_customer_return(
                    wizard.helpdesk_ticket_id,
                    wizard.product_id,
                    wizard.lot_id.sudo(),  # sudo: compared only
                )
                wizard.picking_id = found.id

    @api.depends("helpdesk_case_line_ids", "product_id", "lot_id", "picking_id")
    def _compute_quantity(self):
        for wizard in self:
            wizard.quantity = wizard._get_requested_quantity() or (
                wizard._get_brought_quantity() or 1
            )

    def _get_requested_quantity(self):
        """Return how many of the product the line of the ticket says (X9, X31)."""
        return sum(
            line.uom_id._compute_quantity(line.quantity, self.product_id.uom_id)
            for line in self._get_settled_lines()
            if line.product_id == self.product_id
        )

    def _get_first_line(self):
        """Return the line of the ticket that this repair is about: the first one of
        goods."""
        return self._get_case_lines().filtered(
            lambda line: line.product_id.type == "consu"
        )[:1]

    def _get_settled_lines(self):
        # One repair is of one product, and of one piece if it has a serial number.
        return (
            super()
            ._get_settled_lines()
            .filtered(
                lambda line: (
                    line.state == "asked"
                    or line.product_id == self.product_id
                    and line.lot_id in (self.lot_id, self.lot_id.browse())
                )
            )[:1]
        )

    def _get_brought_quantity(self):
        """Return how many the chosen return brought, as Odoo's own form proposes; those
        of other repairs are taken. Nothing while it is on its way."""
        # sudo: a return of the ticket's own customer; only quantities are summed.
        picking, lot = self.picking_id.sudo()._origin, self.lot_id.sudo()._origin
        if picking.state != "done" or not self._is_of_customer(picking):
            return 0
        brought = sum(
            line.quantity_product_uom
            for line in picking.move_line_ids
            if line.product_id == self.product_id and (not lot or line.lot_id == lot)
        )
        others = self.env["repair.order"].sudo()  # sudo: as above
        for repair in others.search(
            Domain("picking_id", "=", picking.id)
            & Domain("product_id", "=", self.product_id.id)
            & Domain("lot_id", "=", lot.id)
            & Domain("state", "!=", "cancel")
        ):
            brought -= repair.product_uom._compute_quantity(
                repair.product_qty, self.product_id.uom_id, round=False
            )
        return max(brought, 0)

    def _is_of_customer(self, picking):
        domain = self._get_returns_domain() & Domain("id", "=", picking.id)
        return bool(picking.search_count(domain, limit=1))

    @api.depends("helpdesk_ticket_id", "product_id", "lot_id")
    def _compute_notice(self):
        for wizard in self:
            lines = wizard.product_id and [
                wizard._get_purchase_notice(),
                wizard._get_open_repair_notice(),
            ]
            wizard.notice = "\n".join(filter(None, lines or ())) or False

    def _get_purchase_notice(self):
        """Return the sentence that says that the product was not bought here, or
        ``False``: it is repaired all the same (goods B6)."""
        ticket, product = self.helpdesk_ticket_id, self.product_id
        anything = {"sale_order": self.env["sale.order"], "lot": self.env["stock.lot"]}
        if not ticket or ticket._is_purchased(product, product=product, **anything):
            return False
        return self.env._(
            "As far as %(company)s knows, %(customer)s did not buy %(product)s here.",
            company=self.company_id.display_name,
            customer=self.helpdesk_commercial_partner_id.display_name,
            product=product.display_name,
        )

    def _get_open_repair_notice(self):
        """Return the sentence that names the repairs under way of this serial number,
        or ``False`` (goods C5)."""
        # sudo: named when it is a piece of the ticket's customer.
        lot = self.lot_id.sudo()._origin
        if lot.product_id.tracking != "serial" or not self._has_customer(lot):
            return False
        # sudo: the numbers of repairs of a piece that was chosen here.
        repairs = self.env["repair.order"].sudo()
        others = repairs.search(
            Domain("lot_id", "=", lot.id)
            & Domain("company_id", "=", self.company_id.id)
            & repairs._after_sales_open_domain()
        )
        others -= self.repair_id.sudo()  # sudo: as above
        return others and self.env._(
            "%(lot)s is already in repair: %(repairs)s.",
            lot=lot.name,
            repairs=", ".join(others.mapped("name")),
        )

    @api.depends("helpdesk_ticket_id", "product_id", "lot_id")
    def _compute_draft_repair_id(self):
        for wizard in self:
            wizard.draft_repair_id = (
                wizard.helpdesk_ticket_id
                and not wizard.repair_id
                and self.env["repair.order"].search(
                    Domain("helpdesk_ticket_id", "=", wizard.helpdesk_ticket_id.id)
                    & Domain("product_id", "=", wizard.product_id.id)
                    & Domain("lot_id", "=", wizard.lot_id.id)
                    & Domain("state", "=", "draft"),
                    limit=1,
                )
            )

    @api.depends("helpdesk_ticket_id", "product_id", "lot_id")
    @api.depends_context("lang")
    def _compute_warranty(self):
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id
            # sudo: the dates of what the ticket's own customer was delivered.
            item = {
                "product": wizard.product_id.sudo(),
                "lot": wizard.lot_id.sudo(),
            }
            warranty = ticket._find_warranties(**item).get(ticket) if ticket else None
            wizard.warranty_info = ticket and ticket._describe_warranty(
                warranty, **item
            )
            wizard.warranty_proposal = bool(warranty and warranty.covered)
            wizard.warranty_known = bool(
                warranty and (warranty.end or warranty.covered)
            )

    @api.depends("warranty_proposal")
    def _compute_under_warranty(self):
        for wizard in self:
            wizard.under_warranty = wizard.warranty_proposal

    def _overrules_warranty(self):
        """Return whether the user decided against a warranty that is known."""
        self.ensure_one()
        return self.warranty_known and self.under_warranty != self.warranty_proposal

    @api.model
    def _get_offer_domain(self, field, ticket):
        domain = super()._get_offer_domain(field, ticket)
        if ticket.commercial_partner_id and field.name in ("picking_id", "lot_id"):
            domain |= self.env[field.comodel_name]._get_customer_returns_domain(
                ticket.company_id,
                ticket.commercial_partner_id,
                self.env["product.product"],
            )
        return domain

    def _get_returns_domain(self):
        ticket = self.helpdesk_ticket_id
        return self.env["stock.picking"]._get_customer_returns_domain(
            ticket.company_id, ticket.commercial_partner_id, self.product_id
        )

    # -- Buttons -------------------------------------------------------------

    @asks_rules
    def action_confirm_repair(self):
        """Create and confirm the repair; returns the action that opens it (S95).

        When the product isn't in stock the pop-up says so, as the application does;
        pressing again goes on.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence why this can't be repaired
        """
        self._check_ready()
        self._lock_piece()
        repair = self._get_made_repair()
        if not repair:
            repair = self._create_repair(helpdesk_tells_ticket=True)
            # sudo: only the server says what this pop-up's own repair came to.
            self.sudo().shortage = not repair._confirm_with_stock()
            sentence = (
                repair._get_created_sentence()
                if self.shortage
                else self.env._(
                    "Repair %(repair)s was created and confirmed.",
                    repair=repair._get_html_link(),
                )
            )
            repair._after_sales_tell_ticket({repair: sentence})
            if self.shortage:
                return self._reopen(self.env._("Repair Reference"))
        elif repair.state == "draft" and self.shortage:
            repair._action_repair_confirm()
        return self._open_result()

    def action_confirm_draft(self):
        """Confirm the repair of this product that waits as a draft on the ticket; goes
        on, and raises, as :meth:`action_confirm_repair`."""
        self._check_ready()
        if not self.draft_repair_id:
            raise UserError(
                self.env._(
                    "No repair of this product is waiting on this ticket any more. "
                    "Check the ticket's repairs."
                )
            )
        return self.draft_repair_id.action_confirm_for_ticket()

    @asks_rules
    def action_create_quotation(self):
        """Create the repair and its quotation; returns the action that opens the
        quotation, or the repair for who may not read quotations (S96). Raises as
        :meth:`action_confirm_repair`."""
        self._check_ready()
        self._lock_piece()
        repair = self._get_made_repair() or self._create_repair()
        if not repair.sale_order_id:
            repair._create_quotation()
        order = repair.sale_order_id.sudo(False)
        if order.has_access("read"):
            return order._get_records_action(context={})
        return self._open_result()

    @asks_rules
    def action_open_form(self):
        """Create the draft and open it in the application's form.

        :raises AccessError: without rights to Repairs
        """
        self.env["repair.order"].check_access("create")
        self._check_ready()
        self._lock_piece()
        if not self._get_made_repair():
            self._create_repair()
        return self._open_result()

    def _lock_piece(self):
        """Hold this wizard, and the serial number that is repaired once at a time."""
        self._lock(self.lot_id.sudo())  # sudo: its row is held, not read

    def _get_made_repair(self):
        """Return the repair that this wizard has made, under ``sudo()``.

        :raises AccessError: when it isn't one of the ticket (rights hole 7)
        """
        # sudo: _check_ready proved that the user may work on this ticket, and the
        # repair is compared with it.
        repair = self.repair_id.sudo()
        if repair and repair.helpdesk_ticket_id != self.helpdesk_ticket_id:
            raise AccessError(
                self.env._("This repair does not belong to the ticket of the pop-up.")
            )
        return repair
