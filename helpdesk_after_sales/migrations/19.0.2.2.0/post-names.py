import re

TICKET_LINK = re.compile(
    r"""(<a\b[^>]*data-oe-model=["']helpdesk\.ticket["'][^>]*>)[^<]*(</a>)"""
)
TICKET_ID = re.compile(r"""data-oe-id=["'](\d+)["']""")


def migrate(cr, version):
    """Chatters of documents name the number of a ticket, which they link to: its
    subject is for who may read the ticket."""
    if not version:
        return
    cr.execute(
        """
        SELECT id, body FROM mail_message
        WHERE model != 'helpdesk.ticket'
          AND message_type = 'notification'
          AND body LIKE '%helpdesk.ticket%'
        """
    )
    messages = cr.fetchall()
    ids = {int(id_) for _message, body in messages for id_ in TICKET_ID.findall(body)}
    cr.execute(
        "SELECT id, ticket_ref FROM helpdesk_ticket WHERE id = ANY(%s)", (list(ids),)
    )
    numbers = dict(cr.fetchall())

    def number(match):
        found = TICKET_ID.search(match[1])
        reference = found and numbers.get(int(found[1]))
        return f"{match[1]}#{reference}{match[2]}" if reference else match[0]

    for id_, body in messages:
        if (short := TICKET_LINK.sub(number, body)) != body:
            cr.execute("UPDATE mail_message SET body = %s WHERE id = %s", (short, id_))
