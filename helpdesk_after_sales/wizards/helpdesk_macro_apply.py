from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskMacroApply(models.TransientModel):
    """A macro on one or several tickets, with its text as it will be sent (X29)."""

    _name = "helpdesk.macro.apply"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Use a Macro"

    ticket_ids = fields.Many2many(comodel_name="helpdesk.ticket", string="Tickets")
    ticket_count = fields.Integer(compute="_compute_ticket_count")
    macro_ids = fields.Many2many(
        comodel_name="helpdesk.macro",
        string="Macros That Fit",
        compute="_compute_macro_ids",
        export_string_translation=False,
    )
    macro_id = fields.Many2one(
        comodel_name="helpdesk.macro",
        domain="[('id', 'in', macro_ids)]",
    )
    body = fields.Html(
        string="Text",
        compute="_compute_body",
        store=True,
        readonly=False,
        sanitize="email_outgoing",
    )
    preview = fields.Html(compute="_compute_preview", sanitize="email_outgoing")
    internal = fields.Boolean(related="macro_id.internal")
    applied = fields.Boolean(readonly=True, server_only=True, copy=False)

    @api.depends("ticket_ids")
    def _compute_ticket_count(self):
        for wizard in self:
            wizard.ticket_count = len(wizard.ticket_ids)

    @api.depends("ticket_ids")
    def _compute_macro_ids(self):
        macros = self.env["helpdesk.macro"].sudo(False)
        for wizard in self:
            # sudo: which macros fit depends on the teams; the user finds only theirs.
            teams = wizard.sudo().ticket_ids._origin.team_id
            wizard.macro_ids = macros.search(macros._get_domain_of_teams(teams))

    @api.depends("macro_id", "ticket_ids")
    def _compute_body(self):
        for wizard in self:
            ticket = wizard.ticket_ids._origin.sudo(False)
            macro = wizard.macro_id._origin.sudo(False)
            wizard.body = (
                macro._render_for(ticket)[ticket.id]
                if macro and len(ticket) == 1
                else False
            )

    @api.depends("macro_id", "ticket_ids")
    def _compute_preview(self):
        for wizard in self:
            tickets = wizard.ticket_ids._origin.sudo(False)[:3]
            macro = wizard.macro_id._origin.sudo(False)
            texts = macro._render_for(tickets) if macro else {}
            wizard.preview = Markup("<hr/>").join(
                Markup("<p><b>#%s</b></p>%s") % (ticket.ticket_ref, texts[ticket.id])
                for ticket in tickets
                if texts.get(ticket.id)
            )

    def action_apply(self):
        """Use the macro. Returns the action of the service's pop-up where the macro
        opens one, for a single ticket; else that which closes this one.

        :raises UserError: when the macro doesn't fit
        """
        tickets = self._apply()
        service = self.macro_id.service_id
        if len(tickets) == 1 and service and tickets.team_id[service.switch]:
            return tickets._open_service(service)
        return {"type": "ir.actions.act_window_close"}

    def action_apply_and_next(self):
        """Use the macro, and return the action for the next ticket.

        :raises UserError: when the macro doesn't fit
        """
        return self._apply()[-1:].action_next_ticket()

    def _apply(self):
        """Use the macro once, however often it is clicked (T2); returns the tickets."""
        self.ensure_one()
        self.env["helpdesk.ticket"]._lock_after_sales(self)
        self.invalidate_recordset(["applied"])
        tickets = self.ticket_ids
        if self.applied:
            return tickets
        if not self.macro_id or not tickets:
            raise UserError(self.env._("Choose a macro."))
        tickets._apply_macro(
            self.macro_id, body=(self.body or "") if len(tickets) == 1 else None
        )
        # sudo: that it was used; the pop-up is the user's own.
        self.sudo().applied = True
        return tickets
