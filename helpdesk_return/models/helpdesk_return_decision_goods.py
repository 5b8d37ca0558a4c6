from collections import defaultdict

from odoo import Command, models
from odoo.exceptions import UserError
from odoo.tools.misc import clean_context

from odoo.addons.helpdesk_after_sales.tools import format_quantity

from .helpdesk_return_disposition import PLAIN, STOCK


class HelpdeskReturnDecision(models.Model):
    """What is made of goods that are here: by Inventory itself as the user, by other
    addons through ``helpdesk.ticket._take_goods``."""

    _inherit = "helpdesk.return.decision"

    def _carry_out(self):
        """Make what was decided of these goods, which have been received."""
        for decision in self.filtered(lambda d: d.kind == "scrap"):
            decision._scrap()
        for kind in ("supplier", "customer"):
            decisions = self.filtered(lambda d, kind=kind: d.kind == kind)
            for picking, some in decisions.grouped("picking_id").items():
                some._set_document(
                    some._send_to_supplier()
                    if kind == "supplier"
                    else some._send_back(picking)
                )
        for decision in self.filtered(lambda d: d.kind not in (*PLAIN, *STOCK)):
            # sudo: the user receives these goods; which rights the document takes
            # is the addon's matter, and exactly one is made.
            ticket = decision.sudo().picking_id.helpdesk_ticket_id
            goods = decision._prepare_goods()
            decision._set_document(ticket._take_goods(decision.kind, goods))

    def _prepare_goods(self):
        decision = self.sudo()  # sudo: see _carry_out
        [(place, *_held), *_others] = decision._find_goods()
        return {
            "product": decision.product_id,
            "lot": decision.lot_id,
            "quantity": decision.quantity,
            "picking": decision.picking_id,
            "location": place,
        }

    def _set_document(self, document):
        # sudo: only the server says what was made of the goods.
        self.sudo().write(
            {"document_model": document._name, "document_id": document.id}
        )

    def _take_back(self):
        """Withdraw what was made of these goods: something else was decided.

        :raises UserError: when it is too late, with one sentence
        """
        documents = defaultdict(self.browse)
        for decision in self:
            if document := decision._get_document():
                documents[document] |= decision
        for document, decisions in documents.items():
            kind = decisions[0].kind
            if kind == "scrap":
                decisions._bring_back(document)
            elif kind in STOCK:
                if document.state == "done":
                    raise UserError(
                        self.env._(
                            "%(delivery)s has already left: the disposition of what "
                            "was sent can't be changed.",
                            delivery=document.name,
                        )
                    )
                document.action_cancel()
            else:
                # sudo: see _carry_out
                ticket = decisions.sudo().picking_id.helpdesk_ticket_id
                ticket._release_goods(kind, document.sudo())

    # -- Where goods are -----------------------------------------------------

    def _find_goods(self):
        """Return ``[(location, owner, package, quantity)]``: where the goods of this
        decision lie, as Inventory knows it.

        :raises UserError: when they are gone
        """
        self.ensure_one()
        product, unit = self.product_id, self.product_id.uom_id
        owners = self.move_id.move_line_ids.owner_id
        place = self.location_id
        if not product.is_storable:
            nothing = self.env["stock.package"]
            return [(place, owners[:1], nothing, self.quantity)]
        quants = self._get_quants(place)
        if unit.compare(sum(quants.mapped("quantity")), self.quantity) < 0:
            place = self.picking_id._find_piece(
                self.company_id,
                product,
                self.lot_id,
                self.quantity,
                place,
                self.picking_id,
            )
            quants = self._get_quants(place)
        wanted, found = self.quantity, []
        for quant in quants.sorted(
            lambda quant: quant.owner_id not in owners if owners else quant.owner_id.id
        ):
            part = min(wanted, quant.quantity)
            if unit.compare(part, 0) > 0:
                at = quant.location_id, quant.owner_id, quant.package_id
                found.append((*at, part))
                wanted -= part
        if unit.compare(wanted, 0) > 0:
            raise UserError(
                self.env._(
                    "%(quantity)s %(product)s of this return is no longer where it was "
                    "put: look for it in Inventory.",
                    quantity=format_quantity(self.env, self.quantity),
                    product=product.display_name,
                )
            )
        return found

    def _get_quants(self, place):
        quants = self.env["stock.quant"]
        if not place:
            return quants
        return quants._gather(
            self.product_id, place, lot_id=self.lot_id or None, strict=False
        ).filtered(lambda quant: quant.lot_id == self.lot_id and quant.quantity > 0)

    def _move_goods(self, parts, destination):
        """Move goods at once, as Odoo's own scrap does.

        :param parts: see :meth:`_find_goods`
        """
        self.ensure_one()
        product = self.product_id
        for place, owner, package, quantity in parts:
            values = {
                "product_id": product.id,
                "product_uom_id": product.uom_id.id,
                "quantity": quantity,
                "lot_id": self.lot_id.id,
                "owner_id": owner.id,
                "package_id": package.id,
                "location_id": place.id,
                "location_dest_id": destination.id,
                "company_id": self.company_id.id,
            }
            move = self._plain("stock.move").create(
                {
                    "origin": self.picking_id.name,
                    "company_id": self.company_id.id,
                    "product_id": product.id,
                    "product_uom": product.uom_id.id,
                    "product_uom_qty": quantity,
                    "location_id": place.id,
                    "location_dest_id": destination.id,
                    "picked": True,
                    "move_line_ids": [Command.create(values)],
                }
            )
            move._action_done()

    def _plain(self, model):
        """Return a model without the defaults of the pop-up."""
        env = self.env(context=clean_context(self.env.context))
        return env[model].with_company(self.company_id)

    def _restock(self):
        """Put what lies elsewhere to where it was decided."""
        for decision in self.filtered(lambda d: d.kind == "restock"):
            # sudo: the place that Inventory was configured with.
            wanted = decision.disposition_id.sudo().location_id
            parts = decision._find_goods() if wanted else []
            parts = [
                part for part in parts if not part[0]._child_of(wanted.sudo(False))
            ]
            if parts:
                decision._move_goods(parts, wanted)
                decision.sudo().location_id = wanted  # sudo: see _set_document

    # -- Documents of Inventory ----------------------------------------------

    def _scrap(self):
        """Scrap these goods with orders of Inventory."""
        self.ensure_one()
        for place, owner, package, quantity in self._find_goods():
            self._shorten_next_step(place, quantity)
            values = {
                "company_id": self.company_id.id,
                "origin": self.picking_id.name,
                "picking_id": self.picking_id.id,
                "product_id": self.product_id.id,
                "product_uom_id": self.product_id.uom_id.id,
                "scrap_qty": quantity,
                "lot_id": self.lot_id.id,
                "owner_id": owner.id,
                "package_id": package.id,
                "location_id": place.id,
            }
            # sudo: the place that Inventory was configured with.
            if scrap_place := self.disposition_id.sudo().location_id:
                values["scrap_location_id"] = scrap_place.id
            scrap = self._plain("stock.scrap").create(values)
            if not scrap.scrap_location_id:
                raise UserError(
                    self.env._(
                        "%(company)s has no scrap location: choose one for "
                        "%(disposition)s in Configuration > Returned Goods.",
                        company=self.company_id.display_name,
                        disposition=self.disposition_id.name,
                    )
                )
            scrap.do_scrap()
            self._set_document(scrap)

    def _shorten_next_step(self, place, quantity):
        """What is scrapped isn't carried on to the next step of the receipt."""
        unit = self.product_id.uom_id
        for move in self.move_id.move_dest_ids:
            if (
                move.state in ("done", "cancel")
                or move.origin_returned_move_id
                or not place._child_of(move.location_id)
            ):
                continue
            rest = move.product_qty - quantity
            if unit.compare(rest, 0) > 0:
                move.product_uom_qty = unit._compute_quantity(rest, move.product_uom)
            else:
                move._action_cancel()

    def _bring_back(self, scrap):
        """Take goods out of the scrap again."""
        for decision in self:
            owner, package = scrap.owner_id, scrap.package_id.browse()
            part = scrap.scrap_location_id, owner, package, decision.quantity
            decision._move_goods([part], scrap.location_id)
            decision.sudo().location_id = scrap.location_id  # sudo: see _set_document

    def _send_to_supplier(self):
        """Return the transfer that takes these goods to their suppliers."""
        picking = self.picking_id
        warehouse = picking.picking_type_id.warehouse_id
        supplier = self.product_id.seller_ids.filtered(
            lambda seller: (
                not seller.company_id or seller.company_id == picking.company_id
            )
        )[:1].partner_id
        destination = supplier.with_company(
            picking.company_id
        ).property_stock_supplier or self.env.ref("stock.stock_location_suppliers")
        # sudo: where the suppliers of the company are.
        destination = destination.sudo()
        transfer = self._plain("stock.picking").create(
            {
                "picking_type_id": warehouse.out_type_id.id,
                "partner_id": supplier.id,
                "origin": picking.name,
                "company_id": picking.company_id.id,
                "location_id": self[0].location_id.id,
                "location_dest_id": destination.id,
            }
        )
        moves = {}
        for decision in self:
            moves[decision] = self._plain("stock.move").create(
                {
                    "picking_id": transfer.id,
                    "company_id": picking.company_id.id,
                    "product_id": decision.product_id.id,
                    "product_uom": decision.product_id.uom_id.id,
                    "product_uom_qty": decision.quantity,
                    "location_id": decision.location_id.id,
                    "location_dest_id": destination.id,
                }
            )
        moves_made = self.env["stock.move"].union(*moves.values())
        moves_made._action_confirm(merge=False)
        moves_made._do_unreserve()
        for decision, move in moves.items():
            decision._reserve(move)
        return transfer

    def _send_back(self, picking):
        """Return the return of this return: the order counts the goods as delivered
        again."""
        native = self._plain("stock.return.picking").create({"picking_id": picking.id})
        for line in native.product_return_moves:
            quantity = sum(
                self.filtered(lambda d, line=line: d.move_id == line.move_id).mapped(
                    "quantity"
                )
            )
            line.quantity = line.product_id.uom_id._compute_quantity(
                quantity, line.move_id.product_uom
            )
        delivery = native._create_return()
        delivery.origin = picking.name
        # sudo: who receives goods may not see the ticket, which the way back is on.
        delivery.sudo().helpdesk_ticket_id = picking.sudo().helpdesk_ticket_id
        for move in delivery.move_ids:
            mine = self.filtered(
                lambda d, move=move: d.move_id == move.origin_returned_move_id
            )
            move._do_unreserve()
            for decision in mine:
                decision._reserve(move)
        return delivery

    def _reserve(self, move):
        """Let a transfer take these very goods, from where they lie."""
        if move._should_bypass_reservation():
            move._action_assign()
            return
        for place, owner, package, quantity in self._find_goods():
            move.write({"location_id": place.id, "move_orig_ids": [Command.clear()]})
            move._update_reserved_quantity(
                quantity,
                place,
                lot_id=self.lot_id or None,
                package_id=package or None,
                owner_id=owner or None,
                strict=False,
            )
        move._recompute_state()
        move.move_line_ids.result_package_id = False
