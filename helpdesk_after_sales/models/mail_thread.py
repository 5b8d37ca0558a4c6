from odoo import api, models


class MailThread(models.AbstractModel):
    _name = "mail.thread"
    _inherit = "mail.thread"

    @api.model
    def message_route(
        self, message, message_dict, model=None, thread_id=None, custom_values=None
    ):
        routes = super().message_route(
            message, message_dict, model, thread_id, custom_values
        )
        return self.env["helpdesk.ticket"]._filter_mail_routes(
            message, message_dict, routes
        )

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        if self._is_automatic_mail(message):
            self = self.with_context(helpdesk_automatic_mail=True)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _is_automatic_mail(self, message):
        """Return whether a machine wrote this mail, or sent it to many.

        Such mail gets no answer by itself and opens no closed ticket (RFC 3834, T18).

        :param message: the parsed mail
        :type message: email.message.EmailMessage
        """

        def header(name):
            return str(message.get(name) or "").strip().lower()

        return (
            header("Auto-Submitted") not in ("", "no")
            or header("Precedence") in ("bulk", "junk", "list", "auto_reply")
            or any(
                word in header("X-Auto-Response-Suppress")
                for word in ("all", "autoreply")
            )
            or any(header(name) for name in ("List-Id", "X-Autoreply", "X-Autorespond"))
            or header("Return-Path") == "<>"
        )
