import base64
import binascii

from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskReturnPapers(models.TransientModel):
    """The carrier's label of a return, and its tracking number (X24)."""

    _name = "helpdesk.return.papers"
    _inherit = "helpdesk.ticket.wizard"
    _description = "Papers of a return from a helpdesk ticket"

    # No link to the return: it would tell the name of any.
    picking_name = fields.Char(compute="_compute_papers", string="Return")
    can_fetch = fields.Boolean(compute="_compute_papers")
    label = fields.Binary(string="Return Label", attachment=False)
    label_name = fields.Char()
    tracking_ref = fields.Char(
        string="Tracking Number",
        compute="_compute_tracking_ref",
        store=True,
        readonly=False,
    )
    has_label = fields.Boolean(compute="_compute_papers")

    @api.depends("helpdesk_ticket_id")
    def _compute_papers(self):
        for wizard in self:
            picking = wizard._get_return()
            wizard.picking_name = picking.name
            wizard.can_fetch = bool(picking and picking._get_return_carrier())
            wizard.has_label = bool(picking.helpdesk_label_name)

    @api.depends("helpdesk_ticket_id")
    def _compute_tracking_ref(self):
        for wizard in self:
            wizard.tracking_ref = wizard._get_return().helpdesk_tracking_ref

    def _get_return(self):
        """Return the return that the papers are of, under ``sudo()``, or no record."""
        ticket = self.helpdesk_ticket_id
        # sudo: the latest return of a ticket that the user may work on.
        nothing = self.env["stock.picking"].sudo()
        if not ticket or not ticket.has_access("write"):
            return nothing
        return ticket.sudo()._find_latest_return()  # sudo: as above

    def _check_return(self):
        self.ensure_one()
        self.helpdesk_ticket_id._check_after_sales("use_product_returns")
        picking = self._get_return()
        if not picking or picking.state in ("done", "cancel"):
            raise UserError(self.env._("No return is expected on this ticket."))
        return picking

    def action_fetch(self):
        """Let the carrier make the label; returns the action that closes the pop-up.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when no return is awaited, or no carrier makes a label
        """
        picking = self._check_return()
        found = picking._fetch_return_label()
        if not found:
            raise UserError(
                self.env._(
                    "No carrier makes a label of %(picking)s: upload one that was "
                    "bought elsewhere.",
                    picking=picking.name,
                )
            )
        tracking = "carrier_tracking_ref" in picking._fields and (
            picking.carrier_tracking_ref
        )
        picking._set_return_papers(*found, tracking or self.tracking_ref)
        return self._tell(picking)

    def action_save(self):
        """Keep the label and the number; returns the action that closes the pop-up.
        Raises as :meth:`action_fetch`, and when the file is no label."""
        picking = self._check_return()
        name, content = picking._get_helpdesk_label_content() or (False, b"")
        if self.label:
            name = self.label_name
            try:
                content = base64.b64decode(self.label)
            except (binascii.Error, ValueError):
                content = b"?"
        picking._set_return_papers(name, content, self.tracking_ref)
        return self._tell(picking)

    def action_save_and_send(self):
        """Keep the papers, and send them with the slip to the customer; returns a
        notification. Raises as :meth:`action_save`."""
        self.action_save()
        return self.helpdesk_ticket_id.action_send_return_slip()

    def _tell(self, picking):
        self.helpdesk_ticket_id._message_log(
            body=self.env._(
                "Papers of %(picking)s: %(label)s. %(tracking)s",
                picking=picking._get_html_link(),
                label=picking.helpdesk_label_name or self.env._("no label"),
                tracking=picking._describe_tracking(),
            ).strip()
        )
        return {"type": "ir.actions.act_window_close"}
