{
    "name": "Helpdesk Refund",
    "summary": "Credit notes from helpdesk tickets, never more than was invoiced",
    "version": "19.0.2.1.0",
    "category": "Services/Helpdesk",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["account", "helpdesk_after_sales"],
    "data": [
        "wizards/account_move_reversal_views.xml",
        "views/account_move_views.xml",
        "views/helpdesk_ticket_views.xml",
    ],
    "demo": ["demo/helpdesk_team_demo.xml"],
    "assets": {
        "web.assets_tests": ["helpdesk_refund/static/tests/tours/**/*"],
    },
    "uninstall_hook": "uninstall_hook",
}
