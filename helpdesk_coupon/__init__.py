from . import controllers
from . import models
from . import report
from . import wizards


def uninstall_hook(env):
    """Switch the service off, and say so in the chatter of its teams (T30)."""
    env["helpdesk.team"]._service_addon_uninstalled("helpdesk_coupon")
