from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Datetime, Domain
from odoo.http import request
from odoo.tools import format_date

from odoo.addons.portal.controllers.portal import CustomerPortal
from odoo.addons.portal.controllers.portal import pager as portal_pager
from odoo.addons.portal.utils import get_portal_partner

from ..tools.reading import read_integer, read_text


class HelpdeskPortal(CustomerPortal):
    """A customer's own tickets, and those of the company they belong to."""

    _tickets_per_page = 40

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "ticket_count" in counters:
            tickets = request.env["helpdesk.ticket"]
            count = (
                tickets.search_count([], limit=1000)
                if tickets.has_access("read")
                else 0
            )
            values["ticket_count"] = count if count < 1000 else "999+"
        return values

    # -- List ----------------------------------------------------------------

    def _ticket_searchbar_sortings(self):
        return {
            "date": {
                "label": self.env._("Newest"),
                "order": "id desc",
            },
            "update": {
                "label": self.env._("Last Change of Stage"),
                "order": "date_last_stage_update desc, id desc",
            },
            "name": {"label": self.env._("Subject"), "order": "name, id desc"},
            "reference": {
                "label": self.env._("Number"),
                "order": "ticket_ref desc, id desc",
            },
        }

    def _ticket_searchbar_filters(self):
        return {
            "all": {"label": self.env._("All"), "domain": Domain.TRUE},
            "open": {
                "label": self.env._("Open"),
                "domain": Domain("close_date", "=", False),
            },
            "closed": {
                "label": self.env._("Closed"),
                "domain": Domain("close_date", "!=", False),
            },
        }

    def _ticket_searchbar_groupby(self):
        return {
            "none": {"label": self.env._("None"), "order": ""},
            "stage_id": {"label": self.env._("Stage"), "order": "stage_id"},
            "team_id": {"label": self.env._("Team"), "order": "team_id"},
            # By the name on the ticket: an index has them in this order.
            "partner_id": {"label": self.env._("Contact"), "order": "partner_name"},
        }

    def _ticket_searchbar_inputs(self):
        return {
            "all": {
                "input": "all",
                "label": self.env._("Search in Subject and Number"),
            },
            "name": {"input": "name", "label": self.env._("Search in Subject")},
            "ticket_ref": {
                "input": "ticket_ref",
                "label": self.env._("Search in Number"),
            },
            "conversation": {
                "input": "conversation",
                "label": self.env._("Search in Conversation"),
            },
        }

    def _ticket_list_fields(self):
        """Return the fields of a ticket that the list shows: they are read at once."""
        return [
            "ticket_ref",
            "name",
            "partner_id",
            "partner_name",
            "create_date",
            "close_date",
            "stage_id",
            "team_id",
        ]

    def _describe_dates(self, tickets):
        """Return ``{id of ticket: date of its creation in words}``.

        Each date is put into words once: that takes longer than the rest of a row.
        """
        days = {
            ticket.id: Datetime.context_timestamp(ticket, ticket.create_date).date()
            for ticket in tickets
        }
        words = {day: format_date(tickets.env, day) for day in set(days.values())}
        return {ticket_id: words[day] for ticket_id, day in days.items()}

    def _ticket_search_domain(self, search_in, search):
        if search_in == "conversation":
            return request.env["helpdesk.ticket"]._get_portal_words_domain(search)
        # Customers type the number as they see it.
        number = Domain("ticket_ref", "ilike", search.strip().lstrip("#"))
        name = Domain("name", "ilike", search)
        return {"name": name, "ticket_ref": number}.get(search_in, name | number)

    @http.route(
        ["/my/tickets", "/my/tickets/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_my_tickets(
        self,
        page=1,
        sortby=None,
        filterby=None,
        groupby=None,
        search=None,
        search_in=None,
        **_kwargs,
    ):
        """The tickets of the customer, as a list with search, filter and groups."""
        orders = self._ticket_searchbar_sortings()
        filters = self._ticket_searchbar_filters()
        groups = self._ticket_searchbar_groupby()
        inputs = self._ticket_searchbar_inputs()
        # What isn't on offer falls back to the first choice.
        sortby = sortby if sortby in orders else next(iter(orders))
        filterby = filterby if filterby in filters else next(iter(filters))
        groupby = groupby if groupby in groups else next(iter(groups))
        search_in = search_in if search_in in inputs else next(iter(inputs))

        search = read_text(search, 250)
        page = read_integer(page, default=1, minimum=1)
        tickets = request.env["helpdesk.ticket"]
        if not tickets.has_access("read"):
            return request.redirect("/my")
        domain = filters[filterby]["domain"]
        if search:
            domain &= self._ticket_search_domain(search_in, search)
        order = ", ".join(
            filter(None, [groups[groupby]["order"], orders[sortby]["order"]])
        )
        # One query for the page, and for whether there are links to the next four:
        # counting tens of thousands would take longer than the page.
        step = self._tickets_per_page
        offset = min(max(page - 1, 0), 10**6) * step
        found = tickets.search(domain, order=order, limit=5 * step, offset=offset)
        if offset and not found:  # beyond the last page
            return self.portal_my_tickets(
                1, sortby, filterby, groupby, search, search_in
            )
        pager = portal_pager(
            url="/my/tickets",
            url_args={
                "sortby": sortby,
                "filterby": filterby,
                "groupby": groupby,
                "search_in": search_in,
                "search": search,
            },
            total=offset + len(found),
            page=page,
            step=step,
        )
        tickets = found[:step]
        request.session["my_tickets_history"] = tickets.ids[:100]
        # sudo: the rules chose the tickets; the names of their stages and teams are
        # shown with them. Long texts and all the rest aren't read.
        tickets = tickets.sudo()
        tickets.fetch(self._ticket_list_fields())
        values = self._prepare_portal_layout_values() | {
            "page_name": "ticket",
            "default_url": "/my/tickets",
            "pager": pager,
            "grouped_tickets": (
                [tickets] if groupby == "none" else [*tickets.grouped(groupby).values()]
            ),
            "dates": self._describe_dates(tickets),
            "requests": tickets._get_requests().ticket_id,
            "searchbar_sortings": orders,
            "sortby": sortby,
            "searchbar_filters": filters,
            "filterby": filterby,
            "searchbar_groupby": groups,
            "groupby": groupby,
            "searchbar_inputs": inputs,
            "search_in": search_in,
            "search": search,
        }
        return request.render("helpdesk_after_sales.portal_my_tickets", values)

    # -- Page ----------------------------------------------------------------

    def _ticket_check_access(self, ticket_id, access_token=None):
        """Return the ticket, under ``sudo()``, if the visitor may see it.

        By their own rights, or with the token of a ticket whose team shows its tickets
        to customers (T8). The answer doesn't tell whether the ticket exists.

        :raises werkzeug.exceptions.NotFound: when they may not
        """
        # Only text of ASCII can be compared in constant time.
        if access_token and not access_token.isascii():
            access_token = None
        try:
            ticket = self._document_check_access(
                "helpdesk.ticket", ticket_id, access_token
            )
        except (AccessError, MissingError) as error:
            raise NotFound from error
        if not ticket.with_user(request.env.user).has_access("read") and (
            ticket.team_id.privacy_visibility != "portal"
        ):
            raise NotFound
        return ticket

    @http.route(
        "/my/tickets/<int:ticket_id>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def portal_my_ticket(self, ticket_id, access_token=None, **kwargs):
        """The page of one ticket, for the customer or whoever has its link."""
        ticket = self._ticket_check_access(ticket_id, access_token)
        # Our internal references of products say nothing to a customer.
        ticket = ticket.with_context(display_default_code=False)
        # sudo: only of the same customer, whose page the visitor was let in to.
        merged = ticket.sudo().merged_into_id
        customer = ticket.sudo().commercial_partner_id
        if merged and (
            merged.commercial_partner_id == customer
            if customer
            # Strangers whom an agent has said to belong together; the link of one is
            # no link to the page of a customer.
            else not merged.commercial_partner_id
            and merged._is_address_of_customer(ticket.sudo())
        ):
            return request.redirect(
                merged.get_portal_url() if access_token else merged.access_url
            )
        values = self._get_page_view_values(
            ticket,
            access_token,
            {
                "page_name": "ticket",
                "ticket": ticket,
                "attachments": ticket._portal_attachments(),
                "can_close": ticket._portal_can_close(),
                "can_reopen": ticket._portal_can_reopen(),
                "acts": ticket._get_timeline(customer=True),
                "customer": True,
            },
            "my_tickets_history",
            False,
            **kwargs,
        )
        return request.render("helpdesk_after_sales.portal_my_ticket", values)

    @http.route(
        "/my/tickets/<int:ticket_id>/<any(close, reopen):action>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_my_ticket_action(
        self, ticket_id, action, access_token=None, stage_since=None, **_kwargs
    ):
        """Close or reopen a ticket, from the form of its page only (T15).

        :param stage_since: when the stage that the customer saw was reached: a form
            from before the last change does nothing
        """
        ticket = self._ticket_check_access(ticket_id, access_token)
        # Without a log-in it's the customer of the ticket, who got the link.
        author = (
            get_portal_partner(ticket, None, None, access_token)
            if request.env.user._is_public()
            else request.env.user.partner_id
        )
        status = "success"
        try:
            if stage_since != str(ticket.date_last_stage_update):
                raise UserError(self.env._("This ticket has changed in the meantime."))
            if action == "close":
                ticket._portal_close(author)
            else:
                ticket._portal_reopen(author)
        except UserError:
            status = "outdated"
        query = "&status=" + status
        return request.redirect(
            ticket.get_portal_url(query_string=query)
            if access_token
            else f"{ticket.access_url}?status={status}"
        )
