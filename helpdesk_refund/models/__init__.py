from . import account_move_refund_total  # isort: skip
from . import account_move_refund  # isort: skip
from . import account_move
from . import account_move_rule
from . import account_move_line
from . import account_move_mail
from . import account_tax
from . import helpdesk_after_sales_reason
from . import helpdesk_after_sales_step
from . import helpdesk_team
from . import helpdesk_ticket
from . import helpdesk_ticket_accepted
from . import res_company
from . import res_config_settings
from . import sale_order_line
