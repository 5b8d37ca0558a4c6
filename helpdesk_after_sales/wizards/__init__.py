from . import helpdesk_after_sales_wizard
from . import helpdesk_ticket_merge
