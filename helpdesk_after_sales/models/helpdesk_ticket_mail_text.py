from odoo import api, models
from odoo.tools import email_normalize, formataddr, parse_contact_from_email

# What stands for a byte that could not be read.
LOST = "\N{REPLACEMENT CHARACTER}"


class HelpdeskTicket(models.Model):
    """Letters of mail that says nothing, or the wrong thing, about its character set:
    what is read wrongly is lost, since the mail itself isn't kept."""

    _inherit = "helpdesk.ticket"

    @api.model
    def _read_lost_characters(self, message, message_dict):
        """Read those parts of a mail again, in place, that core could not read.

        :param message: the parsed mail
        :type message: email.message.EmailMessage
        """
        raw = {name.lower(): value for name, value in message.raw_items()}
        subject, sender = (
            self._decode(raw.get("subject")),
            self._decode(raw.get("from")),
        )
        if LOST in (message_dict.get("subject") or "") and subject:
            message_dict["subject"] = subject
        if LOST in (message_dict.get("email_from") or "") and sender:
            name, address = parse_contact_from_email(sender)
            if address == email_normalize(message_dict["email_from"]):
                message_dict["email_from"] = formataddr((name, address))
                message_dict["from"] = message_dict["email_from"]
        if LOST in str(message_dict.get("body") or "") and self._set_charsets(message):
            message_dict.update(
                self.env["mail.thread"]._message_parse_extract_payload(
                    message, message_dict
                )
            )

    @api.model
    def _decode(self, header):
        """Return the text of a header with bare letters, or ``False`` for others."""
        if not header or "=?" in header:
            return False
        data = header.encode("utf-8", "surrogateescape")
        return " ".join(data.decode(self._guess_charset(data)).split())

    @api.model
    def _set_charsets(self, message):
        """Correct the character sets that the texts of a mail can't be read with.

        :return: whether one was wrong
        """
        wrong = False
        for part in message.walk():
            if part.get_content_maintype() != "text" or part.is_multipart():
                continue
            data = part.get_payload(decode=True) or b""
            try:
                data.decode(part.get_content_charset("us-ascii"))
            except (LookupError, UnicodeDecodeError):
                part.set_param("charset", self._guess_charset(data))
                wrong = True
        return wrong

    @api.model
    def _guess_charset(self, data):
        for charset in ("utf-8", "windows-1252"):
            try:
                data.decode(charset)
            except UnicodeDecodeError:
                continue
            return charset
        return "iso-8859-1"
