from odoo.addons.helpdesk_after_sales.models.helpdesk_ticket_rating import RATING_LINK


def migrate(cr, version):
    """The conversation keeps no link by which a customer rates."""
    if not version:
        return
    cr.execute(
        """
        SELECT id, body FROM mail_message
        WHERE model = 'helpdesk.ticket' AND body LIKE '%/rate/%'
        """
    )
    for id_, body in cr.fetchall():
        cr.execute(
            "UPDATE mail_message SET body = %s WHERE id = %s",
            (RATING_LINK.sub("#", body), id_),
        )
