from odoo import api, models
from odoo.tools import SQL

from ..models.helpdesk_return_disposition import KINDS

GOODS = (
    "JOIN product_product goods ON goods.id = move.product_id "
    "JOIN product_template kind ON kind.id = goods.product_tmpl_id "
)
PLACES = (
    "JOIN stock_location source ON source.id = move.location_id "
    "JOIN stock_location target ON target.id = move.location_dest_id "
)


class HelpdeskAfterSalesReport(models.Model):
    _inherit = "helpdesk.after.sales.report"

    _depends = {
        "helpdesk.return.decision": [
            "document_id",
            "kind",
            "lot_id",
            "move_id",
            "picking_id",
            "quantity",
        ],
        "stock.move": [
            "helpdesk_reason_id",
            "helpdesk_ticket_id",
            "origin_returned_move_id",
            "picking_id",
            "product_uom",
            "quantity",
            "scrap_id",
            "value",
        ],
        "stock.move.line": ["move_id", "quantity_product_uom"],
        "stock.picking": ["helpdesk_reason_id", "helpdesk_ticket_id", "name"],
        "stock.scrap": ["date_done", "origin", "picking_id", "state"],
    }

    @api.model
    def _selection_act(self):
        return [
            *super()._selection_act(),
            ("return", self.env._("Return")),
            ("scrap", self.env._("Scrap")),
            ("replacement", self.env._("Replacement")),
        ]

    @api.model
    def _selection_disposition(self):
        names = dict(
            self.env["helpdesk.return.decision"]
            ._fields["kind"]
            ._description_selection(self.env)
        )
        return [
            *super()._selection_disposition(),
            *((kind, names[kind]) for kind, _name in KINDS if kind != "missing"),
        ]

    @api.model
    def _get_parts(self):
        return super()._get_parts() | {
            "return": self._prepare_return_part(),
            "return_decided": self._prepare_decided_part(),
            "scrap": self._prepare_scrap_part(),
            "scrap_decided": self._prepare_decided_scrap_part(),
            "replacement": self._prepare_replacement_part(),
        }

    @api.model
    def _prepare_goods_part(self, act, quantity, line):
        """Return what all parts of goods have in common.

        :param act: value of the field
        :param quantity: ``SQL``, in the unit of the product
        :param line: alias of what has the id and the lot
        """
        return {
            "id": SQL("%s.id", SQL.identifier(line)),
            "act": SQL("%s", act),
            "date": self._get_day(SQL("move.date")),
            "company_id": SQL("move.company_id"),
            "ticket_id": SQL("picking.helpdesk_ticket_id"),
            "product_id": SQL("move.product_id"),
            "lot_id": SQL("%s.lot_id", SQL.identifier(line)),
            "reason_id": SQL(
                "COALESCE(move.helpdesk_reason_id, picking.helpdesk_reason_id)"
            ),
            "res_model": SQL("'stock.picking'"),
            "res_id": SQL("picking.id"),
            "quantity": quantity,
        }

    @api.model
    def _get_goods_worth(self, quantity):
        return SQL("%s * %s", quantity, self._get_unit_value("move", "goods", "kind"))

    @api.model
    def _prepare_return_part(self):
        """What came back, and nobody has decided of."""
        quantity = SQL("line.quantity_product_uom")
        return self._prepare_goods_part("return", quantity, "line") | {
            "delivery_date": self._get_day(SQL("delivery.date")),
            "recovered": self._get_goods_worth(quantity),
            "from": SQL(
                "stock_picking picking "
                "JOIN stock_move move ON move.picking_id = picking.id "
                "JOIN stock_move_line line ON line.move_id = move.id "
                f"{GOODS}{PLACES}"
                "LEFT JOIN stock_move delivery "
                "ON delivery.id = move.origin_returned_move_id"
            ),
            "where": SQL(
                "picking.helpdesk_ticket_id IS NOT NULL AND move.state = 'done' "
                "AND %s AND NOT %s AND NOT EXISTS (SELECT 1 FROM "
                "helpdesk_return_decision decision WHERE decision.move_id = move.id "
                "AND decision.kind != 'missing')",
                self._get_outside("source"),
                self._get_outside("target"),
            ),
        }

    @api.model
    def _prepare_decided_part(self):
        """What came back, by what became of it. What is sent back to the customer is
        theirs."""
        quantity = SQL("decision.quantity")
        return self._prepare_goods_part("return", quantity, "decision") | {
            "delivery_date": self._get_day(SQL("delivery.date")),
            "disposition": SQL("decision.kind"),
            "recovered": SQL(
                "CASE WHEN decision.kind != 'customer' THEN %s END",
                self._get_goods_worth(quantity),
            ),
            "from": SQL(
                "helpdesk_return_decision decision "
                "JOIN stock_picking picking ON picking.id = decision.picking_id "
                "JOIN stock_move move ON move.id = decision.move_id "
                f"{GOODS}"
                "LEFT JOIN stock_move delivery "
                "ON delivery.id = move.origin_returned_move_id"
            ),
            "where": SQL(
                "picking.helpdesk_ticket_id IS NOT NULL AND move.state = 'done' "
                "AND decision.kind != 'missing'"
            ),
        }

    @api.model
    def _prepare_scrap_part(self):
        """What Inventory scrapped from a return by hand. What Process Return scrapped
        may have been decided anew: its decisions tell."""
        quantity = self._get_move_quantity("move", "kind")
        return self._prepare_goods_part("scrap", quantity, "scrap") | {
            "id": SQL("move.id"),
            "cost": self._get_goods_worth(quantity),
            "from": SQL(
                "stock_scrap scrap "
                "JOIN stock_picking picking ON picking.id = scrap.picking_id "
                f"JOIN stock_move move ON move.scrap_id = scrap.id {GOODS}"
            ),
            "where": SQL(
                "picking.helpdesk_ticket_id IS NOT NULL AND move.state = 'done' "
                "AND scrap.origin IS DISTINCT FROM picking.name"
            ),
        }

    @api.model
    def _prepare_decided_scrap_part(self):
        """What Process Return scrapped, at what Inventory has valued it."""
        quantity = SQL("decision.quantity")
        unit_value = SQL(
            "(SELECT SUM(ABS(scrapped.value)) / NULLIF(SUM(%s), 0) "
            "FROM stock_move scrapped WHERE scrapped.scrap_id = decision.document_id "
            "AND decision.document_model = 'stock.scrap')",
            self._get_move_quantity("scrapped", "kind"),
        )
        return self._prepare_goods_part("scrap", quantity, "decision") | {
            "delivery_date": self._get_day(SQL("delivery.date")),
            "disposition": SQL("decision.kind"),
            "cost": SQL(
                "%s * COALESCE(NULLIF(%s, 0), %s)",
                quantity,
                unit_value,
                self._get_unit_value("move", "goods", "kind"),
            ),
            "from": SQL(
                "helpdesk_return_decision decision "
                "JOIN stock_picking picking ON picking.id = decision.picking_id "
                "JOIN stock_move move ON move.id = decision.move_id "
                f"{GOODS}"
                "LEFT JOIN stock_move delivery "
                "ON delivery.id = move.origin_returned_move_id"
            ),
            "where": SQL(
                "picking.helpdesk_ticket_id IS NOT NULL AND move.state = 'done' "
                "AND decision.kind = 'scrap'"
            ),
        }

    @api.model
    def _prepare_replacement_part(self):
        """What was sent in exchange, or without goods back."""
        quantity = SQL("line.quantity_product_uom")
        return self._prepare_goods_part("replacement", quantity, "line") | {
            "delivery_date": self._get_delivery_date(SQL("SELECT move.sale_line_id")),
            "ticket_id": SQL("move.helpdesk_ticket_id"),
            "cost": self._get_goods_worth(quantity),
            "from": SQL(
                "stock_move move "
                "JOIN stock_move_line line ON line.move_id = move.id "
                f"{GOODS}{PLACES}"
                "LEFT JOIN stock_picking picking ON picking.id = move.picking_id"
            ),
            "where": SQL(
                "move.helpdesk_ticket_id IS NOT NULL AND move.state = 'done' "
                "AND move.origin_returned_move_id IS NULL AND NOT %s AND %s",
                self._get_outside("source"),
                self._get_outside("target"),
            ),
        }
