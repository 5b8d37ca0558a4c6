"""A service's own tests, in a database that also has applications which change its
screens or its documents. The other databases of the tests are without them.

    setup/test -m slow tests/test_companions.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from server import Ground

ROOT = Path(__file__).resolve().parents[1]
#: addon, or tests of it: applications that it doesn't depend on, and that change what
#: it does
COMPANIONS = {
    "helpdesk_after_sales/tests/test_team.py": ["hr_holidays"],
    "helpdesk_coupon": ["pos_loyalty", "website_sale_loyalty"],
    "helpdesk_fsm": ["hr_timesheet", "sale_project"],
    # Fields of localizations in Odoo's own pop-up (X20).
    "helpdesk_refund/tests/test_refund_cases.py": [
        "l10n_es_edi_facturae",
        "l10n_es_edi_tbai",
        "l10n_latam_invoice_document",
        "l10n_sa",
        "l10n_tw_edi_ecpay",
        "l10n_vn_edi_viettel",
    ],
    "helpdesk_refund/tests/test_refund_delivery.py": ["delivery"],
    "helpdesk_repair": [
        *("mrp_repair", "point_of_sale", "product_expiry", "sale_mrp"),
        *("sale_purchase_stock", "stock_delivery", "stock_dropshipping"),
    ],
    "helpdesk_return": [
        *("mrp_repair", "point_of_sale", "product_expiry", "sale_mrp"),
        *("sale_purchase_stock", "stock_delivery", "stock_dropshipping"),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("tests", COMPANIONS)
def test_addon_beside_other_applications(tests):
    addon = tests.split("/")[0]
    template = os.environ.get("HELPDESK_TEMPLATE")
    ground = Ground(["helpdesk_after_sales", addon], template)
    try:
        ground.create()
        ground.install(addon, *COMPANIONS[tests])
        ground.shell("env['ir.qweb']._pregenerate_assets_bundles(); env.cr.commit()")
        run = subprocess.run(
            [
                *(sys.executable, "-B", "-m", "pytest", "--odoo-http", "-q", "-rfEs"),
                ROOT / (tests if tests != addon else f"{addon}/tests"),
            ],
            cwd=ROOT,
            env={**os.environ, "ODOO_RC": str(ground.configuration)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        ground.drop()
    assert not run.returncode, run.stdout[-6000:] + run.stderr[-2000:]
    # What is skipped elsewhere for want of the application is tried here.
    assert "needs " not in run.stdout, run.stdout[-3000:]
    assert re.search(r"\d+ passed", run.stdout), run.stdout[-3000:]
