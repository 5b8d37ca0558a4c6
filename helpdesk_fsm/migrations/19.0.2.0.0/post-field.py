"""Versions of worksheets that were signed before are sealed, too (rights hole 5)."""


def migrate(cr, _version):
    cr.execute(
        """
        UPDATE ir_attachment AS file
           SET helpdesk_sealed = true
          FROM project_task AS task
         WHERE file.res_model = 'project.task'
           AND file.res_id = task.id
           AND file.res_field IS NULL
           AND task.worksheet_version > 1
           AND file.name ~ '^(worksheet-v[0-9]+\\.json|signature-v[0-9]+\\.png)$'
           AND EXISTS (
               SELECT FROM message_attachment_rel AS link
                WHERE link.attachment_id = file.id
           )
        """
    )
