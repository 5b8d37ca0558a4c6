from . import helpdesk_ticket_wizard
from . import base_partner_merge_automatic_wizard
from . import helpdesk_after_sales_wizard
from . import helpdesk_macro_apply
from . import helpdesk_ticket_merge
from . import helpdesk_ticket_request_decline
from . import privacy_lookup_wizard
from . import stock_return_picking
