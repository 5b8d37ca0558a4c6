from . import helpdesk_repair_wizard
from . import helpdesk_repair_wizard_checks
from . import helpdesk_repair_wizard_create
from . import helpdesk_repair_wizard_part
from . import helpdesk_repair_wizard_rule
