"""Odoo's own tests of reversals and of sale_stock, with our addons installed.

    setup/test -m native tests/test_native_account.py

Each file runs in a pytest of its own, in the same database. What fails in Odoo 19.0
without our addons as well is listed here, and nothing else may fail.
"""

import pytest
from native import check

FILES = [
    *(
        f"account/tests/test_account_{name}.py"
        for name in (
            "move_out_invoice",
            "move_out_refund",
            "move_in_refund",
            "move_entry",
            "move_date_algorithm",
            "move_reconcile",
            "inalterable_hash",
            "partner",
            "payment",
        )
    ),
    "account/tests/test_early_payment_discount.py",
    "sale/tests/test_sale_refund.py",
    "sale/tests/test_sale_to_invoice.py",
    "sale/tests/test_credit_limit.py",
    "sale/tests/test_taxes_downpayment.py",
    "sale_stock/tests",
]
#: all of these need the web server; the tours of the other files are skipped
WITH_HTTP = {"sale/tests/test_taxes_downpayment.py"}
#: seen to fail in a database with sale_stock and sale_management alone (19.0+dfsg-1)
FAIL_WITHOUT_US = {
    "test_narration_preserved_when_use_invoice_terms_disabled",
    "test_narration_translation_on_partner_language_change",
    "test_post_valid_invoices_when_auto_post",
}

pytestmark = pytest.mark.native


@pytest.mark.parametrize("file", FILES)
def test_odoos_own_tests_still_pass(file):
    check(file, fail_without_us=FAIL_WITHOUT_US, http=file in WITH_HTTP)
