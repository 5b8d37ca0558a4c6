from odoo import api, models
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """One ticket after the other: what is most urgent for the agent comes next."""

    _inherit = "helpdesk.ticket"

    def action_close_and_next(self):
        """Close this ticket, and return the action for the next one.

        :raises AccessError: when it isn't the user's to work on
        :raises UserError: when its team has no closed stage
        """
        self.ensure_one()
        self.action_close()
        return self.action_next_ticket()

    @api.readonly
    def action_next_ticket(self):
        """Return the action for the ticket that the user should do after this one, or
        for all tickets where none is left.

        :raises AccessError: when the ticket isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_ticket_action"
        )
        action["target"] = "main"
        if following := self._get_next_ticket():
            action |= {"res_id": following.id, "views": [(False, "form")]}
        return action

    def _get_next_ticket(self):
        """Return the open ticket of the same team, the user's own or nobody's, with
        the nearest deadline; those that wait for the customer wait on."""
        return self.search(
            Domain("team_id", "=", self.team_id.id)
            & Domain("user_id", "in", [self.env.uid, False])
            & Domain("close_date", "=", False)
            & Domain("stage_id.waits_for_customer", "=", False)
            & Domain("id", "!=", self.id),
            order="sla_deadline, priority desc, id",
            limit=1,
        )
