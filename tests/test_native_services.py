"""Odoo's own tests of loyalty and project, with our addons installed.

    setup/test -m native tests/test_native_services.py

Each file runs in a pytest of its own, in the same database. Those that need a browser
are left out: they take minutes, and the forms that we extend are in tours of our own.
"""

import pytest
from native import ADDONS, check

FILES = [
    "loyalty/tests",
    "sale_loyalty/tests",
    *(
        f"project/tests/{path.name}"
        for path in sorted((ADDONS / "project" / "tests").glob("test_*.py"))
        if not path.stem.endswith("_ui")
    ),
]
#: all of these need the web server
WITH_HTTP = {
    f"project/tests/test_{name}.py"
    for name in (
        "portal",
        "project_sharing_portal_access",
        "task_link_preview_name",
    )
}
#: seen to fail in a database with project or sale_loyalty alone (19.0+dfsg-1)
FAIL_WITHOUT_US = set()

pytestmark = pytest.mark.native


@pytest.mark.parametrize("file", FILES)
def test_odoos_own_tests_still_pass(file):
    check(file, FAIL_WITHOUT_US, http=file in WITH_HTTP)
