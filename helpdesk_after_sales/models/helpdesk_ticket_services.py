from collections import defaultdict

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..tools import lock_records
from ..tools.reading import check_one, read_integer


class HelpdeskTicket(models.Model):
    """What the services ask of a ticket: who may, what was bought, what was made."""

    _inherit = "helpdesk.ticket"

    def _check_after_sales(self, switch):
        """Raise unless the user may use a service of this ticket's team now (S2).

        :param switch: the field of the team that switches the service on
        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the service is off, or the ticket has no customer
        """
        self.ensure_one()
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(
                self.env._("Only helpdesk users can use the services of a ticket.")
            )
        ticket = self.sudo(False)  # not as the system: what is checked is the user
        ticket.check_access("write")
        if not ticket.team_id[switch]:
            raise UserError(
                self.env._(
                    "The service %(service)s is switched off for the team %(team)s. A "
                    "helpdesk administrator can switch it on in the settings of the "
                    "team.",
                    service=ticket.team_id._fields[switch]._description_string(
                        self.env
                    ),
                    team=ticket.team_id.display_name,
                )
            )
        if not ticket.partner_id:
            raise UserError(
                self.env._(
                    "Choose the customer of ticket #%(number)s first.",
                    number=ticket.ticket_ref,
                )
            )

    @api.model
    def _lock_after_sales(self, *recordsets):
        """See :func:`..tools.lock.lock_records`."""
        lock_records(*recordsets)

    def _open_after_sales_wizard(
        self, model, switch, title=None, view_xmlid=None, **context
    ):
        """Return the action that opens a service's wizard on this ticket.

        :param model: the wizard
        :param switch: the field of the team that switches the service on
        :param title: of the pop-up, else the name of the switch
        :param context: more keys for the context, such as defaults
        :raises AccessError, UserError: see :meth:`_check_after_sales`
        """
        self._check_after_sales(switch)
        ids = self.env["ir.model.data"]
        view = view_xmlid and ids._xmlid_to_res_id(view_xmlid, raise_if_not_found=True)
        return {
            "type": "ir.actions.act_window",
            "name": title or self.env["helpdesk.team"]._get_switch_label(switch),
            "res_model": model,
            "views": [(view or False, "form")],
            "target": "new",
            "context": {
                "default_helpdesk_ticket_id": self.id,
                "allowed_company_ids": self.company_id.ids,
                **context,
            },
        }

    def _open_service(self, service):
        """Return the action that opens the pop-up of a service on this ticket.

        :param service: a record of ``helpdesk.after.sales.service``
        :raises AccessError, UserError: see :meth:`_check_after_sales`
        """
        self.ensure_one()
        self._check_after_sales(service.switch)
        # Records of services come with addons: no user writes them.
        return getattr(self, service.action)()

    def _after_sales_count(self, model, domain=Domain.TRUE):
        """Return ``{ticket: number of its documents}`` by one grouped query.

        :param model: a model with the mixin ``helpdesk.after.sales.document``
        :param domain: which of them count
        """
        # sudo: whoever sees a ticket may know how many documents it has; reading
        # them takes the rights of their application.
        return dict(
            self.env[model]
            .sudo()
            ._read_group(
                Domain("helpdesk_ticket_id", "in", self.ids) & domain,
                ["helpdesk_ticket_id"],
                ["__count"],
            )
        )

    def _get_open_after_sales_documents(self):
        """Return the names of this ticket's documents that are still under way."""
        names = []
        for model in sorted(
            self.env.registry.descendants(["helpdesk.after.sales.document"], "_inherit")
        ):
            if self.env[model]._abstract:
                continue
            # sudo: whoever sees a ticket may know which documents it has, by name.
            documents = self.env[model].sudo()
            domain = Domain("helpdesk_ticket_id", "in", self.ids)
            names.extend(
                f"{document._after_sales_kind()} {document.display_name}"
                for document in documents.search(
                    domain & documents._after_sales_open_domain()
                )
            )
        return names

    def _open_after_sales_documents(self, model, domain=Domain.TRUE):
        """Return the action for the documents of this ticket: a form for one, else a
        list. The user sees those that their own rights allow.

        :raises AccessError: when the ticket isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        documents = self.env[model].search(
            Domain("helpdesk_ticket_id", "=", self.id) & domain
        )
        return documents._get_records_action()

    def _purchase_domain(self, model, **chosen):
        """Return the domain of what this ticket's customer bought from its company.

        :param model: ``sale.order``, ``stock.picking``, ``account.move``,
            ``product.product`` or ``stock.lot``
        :param chosen: records under ``sale_order``, ``product`` or ``lot`` instead of
            the ticket's own; no record means: any
        :rtype: Domain
        """
        scope = self._get_purchase_scope(**chosen)
        if not scope["customer"]:
            return Domain.FALSE
        return self.env[model]._get_purchase_domain(**scope)

    def _any_purchase_domain(self, model):
        """Return the domain of all that this ticket's customer bought from its company,
        whatever order and product the ticket is about; see :meth:`_purchase_domain`."""
        return self._purchase_domain(
            model,
            sale_order=self.env["sale.order"],
            product=self.env["product.product"],
            lot=self.env["stock.lot"],
        )

    def _offer_purchases(self, model):
        """Return the domain of all that the customer bought: order, delivery, invoice,
        product, lot, and the lines of order and delivery. An order that was cancelled
        since stays the customer's. See ``helpdesk.chosen.mixin``."""
        scope = self._get_purchase_scope()
        if not scope["customer"]:
            return Domain.FALSE
        orders = Domain("company_id", "=", scope["company"].id) & Domain(
            "partner_id.commercial_partner_id", "=", scope["customer"].id
        )
        if model == "sale.order":
            return orders
        if model == "stock.move":
            return Domain("picking_id", "any!", self._offer_purchases("stock.picking"))
        if model == "sale.order.line":
            moves = self._offer_purchases("stock.move")
            return Domain("order_id", "any!", orders) | Domain(
                "move_ids", "any!", moves
            )
        return self._any_purchase_domain(model)

    def _get_purchase_scope(self, **chosen):
        """Return the arguments of ``_get_purchase_domain`` for this ticket, under
        ``sudo()``."""
        self.ensure_one()
        # sudo: orders and lots are compared by id only.
        ticket = self.sudo()
        purchase = {
            key: chosen[key] if key in chosen else ticket[field]
            for key, field in (
                ("sale_order", "sale_order_id"),
                ("product", "product_id"),
                ("lot", "lot_id"),
            )
        }
        return {
            "company": ticket.company_id,
            "customer": ticket.commercial_partner_id._origin,
            **{key: record._origin for key, record in purchase.items()},
        }

    def _get_return_pickings(self):
        """Return the returns of this ticket. The addon of returns answers, that of
        repairs asks; neither knows the other. Called with ``sudo()``."""
        self.ensure_one()
        return self.env["stock.picking"]

    def _get_returned_purchases(self, _arrived=False):
        """Return ``{order line: quantity}``, in the unit of the line: what comes back
        on this ticket, is accepted as far as somebody has looked at it, and isn't
        replaced.

        :param _arrived: without what is still on its way

        The addon of returns answers, that of refunds proposes it; neither knows the
        other. Called with ``sudo()``.
        """
        self.ensure_one()
        return {}

    @api.readonly
    def get_purchases(self, offset=0, limit=20, everything=False):
        """Return what this ticket's customer bought, for the tab *Purchases* (X6).

        Newest first, filtered by the order, product and lot of the ticket.

        :param everything: not filtered, to find what else the ticket is about
        :return: ``{"total": number of lines, "columns": [...], "rows": [...]}``, see
            :meth:`_get_purchase_columns`; quantities in the unit of each line
        :raises AccessError: when the ticket isn't the user's to read

        Agents see exactly these figures: the documents stay closed to those without
        the rights of their application.
        """
        check_one(self)
        self.check_access("read")
        columns = self._get_purchase_columns()
        # sudo: the user may read the ticket, as was just checked; they get the figures
        # of its customer's lines that are listed in the columns, and nothing else.
        lines = self.env["sale.order.line"].sudo()
        domain = self._get_purchase_line_domain(everything)
        total = lines.search_count(domain)
        limit = read_integer(limit, default=20, maximum=80)
        lines = lines.search(
            domain, offset=read_integer(offset), limit=limit or 1, order="order_id, id"
        )
        purchases = lines._prepare_helpdesk_purchases()
        readable = self._get_readable_documents(purchases.values())
        # sudo: the ticket's own lines, whose reading was checked; compared only.
        known = self.sudo().line_ids.sale_line_id
        return {
            "total": total,
            "columns": columns,
            "rows": [
                {
                    "id": line.id,
                    "on_ticket": line in known,
                    "actions": self._get_purchase_actions(line, values),
                    "links": {
                        column: {"model": model, "ids": ids}
                        for column, (model, all_ids) in values["documents"].items()
                        if (ids := [i for i in all_ids if i in readable[model]])
                    },
                }
                | {column["name"]: values[column["name"]] for column in columns}
                for line, values in purchases.items()
            ],
        }

    def _get_readable_documents(self, purchases):
        """Return ``{model: ids}`` of the documents of these purchases that the user
        may open."""
        ids = defaultdict(set)
        for values in purchases:
            for model, document_ids in values["documents"].values():
                ids[model].update(document_ids)
        return {
            model: set(
                self.env[model].browse(sorted(found))._filtered_access("read").ids
            )
            for model, found in ids.items()
        }

    @api.model
    def _get_purchase_columns(self):
        """Return the columns of the tab *Purchases*: ``name``, ``label`` and ``type``
        (``char``, ``date`` or ``quantity``). A bridge adds its own, and their values in
        ``sale.order.line._prepare_helpdesk_purchases``."""
        return [
            {"name": "order", "label": self.env._("Order"), "type": "char"},
            {"name": "product", "label": self.env._("Product"), "type": "char"},
            {"name": "serials", "label": self.env._("Lot/Serial"), "type": "char"},
            {"name": "ordered", "label": self.env._("Ordered"), "type": "quantity"},
            {"name": "delivered", "label": self.env._("Delivered"), "type": "quantity"},
            {
                "name": "delivered_on",
                "label": self.env._("Delivered On"),
                "type": "date",
            },
            {"name": "warranty", "label": self.env._("Warranty Until"), "type": "char"},
            {"name": "returned", "label": self.env._("Returned"), "type": "quantity"},
            {"name": "invoiced", "label": self.env._("Invoiced"), "type": "quantity"},
            {"name": "credited", "label": self.env._("Credited"), "type": "quantity"},
        ]

    def _get_purchase_actions(self, _line, _values):
        """Return the buttons of one purchase: ``{"method": name of the method of the
        ticket, "label": text, "context": defaults of the wizard}``. A bridge adds its
        own where something is left to do, and where the user may."""
        return []

    def _get_purchase_line_domain(self, everything=False):
        """Return the domain of the order lines that the tab *Purchases* shows; with
        ``everything`` of all that this customer bought."""
        if everything:
            return Domain("display_type", "=", False) & Domain(
                "order_id", "any!", self._any_purchase_domain("sale.order")
            )
        ticket = self.sudo()  # sudo: order and lot are compared by id only
        domain = (
            Domain("display_type", "=", False)
            & Domain("is_downpayment", "=", False)
            & Domain(
                "order_id",
                "any!",
                self._purchase_domain(
                    "sale.order",
                    product=self.product_id.browse(),
                    lot=ticket.lot_id.browse(),
                ),
            )
        )
        if ticket.product_id:
            domain &= Domain("product_id", "=", ticket.product_id.id) | Domain(
                "move_ids.product_id", "=", ticket.product_id.id
            )
        if ticket.lot_id:
            domain &= Domain("move_ids.move_line_ids.lot_id", "=", ticket.lot_id.id)
        return domain

    def _is_purchased(self, record, **chosen):
        """Return whether an order, product or lot was bought by this ticket's customer,
        with the others that are set or ``chosen``."""
        scope = self._get_purchase_scope(**chosen)
        # sudo: agents may not read orders and lots; a yes or no is all that is asked.
        return bool(scope["customer"]) and record.sudo()._origin._is_purchased(**scope)
