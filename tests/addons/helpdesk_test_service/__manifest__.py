{
    "name": "Helpdesk Test Service",
    "version": "19.0.1.0.0",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["helpdesk_after_sales", "maintenance"],
    "data": ["security/ir.model.access.csv", "views.xml"],
}
