from . import test_repair_tour
from . import test_repair_wizard
