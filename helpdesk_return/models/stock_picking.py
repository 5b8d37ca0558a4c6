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

    def get_formview_id(self, access_uid=None):
        """Agents without rights to Inventory get a form that reads no more than they
        may (S98 for returns)."""
        user = self.env["res.users"].browse(access_uid) if access_uid else self.env.user
        if self._helpdesk_reads_as_agent(user):
            return self.env.ref("helpdesk_return.stock_picking_view_form_agent").id
        return super().get_formview_id(access_uid)

    def _get_records_action(self, **kwargs):
        if self._helpdesk_reads_as_agent(self.env.user):
            views = [
                (
                    self.env.ref(f"helpdesk_return.stock_picking_view_{kind}_agent").id,
                    kind,
                )
                for kind in ("list", "form")
            ]
            kwargs.setdefault("views", views if len(self) != 1 else views[1:])
        return super()._get_records_action(**kwargs)

    @api.model
    def _helpdesk_reads_as_agent(self, user):
        return user.has_group(
            "helpdesk_after_sales.group_helpdesk_user"
        ) and not user.has_group("stock.group_stock_user")

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
