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

pytestmark = pytest.mark.native


@pytest.mark.parametrize("addon", ["loyalty", "sale_loyalty"])
def test_loyalty(addon):
    check(f"{addon}/tests")


def test_project():
    check(*sorted(PROJECT - WITH_HTTP))


def test_project_over_http():
    check(*sorted(WITH_HTTP), http=True)
