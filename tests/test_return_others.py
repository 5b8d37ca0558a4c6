"""Returns beside applications that the addon doesn't depend on: kits (``sale_mrp``,
X14) and drop shipments (``stock_dropshipping``), in a database that has both.

The tests are the addon's own, in ``helpdesk_return/tests/test_return_others.py``; where
those applications aren't installed they are skipped.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import pytest
from server import Ground

from odoo.tools import config

ROOT = Path(__file__).resolve().parents[1]
APPLICATIONS = ["sale_mrp", "stock_dropshipping"]


@pytest.mark.slow
class TestReturnOthers(unittest.TestCase):
    def test_x14_kits_and_drop_shipments(self):
        template = os.environ.get("HELPDESK_TEMPLATE")
        if not template or template == config["db_name"]:
            self.skipTest("setup/test names the database to copy")
        ground = Ground(["helpdesk_return", *APPLICATIONS], template)
        self.addCleanup(ground.drop)
        ground.create()
        ground.install("helpdesk_return", *APPLICATIONS)
        run = subprocess.run(
            [
                *(sys.executable, "-B", "-m", "pytest", "-q", "-rs"),
                "helpdesk_return/tests/test_return_others.py",
            ],
            cwd=ROOT,
            env={**os.environ, "ODOO_RC": str(ground.configuration)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(run.returncode, 0, run.stdout[-6000:] + run.stderr[-2000:])
        self.assertRegex(run.stdout, r"\d+ passed")
        self.assertFalse(re.search(r"\d+ skipped", run.stdout), run.stdout[-2000:])
