"""How long the tickets of before took: first answers as the conversation tells, hours
of work by the calendar of today. How often they were answered isn't known."""

from odoo import SUPERUSER_ID, api

BATCH = 10_000


def migrate(cr, _version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["helpdesk.ticket"].flush_model()
    cr.execute(
        """
        UPDATE helpdesk_ticket ticket
           SET first_response_date = answer.moment
          FROM (
                SELECT message.res_id, MIN(message.create_date) AS moment
                  FROM mail_message message
                  JOIN res_partner author ON author.id = message.author_id
                 WHERE message.model = 'helpdesk.ticket'
                   AND message.message_type IN ('comment', 'email')
                   AND message.subtype_id = %s
                   AND message.is_internal IS NOT TRUE
                   AND author.partner_share IS NOT TRUE
              GROUP BY message.res_id
               ) answer
         WHERE answer.res_id = ticket.id
           AND ticket.first_response_date IS NULL
        """,
        [env.ref("mail.mt_comment").id],
    )
    calendars = {team.id: team.resource_calendar_id for team in _get_teams(env)}
    last = 0
    while rows := _get_rows(cr, last):
        last = rows[-1][0]
        cr.execute_values(
            """
            UPDATE helpdesk_ticket ticket
               SET assign_hours = hours.assign,
                   first_response_hours = hours.answer,
                   close_hours = hours.closing
              FROM (VALUES %s) AS hours (id, assign, answer, closing)
             WHERE hours.id = ticket.id
            """,
            [
                (
                    id_,
                    *(
                        calendars[team]._helpdesk_count(begin, moment)
                        if moment
                        else 0.0
                        for moment in moments
                    ),
                )
                for id_, team, begin, *moments in rows
            ],
        )
    env["helpdesk.ticket"].invalidate_model(flush=False)


def _get_teams(env):
    return env["helpdesk.team"].with_context(active_test=False).search([])


def _get_rows(cr, last):
    cr.execute(
        """
        SELECT id, team_id, create_date, assign_date, first_response_date, close_date
          FROM helpdesk_ticket
         WHERE id > %s
           AND (assign_date, first_response_date, close_date) IS DISTINCT FROM
               (NULL::timestamp, NULL::timestamp, NULL::timestamp)
      ORDER BY id
         LIMIT %s
        """,
        [last, BATCH],
    )
    return cr.fetchall()
