from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import clean_context

from ..tools import lock_records


class HelpdeskAfterSalesWizard(models.AbstractModel):
    """A pop-up that turns a ticket and a purchase into one document.

    A wizard names its switch of the team in ``_after_sales_switch`` and the field
    with what it made in ``_after_sales_result``. Its buttons begin with
    :meth:`_check_ready`, take their locks with :meth:`_lock`, and return
    :meth:`_open_result` when there is a result already.
    """

    _name = "helpdesk.after.sales.wizard"
    _inherit = "helpdesk.ticket.wizard"
    _description = "After-sales service of a helpdesk ticket"

    #: field of the team that switches the service on
    _after_sales_switch = None
    #: field of the wizard that holds the documents it has made
    _after_sales_result = None

    helpdesk_commercial_partner_id = fields.Many2one(
        related="helpdesk_ticket_id.commercial_partner_id"
    )

    helpdesk_case_line_ids = fields.Many2many(
        comodel_name="helpdesk.ticket.line",
        string="What It Is About",
        compute="_compute_helpdesk_case_line_ids",
        store=True,
        precompute=True,
        readonly=False,
        help="The lines of the ticket that this is for: a request of the customer, or "
        "what an agent has noted.",
    )
    helpdesk_reason_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.reason",
        string="Reason",
        compute="_compute_helpdesk_reason_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('services.switch', '=', helpdesk_switch)]",
    )
    helpdesk_from_request = fields.Boolean(
        compute="_compute_helpdesk_from_request",
        store=True,
        precompute=True,
        help="The pop-up was opened to answer a request of the customer.",
    )
    helpdesk_request_summary = fields.Char(compute="_compute_helpdesk_request_summary")
    helpdesk_switch = fields.Char(compute="_compute_helpdesk_switch")
    helpdesk_reason_required = fields.Boolean(
        compute="_compute_helpdesk_switch",
        help="The team requires a reason, and there are some for this service.",
    )

    @api.depends("helpdesk_ticket_id")
    def _compute_helpdesk_switch(self):
        self.helpdesk_switch = self._after_sales_switch
        wanting = self.filtered("helpdesk_ticket_id.team_id.require_reason")
        reasons = wanting and self.env["helpdesk.after.sales.reason"].search_count(
            [("services.switch", "=", self._after_sales_switch)], limit=1
        )
        for wizard in self:
            wizard.helpdesk_reason_required = bool(reasons and wizard in wanting)

    @api.depends("helpdesk_ticket_id")
    def _compute_helpdesk_case_line_ids(self):
        for wizard in self:
            ticket = wizard.helpdesk_ticket_id
            lines = ticket._get_case_lines(self._after_sales_switch)
            wizard.helpdesk_case_line_ids = lines.ids

    @api.constrains("helpdesk_case_line_ids", "helpdesk_ticket_id")
    def _check_case_lines(self):
        for wizard in self.sudo():  # sudo: compared only
            if wizard.helpdesk_case_line_ids.ticket_id - wizard.helpdesk_ticket_id:
                raise ValidationError(
                    wizard.env._("These are lines of another ticket.")
                )

    @api.depends("helpdesk_ticket_id", "helpdesk_case_line_ids")
    def _compute_helpdesk_from_request(self):
        for wizard in self:
            wizard.helpdesk_from_request = bool(wizard._get_request_lines())

    @api.depends("helpdesk_from_request", "helpdesk_case_line_ids")
    def _compute_helpdesk_request_summary(self):
        for wizard in self:
            asked = wizard.helpdesk_from_request and wizard._get_request_lines()[:1]
            wizard.helpdesk_request_summary = asked and asked._get_summary()

    @api.depends("helpdesk_ticket_id", "helpdesk_case_line_ids")
    def _compute_helpdesk_reason_id(self):
        for wizard in self:
            reasons = wizard._get_case_lines().reason_id
            wizard.helpdesk_reason_id = reasons[:1].id

    def _get_case_lines(self):
        """Return the lines of the ticket, under ``sudo()``, that this pop-up is for: a
        request of the customer, or what an agent has noted (X9, X31). A wizard fills
        itself from them, and calls :meth:`_approve_request` with what it made."""
        # sudo: of this ticket only, which the user may read as its constraint says.
        lines = self.sudo().helpdesk_case_line_ids._origin
        ticket = self.helpdesk_ticket_id._origin
        return lines.filtered(
            lambda line: (
                line.ticket_id.id == ticket.id and line.state in ("asked", "draft")
            )
        )

    def _get_request_lines(self):
        """Return those of :meth:`_get_case_lines` that a customer has asked for."""
        return self._get_case_lines().filtered(
            lambda line: (
                line.state == "asked" and line.service == self._after_sales_switch
            )
        )

    def _approve_request(self, documents):
        """Tell the customer that their request is approved, if this answers one, and
        mark what an agent has noted as done."""
        self._get_settled_lines()._settle(documents)

    def _get_settled_lines(self):
        """Return those of :meth:`_get_case_lines` that what was made is for. A bridge
        takes out what its document isn't about."""
        return self._get_case_lines()

    def _check_ready(self):
        """Raise unless the user may use this service on this ticket now.

        What the header button of the ticket hides, this refuses through RPC (S2).

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the service is off, the ticket has no customer, or a
            reason is missing that the team wants (X5)
        """
        self.ensure_one()
        if not self.helpdesk_ticket_id:
            raise UserError(self.env._("Open this pop-up from a helpdesk ticket."))
        self.helpdesk_ticket_id._check_after_sales(self._after_sales_switch)
        if (
            self.helpdesk_from_request
            and not self[self._after_sales_result]
            and not self._get_request_lines()
        ):
            raise UserError(
                self.env._(
                    "The request of the customer has been answered in the meantime. "
                    "Close this pop-up and look at the ticket again."
                )
            )
        if self.helpdesk_reason_required and not self.helpdesk_reason_id:
            raise UserError(
                self.env._(
                    "The team %(team)s requires a reason: choose one.",
                    team=self.helpdesk_ticket_id.team_id.display_name,
                )
            )

    def _lock(self, *purchases):
        """Hold the row of this wizard and those of ``purchases`` until the commit.

        See :func:`..tools.lock.lock_records`.
        """
        lock_records(self, *purchases)

    def _begin(self, *purchases):
        """Check and lock, and return the action of what this wizard has made before, if
        it has: see :meth:`_check_ready`, :meth:`_lock` and :meth:`_open_result`."""
        self._check_ready()
        self._lock(*purchases)
        return self._open_result()

    def _without_defaults(self, **context):
        """Return this wizard without the ``default_`` keys of its context.

        The pop-up is opened with ``default_helpdesk_ticket_id`` and the like; every
        record that the application creates on the way would take them over.
        """
        return self.with_env(
            self.env(context=clean_context(self.env.context) | context)
        )

    def _open_result(self):
        """Return the action that opens what this wizard has made, or ``False``.

        Called after :meth:`_lock`: a second click, or a request that was sent again
        after a lost answer, gets the document of the first one (T2).
        """
        documents = self[self._after_sales_result]
        return documents and documents._get_records_action(context={})

    def _reopen(self, title):
        """Return the action that shows this pop-up again, with what it holds now."""
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
            "context": dict(self.env.context, dialog_size="extra-large"),
        }

    @api.model
    def _get_purchase_scope_fields(self):
        """Return ``{key of the scope: field of the wizard}`` of what was chosen."""
        return {
            "sale_order": "sale_order_id",
            "product": "product_id",
            "lot": "lot_id",
        }

    def _purchase_domain(self, model):
        """Return the domain of what the customer bought, as chosen in the wizard."""
        chosen = {
            key: self[field]
            for key, field in self._get_purchase_scope_fields().items()
            if field in self._fields
        }
        return self.helpdesk_ticket_id._purchase_domain(model, **chosen)
