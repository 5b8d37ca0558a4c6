{
    "name": "Helpdesk Return",
    "summary": "Returns and exchanges of delivered products from helpdesk tickets",
    "version": "19.0.2.0.0",
    "category": "Services/Helpdesk",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["helpdesk_after_sales", "stock"],
    "data": [
        "security/stock_picking_security.xml",
        "security/ir.model.access.csv",
        "data/mail_template_data.xml",
        "report/return_slip_templates.xml",
        "report/return_slip_reports.xml",
        "wizards/helpdesk_return_wizard_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/stock_picking_views.xml",
    ],
    "demo": ["demo/helpdesk_team_demo.xml", "demo/helpdesk_ticket_demo.xml"],
    "assets": {
        "web.assets_tests": ["helpdesk_return/static/tests/tours/**/*"],
    },
    "uninstall_hook": "uninstall_hook",
}
