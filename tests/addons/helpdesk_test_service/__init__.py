from . import models


def uninstall_hook(env):
    """Switch the service off, and say so in the chatter of its teams (T30)."""
    env["helpdesk.team"]._service_addon_uninstalled("helpdesk_test_service")
