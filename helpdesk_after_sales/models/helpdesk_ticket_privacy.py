from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """What a ticket says about a person is taken out; numbers, dates and the documents
    of services, which accounting needs, stay."""

    _inherit = "helpdesk.ticket"

    def action_anonymize(self):
        """Take everything that tells of persons out of these tickets, for good: who
        the customer is, what was written, files. Returns ``True``.

        :raises AccessError: when the user doesn't manage Helpdesk
        """
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_manager"):
            raise AccessError(
                self.env._("Only helpdesk administrators can anonymize tickets.")
            )
        self.check_access("write")
        # sudo: the user manages Helpdesk and may write these tickets, as was just
        # checked; messages and files are those of the tickets.
        self.sudo()._anonymize()
        return True

    def _anonymize(self):
        """See :meth:`action_anonymize`. Called with sudo."""
        label = self.env._("Anonymized")
        for ticket in self.with_context(mail_notrack=True):
            ticket._send_no_stage_mail()
            ticket.write(
                {
                    "partner_id": False,
                    "partner_name": label,
                    "partner_email": False,
                    "partner_phone": False,
                    "email_cc": False,
                    "name": label,
                    "description": False,
                    "sale_order_id": False,
                    "lot_id": False,
                    "properties": False,
                    "merge_data": False,
                }
            )
            ticket.access_token = self._fields["access_token"].default(ticket)
            ticket.message_unsubscribe(
                ticket.message_partner_ids.filtered("partner_share").ids
            )
            ticket.activity_ids.unlink()
            ticket.rating_ids.write({"feedback": False, "partner_id": False})
            self._anonymize_messages(ticket)
            ticket._message_log(
                body=self.env._("This ticket was anonymized."),
                author_id=self.env.user.partner_id.id,
            )

    @api.model
    def _anonymize_messages(self, record):
        """Empty the messages of a ticket, or of a thread that belongs to one. Called
        with sudo."""
        everywhere = Domain("model", "=", record._name)
        everywhere &= Domain("res_id", "=", record.id)
        messages = self.env["mail.message"].search(everywhere)
        self.env["mail.mail"].search(
            Domain("mail_message_id", "in", messages.ids)
        ).unlink()
        files = self._find_attached("ir.attachment", record) | messages.attachment_ids
        files.unlink()
        # What was changed names customers and subjects, too.
        messages.tracking_value_ids.unlink()
        messages.write(
            {
                "body": Markup("<p>%s</p>") % self.env._("Anonymized"),
                "subject": False,
                "incoming_email_to": False,
                "incoming_email_cc": False,
                "outgoing_email_to": False,
            }
        )
        others = messages.filtered(
            lambda m: not m.author_id or m.author_id.partner_share
        )
        others.write({"author_id": False, "email_from": False})
        for message in messages:
            message.partner_ids -= message.partner_ids.filtered("partner_share")
        messages.notification_ids.filtered(
            lambda n: not n.res_partner_id or n.res_partner_id.partner_share
        ).unlink()
