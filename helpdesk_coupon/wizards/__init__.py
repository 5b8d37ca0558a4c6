from . import helpdesk_coupon_wizard
from . import helpdesk_coupon_withdraw
