from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "helpdesk.after.sales.document"]

    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
        help="Technical: for the record rule of helpdesk users.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        # sudo: the ids only; the domain is asked as the user himself.
        readable = self.sudo().search(
            Domain("id", "in", self.ids) & Domain("helpdesk_readable", "=", True)
        )
        for picking in self:
            picking.helpdesk_readable = picking.sudo() in readable

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "helpdesk_ticket_id", operator, value
        )

    @api.model
    def _after_sales_agent_views(self):
        return {
            kind: self.env.ref(f"helpdesk_return.stock_picking_view_{kind}_agent").id
            for kind in ("list", "form")
        }

    def _action_done(self):
        result = super()._action_done()
        self._after_sales_tell_ticket(
            {
                picking: self.env._(
                    "%(kind)s %(document)s: received %(lines)s on %(date)s.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                    lines=picking._describe_helpdesk_quantities(),
                    date=format_date(self.env, picking.date_done),
                )
                if picking.return_id
                else self.env._(
                    "%(kind)s %(document)s was sent on %(date)s.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                    date=format_date(self.env, picking.date_done),
                )
                for picking in self
                if picking.helpdesk_ticket_id and picking.state == "done"
            }
        )
        return result

    def action_cancel(self):
        result = super().action_cancel()
        self._after_sales_tell_ticket(
            {
                picking: self.env._(
                    "%(kind)s %(document)s was cancelled.",
                    kind=picking._after_sales_kind(),
                    document=picking._get_html_link(),
                )
                for picking in self
                if picking.helpdesk_ticket_id
            }
        )
        return result

    def _describe_helpdesk_quantities(self):
        """Return "2 of 3 Lamp, 1 of 1 Desk": what came of what was expected."""
        self.ensure_one()
        planned, done = {}, {}
        expected = self.move_ids + self.backorder_ids.move_ids
        for move in expected:
            product = move.product_id
            planned[product] = planned.get(product, 0) + move.product_uom_qty
        for move in self.move_ids.filtered(lambda move: move.state == "done"):
            done[move.product_id] = done.get(move.product_id, 0) + move.quantity
        return ", ".join(
            self.env._(
                "%(done)g of %(planned)g %(product)s",
                done=quantity,
                planned=max(planned[product], quantity),
                product=product.display_name,
            )
            for product, quantity in done.items()
        )

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        if self.return_id:
            return self.env._("Return")
        return self.env._("Replacement")
