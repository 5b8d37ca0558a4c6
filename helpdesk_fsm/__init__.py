from . import controllers
from . import models
from . import report
from . import wizards


def post_init_hook(env):
    """Give a project to teams that had the service on before, such as after the addon
    was uninstalled and installed again."""
    env["helpdesk.team"].with_context(active_test=False).search(
        [("use_fsm", "=", True)]
    )._ensure_fsm_project()


def uninstall_hook(env):
    """Switch the service off, and say so in the chatter of its teams (T30)."""
    env["helpdesk.team"]._service_addon_uninstalled("helpdesk_fsm")
