from . import test_purchase
from . import test_reason
