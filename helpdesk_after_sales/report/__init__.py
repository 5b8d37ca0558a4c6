from . import helpdesk_after_sales_report
from . import helpdesk_return_rate_report
from . import helpdesk_sla_report_analysis
from . import helpdesk_ticket_report_analysis
