import itertools
import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class StockPicking(models.Model):
    """Receiving decides (X17): what came of a return, in which condition, and what
    becomes of it.

    A *row* is what the warehouse says of some goods: a dictionary with ``move``,
    ``lot``, ``quantity`` in the unit of the product, ``condition``, ``disposition``,
    ``note`` and ``photo``.
    """

    _inherit = "stock.picking"

    helpdesk_decision_ids = fields.One2many(
        comodel_name="helpdesk.return.decision",
        inverse_name="picking_id",
        string="Findings",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )
    helpdesk_can_process = fields.Boolean(
        string="Return Can Be Processed",
        compute="_compute_helpdesk_can_process",
        groups="base.group_user",
    )

    @api.depends("helpdesk_ticket_id", "return_id", "state", "location_dest_id")
    def _compute_helpdesk_can_process(self):
        for picking in self:
            # sudo: whether there is a ticket is all that is asked.
            picking.helpdesk_can_process = (
                bool(picking.sudo().helpdesk_ticket_id)
                and picking._is_helpdesk_return()
                and picking.state not in ("draft", "cancel")
                and picking.location_dest_id.usage == "internal"
            )

    def action_process_return(self):
        """Return the action that opens the pop-up **Process Return** (X17).

        :raises AccessError: when the transfer isn't the user's to change
        :raises UserError: when it can't be processed, with one sentence
        """
        self.ensure_one()
        self.check_access("write")
        self._check_can_process()
        # Saved: the web client has no buttons on lines that aren't.
        wizard = self.env["helpdesk.return.process"].create({"picking_id": self.id})
        return wizard._open()

    def _check_can_process(self):
        if self.state == "cancel":
            raise UserError(self.env._("%(picking)s was cancelled.", picking=self.name))
        if not self.helpdesk_can_process:
            raise UserError(
                self.env._(
                    "%(picking)s isn't a return of a ticket to this warehouse.",
                    picking=self.name,
                )
            )
        if self.helpdesk_decision_ids:
            # sudo: only the numbers of what has paid something back are told.
            ticket = self.sudo().helpdesk_ticket_id
            given = ticket._get_money_given(self.sudo().move_ids.sale_line_id)
            if given:
                raise UserError(
                    self.env._(
                        "This return has already been refunded (%(documents)s): its "
                        "findings can't be changed.",
                        documents=", ".join(given),
                    )
                )

    # -- What is proposed ----------------------------------------------------

    def _prepare_process_rows(self):
        """Return the rows that the pop-up begins with: what was decided, else all that
        came or is announced, as sound."""
        self.ensure_one()
        decided = self.helpdesk_decision_ids.filtered(lambda d: d.kind != "missing")
        if self.state == "done" and decided:
            return [decision._prepare_row() for decision in decided]
        sound = self.env["helpdesk.return.disposition"]._get_proposed(self.company_id)
        values = {"condition": "sound", "disposition": sound["sound"]}
        rows = []
        for move in self._get_process_moves():
            for lot, quantity in move._get_process_quantities().items():
                rows.append({"move": move, "lot": lot, "quantity": quantity} | values)
        return rows

    def _get_process_moves(self):
        """Return the moves that bring something back, or brought it."""
        wanted = ("done",) if self.state == "done" else ("confirmed", "assigned")
        return self.move_ids.filtered(
            lambda move: (
                move.state in (*wanted, "waiting", "partially_available")
                and move._get_after_sales_direction() == "back"
                and move.location_dest_id.usage != "inventory"
            )
        )

    # -- Checks --------------------------------------------------------------

    def _check_process_rows(self, rows):
        """Refuse what can't be, before anything is made.

        :raises UserError: with one sentence
        """
        moves = self._get_process_moves()
        for row in rows:
            if row["move"] not in moves:
                raise UserError(
                    self.env._(
                        "%(product)s is no longer a line of %(picking)s.",
                        product=row["move"].product_id.display_name or "-",
                        picking=self.name,
                    )
                )
            self._check_process_row(row)
        if not rows:
            raise UserError(self.env._("Enter what has arrived, or what is missing."))
        # Of what was received, see _spread_process_rows().
        for move in moves if self.state != "done" else ():
            mine = [row for row in rows if row["move"] == move]
            move._check_process_sum(mine)
            move._check_process_lots(mine)

    def _check_process_row(self, row):
        move, quantity, disposition = row["move"], row["quantity"], row["disposition"]
        product = move.product_id.display_name
        if not math.isfinite(quantity) or quantity < 0:
            raise UserError(
                self.env._(
                    "%(product)s: %(quantity)s is not a quantity.",
                    product=product,
                    quantity=quantity,
                )
            )
        if not disposition:
            raise UserError(
                self.env._("%(product)s: choose a disposition.", product=product)
            )
        if (row["condition"] == "missing") != (disposition.kind == "missing"):
            raise UserError(
                self.env._(
                    "%(product)s: %(disposition)s doesn't fit. What is missing goes "
                    "nowhere, and what came is not missing.",
                    product=product,
                    disposition=disposition.name,
                )
            )
        if self.state == "done" and disposition.kind == "missing":
            raise UserError(
                self.env._(
                    "%(product)s has already been received: it can't be missing. "
                    "Send it back to the customer, or scrap it.",
                    product=product,
                )
            )
        disposition._check_usable(self.company_id)

    # -- What is made --------------------------------------------------------

    def _process_return(self, rows):
        """Make it all in one go: places, receipt, scrap, repairs, the way back.

        Called with the rights of the user, after the transfer was locked.

        :param rows: see the class; zero quantities are left out
        :raises UserError: with one sentence; nothing is made then
        """
        self.ensure_one()
        self._check_can_process()
        rows = [row for row in rows if not self._is_process_zero(row)]
        self._check_process_rows(rows)
        if self.state == "done":
            steps = self.env["helpdesk.after.sales.step"]
            steps._take_back_of(self)
            decisions = self._decide_anew(self._spread_process_rows(rows))
            steps._fire(self)
        else:
            decisions = self._receive_rows(rows)
        decisions.filtered(lambda d: d.kind != "missing")._carry_out()
        self._tell_found(decisions)
        return decisions

    @api.model
    def _is_process_zero(self, row):
        return row["move"].product_id.uom_id.is_zero(row["quantity"])

    def _spread_process_rows(self, rows):
        """Return the rows, each with a move that brought its goods: where they were put
        has split the moves.

        :raises UserError: unless all that came is decided, and nothing else
        """
        free = {
            (move, lot): quantity
            for move in self._get_process_moves()
            for lot, quantity in move._get_process_quantities().items()
        }
        spread = []
        # Each row takes from its own move first.
        for own, row in itertools.product((True, False), rows):
            for (move, lot), some in free.items():
                if lot == row["lot"] and (
                    move == row["move"]
                    or (not own and move.product_id == row["move"].product_id)
                ):
                    part = min(row["quantity"], some)
                    if move.product_id.uom_id.compare(part, 0) > 0:
                        spread.append(row | {"move": move, "quantity": part})
                        free[move, lot] -= part
                        row["quantity"] -= part
        wrong = [
            move
            for (move, _lot), some in free.items()
            if move.product_id.uom_id.compare(some, 0) > 0
        ]
        wrong += [row["move"] for row in rows if not self._is_process_zero(row)]
        if wrong:
            product = wrong[0].product_id
            came = [m for m in self._get_process_moves() if m.product_id == product]
            total = sum(move._get_process_total() for move in came)
            raise UserError(
                self.env._(
                    "%(product)s: %(total)s %(unit)s arrived. Choose a disposition "
                    "for exactly that quantity.",
                    product=product.display_name,
                    total=format_quantity(self.env, total),
                    unit=product.uom_id.name,
                )
            )
        return spread

    def _decide_anew(self, rows):
        """Replace what was decided of a return that was received; returns the new
        decisions."""
        old = self.helpdesk_decision_ids.filtered(lambda d: d.kind != "missing")
        kept, left = old.browse(), list(rows)
        for decision in old:
            same = next((row for row in left if decision._is_row(row)), None)
            if same:
                left.remove(same)
                kept |= decision
        # What shares a transfer with what changes is made once more.
        changed = old - kept
        touched = {(d.document_model, d.document_id) for d in changed if d.document_id}
        for decision in kept:
            if (decision.document_model, decision.document_id) in touched:
                kept -= decision
                left.append(decision._prepare_row())
        gone = old - kept
        gone._take_back()
        places = {decision.move_id: decision.location_id for decision in gone}
        # sudo: the user may change this transfer; decisions are made here only.
        gone.sudo().unlink()
        new = self.env["helpdesk.return.decision"]
        for row in left:
            move = row["move"]
            place = places.get(move) or move._get_process_place(row["lot"])
            new |= self._create_decision(row, move, place)
        new._restock()
        return new

    def _receive_rows(self, rows):
        """Receive what came, cancel what is missing, leave the rest to a backorder;
        returns the decisions."""
        by_move = defaultdict(list)
        for row in rows:
            by_move[row["move"]].append(row)
        decisions = self.env["helpdesk.return.decision"]
        for move, some in by_move.items():
            for row, of_row, place in move._split_process_rows(some):
                decisions |= self._create_decision(row, of_row, place)
        arrived = decisions.filtered(lambda d: d.kind != "missing")
        if not arrived:
            if self.state == "cancel":
                self.env["helpdesk.after.sales.step"]._drop(self)
            return decisions
        self.move_ids.filtered(
            lambda move: move not in arrived.move_id and move.state != "cancel"
        ).picked = False
        # What has expired meanwhile was looked at, and its place was chosen.
        answers = dict.fromkeys(("skip_backorder", "skip_sms", "skip_expired"), True)
        self.with_context(**answers).button_validate()
        if self.state != "done":
            raise UserError(
                self.env._(
                    "Inventory has a question about %(picking)s first: validate it "
                    "there, then press Process Return again.",
                    picking=self.name,
                )
            )
        for decision in arrived:
            # Put-away rules have said where exactly.
            decision.sudo().location_id = decision.move_id._get_process_place(
                decision.lot_id
            )
        return decisions

    def _create_decision(self, row, move, place):
        disposition = row["disposition"]
        # sudo: the user may change this transfer; decisions are made here only.
        decision = self.env["helpdesk.return.decision"].sudo()
        return decision.create(
            {
                "picking_id": self.id,
                "move_id": move.id,
                "product_id": move.product_id.id,
                "lot_id": row["lot"].id,
                "quantity": row["quantity"],
                "condition": row["condition"],
                "disposition_id": disposition.id,
                "kind": disposition.kind,
                "refund_percent": disposition.refund_percent,
                "location_id": place.id,
                "note": row.get("note"),
                "photo": row.get("photo"),
            }
        ).sudo(False)

    # -- Words ---------------------------------------------------------------

    def _tell_found(self, decisions):
        """Say in both chatters what was found."""
        words = "; ".join(d.sudo()._describe() for d in decisions)  # sudo: names only
        sentence = self.env._(
            "Return %(picking)s was inspected: %(found)s.",
            picking=self._get_html_link(),
            found=words,
        )
        self._message_log(body=sentence)
        self._after_sales_tell_ticket({self: sentence})

    def _describe_found(self, customer=False):
        """Return what was found in one line, or an empty string."""
        # sudo: told to who may read the ticket; names and quantities only.
        decisions = self.sudo().helpdesk_decision_ids
        if customer:
            return " ".join(d._describe_for_customer() for d in decisions)
        return "; ".join(d._describe() for d in decisions)
