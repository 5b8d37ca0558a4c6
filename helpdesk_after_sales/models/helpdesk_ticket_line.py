from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..tools.quantity import format_quantity

#: what agents may not read: without a check it isn't followed
UNREADABLE = ("sale_line_id", "sale_order_id", "lot_id")
#: what a line is about, and the ticket's own fields for it
PURCHASE_FIELDS = ("sale_order_id", "product_id", "lot_id")


class HelpdeskTicketLine(models.Model):
    """What a ticket is about: this order line, this lot, this quantity, for this
    reason. An agent notes it, or the customer asks for it (X31)."""

    _name = "helpdesk.ticket.line"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Line of a ticket"
    _order = "sequence, id"
    _rec_name = "product_id"
    _check_company_auto = True
    _chosen_constrained = UNREADABLE

    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="ticket_id.company_id")
    sequence = fields.Integer(default=10)
    sale_line_id = fields.Many2one(
        comodel_name="sale.order.line",
        string="Order Line",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
    )
    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Sales Order",
        compute="_compute_sale_order_id",
        store=True,
        precompute=True,
        readonly=False,
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        compute="_compute_product_id",
        store=True,
        precompute=True,
        readonly=False,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        index="btree_not_null",
        check_company=True,
    )
    quantity = fields.Float(
        digits="Product Unit",
        help="The quantity concerned; 0 for all that is possible.",
    )
    uom_id = fields.Many2one(
        comodel_name="uom.uom",
        string="Unit",
        index="btree_not_null",
        compute="_compute_uom_id",
        store=True,
        precompute=True,
        readonly=False,
    )
    reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    origin = fields.Selection(
        selection=[("agent", "Agent"), ("customer", "Customer")],
        string="Added By",
        required=True,
        default="agent",
        readonly=True,
        server_only=True,
        copy=False,
    )
    service = fields.Char(
        readonly=True,
        server_only=True,
        copy=False,
        help="Technical: the switch of the service that the customer asks for.",
    )
    request_key = fields.Char(
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_system",
        help="Technical: the form that this line came from, so that it makes one.",
    )
    resolution = fields.Selection(
        selection="_selection_resolution", string="Requested Resolution"
    )
    state = fields.Selection(
        selection=[
            ("draft", "New"),
            ("asked", "Waiting for an answer"),
            ("approved", "Approved"),
            ("declined", "Declined"),
            ("done", "Done"),
        ],
        string="Status",
        required=True,
        default="draft",
        readonly=True,
        server_only=True,
        copy=False,
    )
    # Who writes these is the customer in the portal, the agent who answers, or the
    # service.
    answer = fields.Text(
        string="Answer to the Customer", readonly=True, server_only=True, copy=False
    )
    answer_date = fields.Datetime(
        string="Answered On", readonly=True, server_only=True, copy=False
    )

    _asked_idx = models.Index("(ticket_id) WHERE state = 'asked'")

    @api.model
    def _selection_resolution(self):
        # sudo: codes and names that an administrator wrote.
        resolutions = self.env["helpdesk.after.sales.resolution"].sudo()
        return [(r.code, r.name) for r in resolutions.search([])]

    # -- Computes ------------------------------------------------------------

    # sudo: agents may not read orders; ids of the customer's own are carried over,
    # which _check_purchase makes sure of.

    @api.depends("sale_line_id")
    def _compute_sale_order_id(self):
        for line in self:
            if line.sale_line_id:
                line.sale_order_id = line.sale_line_id.sudo().order_id  # sudo: above

    @api.depends("sale_line_id")
    def _compute_product_id(self):
        for line in self:
            if line.sale_line_id and not line.product_id:
                line.product_id = line.sale_line_id.sudo().product_id  # sudo: above

    @api.depends("sale_line_id", "product_id")
    def _compute_uom_id(self):
        for line in self:
            sold = line.sale_line_id.sudo()  # sudo: above
            same = sold.product_id == line.product_id
            line.uom_id = (same and sold.product_uom_id) or line.product_id.uom_id

    @api.constrains(*PURCHASE_FIELDS, "sale_line_id")
    def _check_purchase(self):
        """Refuse orders and lots that aren't the customer's (S21, S23). What was bought
        elsewhere can be noted as a product."""
        # sudo: compared only; nothing of another customer's purchase is told.
        for line in self.sudo():
            if not line._is_own_purchase():
                raise ValidationError(
                    line.env._(
                        "%(customer)s did not buy this from %(company)s. Choose one of "
                        "the purchases of this customer.",
                        customer=line.ticket_id.partner_id.display_name
                        or line.env._("A ticket without a customer"),
                        company=line.company_id.display_name,
                    )
                )

    def _is_own_purchase(self):
        """Return whether order and lot of this line, if any, are those of the customer
        of the ticket; an order that is cancelled later stays theirs. Called with
        ``sudo()``."""
        self.ensure_one()
        ticket, order, sold = self.ticket_id, self.sale_order_id, self.sale_line_id
        if sold and sold.order_id != order:
            return False
        if all(self[name] == ticket[name] for name in PURCHASE_FIELDS):
            return True  # the ticket has checked it
        if order and (
            order.partner_id.commercial_partner_id != ticket.commercial_partner_id
            or order.company_id != ticket.company_id
        ):
            return False
        about = {"sale_order": order, "product": self.product_id, "lot": self.lot_id}
        return not self.lot_id or ticket._is_purchased(self.lot_id, **about)

    def _get_key(self):
        """Return what this line is about, to find it once more."""
        self.ensure_one()
        return self.sale_order_id, self.product_id, self.lot_id, self.quantity

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.ticket_id._follow_first_line()
        return lines

    def write(self, vals):
        if "ticket_id" in vals and not self.env.su:
            raise AccessError(
                self.env._(
                    "A line can't be moved to another ticket: add a new one there."
                )
            )
        if not self.env.su and vals.keys() - {"sequence", "reason_id"}:
            self._check_agents_own()
        tickets = self.ticket_id
        result = super().write(vals)
        if not vals.keys().isdisjoint(
            (*PURCHASE_FIELDS, "sale_line_id", "sequence", "ticket_id")
        ):
            tickets |= self.ticket_id
            tickets.invalidate_recordset(["line_ids"], flush=False)
            tickets._follow_first_line()
        return result

    def unlink(self):
        if not self.env.su:
            self._check_agents_own()
        tickets = self.ticket_id
        result = super().unlink()
        tickets.exists()._follow_first_line()
        return result

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        # Before there is a record nothing is checked: no order or lot is told by id.
        values = {name: values[name] for name in values if name not in UNREADABLE}
        field_names = [name for name in field_names if name not in UNREADABLE]
        return super().onchange(values, field_names, fields_spec)

    def _check_agents_own(self):
        """Refuse to change or remove what a customer has asked for.

        :raises AccessError: for anybody but the server
        """
        if any(line.origin == "customer" for line in self):
            raise AccessError(
                self.env._(
                    "This is what the customer has requested: approve or decline it."
                )
            )

    # -- Words ---------------------------------------------------------------

    def _describe(self):
        """Return "2 × Lamp (S00042), Damaged", for who may read the ticket.
        Called with ``sudo()``."""
        self.ensure_one()
        text = self.product_id.display_name or ""
        if self.quantity:
            quantity = format_quantity(self.env, self.quantity, self.uom_id)
            text = f"{quantity} × {text}"
        if self.sale_order_id:
            text = f"{text} ({self.sale_order_id.name})".strip()
        return ", ".join(filter(None, [text, self.lot_id.name, self.reason_id.name]))
