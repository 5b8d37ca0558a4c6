import codecs
from email.utils import parsedate

from odoo import api, models
from odoo.fields import Datetime, Domain
from odoo.tools import email_normalize, email_normalize_all, html2plaintext
from odoo.tools.mail import append_content_to_html


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
        sender = email_normalize(str(message.get("Sender") or ""))
        if sender and not str(message.get("From") or "").strip():
            del message["From"]
            message["From"] = str(message["Sender"])
        message_dict = super().message_parse(message, save_original=save_original)
        self._read_envelope(message, message_dict)
        self._tell_apart(message, message_dict)
        return message_dict

    def _message_parse_extract_payload(
        self, message, message_dict, save_original=False
    ):
        payload = super()._message_parse_extract_payload(
            message, message_dict, save_original=save_original
        )
        # Odoo takes the HTML of two alternatives, also where some programs leave it
        # empty: what was written is in the other one.
        body = str(payload["body"] or "")
        if "<img" not in body and not html2plaintext(body).strip("\xa0 \n"):
            for part in message.walk() if message.is_multipart() else ():
                if part.get_content_type() == "text/plain" and not part.get_filename():
                    if text := str(part.get_content()).strip():
                        payload["body"] = append_content_to_html("", text)
                        break
        return payload

    @api.model
    def _read_envelope(self, message, message_dict):
        """Let a mail that has a team in blind copy reach it, in place: some servers
        note under these names whom they deliver to."""
        envelope = email_normalize_all(
            ", ".join(
                str(message.get(name) or "")
                for name in ("X-Original-To", "Envelope-To", "X-Envelope-To")
            )
        )
        if not envelope:
            return
        named = email_normalize_all(message_dict["recipients"] or "")
        # sudo: aliases are not for the users of the gateway to read.
        aliases = self.env["mail.alias.domain"].sudo()
        if not aliases._find_aliases(named):
            message_dict["recipients"] = ", ".join([*named, *envelope])

    @api.model
    def _tell_apart(self, message, message_dict):
        """Give a mail another Message-ID, in place, that has the one of another mail
        to us: machines and forms that always send the same would lose all but one. The
        same mail has the same date, whoever delivers it again (T20)."""
        if not parsedate(str(message.get("Date") or "")):
            return
        # sudo: only whether this mail has come before.
        known = self.env["mail.message"].sudo()
        known = known.search(
            Domain("message_id", "=", message_dict["message_id"])
            & Domain("model", "=", "helpdesk.ticket")
            & Domain("message_type", "=", "email"),
            limit=1,
        )
        date = message_dict["date"]
        if known and known.date != Datetime.to_datetime(date):
            number = message_dict["message_id"].strip("<>")
            message_dict["message_id"] = f"<{date.replace(' ', '.')}.{number}>"

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

    def message_notify(self, **kwargs):
        """Notify people of a ticket, a team or a conversation, as who may read it: the
        subject and the link go along.

        :raises AccessError: when the user may not
        """
        if not self.env.su:
            record, model = self, kwargs.get("model")
            if model and model in self.env:
                record = self.env[model].browse(kwargs.get("res_id") or ())
            if record._name.startswith("helpdesk."):
                record.check_access("read")
        return super().message_notify(**kwargs)

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
