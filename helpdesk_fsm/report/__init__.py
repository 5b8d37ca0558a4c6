from . import fsm_worksheet_report
