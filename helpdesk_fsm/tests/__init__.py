from . import test_fsm_access
from . import test_fsm_pdf
from . import test_fsm_portal
from . import test_fsm_tour
from . import test_fsm_visit
from . import test_fsm_worksheet
from . import test_intervention_wizard
