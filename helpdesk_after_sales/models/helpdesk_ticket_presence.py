from odoo import models
from odoo.exceptions import AccessError, UserError

from ..tools.reading import check_one

STATES = ("came", "here", "answering", "sent", "left")


class HelpdeskTicket(models.Model):
    """Who else has a ticket open, and who is answering it: told on Odoo's own bus to
    those who have it open, too, and kept nowhere."""

    _name = "helpdesk.ticket"
    _inherit = ["helpdesk.ticket", "bus.listener.mixin"]

    def notify_presence(self, state):
        """Tell the colleagues who have this ticket open what the user does with it.

        :param str state: ``came`` asks the others to say that they are here, too
        :raises AccessError: when the ticket isn't the user's to read, or they are no
            colleague
        :raises UserError: when the state is another one
        """
        check_one(self)
        self.check_access("read")
        if not self.env.user._is_internal():
            raise AccessError(
                self.env._("Only colleagues can see who is working on a ticket.")
            )
        if state not in STATES:
            raise UserError(
                self.env._(
                    "Give one of these states: %(states)s.", states=", ".join(STATES)
                )
            )
        partner = self.env.user.partner_id
        self._bus_send(
            "helpdesk.ticket/presence",
            {
                "ticket_id": self.id,
                "partner_id": partner.id,
                "name": partner.name,
                "state": state,
            },
        )
        return True
