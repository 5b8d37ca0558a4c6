from . import account_move
from . import helpdesk_team
from . import helpdesk_ticket
from . import loyalty_card
from . import loyalty_history
from . import loyalty_program
from . import sale_order
from . import sale_order_line
