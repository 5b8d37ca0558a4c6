from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..tools.reading import check_one


class HelpdeskAfterSalesPurchase(models.AbstractModel):
    """What a customer bought: order, delivery, invoice, product or lot.

    A model that takes part inherits this one *before* itself, so that
    :meth:`name_search` here is asked first, and answers
    :meth:`_get_purchase_domain`.
    """

    _name = "helpdesk.after.sales.purchase"
    _description = "Purchase of a customer"

    @api.model
    def _get_purchase_domain(self, company, customer, sale_order, product, lot):
        """Return the domain of the records of this model that ``customer`` bought.

        :param company: the company that sold, one record
        :param customer: a commercial partner, one record
        :param sale_order: bought with this order, or no record for any
        :param product: contains this product, or no record for any
        :param lot: contains this lot or serial number, or no record for any
        :rtype: Domain

        An override may narrow the domain of ``super()``. The domain is evaluated
        with ``sudo()``: it must not let in what is not the customer's (S21 to S24).
        """
        raise NotImplementedError

    def _is_purchased(self, company, customer, sale_order, product, lot):
        """Return whether this record is one of :meth:`_get_purchase_domain`.

        Called with ``sudo()``: a yes or no is all that leaves.
        """
        self.ensure_one()
        domain = self._get_purchase_domain(company, customer, sale_order, product, lot)
        return bool(
            self.with_context(active_test=False).search_count(
                domain & Domain("id", "=", self.id), limit=1
            )
        )

    @api.model
    @api.readonly
    def name_search(self, name="", domain=None, operator="ilike", limit=100):
        """Return ``[(id, name)]``; with ``helpdesk_purchase_of`` in the context only
        what that customer bought, by name, whatever else the user may read.

        The context key holds ids under ``company_id``, ``partner_id`` (commercial)
        and optionally ``sale_order_id``, ``product_id``, ``lot_id``, ``ids`` (a list to
        choose from).

        :raises AccessError: for anybody but helpdesk users (S21)
        """
        scope = self.env.context.get("helpdesk_purchase_of")
        if not scope:
            return super().name_search(name, domain, operator, limit)
        # The domain of the client is left out on purpose: with sudo it could ask
        # for anything. sudo: _get_scope_domain proved the group and the company, and
        # nothing but names of that customer's purchases leaves. Products that were
        # archived since they were bought are still the customer's.
        purchases = self.sudo().with_context(active_test=False)
        return super(HelpdeskAfterSalesPurchase, purchases).name_search(
            name, self._get_scope_domain(scope), operator, limit
        )

    @api.readonly
    def action_create_helpdesk_ticket(self):
        """Return the action that opens a new ticket filled from this purchase.

        :raises AccessError: for users who may not create tickets
        """
        check_one(self)
        return self.env["helpdesk.ticket"]._get_new_ticket_action(
            self._prepare_helpdesk_ticket_values()
        )

    def _prepare_helpdesk_ticket_values(self):
        """Return the values of a ticket about this purchase: its customer and team, and
        the order, product or lot that it tells."""
        team = self.env["helpdesk.ticket"]._default_team_id(self.company_id)
        return {"partner_id": self.partner_id.id, "team_id": team.id}

    @api.model
    def _get_scope_domain(self, scope):
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(
                self.env._("Only helpdesk users choose from a customer's purchases.")
            )

        def browse(model, key):
            id_ = scope.get(key) if isinstance(scope, dict) else None
            return self.env[model].browse(id_ if type(id_) is int else ())

        company = browse("res.company", "company_id")
        customer = browse("res.partner", "partner_id")
        if not customer or company not in self.env.companies:
            return Domain.FALSE
        domain = self._get_purchase_domain(
            company,
            customer,
            browse("sale.order", "sale_order_id"),
            browse("product.product", "product_id"),
            browse("stock.lot", "lot_id"),
        )
        if isinstance(ids := scope.get("ids"), list):
            domain &= Domain("id", "in", [id_ for id_ in ids if type(id_) is int])
        return domain
