from . import helpdesk_coupon_wizard
from . import helpdesk_coupon_wizard_create
from . import helpdesk_coupon_wizard_rule
from . import helpdesk_coupon_wizard_share
from . import helpdesk_coupon_extend
from . import helpdesk_coupon_withdraw
