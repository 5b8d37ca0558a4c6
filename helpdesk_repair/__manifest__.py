{
    "name": "Helpdesk Repair",
    "summary": "Repair orders from helpdesk tickets, with quotation or under warranty",
    "version": "19.0.2.0.0",
    "category": "Services/Helpdesk",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["helpdesk_after_sales", "repair"],
    "data": [
        "security/repair_order_security.xml",
        "security/pop_up_security.xml",
        "security/ir.model.access.csv",
        "wizards/helpdesk_repair_wizard_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/repair_order_views.xml",
    ],
    "demo": ["demo/helpdesk_team_demo.xml", "demo/repair_order_demo.xml"],
    "assets": {
        "web.assets_tests": ["helpdesk_repair/static/tests/tours/**/*"],
    },
    "uninstall_hook": "uninstall_hook",
}
