from . import models


def uninstall_hook(env):
    env["helpdesk.team"]._service_addon_uninstalled("helpdesk_test_service")
