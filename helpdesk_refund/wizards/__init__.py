from . import account_move_reversal
from . import account_move_reversal_lines
from . import account_move_reversal_checks
from . import account_move_reversal_rule
from . import helpdesk_refund_line
