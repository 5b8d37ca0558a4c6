"""When somebody had the last word in open tickets: automatic closing counts from it."""


def migrate(cr, _version):
    cr.execute(
        """
        UPDATE helpdesk_ticket AS ticket
           SET last_word_date = spoken.date
          FROM (
              SELECT message.res_id, MAX(message.create_date) AS date
                FROM mail_message AS message
                JOIN ir_model_data AS data ON data.res_id = message.subtype_id
                 AND data.model = 'mail.message.subtype'
                 AND data.module = 'mail' AND data.name = 'mt_comment'
               WHERE message.model = 'helpdesk.ticket'
                 AND message.message_type IN ('comment', 'email')
               GROUP BY message.res_id
          ) AS spoken
         WHERE spoken.res_id = ticket.id AND ticket.last_word IS NOT NULL
           AND ticket.close_date IS NULL AND ticket.last_word_date IS NULL
        """
    )
