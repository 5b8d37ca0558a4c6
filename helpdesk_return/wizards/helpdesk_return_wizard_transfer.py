from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class HelpdeskReturnWizard(models.TransientModel):
    """What the buttons of the pop-up check and make."""

    _inherit = "helpdesk.return.wizard"

    # -- Checks --------------------------------------------------------------

    def _check_return(self):
        """Refuse what can't be returned, before anything is made.

        Returns the ``DeliveryBalance``, and ``{move: quantity}``, in the unit of the
        move, of what will come back.
        """
        pickings = self._get_allowed_pickings()
        if not self._get_chosen_pickings() and self.foreign_line_ids:
            return pickings._get_delivery_balance(), {}
        if not pickings:
            raise UserError(
                self._get_notice()
                or self.env._(
                    "Choose the delivery to return: one that %(customer)s received.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )
        self._check_location(self._get_allowed_picking())
        balance = pickings._get_delivery_balance()
        for line in self.line_ids:
            line._check_quantity(balance)
        quantities = self._get_quantities(balance)
        for move, quantity in quantities.items():
            self._check_left(balance.goods[move], quantity)
        if not quantities and not self.foreign_line_ids:
            raise UserError(self.env._("Enter a quantity to return."))
        for line in self.line_ids.filtered("lot_ids"):
            move = line.move_id.sudo()  # sudo: proved by _check_quantity
            line._check_lots(balance.goods[move], quantities.get(move, 0))
        late = self._check_window(self.env["stock.move"].union(*quantities))
        if late:
            self.helpdesk_ticket_id._message_log(body=late)
        return balance, quantities

    def _check_location(self, picking):
        # sudo: it is compared only. A foreign one isn't named.
        location = self.location_id.sudo()
        company = self.company_id
        if not location or location == self._get_default_location(picking):
            return
        if (
            not location.active
            or location.usage != "internal"
            or location.company_id not in (company, company.browse())
        ):
            raise UserError(
                self.env._(
                    "The chosen location can't take returns of %(company)s; choose "
                    "one of its internal locations.",
                    company=company.display_name,
                )
            )

    def _get_quantities(self, balance):
        """Return ``{move: quantity}``, in the unit of the move, of what all lines ask
        for together: a component by itself, and in kits."""
        asked = dict.fromkeys(balance.goods, 0.0)
        for line in self.line_ids.filtered("move_id"):
            move = line.move_id.sudo()  # sudo: see _check_quantity
            asked[move] += move._get_after_sales_in_unit(line.quantity)
        for line in self.line_ids.filtered("kit_line_id"):
            kit = line.kit_line_id.sudo()  # sudo: see _check_quantity
            free = {
                move: max(out.left - asked[move], 0)
                for move, out in balance.goods.items()
            }
            spread = balance.spread_kits(kit, line.quantity, free)
            for move, quantity in spread.items():
                asked[move] += quantity
        return {
            move: move._get_after_sales_rounded(quantity)
            for move, quantity in asked.items()
            if not move.product_id.uom_id.is_zero(quantity)
        }

    def _check_left(self, out, quantity):
        move = out.move
        left = move._get_after_sales_rounded(out.left)
        if move.product_uom.compare(quantity, left) <= 0:
            return
        refusal = self.line_ids._get_refusal(out)
        raise UserError(
            self.env._(
                "%(product)s: %(quantity)s %(unit)s are too many, %(left)s of the "
                "%(delivered)s delivered can still be returned. %(refusal)s",
                product=move.product_id.display_name,
                quantity=format_quantity(self.env, quantity),
                unit=move.product_uom.name,
                left=format_quantity(self.env, left),
                delivered=format_quantity(self.env, move.quantity),
                refusal=refusal or "",
            ).strip()
        )

    # -- What is made --------------------------------------------------------

    def _create_return_picking(self, delivery, balance, quantities, exchange):
        """Create the return of one delivery with Odoo's own wizard; returns the
        transfers, under ``sudo()``.

        The transfers are confirmed and reserved, not validated.

        :param quantities: ``{move of the delivery: quantity}``, in the unit of the move
        :param exchange: whether the same goods are delivered once more
        """
        # sudo: _check_ready and _check_return proved user, ticket and delivery; agents
        # have no right to Inventory, and exactly these transfers are made.
        native = self._without_defaults().env["stock.return.picking"].sudo()
        native = native.create(
            {
                "picking_id": delivery.id,
                "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                "helpdesk_reason_id": self.helpdesk_reason_id.id,
                "helpdesk_location_id": self._get_location_for(delivery).id,
            }
        )
        self._fill_native_lines(native, balance, quantities)
        if not exchange:
            made = native._create_return()
        else:
            moves = native.env["stock.move"]
            action = native.action_create_exchanges()
            made = native.env["stock.picking"].browse(action["res_id"])
            # Odoo makes the return first, then what is sent in exchange.
            again = moves.search(
                Domain("helpdesk_ticket_id", "=", self.helpdesk_ticket_id.id)
                & Domain("id", ">", max(made.move_ids.ids, default=0))
            )
            made.move_ids.helpdesk_exchange_id = native.helpdesk_reference_id
            sent = again.picking_id.filtered("helpdesk_ticket_id")
            if not sent:
                # Drop shipments: the supplier sends it when the purchase is confirmed.
                self.helpdesk_ticket_id._message_log(
                    body=self.env._(
                        "The delivery in exchange for %(picking)s hasn't been "
                        "created yet: the products must be bought or manufactured "
                        "first.",
                        picking=made._get_html_link(),
                    )
                )
            made |= sent
        return made

    def _fill_native_lines(self, native, balance, quantities):
        """Write quantities, lots (X3) and reasons (X5) into Odoo's own wizard."""
        operations = self._plan_lots(balance, quantities)
        # sudo: the ids of moves and order lines are compared.
        reasons = {}
        for line in self.line_ids.sudo().filtered("reason_id"):
            reasons[line.move_id or line.kit_line_id] = line.reason_id
        for line in native.product_return_moves:
            move = line.move_id
            reason = reasons.get(move) or reasons.get(move.sale_line_id)
            line.write(
                {
                    "quantity": quantities.get(move, 0),
                    "helpdesk_reason_id": (reason or self.helpdesk_reason_id).id,
                    "helpdesk_operations": operations.get(move, False),
                }
            )
        native.product_return_moves.filtered(lambda line: not line.quantity).unlink()

    def _plan_lots(self, balance, quantities):
        """Return ``{move of the delivery: operations}``: the lots that come back (X3),
        see ``stock.move._plan_return_operations``. Moves without lots are left out."""
        # sudo: proved by _check_quantity and _check_lots
        chosen = {line.move_id: line.lot_ids for line in self.line_ids.sudo()}
        plans = {}
        for move, quantity in quantities.items():
            out = balance.goods[move]
            unit = move.product_id.uom_id
            wanted = move._get_after_sales_in_unit(quantity)
            lots_left = out.get_lots_left(positive=True)
            plan = []
            # Nothing was chosen: the first that are on no other return (T5).
            for lot in chosen.get(move) or lots_left:
                part = min(wanted, lots_left.get(lot, 0.0))
                if unit.compare(part, 0) > 0:
                    plan.append((lot, part))
                    wanted -= part
            # Lots that the returns don't know: as Odoo reserves.
            if plan and unit.compare(wanted, 0) <= 0:
                back = move.browse([back.id for back in out.moves_back])
                plans[move] = move._plan_return_operations(plan, back)
        return plans
