from . import fsm_worksheet_template
from . import fsm_task_photo
from . import fsm_visit_mixin
from . import fsm_worksheet_mixin
from . import project_project
from . import project_task
from . import helpdesk_team
from . import helpdesk_ticket
