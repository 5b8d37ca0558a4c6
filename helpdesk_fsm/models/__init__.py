from . import fsm_worksheet_template
from . import fsm_task_photo
from . import project_project
from . import project_task
from . import fsm_visit
from . import fsm_worksheet
from . import helpdesk_team
from . import helpdesk_ticket
