"""Odoo's own tests of loyalty and project, with our addons installed.

    setup/test -m native tests/test_native_services.py

Each addon runs in a pytest of its own, in the same database. Tours are left out: they
take minutes, and the forms that we extend are in tours of our own.
"""

import pytest
from native import ADDONS, check

#: need the web server, but no browser
WITH_HTTP = {
    f"project/tests/test_{name}.py"
    for name in ("portal", "project_sharing_portal_access", "task_link_preview_name")
}
PROJECT = {
    f"project/tests/{path.name}"
    for path in (ADDONS / "project" / "tests").glob("test_*.py")
}
#: fail on the same applications without our addons, too
FAIL_WITHOUT_US = {
    "test_change_project_or_partner_company",
    "test_create_favorite_from_project_form",
    "test_create_from_template",
    "test_description_field_history_on_update",
    "test_internal_cannot_crud_private_task",
    "test_reset_access_token_when_privacy_visibility_changes",
    "test_send_rating_review",
    "test_subtask_process",
    "test_wizard_confirm",
}

pytestmark = pytest.mark.native


@pytest.mark.parametrize("addon", ["loyalty", "sale_loyalty"])
def test_loyalty(addon):
    check(f"{addon}/tests")


def test_project():
    check(*sorted(PROJECT - WITH_HTTP), fail_without_us=FAIL_WITHOUT_US)


def test_project_over_http():
    check(*sorted(WITH_HTTP), fail_without_us=FAIL_WITHOUT_US, http=True)
