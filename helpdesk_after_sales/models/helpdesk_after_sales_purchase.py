from odoo import api, models
from odoo.fields import Domain

from ..tools.reading import check_one, read_id


class HelpdeskAfterSalesPurchase(models.AbstractModel):
    """What a customer bought: order, delivery, invoice, product or lot.

    A model that takes part answers :meth:`_get_purchase_domain`. Its names are offered
    by ``helpdesk.ticket.search_purchases``, which checks the ticket.
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
    def _search_purchases(self, name, limit, scope, chosen):
        """Return ``[(id, name)]`` of what a customer bought, by name, whatever else the
        user may read. ``helpdesk.ticket.search_purchases`` has checked the ticket.

        :param scope: arguments of :meth:`_get_purchase_domain`
        :param chosen: see ``search_purchases``
        """
        domain = self._get_offered_domain(scope, chosen)
        return self._with_purchases().name_search(name, domain, "ilike", limit)

    @api.model
    def _get_offered_domain(self, scope, chosen):
        if not scope["customer"] or scope["company"] not in self.env.companies:
            return Domain.FALSE
        domain = self._get_purchase_domain(**scope)
        if isinstance(ids := chosen.get("ids"), list | tuple):
            domain &= Domain("id", "in", [*filter(None, map(read_id, ids))])
        return domain

    @api.model
    def _with_purchases(self):
        """Return this model as the system, for the names of what was bought. The
        context of the client is left out: it would decide what a name tells."""
        # Products that were archived since they were bought are still the customer's.
        context = {"active_test": False}
        for key in ("lang", "tz", "allowed_company_ids"):
            if key in self.env.context:
                context[key] = self.env.context[key]
        return self.with_env(self.env(su=True, context=context))

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
