from . import test_coupon_access
from . import test_coupon_gift_card
from . import test_coupon_order
from . import test_coupon_portal
from . import test_coupon_pos
from . import test_coupon_share
from . import test_coupon_wizard
