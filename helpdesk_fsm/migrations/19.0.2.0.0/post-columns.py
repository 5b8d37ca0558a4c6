"""What a pop-up asks before a visit ends is worked out when it is shown."""


def migrate(cr, _version):
    cr.execute("ALTER TABLE fsm_task_validate DROP COLUMN IF EXISTS message")
