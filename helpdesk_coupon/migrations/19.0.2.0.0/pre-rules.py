"""Our record rules are no settings: from now on an update brings them as they are in a
new database, with what was mended in them."""


def migrate(cr, _version):
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = false
         WHERE module = 'helpdesk_coupon' AND model = 'ir.rule'
        """
    )
