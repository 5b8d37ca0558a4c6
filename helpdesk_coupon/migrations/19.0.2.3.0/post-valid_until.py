"""The message with a code names the last day on which it can be used: that of its
program, when it ends before. Of the template, a setting, only the field is changed."""


def migrate(cr, _version):
    cr.execute(
        """
        UPDATE mail_template
           SET body_html = replace(
                   body_html::text,
                   'object.expiration_date',
                   'object.coupon_valid_until'
               )::jsonb
         WHERE id = (
                   SELECT res_id FROM ir_model_data
                    WHERE module = 'helpdesk_coupon' AND name = 'mail_template_coupon'
               )
        """
    )
