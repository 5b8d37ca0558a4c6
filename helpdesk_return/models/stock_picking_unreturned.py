from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class StockPicking(models.Model):
    """Replacement now, goods later (X18): what was sent in exchange for goods that
    never came is to be paid for."""

    _inherit = "stock.picking"

    def _expire_returns(self):
        result = super()._expire_returns()
        for picking in self.filtered(lambda picking: picking.state == "cancel"):
            if owed := picking._get_helpdesk_owed():
                picking._claim_helpdesk_owed(owed)
        return result

    def _get_helpdesk_owed(self):
        """Return ``{order line: quantity}``, in its unit: what was sent beyond the
        order in exchange for what this cancelled return should have brought."""
        lines = self.move_ids.sale_line_id
        parts = lines._get_after_sales_parts_by_line(
            self.env["stock.move"]._search_after_sales_moves(
                Domain("sale_line_id", "in", lines.ids)
            )
        )
        owed = {}
        for line in lines:
            # What was announced: nothing of it has come.
            announced = {
                move: move._get_after_sales_in_unit(move.product_uom_qty)
                for move in self.move_ids
            }
            missing = line._count_after_sales(self.move_ids, parts[line], announced)
            beyond = min(line.qty_delivered - line.product_uom_qty, missing)
            if line.product_uom_id.compare(beyond, 0) > 0:
                owed[line] = beyond
        return owed

    def _claim_helpdesk_owed(self, owed):
        """Invoice what the customer keeps, as a draft, or ask a colleague to.

        :param owed: see :meth:`_get_helpdesk_owed`
        """
        ticket, reason = self.helpdesk_ticket_id, ""
        if ticket.team_id.exchange_unreturned == "invoice":
            try:
                with self.env.cr.savepoint():
                    self._invoice_helpdesk_owed(owed)
            except UserError as error:
                self.env.invalidate_all(flush=False)
                reason = str(error)
            else:
                ticket._message_log(
                    body=self.env._(
                        "%(goods)s were replaced and never came back: invoiced as a "
                        "draft with order %(orders)s.",
                        goods=self._describe_helpdesk_owed(owed),
                        orders=", ".join({line.order_id.name for line in owed}),
                    )
                )
                return
        ticket.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Invoice what was replaced and never came back"),
            note=self.env._(
                "%(goods)s of %(picking)s: %(reason)s",
                goods=self._describe_helpdesk_owed(owed),
                picking=self.name,
                reason=reason or self.env._("the customer keeps both."),
            ),
            user_id=(ticket.user_id or self.create_uid).id,
        )

    def _invoice_helpdesk_owed(self, owed):
        """Return the draft invoices of what is owed: the order asks for it now."""
        orders = self.env["sale.order"]
        for line, quantity in owed.items():
            line.product_uom_qty += quantity
            orders |= line.order_id
        return orders._create_invoices()

    def _describe_helpdesk_owed(self, owed):
        return ", ".join(
            f"{format_quantity(self.env, quantity, line.product_uom_id)} × "
            f"{line.product_id.display_name}"
            for line, quantity in owed.items()
        )
