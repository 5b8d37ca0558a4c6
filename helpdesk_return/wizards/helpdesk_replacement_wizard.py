from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.helpdesk_after_sales.tools import asks_rules

#: so many lines of orders are offered at most
OFFERED = 80


class HelpdeskReplacementWizard(models.TransientModel):
    """Send something once more though nothing comes back (X23): a lost parcel, a broken
    or missing part. The order doesn't count it: it isn't invoiced."""

    _name = "helpdesk.replacement.wizard"
    _inherit = "helpdesk.after.sales.wizard"
    _description = "Replacement from a helpdesk ticket"

    _after_sales_switch = "use_product_replacements"
    _after_sales_result = "made_picking_ids"

    company_id = fields.Many2one(related="helpdesk_ticket_id.company_id")
    product_id = fields.Many2one(related="helpdesk_ticket_id.product_id")
    lot_id = fields.Many2one(related="helpdesk_ticket_id.lot_id")
    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        compute="_compute_sale_order_id",
        store=True,
        readonly=False,
        help="Leave empty for what the ticket is about, from any order.",
    )
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Ship To",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        domain="[('commercial_partner_id', '=', helpdesk_commercial_partner_id)]",
    )
    proposed_line = fields.Integer(
        help="Technical: id of the order line that the pop-up was opened for.",
    )
    line_ids = fields.One2many(
        comodel_name="helpdesk.replacement.wizard.line",
        inverse_name="wizard_id",
        string="Products",
        compute="_compute_line_ids",
        store=True,
        readonly=False,
    )
    notice = fields.Char(compute="_compute_notice")
    made_picking_ids = fields.Many2many(
        comodel_name="stock.picking", readonly=True, server_only=True, copy=False
    )
    made = fields.Boolean(readonly=True, server_only=True, copy=False)

    # -- Defaults and computes -----------------------------------------------

    @api.depends("helpdesk_ticket_id")
    def _compute_sale_order_id(self):
        for wizard in self:
            # sudo: the ticket's own order is carried over, not read.
            wizard.sale_order_id = wizard.helpdesk_ticket_id.sudo().sale_order_id

    @api.depends("helpdesk_ticket_id", "sale_order_id")
    def _compute_partner_id(self):
        for wizard in self:
            # sudo: the address of the order, if it is the customer's own.
            address = wizard._get_allowed_order().partner_shipping_id
            customer = wizard.helpdesk_commercial_partner_id
            if address.commercial_partner_id != customer:
                address = wizard.helpdesk_ticket_id.partner_id
            wizard.partner_id = address.id

    @api.depends("helpdesk_ticket_id", "sale_order_id")
    def _compute_line_ids(self):
        for wizard in self:
            values = wizard._prepare_lines()
            wizard.line_ids = [Command.clear(), *map(Command.create, values)]

    @api.depends("line_ids")
    def _compute_notice(self):
        for wizard in self:
            lines = wizard.line_ids
            wizard.notice = not any(lines.mapped("left_quantity")) and self.env._(
                "Nothing that can be replaced was delivered with this order, or all of "
                "it came back or was replaced. Choose another order, or empty it."
            )

    def _get_allowed_order(self):
        """Return the chosen order with ``sudo()``, or no record when it isn't one of
        this customer."""
        # sudo: the domain lets in the orders of the ticket's customer only.
        order = self.sale_order_id.sudo()._origin
        domain = self.helpdesk_ticket_id._offer_purchases("sale.order")
        return order.search(domain & Domain("id", "=", order.id))

    def _get_order_lines(self):
        """Return the order lines that are offered, under ``sudo()``."""
        ticket = self.helpdesk_ticket_id
        lines = self.env["sale.order.line"].sudo()  # sudo: the customer's, by a domain
        if not ticket:
            return lines
        if order := self._get_allowed_order():
            domain = Domain("order_id", "=", order.id)
        else:
            domain = ticket._get_purchase_line_domain()
        goods = Domain("product_id.type", "=", "consu")
        delivered = Domain("move_ids.state", "=", "done")
        return lines.search(domain & goods & delivered, limit=OFFERED)

    def _prepare_lines(self):
        """Return the values of all lines: proposed is what the lines of the ticket say,
        else one piece of what it is about."""
        lines = self._get_order_lines()
        figures = lines._get_after_sales_replaceable()
        about = self._get_case_lines().filtered("sale_line_id").grouped("sale_line_id")
        ticket = self.helpdesk_ticket_id.sudo()  # sudo: product and lot are compared
        values = []
        for line in lines:
            left = figures[line]["left"]
            lots = figures[line]["lots"]
            asked = about.get(line)
            is_about = (
                line.id == self.proposed_line
                if self.proposed_line
                else bool(asked) or line.product_id == ticket.product_id
            )
            wanted = sum(asked.mapped("quantity")) if asked else 0.0
            lot = asked[:1].lot_id if asked else ticket.lot_id
            values.append(
                {
                    "sale_line_id": line.id,
                    "product_id": line.product_id.id,
                    "lot_id": lot.id if lot in lots else False,
                    "quantity": min(wanted or 1.0, left) if is_about else 0.0,
                    "reason_id": asked[:1].reason_id.id if asked else False,
                }
            )
        return values

    # -- Button --------------------------------------------------------------

    @asks_rules
    def action_replace(self):
        """Send the replacement; returns the action that opens its delivery.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: with a sentence why this can't be replaced
        """
        lines = self.line_ids.filtered("quantity")
        # sudo: only locked; _check_lines proves that they are the customer's.
        if done := self._begin(lines.sudo().sale_line_id):
            return done
        if self.made:
            return {"type": "ir.actions.act_window_close"}
        self._check_address()
        requests = self._check_lines(lines)
        self._check_rules()
        pickings = self._send(requests)
        # sudo: what was just made
        self.sudo().write({"made_picking_ids": pickings.ids, "made": True})
        if not pickings:
            self.helpdesk_ticket_id._message_log(
                body=self.env._(
                    "The replacement hasn't been created yet: the products must be "
                    "bought or manufactured first."
                )
            )
        self._approve_request(pickings)
        if not pickings:
            return {"type": "ir.actions.act_window_close"}
        return pickings.sudo(False)._get_records_action(
            name=self.env._("Replacements"), context={}
        )

    def _check_address(self):
        # sudo: compared only
        address = self.partner_id.sudo()
        lines = self.line_ids.filtered("quantity").sudo()
        shipped = lines.sale_line_id.order_id.partner_shipping_id
        if not address or not (
            address.commercial_partner_id == self.helpdesk_commercial_partner_id
            or address in shipped
        ):
            raise UserError(
                self.env._(
                    "Choose where it is shipped to: an address of %(customer)s.",
                    customer=self.helpdesk_commercial_partner_id.display_name,
                )
            )

    def _check_lines(self, lines):
        """Refuse what can't be replaced, before anything is made.

        Returns ``[(line, {product: quantity in its unit})]`` of what is sent.
        """
        if not lines:
            raise UserError(self.env._("Enter a quantity to replace."))
        domain = self.helpdesk_ticket_id._offer_purchases("sale.order.line")
        # sudo: proved to be the customer's by the domain; agents read no orders.
        sold = lines.sudo().sale_line_id
        if sold.search(domain & Domain("id", "in", sold.ids)) != sold:
            raise UserError(
                self.env._("Replace what this customer bought: choose from the list.")
            )
        figures = sold._get_after_sales_replaceable()
        requests = []
        for line in lines:
            line._check_replacement(
                figures[line.sudo().sale_line_id]
            )  # sudo: see above
            requests.append((line, line._take_replaced(figures)))
        return requests

    # -- What is made --------------------------------------------------------

    def _send(self, requests):
        """Ask for the goods, as the order did; returns the transfers that leave the
        house, under ``sudo()``.

        :param requests: see :meth:`_check_lines`
        """
        # sudo: _begin and _check_lines proved user, ticket and lines; agents have no
        # right to Inventory, and exactly these goods are asked for.
        env = self._without_defaults().sudo().env
        moves = env["stock.move"]
        on_ticket = Domain("helpdesk_ticket_id", "=", self.helpdesk_ticket_id.id)
        before = moves.search(on_ticket)
        procurements = [
            self._prepare_procurement(line.with_env(env), product, quantity)
            for line, goods in requests
            for product, quantity in goods.items()
        ]
        env["stock.rule"].run(procurements)
        made = moves.search(on_ticket & Domain("id", "not in", before.ids))
        return made.picking_id.filtered("helpdesk_ticket_id")

    def _prepare_procurement(self, line, product, quantity):
        sold, address = line.sale_line_id, self.partner_id.with_env(line.env)
        values = sold._prepare_procurement_values() | {
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": (line.reason_id or self.helpdesk_reason_id).id,
            "helpdesk_without_return": True,
            "helpdesk_replaced_lot_id": line.lot_id.id,
            "date_planned": fields.Datetime.now(),
            "date_deadline": False,
            "partner_id": address.id,
        }
        if product != sold.product_id:
            values |= {
                "packaging_uom_id": product.uom_id,
                "product_description_variants": "",
                "never_product_template_attribute_value_ids": False,
            }
        location = sold._get_location_final()
        if address != sold.order_id.partner_shipping_id:
            company = sold.company_id
            location = address.with_company(company).property_stock_customer
        values["location_final_id"] = location
        if line.env["stock.rule"]._get_rule(product, location, values).action == "buy":
            # Sent by the supplier. Alone: a purchase, and so a transfer, of its own,
            # which isn't bought for the order: it would count it as ordered.
            values |= {
                "sale_line_id": False,
                "reference_ids": line.env["stock.reference"].create(
                    {
                        "name": sold.order_id.name,
                        "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
                        "helpdesk_without_return": True,
                        "helpdesk_sale_line_id": sold.id,
                        "helpdesk_sent": [product.id, quantity, line.lot_id.id],
                    }
                ),
            }
        return line.env["stock.rule"].Procurement(
            product,
            quantity,
            product.uom_id,
            location,
            product.display_name,
            sold.order_id.name,
            sold.company_id,
            values,
        )

    def _get_settled_lines(self):
        # sudo: compared only
        sold = self.line_ids.filtered("quantity").sudo().sale_line_id
        lines = super()._get_settled_lines()
        return lines.filtered(
            lambda line: line.state == "asked" or line.sale_line_id in sold
        )
