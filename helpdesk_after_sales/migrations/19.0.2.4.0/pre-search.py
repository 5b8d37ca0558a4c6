"""Names of customers have an index that Odoo makes: this one knew no accents."""


def migrate(cr, version):
    cr.execute("DROP INDEX IF EXISTS helpdesk_ticket_partner_name_idx")
