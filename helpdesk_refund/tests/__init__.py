from . import test_refund_access
from . import test_refund_left
from . import test_refund_pdf
from . import test_refund_posting
from . import test_refund_purchase
from . import test_refund_scenarios
from . import test_refund_tour
from . import test_refund_wizard
