from . import helpdesk_ticket
from . import sale_order_line
from . import stock_lot
from . import stock_move
from . import stock_move_line
from . import stock_picking
from . import stock_reference
from . import stock_rule
