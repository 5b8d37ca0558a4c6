from datetime import datetime

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime

from ..tools.reading import check_one


class HelpdeskTicket(models.Model):
    """What was done about a ticket, in the order of time (X7).

    Built from the linked documents each time it is looked at; nothing is kept. A
    document tells its line in ``_prepare_timeline_values``.
    """

    _inherit = "helpdesk.ticket"

    @api.readonly
    def get_timeline(self):
        """Return what was done on this ticket as HTML, for the tab *Timeline*.

        :raises AccessError: when the ticket isn't the user's to read, or for customers,
            who have :meth:`portal_timeline`
        """
        check_one(self)
        self.check_access("read")
        if not self.env.user._is_internal():
            raise AccessError(self.env._("This timeline is for agents."))
        return self.env["ir.qweb"]._render(
            "helpdesk_after_sales.ticket_timeline",
            {"acts": self._get_timeline(), "customer": False},
        )

    @api.readonly
    def portal_timeline(self):
        """Return what was done about this ticket, for its customer: a list of
        ``{"date", "title", "state", "detail", "promised", "url"}`` in the order of
        time, as the portal shows it.

        The addresses open documents without a log-in: others than the customer get
        none (rights hole 11).

        :raises AccessError: when it isn't the user's ticket to read
        """
        check_one(self)
        self.check_access("read")
        keys = ["date", "title", "state", "detail", "promised"]
        if self._is_customer_side(self.env.user.partner_id):
            keys.append("url")
        return [
            {"url": False} | {key: act.get(key) or False for key in keys}
            for act in self._get_timeline(customer=True)
        ]

    def _get_timeline(self, customer=False):
        """Return the acts of this ticket in the order of time (X7).

        :param customer: without internal words and documents
        :return: a list of dictionaries, see ``_prepare_timeline_values`` of the
            documents; ``promised`` is a sentence

        The caller has checked that the user may read the ticket.
        """
        self.ensure_one()
        # sudo: whoever may read the ticket reads this line of each of its documents.
        ticket = self.sudo()
        acts = ticket._get_own_acts(customer)
        for model in sorted(
            self.env.registry.descendants(["helpdesk.after.sales.document"], "_inherit")
        ):
            if self.env[model]._abstract:
                continue
            # sudo: as above; archived ones too, such as a card that was withdrawn
            documents = self.env[model].sudo().with_context(active_test=False)
            for document in documents.search(
                Domain("helpdesk_ticket_id", "=", ticket.id)
            ):
                if customer and not document._is_timeline_of(ticket):
                    continue
                values = document._prepare_timeline_values(customer)
                if values:
                    promised = values.pop("promised", False)
                    sentence = values.pop("promise", False)
                    values["promised"] = ticket._describe_promise(sentence, promised)
                    if not customer and document.sudo(False).has_access("read"):
                        values["document"] = document
                    acts.append(values)
        return sorted(acts, key=lambda act: act["date"] or ticket.create_date)

    def _get_own_acts(self, customer):
        """Return the acts of the ticket itself: received, asked, answered, closed."""
        requests = self._get_requests()
        first = requests[:1]
        waits = first.state == "asked" and not self.close_date
        words, style = first._get_badge() if waits else (False, False)
        acts = [
            {
                "date": self.create_date,
                "title": self.env._("Request received")
                if customer
                else self.env._("Ticket #%s", self.ticket_ref),
                "state": words,
                "style": style,
                "detail": first._describe() if first else "",
                "promised": self._describe_pending_answer(),
            }
        ]
        for line in requests:
            acts += line._get_acts(customer, several=line != first)
        if self.close_date:
            acts.append(
                {
                    "date": self.close_date,
                    "title": self.env._("Ticket closed"),
                    "state": self.stage_id.name,
                    "style": "secondary",
                }
            )
        return acts

    def _describe_promise(self, sentence, promised):
        """Return the sentence about a date that was promised, or ``False``."""
        if not promised:
            return False
        sentence = sentence or self.env._("Expected on %(date)s")
        if isinstance(promised, datetime):
            tz = self.env.context.get("tz") or self.partner_id.tz
            text = format_datetime(self.env, promised, tz=tz, dt_format="short")
        else:
            text = format_date(self.env, promised)
        return sentence % {"date": text}
