from . import helpdesk_return_process
from . import helpdesk_return_wizard
from . import helpdesk_return_wizard_case
from . import helpdesk_return_wizard_line
from . import helpdesk_return_wizard_transfer
from . import stock_return_picking
