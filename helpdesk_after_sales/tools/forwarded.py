"""What a forwarded mail says about the mail that was forwarded.

Mail programs put a head above the text, in the language of whoever forwards: the
sender, then date, recipients and subject in some order.
"""

import re
from html import unescape

from odoo.tools import email_normalize, parse_contact_from_email

# "Fwd: ", "WG: ", "TR : " in front of a subject, also after a "Re: ".
PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|sv|ref|antw|odp)\s*[:\N{FULLWIDTH COLON}]\s*)*"
    r"(?:fwd?|wg|tr|rv|enc|rif|i|vb|vs|vl|pd|doorst|ilt|fs|továbbítás|пересл|轉寄|转发)"
    r"(?:\s*\[\d+\])?\s*[:\N{FULLWIDTH COLON}]\s*",
    re.IGNORECASE,
)
MARK = re.compile(
    r"(?:-{2,}|_{2,}|^)\s*(?:begin )?(?:forwarded message|weitergeleitete nachricht|"
    r"message transféré|début du message (?:réexpédié|transféré)|mensaje reenviado|"
    r"messaggio inoltrato|inizio messaggio inoltrato|doorgestuurd bericht|"
    r"mensagem encaminhada|anfang der weitergeleiteten nachricht|original message|"
    r"ursprüngliche nachricht)",
    re.IGNORECASE | re.MULTILINE,
)
LEAD = r"^[\s>*_|]*"
COLON = r"[\s*_]*[:\N{FULLWIDTH COLON}]"
FROM = re.compile(
    LEAD + r"(?:from|von|de|da|van|från|fra|od|lähettäjä|feladó|от|от кого|kimden|"
    r"寄件者|发件人|差出人)" + COLON + r"[\s*_]*(.*)$",
    re.IGNORECASE,
)
OTHER = re.compile(
    LEAD + r"(?:date|sent|to|cc|subject|reply-to|datum|gesendet|an|betreff|kopie|"
    r"antwort an|envoyé|à|objet|"  # codespell:ignore objet
    r"enviado|enviado el|fecha|para|asunto|data|inviato|a|"
    r"oggetto|verzonden|aan|onderwerp|assunto|skickat|till|ämne|sendt|til|emne|"
    r"wysłano|do|temat|дата|кому|тема)" + COLON,
    re.IGNORECASE,
)
# Nobody reads more of a mail to see whose it is.
LIMIT = 60_000


def strip_prefix(subject):
    """Return a subject without the sign that it was forwarded, or ``None``."""
    found = None
    while match := PREFIX.match(subject or ""):
        subject = found = subject[match.end() :].strip()
    return found


def to_text(body):
    """Return the lines of a text of HTML."""
    body = str(body or "")[:LIMIT]
    body = re.sub(r"(?is)<(style|script)\b.*?</\1>", "", body)
    if "<pre" not in body.lower():
        body = re.sub(r"\s+", " ", body)
    body = re.sub(
        r"(?i)<(?:br|hr|/p|/div|/tr|/li|/h\d|blockquote|p|div)\b[^>]*>", "\n", body
    )
    text = unescape(re.sub(r"<[^>]+>", "", body))
    return text.replace("\N{NO-BREAK SPACE}", " ")


def find_forwarded(subject, text, is_ours):
    """Return ``(name, address, words)`` of who wrote a forwarded mail, or ``None``.

    :param subject: of the mail that brings it
    :param text: of that mail, in lines
    :param is_ours: a function: whether an address is the shop's, so that a mail that
        colleagues forwarded to each other leads to who wrote at first
    """
    if strip_prefix(subject) is None and not MARK.search(text):
        return None
    lines = [line for line in text.splitlines() if line.strip(" >|*_\t")]
    for number, line in enumerate(lines):
        match = FROM.match(line)
        if not match:
            continue
        head = _get_head(lines, number)
        # A sentence may begin with "From:"; a head goes on.
        if not any(OTHER.match(other) for other in lines[number + 1 : head]):
            continue
        name, address = _read_sender(match[1], lines[number + 1 : number + 2])
        if address and not is_ours(address):
            words = [re.sub(r"^[\s>|]+", "", line).strip() for line in lines[head:]]
            return name or address, address, "\n".join(words)
    return None


def _get_head(lines, first):
    """Return the number of the line behind the head that begins with ``first``."""
    last = first
    for number in range(first + 1, min(first + 8, len(lines))):
        if OTHER.match(lines[number]):
            last = number
    return last + 1


def _read_sender(line, following):
    for text in (line, " ".join([line, *following])):
        # "Ada [mailto:ada@…]" of Outlook, "ada@… <mailto:ada@…>" of others
        text = re.sub(r"\s*[<\[]mailto:([^>\]\s]+)[>\]]", r" <\1>", text).strip("* ")
        found = re.findall(r"[^\s<>\[\]()\"',;:]+@[^\s<>\[\]()\"',;:]+", text)
        if found and email_normalize(found[-1]):
            name = re.split(r"[<\[(]", text)[0].strip(" \"'*")
            if "@" in name:
                name = parse_contact_from_email(text)[0]
            return ("" if "@" in (name or "") else name), email_normalize(found[-1])
    return "", False
