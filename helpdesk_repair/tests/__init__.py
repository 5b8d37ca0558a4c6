from . import test_repair_purchase
from . import test_repair_tour
from . import test_repair_wizard
