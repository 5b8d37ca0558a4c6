from . import fsm_worksheet_report
from . import helpdesk_after_sales_report
