from . import fsm_task_parts
from . import fsm_task_validate
from . import fsm_worksheet_reopen
from . import fsm_worksheet_sign
from . import helpdesk_intervention_wizard
