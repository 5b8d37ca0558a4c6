from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.helpdesk_after_sales.tools import format_quantity, lock_records

from ..models.helpdesk_return_disposition import CONDITIONS


class HelpdeskReturnProcess(models.TransientModel):
    """**Process Return** (X17): the warehouse says what came, and in which condition.

    Pressed with the rights of the user of Inventory; what is made, and its checks, are
    methods of the transfer.
    """

    _name = "helpdesk.return.process"
    _inherit = ["helpdesk.chosen.mixin", "barcodes.barcode_events_mixin"]
    _description = "Process a return"

    picking_id = fields.Many2one(
        comodel_name="stock.picking",
        string="Return",
        required=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(related="picking_id.partner_id", string="From")
    company_id = fields.Many2one(related="picking_id.company_id")
    state = fields.Selection(related="picking_id.state")
    line_ids = fields.One2many(
        comodel_name="helpdesk.return.process.line",
        inverse_name="process_id",
        string="Received Goods",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    has_lots = fields.Boolean(compute="_compute_has_lots")
    notice = fields.Char(compute="_compute_notice")
    counting = fields.Boolean(help="Something was scanned: what is scanned counts.")
    seen = fields.Char(
        readonly=True,
        server_only=True,
        copy=False,
        help="Technical: how the return was when the pop-up was opened.",
    )
    processed = fields.Boolean(readonly=True, server_only=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(vals_list)
        for wizard in wizards.sudo():  # sudo: compared when the button is pressed
            wizard.picking_id.sudo(False).check_access("write")
            wizard.seen = wizard._get_seen()
        return wizards

    def _get_seen(self):
        """Return what two people who process one return must agree on."""
        picking = self.picking_id
        moves = [(m.id, m.product_uom_qty, m.state) for m in picking.move_ids]
        return f"{picking.state} {moves} {picking.helpdesk_decision_ids.ids}"

    @api.depends("picking_id")
    def _compute_line_ids(self):
        for wizard in self:
            rows = wizard.picking_id._prepare_process_rows()
            wizard.line_ids = [
                Command.clear(),
                *(Command.create(wizard._prepare_line(row)) for row in rows),
            ]

    @api.model
    def _prepare_line(self, row):
        return {
            "move_id": row["move"].id,
            "lot_id": row["lot"].id,
            "quantity": row["quantity"],
            "condition": row["condition"],
            "disposition_id": row["disposition"].id,
            "note": row.get("note"),
            "photo": row.get("photo"),
        }

    @api.depends("picking_id")
    def _compute_has_lots(self):
        for wizard in self:
            products = wizard.picking_id.move_ids.product_id
            wizard.has_lots = any(p.tracking != "none" for p in products)

    @api.depends("picking_id", "line_ids.quantity", "line_ids.move_id")
    def _compute_notice(self):
        for wizard in self:
            words = []
            done = wizard.state == "done"
            for move in wizard.picking_id._get_process_moves() if not done else ():
                lines = wizard.line_ids.filtered(
                    lambda line, move=move: line.move_id == move
                )
                rest = move._get_process_total() - sum(lines.mapped("quantity"))
                if move.product_id.uom_id.compare(rest, 0) > 0:
                    number = format_quantity(wizard.env, rest)
                    words.append(f"{number} {move.product_id.display_name}")
            wizard.notice = bool(words) and wizard.env._(
                "Still expected: %(products)s.", products=", ".join(words)
            )

    # -- Scanner -------------------------------------------------------------

    def on_barcode_scanned(self, barcode):
        """Count a product or a serial number that was scanned.

        The first one sets all quantities to zero: from then on what is scanned counts.
        """
        fitting = self.line_ids.filtered(lambda line: barcode == line.lot_id.name)
        fitting = fitting or self.line_ids.filtered(
            lambda line: barcode and barcode == line.product_id.barcode
        )
        if not fitting:
            return {
                "warning": {
                    "title": self.env._("Not of this return"),
                    "message": self.env._(
                        "%(barcode)s is neither a product nor a serial number of this "
                        "return.",
                        barcode=barcode,
                    ),
                }
            }
        if not self.counting:
            self.counting = True
            self.line_ids.quantity = 0
        fitting[0].quantity += 1
        return None

    # -- Buttons -------------------------------------------------------------

    def action_process(self):
        """Make all that was decided; returns the action that opens the return.

        :raises AccessError: when the transfer isn't the user's to change
        :raises UserError: when something can't be, with one sentence; nothing is made
        """
        self.ensure_one()
        picking = self.picking_id
        picking.check_access("write")
        lock_records(self, picking)
        self.invalidate_recordset(["processed", "seen"])
        picking.invalidate_recordset()
        if not self.processed:
            if self.seen != self.sudo()._get_seen():  # sudo: as in create()
                raise UserError(
                    self.env._(
                        "%(picking)s was changed or processed in the meantime. Close "
                        "this pop-up and look at it again.",
                        picking=picking.name,
                    )
                )
            rows = [line._get_row() for line in self.line_ids]
            picking.with_env(self._plain_env())._process_return(rows)
            self.sudo().processed = True  # sudo: only the server says so
        return picking._get_records_action(context={})

    def _plain_env(self):
        """Return the environment without the defaults that the pop-up is opened
        with: everything that is made would take them over."""
        context = {
            key: value
            for key, value in self.env.context.items()
            if not key.startswith("default_")
        }
        return self.env(context=context)

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Process Return"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


class HelpdeskReturnProcessLine(models.TransientModel):
    _name = "helpdesk.return.process.line"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Goods of a return that is processed"

    process_id = fields.Many2one(
        comodel_name="helpdesk.return.process", required=True, ondelete="cascade"
    )
    picking_id = fields.Many2one(related="process_id.picking_id")
    company_id = fields.Many2one(related="process_id.company_id")
    move_id = fields.Many2one(
        comodel_name="stock.move", required=True, ondelete="cascade"
    )
    product_id = fields.Many2one(related="move_id.product_id")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    tracking = fields.Selection(related="product_id.tracking")
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        domain="[('product_id', '=', product_id)]",
    )
    quantity = fields.Float(digits="Product Unit")
    condition = fields.Selection(selection=CONDITIONS, required=True, default="sound")
    disposition_id = fields.Many2one(
        comodel_name="helpdesk.return.disposition",
        compute="_compute_disposition_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', offered_ids)]",
    )
    offered_ids = fields.Many2many(
        comodel_name="helpdesk.return.disposition", compute="_compute_offered_ids"
    )
    note = fields.Char(help="What the agent should know.")
    photo = fields.Image(max_width=1920, max_height=1920)

    @api.depends("condition", "company_id")
    def _compute_offered_ids(self):
        dispositions = self.env["helpdesk.return.disposition"]
        for company, lines in self.grouped("company_id").items():
            offered = dispositions.search(dispositions._get_offered_domain(company))
            for line in lines:
                missing = line.condition == "missing"
                line.offered_ids = offered.filtered(
                    lambda d, missing=missing: (d.kind == "missing") == missing
                )

    @api.depends("condition")
    def _compute_disposition_id(self):
        dispositions = self.env["helpdesk.return.disposition"]
        for company, lines in self.grouped("company_id").items():
            proposed = dispositions._get_proposed(company)
            for line in lines:
                line.disposition_id = proposed.get(line.condition)

    def _get_row(self):
        """Return the row, see ``stock.picking``."""
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

    def action_split(self):
        """Add a line for another part of the same goods, in another condition. Returns
        the action of the pop-up."""
        self.ensure_one()
        unit = self.uom_id
        part = 1.0 if unit.compare(self.quantity, 1) > 0 else 0.0
        self.create(
            {
                "process_id": self.process_id.id,
                "move_id": self.move_id.id,
                "lot_id": self.lot_id.id,
                "quantity": part,
                "condition": "damaged" if self.condition == "sound" else "sound",
            }
        )
        self.quantity -= part
        return self.process_id._open()
