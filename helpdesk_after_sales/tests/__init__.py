from . import test_access
from . import test_portal
from . import test_purchase
from . import test_purchases_tab
from . import test_reason
from . import test_ticket
