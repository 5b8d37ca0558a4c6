from urllib.parse import urljoin

from markupsafe import Markup

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import plaintext2html

from ..tools.quantity import format_quantity


class HelpdeskTicketLine(models.Model):
    """A line that the customer asked for, and its answer (X9)."""

    _inherit = "helpdesk.ticket.line"

    def action_approve(self):
        """Return the action that opens the service's pop-up, filled with this request;
        it counts as approved when the pop-up has made its document.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when it isn't a request, or has been answered
        """
        self.ensure_one()
        self._check_waiting()
        return self.ticket_id._open_request_wizard(self)

    def action_decline(self):
        """Return the action that opens the pop-up **Decline**. Raises as
        :meth:`action_approve`."""
        self.ensure_one()
        self._check_waiting()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Decline the Request"),
            "res_model": "helpdesk.ticket.request.decline",
            "views": [(False, "form")],
            "target": "new",
            "context": {
                "default_helpdesk_ticket_id": self.ticket_id.id,
                "default_line_id": self.id,
            },
        }

    def _check_waiting(self):
        """Raise unless the user may answer this request now."""
        self.sudo(False).check_access("write")
        self.ticket_id._check_answers()
        if self.state != "asked":
            raise UserError(
                self.env._("The request of this ticket has already been answered.")
                if self.origin == "customer"
                else self.env._("The customer hasn't requested this.")
            )

    # -- Answers -------------------------------------------------------------

    def _settle(self, documents):
        """Mark these lines by what was just made for them: a request is approved, and
        its customer told; what an agent noted is done. The caller has checked the user
        and the ticket."""
        # sudo: see above; how far a line is, is written here only.
        lines = self.sudo()
        requests = lines.filtered(lambda line: line.state == "asked")
        noted = lines.filtered(lambda line: line.state == "draft")
        noted.write({"state": "done"})
        if not requests:
            return
        requests.write({"state": "approved", "answer_date": self.env.cr.now()})
        ticket = requests.ticket_id._in_customer_language()
        # sudo: their names, as the customer of the ticket reads them.
        made = documents.sudo().with_context(lang=ticket.env.lang)
        body = Markup("%s<br/>") % ticket.env._(
            "We have approved your request: %(document)s.",
            document=", ".join(made.mapped("display_name")),
        )
        for document in made:
            values = document._prepare_timeline_values(True) or {}
            if url := values.get("url"):
                body += Markup('<a href="%s">%s</a><br/>') % (
                    urljoin(ticket.get_base_url(), url),
                    values["url_label"],
                )
        ticket._tell_customer(body)

    def _decline(self, reason, answer):
        """Mark this request as declined, and tell its customer.

        :param reason: for colleagues, as plain text
        :param answer: for the customer, as plain text
        """
        self.ensure_one()
        self._check_waiting()
        # sudo: _check_waiting proved user and ticket.
        line = self.sudo()
        line.write(
            {
                "state": "declined",
                "answer_date": self.env.cr.now(),
                "answer": answer,
            }
        )
        ticket = line.ticket_id
        ticket._message_log(
            body=Markup("%s<br/>%s")
            % (self.env._("Request declined, for colleagues:"), plaintext2html(reason)),
            author_id=self.env.user.partner_id.id,
        )
        ticket = ticket._in_customer_language()
        ticket._tell_customer(
            Markup("%s<br/>%s")
            % (
                ticket.env._("We can't do what you requested."),
                plaintext2html(answer),
            )
        )

    # -- Words; called with sudo() for who may read the ticket ---------------

    def _get_summary(self):
        """Return what is asked for in the words of an agent."""
        offers = self.ticket_id._get_request_offers()
        wishes = dict(self._selection_resolution())
        return self.env._(
            "%(summary)s %(lines)s. Requested: %(resolution)s.",
            summary=offers.get(self.service, {}).get("summary")
            or self.env._("The customer asks for"),
            lines=self._describe(),
            resolution=wishes.get(self.resolution, "-"),
        )

    def _get_notice(self):
        """Return what can be done about a waiting request, in one sentence (X4)."""
        left, refusal = self.ticket_id._get_request_left(
            self.service, self.sale_line_id
        )
        if not refusal and self.uom_id.compare(self.quantity, left) <= 0:
            return self.env._("All of it is still available.")
        return refusal or self._get_left_sentence(left)

    def _get_left_sentence(self, left):
        return self.env._(
            "%(product)s: only %(left)s can still be requested.",
            product=self.product_id.display_name,
            left=format_quantity(self.env, left, self.uom_id),
        )

    def _get_acts(self, customer, several):
        """Return what the timeline tells of this request, see ``_get_own_acts`` of the
        ticket: that it was asked for, unless the ticket was made for it, and answered.

        :param customer: in the words of the customer
        :param several: it isn't the first request of its ticket
        """
        self.ensure_one()
        words, style = self._get_badge()
        answered = self.state != "asked"
        act = {"state": words, "style": style}
        acts = []
        if several:
            act_of_asking = {
                "date": self.create_date,
                "title": self.env._("Customer's request")
                if not customer
                else self.env._("You requested more"),
                "detail": self._describe(),
            }
            waits = not answered and not self.ticket_id.close_date
            acts.append(act_of_asking | (act if waits else {"state": False}))
        if answered:
            title = (
                self.env._("Answer to your request")
                if customer
                else self.env._("Customer's request")
            )
            detail = self.answer
            if several:
                detail = ": ".join(filter(None, [self._describe(), detail]))
            acts.append(
                act | {"date": self.answer_date, "title": title, "detail": detail}
            )
        return acts

    def _get_badge(self):
        """Return ``(words, style)`` of how far this request is, for its customer."""
        words = dict(self._fields["state"]._description_selection(self.env))
        styles = {"asked": "info", "approved": "success", "done": "success"}
        return words[self.state], styles.get(self.state, "secondary")
