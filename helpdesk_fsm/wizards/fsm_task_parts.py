import math

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.helpdesk_after_sales.tools import format_quantity, lock_records


class FsmTaskParts(models.TransientModel):
    """What was used on a visit: out of the van, or of a warehouse."""

    _name = "fsm.task.parts"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Parts used on a visit"

    task_id = fields.Many2one(
        comodel_name="project.task", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        comodel_name="res.company", compute="_compute_company_id"
    )
    location_id = fields.Many2one(
        comodel_name="stock.location",
        string="Taken From",
        compute="_compute_location_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('usage', '=', 'internal'), ('company_id', '=', company_id)]",
        help="The van or stock location that the parts were in; by default, the "
        "stock of your own warehouse.",
    )
    free = fields.Boolean(
        string="Free of Charge",
        help="Under warranty or as a favour: they are free of charge on the quotation.",
    )
    line_ids = fields.One2many(
        comodel_name="fsm.task.part", inverse_name="wizard_id", string="Parts"
    )
    notice = fields.Text(compute="_compute_notice")
    taken = fields.Boolean(readonly=True, server_only=True, copy=False)

    @api.depends("task_id")
    def _compute_company_id(self):
        for wizard in self:
            task = wizard.task_id
            wizard.company_id = task and task._get_fsm_company()

    @api.depends("task_id")
    def _compute_location_id(self):
        for wizard in self:
            company = wizard.company_id
            # sudo: the warehouse of the user
            user = self.env.user.sudo().with_company(company)
            warehouse = company and user._get_default_warehouse_id()
            place = warehouse and warehouse.lot_stock_id
            ours = bool(place) and place.company_id == company
            wizard.location_id = place.id if ours else False

    @api.depends("location_id", "line_ids.product_id", "line_ids.quantity")
    def _compute_notice(self):
        for wizard in self:
            lines = [line._get_shortage(wizard.location_id) for line in wizard.line_ids]
            wizard.notice = "\n".join(filter(None, lines)) or False

    def action_take(self):
        """Take the parts from stock, and put them on the quotation of the visit.
        Returns the action that closes the pop-up.

        :raises AccessError: when the visit isn't the user's to work on
        :raises UserError: with a sentence why these can't be taken; nothing is then
        """
        self.ensure_one()
        task = self.task_id
        task._check_fsm_parts()
        # Their numbers as well: one piece is used once.
        lock_records(self, task, self.line_ids._find_lots())
        self.invalidate_recordset(["taken"])
        if not self.taken:
            parts = self.line_ids.filtered("quantity")
            self._check_location()
            if not parts:
                raise UserError(self.env._("Enter what was used, and how many."))
            for part in parts:
                part._check_part()
            # sudo: the user may work on this visit; technicians have no right to
            # Inventory and Sales, and exactly these parts are taken.
            task.sudo()._take_fsm_parts(
                self.location_id.sudo(), parts.sudo(), self.free
            )
            self.sudo().taken = True  # sudo: only the server says so
        return {"type": "ir.actions.act_window_close"}

    def _check_location(self):
        # sudo: compared only. A foreign one isn't named.
        place = self.location_id.sudo()
        if (
            not place.active
            or place.usage != "internal"
            or place.company_id != self.company_id.sudo()
        ):
            raise UserError(
                self.env._(
                    "Choose where the parts were taken from: a location of "
                    "%(company)s.",
                    company=self.company_id.display_name,
                )
            )


class FsmTaskPart(models.TransientModel):
    _name = "fsm.task.part"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Part used on a visit"

    wizard_id = fields.Many2one(
        comodel_name="fsm.task.parts", required=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        required=True,
        ondelete="cascade",
        domain="[('type', '=', 'consu'), ('sale_ok', '=', True)]",
    )
    tracking = fields.Selection(related="product_id.tracking")
    lot_name = fields.Char(string="Lot/Serial Number")
    quantity = fields.Float(digits="Product Unit", default=1.0)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")

    def _describe(self):
        """Return "2 × Fuse", with its number."""
        self.ensure_one()
        words = f"{format_quantity(self.env, self.quantity, self.uom_id)} × "
        words += self.product_id.display_name
        return f"{words} ({self.lot_name})" if self.lot_name else words

    def _find_lots(self):
        """Return the lots of these parts, under ``sudo()``."""
        names = [(line.lot_name or "").strip() for line in self]
        # sudo: technicians may not read lots; their rows are held, nothing is told.
        lots = self.env["stock.lot"].sudo()
        return lots.search(
            [("product_id", "in", self.product_id.ids), ("name", "in", names)]
        )

    def _get_quants(self, location):
        """Return what Inventory has of this part there: of other owners only what is
        named by its number."""
        quants = self.env["stock.quant"]
        if not location or not self.product_id.is_storable:
            return quants
        name = (self.lot_name or "").strip()
        return (
            quants._gather(self.product_id._origin, location._origin, strict=False)
            .filtered(
                lambda quant: (
                    quant.quantity > 0
                    and (not name or quant.lot_id.name == name)
                    and (name or not quant.owner_id)
                )
            )
            .sorted(lambda quant: bool(quant.owner_id))
        )

    def _get_shortage(self, location):
        """Return the sentence that says that Inventory has less there, or ``False``."""
        product, unit = self.product_id, self.product_id.uom_id
        if not product.is_storable or not location or product.tracking != "none":
            return False
        held = sum(self._get_quants(location).mapped("quantity"))
        if unit.compare(self.quantity, held) <= 0:
            return False
        return self.env._(
            "As far as Inventory knows, %(place)s holds %(held)s %(product)s.",
            place=location.display_name,
            held=format_quantity(self.env, held),
            product=product.display_name,
        )

    def _check_part(self):
        """Refuse what can't have been used.

        :raises UserError: with one sentence
        """
        product, quantity = self.product_id, self.quantity
        company = self.wizard_id.company_id
        unit = product.uom_id
        names = {"product": product.display_name, "company": company.display_name}
        # sudo: compared; a branch uses what its head office sells.
        goods = product.sudo().with_company(company)
        if (
            product.type != "consu"
            or not product.active
            or not goods.filtered_domain(product._check_company_domain(company))
        ):
            raise UserError(
                self.env._("%(product)s: choose goods of %(company)s.", **names)
            )
        if "is_kits" in product._fields and goods.is_kits:
            raise UserError(
                self.env._(
                    "%(product)s is a kit: choose its components instead.", **names
                )
            )
        if (
            not math.isfinite(quantity)
            or not 0 < quantity < 1e9
            or unit.compare(unit.round(quantity), quantity)
            or unit.is_zero(quantity)
        ):
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity that can be used.",
                    quantity=quantity,
                    **names,
                )
            )
        if product.tracking == "none":
            return
        if not (self.lot_name or "").strip():
            raise UserError(
                self.env._(
                    "%(product)s is tracked: enter its lot or serial number.", **names
                )
            )

    def _find_pieces(self, location):
        """Return the values of the operations that take this part out of stock. Called
        with ``sudo()``.

        :raises UserError: when there is no such lot, or less of it
        """
        product, unit = self.product_id, self.product_id.uom_id
        common = {
            "product_id": product.id,
            "product_uom_id": unit.id,
            "location_dest_id": self.wizard_id.task_id.partner_id.with_company(
                self.wizard_id.company_id
            ).property_stock_customer.id,
        }
        wanted, lines = self.quantity, []
        for quant in self._get_quants(location):
            part = min(wanted, quant.quantity)
            if unit.compare(part, 0) > 0:
                wanted -= part
                lines.append(
                    common
                    | {
                        "quantity": part,
                        "location_id": quant.location_id.id,
                        "lot_id": quant.lot_id.id,
                        "owner_id": quant.owner_id.id,
                        "package_id": quant.package_id.id,
                    }
                )
        if unit.compare(wanted, 0) <= 0:
            return lines
        if product.tracking != "none":
            raise UserError(
                self.env._(
                    "%(lot)s of %(product)s: Inventory doesn't have that many in "
                    "%(place)s. Choose where it was taken from.",
                    lot=self.lot_name,
                    product=product.display_name,
                    place=location.display_name,
                )
            )
        # As Inventory takes what somebody says was there.
        return [*lines, common | {"quantity": wanted, "location_id": location.id}]
