from . import test_repair_agent
from . import test_repair_goods
from . import test_repair_purchase
from . import test_give_back
from . import test_repair_request
from . import test_repair_tour
from . import test_repair_warranty
from . import test_repair_wizard
