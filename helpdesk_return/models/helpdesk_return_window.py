from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from odoo.addons.helpdesk_after_sales.tools.warranty import get_day


class HelpdeskReturnWindowMixin(models.AbstractModel):
    """How long after the delivery something can be returned (X21)."""

    _name = "helpdesk.return.window.mixin"
    _description = "How long something can be returned"

    helpdesk_return_policy = fields.Selection(
        selection=[
            ("always", "At any time"),
            ("days", "For some days"),
            ("never", "Not returnable"),
        ],
        string="Returns",
        company_dependent=True,
        prefetch=True,  # with the product, as its warranty
        groups="base.group_user",
        help="Leave empty to follow the category; at any time, if no category says "
        "anything.",
    )
    helpdesk_return_days = fields.Integer(
        string="Days to Return",
        company_dependent=True,
        prefetch=True,  # with the product, as its warranty
        groups="base.group_user",
        help="From the day of the delivery.",
    )

    @api.constrains("helpdesk_return_days")
    def _check_helpdesk_return_days(self):
        for record in self:
            if not 0 <= record.helpdesk_return_days <= 36525:
                raise ValidationError(
                    self.env._(
                        "%(product)s: the days to return must be 0 or more.",
                        product=record.display_name,
                    )
                )


class ProductTemplate(models.Model):
    _name = "product.template"
    _inherit = ["helpdesk.return.window.mixin", "product.template"]

    def _get_helpdesk_return_window(self):
        """Return ``(policy, days)`` of this product in the current company: its own,
        else that of the nearest category that has one (X21)."""
        self.ensure_one()
        said = self
        if not said.helpdesk_return_policy:
            said = self.categ_id
            while said.parent_id and not said.helpdesk_return_policy:
                said = said.parent_id
        return said.helpdesk_return_policy, said.helpdesk_return_days


class ProductCategory(models.Model):
    _name = "product.category"
    _inherit = ["helpdesk.return.window.mixin", "product.category"]


class StockMove(models.Model):
    _inherit = "stock.move"

    def _get_helpdesk_return_end(self):
        """Return until which day this delivery can be returned: a date, ``False``
        without a limit, ``None`` when it can't be at all (X21). Of a kit counts what
        was sold. Called with ``sudo()``."""
        self.ensure_one()
        product = self.sale_line_id.product_id or self.product_id
        template = product.product_tmpl_id.with_company(self.company_id)
        policy, days = template._get_helpdesk_return_window()
        if policy == "never":
            return None
        if policy != "days":
            return False
        return fields.Date.add(self._get_warranty_day(), days=days)

    def _get_helpdesk_window_refusal(self, moment=None):
        """Return why this delivery can't be returned any more, as a sentence, or
        ``False`` (X21). Called with ``sudo()``.

        :param moment: when it was asked for, naive, UTC; else now
        """
        end = self._get_helpdesk_return_end()
        if end is False:
            return False
        product = (self.sale_line_id.product_id or self.product_id).display_name
        if end is None:
            return self.env._("%(product)s is not returnable.", product=product)
        buyer = self._get_warranty_order().partner_id or self.picking_id.partner_id
        zone = buyer._get_warranty_zone(self.company_id)
        if get_day(moment or fields.Datetime.now(), zone) <= end:
            return False
        return self.env._(
            "%(product)s could be returned until %(date)s.",
            product=product,
            date=format_date(self.env, end),
        )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _filter_helpdesk_window(self, deliveries):
        """Return ``({delivery: quantity} that can still be returned, sentence or
        False)`` of those of this line (X21).

        :param deliveries: see :meth:`_get_returnable_deliveries`
        """
        kept, refusal = {}, False
        for picking, quantity in deliveries.items():
            move = picking.move_ids.filtered(lambda move: move.sale_line_id == self)
            late = move[:1]._get_helpdesk_window_refusal() if move else False
            if late:
                refusal = late
            else:
                kept[picking] = quantity
        return kept, not kept and refusal
