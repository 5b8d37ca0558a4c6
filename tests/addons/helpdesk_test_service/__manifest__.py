{
    "name": "Helpdesk Test Service",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["helpdesk_after_sales", "maintenance"],
    "data": [
        "security/ir.model.access.csv",
        "security/ir.rule.csv",
        "data/helpdesk.after.sales.resolution.csv",
        "data/helpdesk.after.sales.service.csv",
        "views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
}
