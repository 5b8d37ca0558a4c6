from . import helpdesk_after_sales_step
from . import account_move_refund  # isort: skip
from . import account_move
from . import account_move_line
from . import account_tax
from . import helpdesk_ticket
from . import helpdesk_ticket_accepted
from . import sale_order_line
