import math

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


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
    under_warranty = fields.Boolean(
        compute="_compute_under_warranty",
        store=True,
        precompute=True,
        readonly=False,
        help="The parts of the repair cost nothing in its quotation.",
    )
    warranty_info = fields.Char(string="Warranty", compute="_compute_warranty")
    warranty_known = fields.Boolean(compute="_compute_warranty")
    warranty_proposal = fields.Boolean(
        compute="_compute_warranty",
        help="The product was under warranty on the day of the ticket.",
    )
    warranty_reason = fields.Char(
        string="Why Differently",
        help="Why the repair is under warranty although the product isn't any more, or "
        "the other way round. Told in the chatter of repair and ticket.",
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
    repair_id = fields.Many2one(comodel_name="repair.order", readonly=True)
    shortage = fields.Boolean(
        readonly=True,
        help="The product is not in stock; the draft waits for an answer.",
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
        for wizard in self:
            # sudo: the ticket's own lot is carried over; its product is compared.
            line = wizard._get_first_line()
            lot = (line or wizard.helpdesk_ticket_id.sudo()).lot_id
            wizard.lot_id = lot if lot.product_id == wizard.product_id else False

    @api.depends("helpdesk_ticket_id", "product_id")
    def _compute_picking_id(self):
        """The latest return of this product that was received on the ticket."""
        for wizard in self:
            if not wizard.product_id:
                wizard.picking_id = False
                continue
            # sudo: a return of the ticket's own customer, as the domain says.
            pickings = self.env["stock.picking"].sudo()
            domain = wizard._get_returns_domain() & Domain("state", "=", "done")
            if "helpdesk_ticket_id" in pickings._fields:
                domain &= Domain(
                    "helpdesk_ticket_id", "=", wizard.helpdesk_ticket_id.id
                )
            else:
                domain = Domain.FALSE
            wizard.picking_id = pickings.search(
                domain, order="date_done desc, id desc", limit=1
            ).id

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

    def _get_returns_domain(self):
        ticket = self.helpdesk_ticket_id
        return self.env["stock.picking"]._get_customer_returns_domain(
            ticket.company_id, ticket.commercial_partner_id, self.product_id
        )

    # -- Buttons -------------------------------------------------------------

    def action_confirm_repair(self):
        """Create and confirm the repair; returns the action that opens it (S95).

        When the product isn't in stock the pop-up says so, as the application does;
        pressing again goes on.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence why this can't be repaired
        """
        self._check_ready()
        self._lock()
        # sudo: _check_ready proved that the user may work on this ticket, and the
        # repair is the one that this wizard has made or makes now.
        repair = self.repair_id.sudo()
        if not repair:
            repair = self._create_repair(helpdesk_tells_ticket=True)
            self.shortage = isinstance(repair.action_validate(), dict)
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
                return self._reopen()
        elif repair.state == "draft" and self.shortage:
            repair._action_repair_confirm()
        return self._open_result()

    def action_create_quotation(self):
        """Create the repair and its quotation; returns the action that opens the
        quotation, or the repair for who may not read quotations (S96). Raises as
        :meth:`action_confirm_repair`."""
        self._check_ready()
        self._lock()
        repair = self.repair_id.sudo()  # sudo: see action_confirm_repair
        if not repair:
            repair = self._create_repair()
        if not repair.sale_order_id:
            repair.action_create_sale_order()
        order = repair.sale_order_id.sudo(False)
        if order.has_access("read"):
            return order._get_records_action(context={})
        return self._open_result()

    def action_open_form(self):
        """Create the draft and open it in the application's form.

        :raises AccessError: without rights to Repairs
        """
        self.env["repair.order"].check_access("create")
        self._check_ready()
        self._lock()
        if not self.repair_id:
            self._create_repair()
        return self._open_result()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Repair Reference"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": dict(self.env.context, dialog_size="extra-large"),
        }

    def _create_repair(self, **context):
        """Create the draft of the repair order; returns it under sudo."""
        self._check_repair()
        # sudo: _check_ready and _check_repair proved user, ticket and product; agents
        # have no right to Repairs, and exactly one order is made.
        repairs = self._without_defaults(**context).env["repair.order"].sudo()
        repair = repairs.with_company(self.company_id).create(
            self._prepare_repair_values()
        )
        self._approve_request(repair)
        self.repair_id = repair
        if self._overrules_warranty():
            self._tell_overruled(repair)
        return repair

    def _tell_overruled(self, repair):
        """Say in both chatters who decided against the warranty, and why (X8)."""
        sentence = (
            self.env._("Under warranty all the same: %(reason)s. (%(info)s)")
            if self.under_warranty
            else self.env._("Not under warranty all the same: %(reason)s. (%(info)s)")
        ) % {"reason": self.warranty_reason.strip(), "info": self.warranty_info}
        repair._message_log(body=sentence, author_id=self.env.user.partner_id.id)
        repair._after_sales_tell_ticket({repair: sentence})

    def _prepare_repair_values(self):
        """Return the values of the repair order. The return is passed as a value,
        never as ``default_picking_id``, which would leak into the parts (S86)."""
        return {
            "company_id": self.company_id.id,
            "partner_id": self.partner_id.id,
            "product_id": self.product_id.id,
            **self._prepare_quantity_values(),
            "lot_id": self.lot_id.id,
            "picking_id": self.picking_id.id,
            "under_warranty": self.under_warranty,
            "schedule_date": self.schedule_date,
            "user_id": self.user_id.id,
            "tag_ids": [Command.set(self.tag_ids.ids)],
            "internal_notes": self.internal_notes,
            "move_ids": [
                Command.create(part._prepare_move_values()) for part in self.part_ids
            ],
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
        }

    def _prepare_quantity_values(self):
        """Return how many are repaired: one, or as many as the line of the ticket says
        (X9, X31)."""
        unit = self.product_id.uom_id
        quantity = sum(
            line.uom_id._compute_quantity(line.quantity, unit)
            for line in self._get_settled_lines()
            if line.product_id == self.product_id
        )
        return {"product_qty": quantity or 1, "product_uom": unit.id}

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

    def _check_repair(self):
        """Refuse what can't be repaired here, in a sentence."""
        product, customer = self.product_id, self.helpdesk_commercial_partner_id
        if not product:
            raise UserError(self.env._("Choose the product to repair."))
        if product.type != "consu":
            raise UserError(
                self.env._(
                    "Only goods can be repaired, and %(product)s is a service.",
                    product=product.display_name,
                )
            )
        if self.partner_id.commercial_partner_id != customer:
            raise UserError(
                self.env._(
                    "The customer of the repair must be of %(customer)s, as the "
                    "ticket.",
                    customer=customer.display_name,
                )
            )
        anything = {
            "sale_order": self.env["sale.order"],
            "product": product,
            "lot": self.env["stock.lot"],
        }
        if not self.helpdesk_ticket_id._is_purchased(product, **anything):
            raise UserError(
                self.env._(
                    "%(customer)s did not buy %(product)s from %(company)s.",
                    customer=customer.display_name,
                    product=product.display_name,
                    company=self.company_id.display_name,
                )
            )
        self._check_requested()
        self._check_lot()
        self._check_return()
        self._check_workshop()
        self._check_parts()
        if self._overrules_warranty() and not (self.warranty_reason or "").strip():
            raise UserError(
                self.env._(
                    "%(info)s. Say why this repair is to be handled differently.",
                    info=self.warranty_info,
                )
            )

    def _check_workshop(self):
        """Refuse who or what can't do the repair in the company of the ticket."""
        # sudo: whether the colleague works there is all that is asked.
        user = (self.user_id - self.env.user).sudo()
        if user and not (user.active and self.company_id in user.company_ids):
            raise UserError(
                self.env._(
                    "%(user)s does not work for %(company)s.",
                    user=user.name,
                    company=self.company_id.display_name,
                )
            )
        # sudo: whether the application is ready for this company.
        repairs = self.env["repair.order"].sudo().with_company(self.company_id)
        operation = repairs._default_picking_type_id()
        if not operation or not (
            operation.default_location_src_id
            and operation.default_product_location_src_id
            and operation.default_location_dest_id
        ):
            raise UserError(
                self.env._(
                    "%(company)s has no place for repairs: an Inventory manager sets "
                    "the locations of the operation type Repairs.",
                    company=self.company_id.display_name,
                )
            )

    def _check_parts(self):
        for part in self.part_ids:
            if part.product_id.type != "consu":
                raise UserError(
                    self.env._(
                        "%(product)s is a service: services are added to the "
                        "quotation.",
                        product=part.product_id.display_name,
                    )
                )
            positive = part.uom_id.compare(part.quantity, 0) > 0
            if not math.isfinite(part.quantity) or not positive:
                raise UserError(
                    self.env._(
                        "%(product)s: enter the quantity of this part.",
                        product=part.product_id.display_name,
                    )
                )

    def _check_requested(self):
        """Refuse more than is left of what a customer has asked for (X9)."""
        for line in self._get_request_lines():
            left, refusal = self.helpdesk_ticket_id._get_request_left(
                self._after_sales_switch, line.sale_line_id
            )
            if refusal or line.uom_id.compare(line.quantity, left) > 0:
                raise UserError(refusal or line._get_left_sentence(left))

    def _check_lot(self):
        if not self.lot_id:
            return
        lot = self.lot_id.sudo()  # sudo: compared, and named to who chose it
        owned = self.helpdesk_ticket_id._purchase_domain(
            "stock.lot",
            sale_order=self.env["sale.order"],
            product=self.product_id,
            lot=lot,
        )
        if not lot.search_count(owned, limit=1):
            raise UserError(
                self.env._(
                    "%(lot)s was not delivered to %(customer)s as a %(product)s.",
                    lot=lot.name,
                    customer=self.helpdesk_commercial_partner_id.display_name,
                    product=self.product_id.display_name,
                )
            )
        # sudo: where the serial number went last, nothing of it is shown.
        last = (
            self.env["stock.move.line"]
            .sudo()
            .search(
                Domain("lot_id", "=", lot.id) & Domain("state", "=", "done"),
                order="date desc, id desc",
                limit=1,
            )
        )
        if (
            lot.product_id.tracking == "serial"
            and last.location_dest_id.usage == "inventory"
        ):
            raise UserError(
                self.env._(
                    "%(lot)s was scrapped: there is nothing to repair.", lot=lot.name
                )
            )

    def _check_return(self):
        if not self.picking_id:
            return
        picking = self.picking_id.sudo()  # sudo: compared, and named to who chose it
        domain = self._get_returns_domain() & Domain("id", "=", picking.id)
        if not picking.search_count(domain, limit=1):
            raise UserError(
                self.env._(
                    "%(picking)s is not a return of %(product)s by %(customer)s.",
                    picking=picking.name,
                    product=self.product_id.display_name,
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )
