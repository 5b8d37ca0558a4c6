from . import helpdesk_ticket
from . import repair_order
from . import sale_order
from . import stock_move
from . import stock_picking
