"""Odoo's own tests of transfers and returns, with our addons installed.

    setup/test -m native tests/test_native_stock.py

The tests of ``sale_stock`` are in ``test_native_account.py``.
"""

import pytest
from native import check

FILES = [
    f"stock/tests/test_{name}.py"
    for name in (
        "stock_return_picking",
        "move",
        "move2",
        "stock_flow",
        "robustness",
        "warehouse",
        "multicompany",
    )
]
#: seen to fail in a database with account and sale_stock alone (19.0+dfsg-1)
FAIL_WITHOUT_US = {
    "test_70_picking_state_all_at_once_reserve",
    "test_additional_move_1",
    "test_assign_sm_to_existing_picking",
    "test_product_tree_views",
    "test_resupply_route",
}

pytestmark = pytest.mark.native


def test_odoos_own_tests_still_pass():
    check(*FILES, fail_without_us=FAIL_WITHOUT_US)
