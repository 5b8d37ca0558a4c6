from odoo import models
from odoo.fields import Domain
from odoo.tools import format_datetime, html2plaintext


class HelpdeskTicket(models.Model):
    """A ticket on paper, with what was said between the customer and us."""

    _inherit = "helpdesk.ticket"

    def _get_printed_ticket(self):
        """Return what the report of this ticket prints, as plain texts: what strangers
        write must fetch nothing while it is printed (T25). Notes, and what was said to
        others, stay inside.

        :raises AccessError: when the ticket isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        messages = self.env["mail.message"].search(
            Domain("model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("subtype_id", "=", self.env.ref("mail.mt_comment").id)
            & Domain("is_internal", "=", False)
            & Domain("message_type", "in", ("comment", "email", "auto_comment")),
            order="id",
        )
        # sudo: names that the form of the ticket shows to who may read it, as was just
        # checked, and files of messages that were found by the user's own rights.
        ticket, messages = self.sudo(), messages.sudo()
        facts = (
            (self.env._("Customer"), ticket._describe_customer()),
            (self.env._("Team"), ticket.team_id.name),
            (self.env._("Assigned to"), ticket.user_id.name),
            (self.env._("Stage"), ticket.stage_id.name),
            (self.env._("Created On"), self._print_date(ticket.create_date)),
            (self.env._("Closed On"), self._print_date(ticket.close_date)),
            (self.env._("Order"), ticket.sale_order_id.name),
            (self.env._("Product"), ticket.product_id.display_name),
            (self.env._("Serial Number"), ticket.lot_id.name),
        )
        return {
            "number": ticket.ticket_ref,
            "subject": ticket.name,
            "facts": [fact for fact in facts if fact[1]],
            "description": self._print_text(ticket.description),
            "messages": [
                {
                    "author": message._get_helpdesk_author_name(),
                    "date": self._print_date(message.date),
                    "text": self._print_text(message.body),
                    "files": ", ".join(message.attachment_ids.mapped("name")),
                }
                for message in messages
            ],
        }

    def _print_date(self, moment):
        return moment and format_datetime(self.env, moment, dt_format="short")

    def _print_text(self, html):
        return html2plaintext(html or "", include_references=False).strip()
