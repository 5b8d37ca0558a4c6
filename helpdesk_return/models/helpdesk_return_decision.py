from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity

from .helpdesk_return_disposition import CONDITIONS, KINDS


class HelpdeskReturnDecision(models.Model):
    """What the warehouse found of a return, and what became of it (X17).

    Made by **Process Return** only. What ``_carry_out`` has made is remembered by model
    and id: an addon that the application doesn't know may have made it.
    """

    _name = "helpdesk.return.decision"
    _inherit = ["helpdesk.readable.mixin"]
    _description = "Finding on a Return"
    _order = "id"
    _helpdesk_ticket_path = "picking_id.helpdesk_ticket_id"

    picking_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Return",
        required=True,
        ondelete="cascade",
        index=True,
        readonly=True,
        server_only=True,
        copy=False,
    )
    company_id = fields.Many2one(
        related="picking_id.company_id", store=True, index=True, copy=False
    )
    move_id = fields.Many2one(
        comodel_name="stock.move",
        ondelete="cascade",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
        help="The move that brought the goods; for missing goods, the one that was "
        "cancelled.",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        index=True,
        readonly=True,
        server_only=True,
        copy=False,
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
    )
    quantity = fields.Float(
        digits="Product Unit",
        readonly=True,
        server_only=True,
        copy=False,
        help="In the unit of the product.",
    )
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    condition = fields.Selection(
        selection=CONDITIONS, readonly=True, server_only=True, copy=False
    )
    disposition_id = fields.Many2one(
        comodel_name="helpdesk.return.disposition",
        ondelete="restrict",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
    )
    # Kept: a disposition may be changed later.
    kind = fields.Selection(
        selection=KINDS, readonly=True, server_only=True, copy=False
    )
    refund_percent = fields.Float(
        string="Paid Back (%)", readonly=True, server_only=True, copy=False
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        index="btree_not_null",
        readonly=True,
        server_only=True,
        copy=False,
        help="Where the goods were put.",
    )
    note = fields.Char(readonly=True, server_only=True, copy=False)
    photo = fields.Image(
        max_width=1920, max_height=1920, readonly=True, server_only=True, copy=False
    )
    document_model = fields.Char(readonly=True, server_only=True, copy=False)
    document_id = fields.Many2oneReference(
        string="Document ID",
        model_field="document_model",
        readonly=True,
        server_only=True,
        copy=False,
    )
    document_name = fields.Char(string="Document", compute="_compute_document_name")

    @api.depends("document_model", "document_id")
    def _compute_document_name(self):
        for decision in self:
            # sudo: the number of what was made for goods that the user sees.
            document = decision.sudo()._get_document()
            decision.document_name = bool(document) and document.display_name

    def _get_document(self):
        """Return the document that was made for these goods, or ``None``."""
        self.ensure_one()
        if not self.document_model or self.document_model not in self.env:
            return None  # of an addon that was removed
        return self.env[self.document_model].browse(self.document_id).exists()

    @api.depends("product_id", "quantity", "condition")
    def _compute_display_name(self):
        for decision in self:
            decision.display_name = decision._describe()

    # -- What counts ---------------------------------------------------------

    def _get_accepted(self):
        """Return how much of these goods is to be paid back, in the unit of the
        product: a half of two is one."""
        self.ensure_one()
        if self.kind in ("customer", "missing"):
            return 0.0
        return self.quantity * self.refund_percent / 100

    @api.model
    def _get_accepted_by_move(self, moves):
        """Return ``{move: quantity}``, in the unit of the product, of what these moves
        bring back and is to be paid back. What nobody has looked at counts in full.

        Called with ``sudo()``.
        """
        accepted = {move: move._get_after_sales_quantity() for move in moves}
        for decision in self.search(
            Domain("move_id", "in", moves.ids) & Domain("kind", "!=", "missing")
        ):
            accepted[decision.move_id] += decision._get_accepted() - decision.quantity
        return {move: max(quantity, 0.0) for move, quantity in accepted.items()}

    # -- Rows of Process Return, see stock.picking -----------------------------

    def _prepare_row(self):
        self.ensure_one()
        return {
            "move": self.move_id,
            "lot": self.lot_id,
            "quantity": self.quantity,
            "condition": self.condition,
            "disposition": self.disposition_id,
            "note": self.note,
            "photo": self.photo,
        }

    def _is_row(self, row):
        """Return whether this decision says what ``row`` says."""
        return (
            self.move_id == row["move"]
            and self.lot_id == row["lot"]
            and self.condition == row["condition"]
            and self.disposition_id == row["disposition"]
            and self.uom_id.compare(self.quantity, row["quantity"]) == 0
        )

    # -- Words ---------------------------------------------------------------

    def _describe(self):
        """Return "2 × Lamp: damaged, Scrap (SP/00001)"."""
        self.ensure_one()
        words = dict(self._fields["condition"]._description_selection(self.env))
        what = self.disposition_id.name or ""
        if self.document_name:
            what = f"{what} ({self.document_name})"
        return self.env._(
            "%(quantity)s %(product)s: %(condition)s, %(disposition)s",
            quantity=self._describe_quantity(),
            product=self._describe_product(),
            condition=(words.get(self.condition) or "").lower(),
            disposition=what,
        )

    def _describe_for_customer(self):
        """Return what a customer is told about these goods, in plain words."""
        self.ensure_one()
        self = self.with_context(display_default_code=False)
        values = {
            "quantity": self._describe_quantity(),
            "product": self._describe_product(),
        }
        if self.kind == "missing":
            return self.env._("%(quantity)s %(product)s did not reach us.", **values)
        if self.kind == "customer":
            return self.env._("%(quantity)s %(product)s goes back to you.", **values)
        if self.kind == "repair":
            return self.env._("%(quantity)s %(product)s will be repaired.", **values)
        if self.refund_percent >= 100:
            return self.env._("%(quantity)s %(product)s was accepted.", **values)
        if self.refund_percent <= 0:
            return self.env._(
                "%(quantity)s %(product)s arrived and won't be refunded.", **values
            )
        return self.env._(
            "%(quantity)s %(product)s was accepted at %(percent)s%%.",
            percent=format_quantity(self.env, self.refund_percent),
            **values,
        )

    def _describe_quantity(self):
        return f"{format_quantity(self.env, self.quantity, self.product_id.uom_id)} ×"

    def _describe_product(self):
        name = self.product_id.display_name
        return f"{name} ({self.lot_id.name})" if self.lot_id else name
