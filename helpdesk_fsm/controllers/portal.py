from odoo import http
from odoo.exceptions import AccessError, LockError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.helpdesk_after_sales.tools.reading import read_integer, read_text
from odoo.addons.portal.controllers.portal import CustomerPortal, pager

# The answer is the same for a visit of somebody else and for one that isn't there.


class FsmCustomerPortal(CustomerPortal):
    """The customer's side of a visit: when somebody comes, and what was done (S101)."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "visit_count" in counters:
            values["visit_count"] = self._get_visits().search_count(
                self._get_visits_domain()
            )
        return values

    def _get_visits(self):
        # sudo: customers have no rights in Project. _get_visits_domain limits it to
        # visits of tickets that they may read, to themselves; the pages show fields
        # that are made for them.
        return request.env["project.task"].sudo()

    def _get_visits_domain(self):
        """Return the domain of the visits of the user's own tickets."""
        tickets = request.env["helpdesk.ticket"]
        if not tickets.has_access("read"):
            return Domain.FALSE
        customer = request.env.user.partner_id.commercial_partner_id
        return (
            Domain("is_fsm", "=", True)
            & Domain("helpdesk_ticket_id", "in", tickets._search(Domain.TRUE))
            & Domain("partner_id.commercial_partner_id", "=", customer.id)
        )

    def _get_visit(self, task_id, access_token=None):
        """Return the visit under ``sudo()`` if the visitor is its customer, or holds
        its link.

        :raises MissingError: else
        """
        visits = self._get_visits()
        if access_token:
            # Bytes: what isn't ASCII can't be compared otherwise.
            access_token = str(access_token).encode("utf-8", "replace")
            visit = visits.browse(task_id).exists()
            token = visit.fsm_access_token
            if (
                token
                and visit.active
                and consteq(token.encode(), access_token)
                and visit.is_fsm
            ):
                return visit
        elif visit := visits.search(
            self._get_visits_domain() & Domain("id", "=", task_id), limit=1
        ):
            return visit
        raise MissingError(request.env._("There is no such visit."))

    def _get_signing_refusal(self, visit):
        """Return why the customer can't sign this worksheet now, or ``False``."""
        if not visit.worksheet_shared_on:
            return request.env._("The worksheet is not ready to be signed yet.")
        try:
            visit._check_signable()
        except UserError as error:
            return str(error)
        return False

    @http.route(
        ["/my/visits", "/my/visits/page/<int:page>"],
        type="http",
        auth="user",
        website=True,
        readonly=True,
    )
    def portal_my_visits(self, page=1, **_kwargs):
        visits, domain = self._get_visits(), self._get_visits_domain()
        pages = pager(
            url="/my/visits",
            total=visits.search_count(domain),
            page=read_integer(page, default=1, minimum=1),
            step=self._items_per_page,
        )
        values = self._prepare_portal_layout_values()
        values.update(
            visits=visits.search(
                domain,
                order="planned_date_begin desc, id desc",
                limit=self._items_per_page,
                offset=pages["offset"],
            ),
            page_name="visits",
            pager=pages,
            default_url="/my/visits",
        )
        return request.render("helpdesk_fsm.portal_my_visits", values)

    @http.route("/my/visits/<int:task_id>", type="http", auth="public", website=True)
    def portal_my_visit(self, task_id, access_token=None, message=None, **_kwargs):
        try:
            visit = self._get_visit(task_id, access_token)
        except MissingError:
            return request.not_found()
        shared = visit.worksheet_shared_on or visit.worksheet_signed_on
        return request.render(
            "helpdesk_fsm.portal_my_visit",
            {
                "page_name": "visits",
                "visit": visit,
                "content": visit._get_worksheet_content() if shared else False,
                "pictures": {
                    photo.id: photo.image_512 for photo in visit.worksheet_photo_ids
                },
                "technicians": ", ".join(
                    name.split()[0]
                    for name in visit.user_ids.mapped("name")
                    if name.split()
                ),
                "refusal": self._get_signing_refusal(visit),
                "answerable": not visit._get_answer_refusal(),
                "tz": visit._get_visit_tz(visit.partner_id),
                "access_token": access_token,
                "message": message,
            },
        )

    @http.route(
        "/my/visits/<int:task_id>/answer",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_visit_answer(
        self, task_id, access_token=None, answer=None, wish=None, **_kwargs
    ):
        """Confirm a visit, or ask for another time."""
        try:
            visit = self._get_visit(task_id, access_token)
        except MissingError:
            return request.not_found()
        message = "answered"
        try:
            visit._answer_visit(read_text(answer), read_text(wish))
        except (LockError, UserError):
            message = "not_answered"
        token = f"access_token={visit.fsm_access_token}&" if access_token else ""
        return request.redirect(f"/my/visits/{visit.id}?{token}message={message}")

    @http.route(
        "/my/visits/<int:task_id>/report", type="http", auth="public", website=True
    )
    def portal_visit_report(self, task_id, access_token=None, **_kwargs):
        try:
            visit = self._get_visit(task_id, access_token)
        except MissingError:
            return request.not_found()
        if not (visit.worksheet_shared_on or visit.worksheet_signed_on):
            return request.not_found()
        # Odoo makes it under sudo(): _get_visit proved that it is the visitor's visit.
        return self._show_report(
            visit, "pdf", "helpdesk_fsm.report_worksheet", download=True
        )

    @http.route(
        "/my/visits/<int:task_id>/sign", type="jsonrpc", auth="public", website=True
    )
    def portal_visit_sign(
        self, task_id, access_token=None, name=None, signature=None, **_kwargs
    ):
        # What is no text is a wrong key, not none.
        access_token = read_text(
            str(access_token or request.httprequest.args.get("access_token") or "")
        )
        try:
            visit = self._get_visit(task_id, access_token)
            if refusal := self._get_signing_refusal(visit):
                return {"error": refusal}
            visit._sign_worksheet(
                read_text(name),
                signature if isinstance(signature, str) else None,
                request.httprequest.remote_addr,
            )
        except (AccessError, MissingError, UserError) as error:
            return {"error": str(error)}
        token = f"access_token={access_token}&" if access_token else ""
        return {
            "force_refresh": True,
            "redirect_url": f"/my/visits/{visit.id}?{token}message=signed",
        }
