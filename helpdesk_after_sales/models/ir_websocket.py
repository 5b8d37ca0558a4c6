import re

from odoo import models
from odoo.fields import Domain

CHANNEL = re.compile(r"helpdesk\.ticket_(\d{1,9})")
# Nobody has more tickets open at once.
LIMIT = 50


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        return super()._build_bus_channel_list(self._open_ticket_channels(channels))

    def _open_ticket_channels(self, channels):
        """Return the channels that a client asks for, with the tickets among them that
        the user may listen to: colleagues to what they may read, see
        ``helpdesk.ticket.notify_presence``."""
        ticket_ids, others = [], []
        for channel in channels:
            match = isinstance(channel, str) and CHANNEL.fullmatch(channel)
            if match:
                ticket_ids.append(int(match[1]))
            else:
                others.append(channel)
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        if ticket_ids and self.env.user._is_internal() and tickets.has_access("read"):
            others += tickets.search(Domain("id", "in", ticket_ids[:LIMIT]))
        return others
