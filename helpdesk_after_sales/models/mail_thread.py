import codecs

from odoo import api, models


class MailThread(models.AbstractModel):
    _name = "mail.thread"
    _inherit = "mail.thread"

    @api.model
    def message_parse(self, message, save_original=False):
        # Python reads no text of a character set that it doesn't know, and the mail
        # would be lost.
        for part in message.walk():
            try:
                codecs.lookup(part.get_content_charset() or "utf-8")
            except LookupError:
                part.set_param("charset", "utf-8")
        return super().message_parse(message, save_original=save_original)

    @api.model
    def message_route(
        self, message, message_dict, model=None, thread_id=None, custom_values=None
    ):
        self.env["helpdesk.ticket"]._read_plus_addresses(message_dict)
        routes = super().message_route(
            message, message_dict, model, thread_id, custom_values
        )
        return self.env["helpdesk.ticket"]._filter_mail_routes(
            message, message_dict, routes
        )

    @api.model
    def _detect_loop_sender(self, message, message_dict, routes):
        ticket = self.env["helpdesk.ticket"]
        if any(route[0] != ticket._name for route in routes or ()):
            return super()._detect_loop_sender(message, message_dict, routes)
        # Colleagues forward what customers wrote to them, many on a morning. No loop
        # comes of it: an address is acknowledged five times.
        author = self._mail_find_user_for_gateway(message_dict["email_from"])
        if author and author._is_internal() and not self._get_mail_kind(message):
            return False
        # Who speaks through a form is counted, not the form.
        address = next(
            filter(None, ((route[2] or {}).get("partner_email") for route in routes)),
            message_dict["email_from"],
        )
        return super()._detect_loop_sender(
            message, dict(message_dict, email_from=address), routes
        )

    @api.model
    def _message_route_process(self, message, message_dict, routes):
        teams = self.env["helpdesk.ticket"]._get_teams_of_routes(routes or ())
        if kind := self._get_mail_kind(message, teams):
            self = self.with_context(helpdesk_automatic_mail=kind)
        return super()._message_route_process(message, message_dict, routes)

    @api.model
    def _get_mail_kind(self, message, teams=None):
        """Return whether a machine wrote this mail, or a person through a list (T18).

        Neither is answered by itself; what a machine wrote opens no closed ticket. A
        list that its teams know as their own is how their customers write to them.

        :param message: the parsed mail
        :type message: email.message.EmailMessage
        :param teams: the teams that get it
        :return: ``"machine"``, ``"list"`` or ``False``
        """

        def header(name):
            return str(message.get(name) or "").strip().lower()

        listed = header("List-Id") or header("Precedence") == "list"
        if (
            header("Auto-Submitted") not in ("", "no")
            or header("Precedence") == "auto_reply"
            or any(header(name) for name in ("X-Autoreply", "X-Autorespond"))
            or header("Return-Path") == "<>"
        ):
            return "machine"
        # Lists and groups set these on what people write.
        if header("Precedence") in ("bulk", "junk") or any(
            word in header("X-Auto-Response-Suppress") for word in ("all", "autoreply")
        ):
            return "list" if header("List-Id") else "machine"
        if not listed:
            return False
        own = teams and all(team._is_own_list(message) for team in teams)
        return False if own else "list"
