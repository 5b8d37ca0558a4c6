from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..tools.reading import check_one, read_id, read_integer, read_text


class HelpdeskTicket(models.Model):
    """What a ticket is about: an order, a product, a lot of its customer (S20-S24)."""

    _inherit = "helpdesk.ticket"

    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Sales Order",
        compute="_compute_sale_order_id",
        store=True,
        precompute=True,
        readonly=False,
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="An order of this customer.",
        groups="base.group_user",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="What the ticket is about. Only orders, deliveries and invoices with it "
        "can be chosen then; what was bought elsewhere can be repaired, not returned.",
        groups="base.group_user",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        compute="_compute_lot_id",
        store=True,
        precompute=True,
        readonly=False,
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="The lot or serial number that was delivered to this customer.",
        groups="base.group_user",
    )
    product_tracking = fields.Selection(
        related="product_id.tracking", groups="base.group_user"
    )

    purchase_notice = fields.Char(
        compute="_compute_purchase_notice",
        groups="base.group_user",
        help="What is unusual about the purchase of this ticket.",
    )

    def _get_chosen_ticket(self, values):
        # Who is the customer decides what is offered.
        known = {
            name: next(iter(self._get_given_ids(values[name])), False)
            for name in ("partner_id", "team_id")
            if name in values
        }
        return self.new(known, origin=self)

    # -- What can be chosen --------------------------------------------------

    @api.readonly
    def search_purchases(self, model, name="", limit=30, chosen=None):
        """Return ``[(id, name)]`` of what the customer of this ticket bought from its
        company, for the drop-downs of tickets and services (S21 to S24).

        Called without a ticket for one that is new.

        :param model: ``sale.order``, ``stock.picking``, ``account.move``,
            ``product.product`` or ``stock.lot``
        :param chosen: what the form holds: ids under ``sale_order_id``, ``product_id``,
            ``lot_id``, each narrowing the choice, and ``ids``, a list to choose from;
            ``partner_id`` and ``team_id`` of a ticket that isn't saved as it is shown;
            ``others`` for products that were not bought here, too; ``returnable`` and
            ``returned`` for deliveries and returns
        :raises AccessError: when the user isn't a helpdesk user, may not read the
            ticket, or may not choose this customer or team
        """
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(
                self.env._(
                    "Only helpdesk users can choose from a customer's purchases."
                )
            )
        if not self._is_purchase_model(model):
            raise UserError(self.env._("Choose from what the customer bought."))
        chosen = chosen if isinstance(chosen, dict) else {}
        scope = self._get_shown_ticket(chosen)._get_purchase_scope(
            **{
                key: self.env[comodel].browse(read_id(chosen.get(f"{key}_id")))
                for key, comodel in (
                    ("sale_order", "sale.order"),
                    ("product", "product.product"),
                    ("lot", "stock.lot"),
                )
            }
        )
        limit = read_integer(limit, default=30, minimum=1, maximum=320)
        return self.env[model]._search_purchases(read_text(name), limit, scope, chosen)

    @api.model
    def _is_purchase_model(self, name):
        return (
            isinstance(name, str)
            and name in self.env
            and not self.env[name]._abstract
            and isinstance(self.env[name], self.pool["helpdesk.after.sales.purchase"])
        )

    def _get_shown_ticket(self, chosen):
        """Return this ticket as a form shows it.

        :raises AccessError: unless the user may have it so
        """
        if self:
            check_one(self)
        self.check_access("read" if self else "create")
        values = {
            name: read_id(chosen[name]) or False
            for name in ("partner_id", "team_id")
            if name in chosen and chosen[name] != self[name].id
        }
        if not values:
            return self
        self.check_access("write" if self else "create")
        self._check_chosen(values, form=True)
        return self.new(values, origin=self)

    # What another customer or company sold is taken back. sudo: agents may not read
    # orders and lots; they are compared, not shown.

    @api.depends("partner_id", "team_id")
    def _compute_sale_order_id(self):
        for ticket in self.sudo():  # sudo: see above
            if not ticket._is_own_order():
                ticket.sale_order_id = False

    @api.depends("partner_id", "team_id", "product_id")
    def _compute_lot_id(self):
        for ticket in self.sudo():  # sudo: see above
            if ticket.lot_id and (
                ticket.lot_id.product_id != ticket.product_id
                or not ticket._is_purchased(ticket.lot_id)
            ):
                ticket.lot_id = False

    @api.depends("partner_id", "team_id", "sale_order_id", "product_id")
    @api.depends_context("lang")
    def _compute_purchase_notice(self):
        for ticket in self:
            ticket.purchase_notice = ticket._get_purchase_notice()

    def _get_purchase_notice(self):
        """Return a sentence where the product was not bought here, or not with this
        order, or where the order was cancelled; else ``False``."""
        # sudo: names of what the ticket is about, which its readers see.
        ticket = self.sudo()
        order, product = ticket.sale_order_id, ticket.product_id
        names = {
            "order": order.name,
            "product": product.display_name,
            "customer": ticket.commercial_partner_id.display_name,
            "company": ticket.company_id.display_name,
        }
        if product and ticket.commercial_partner_id:
            lot = self.env["stock.lot"]
            if not ticket._is_purchased(product, sale_order=order.browse(), lot=lot):
                return self.env._(
                    "%(customer)s did not buy %(product)s from %(company)s. It can be "
                    "repaired; refunds and returns need a purchase.",
                    **names,
                )
            if order.state == "sale" and not ticket._is_purchased(product, lot=lot):
                return self.env._(
                    "%(product)s was not bought with order %(order)s.", **names
                )
        if order.state == "cancel":
            return self.env._("Order %(order)s was cancelled.", **names)
        return False

    # Asked is whose purchase it is, when it is set; what can be chosen now is up to the
    # drop-down. An order that is cancelled later stays the customer's.

    @api.constrains("sale_order_id")
    def _check_sale_order(self):
        """Refuse an order of another customer or company (S21)."""
        for ticket in self.sudo():  # sudo: orders are compared, not shown
            if not ticket._is_own_order():
                ticket._refuse_purchase("sale_order_id")

    @api.constrains("sale_order_id", "lot_id")
    def _check_lot(self):
        """Refuse a lot that this customer wasn't delivered, with this order (S23)."""
        for ticket in self:
            if ticket.lot_id and not ticket._is_purchased(ticket.lot_id):
                ticket._refuse_purchase("lot_id")

    def _is_own_order(self):
        """Return whether the order of this ticket, if any, is one of its customer and
        company. Called with ``sudo()``."""
        order = self.sale_order_id
        return not order or (
            order.partner_id.commercial_partner_id == self.commercial_partner_id
            and order.company_id == self.company_id
        )

    def _refuse_purchase(self, field):
        raise ValidationError(
            self.env._(
                "%(label)s: %(customer)s did not buy this from %(company)s. "
                "Choose the customer first, then one of the offered purchases.",
                label=self._fields[field]._description_string(self.env),
                customer=self.partner_id.display_name
                or self.env._("A ticket without a customer"),
                company=self.company_id.display_name,
            )
        )

    @api.onchange("lot_id")
    def _onchange_lot_id(self):
        # sudo: the lot is one that the user was just offered as the customer's.
        product = self.lot_id.sudo().product_id
        if product and not self.product_id:
            self.product_id = product

    @api.readonly
    def action_view_sale_order(self):
        """Return the action that opens the sales order of this ticket."""
        self.ensure_one()
        return self.sale_order_id._get_records_action()

    @api.model
    def _get_new_ticket_action(self, values):
        """Return the action that opens the form of a new ticket with these values."""
        self.check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Ticket"),
            "res_model": self._name,
            "views": [(False, "form")],
            "context": {f"default_{name}": value for name, value in values.items()},
        }
