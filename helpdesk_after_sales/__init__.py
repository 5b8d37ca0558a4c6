from . import controllers
from . import models
from . import report
from . import wizards


def uninstall_hook(env):
    """Take back the index on Odoo's own table, which Odoo leaves."""
    env.cr.execute("DROP INDEX IF EXISTS mail_message_helpdesk_words_idx")
