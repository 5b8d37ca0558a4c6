{
    "name": "Helpdesk After-Sales",
    "summary": "Tickets and teams, and what a shop does after the sale",
    "version": "19.0.1.0.0",
    "category": "Services/Helpdesk",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["portal", "sale_stock"],
    # The models carry the names of Odoo's own Helpdesk, and OCA's helpdesk_mgmt
    # defines the same ones: none of them can stand in one database with another.
    "excludes": ["helpdesk", "helpdesk_mgmt"],
    "data": [
        "security/helpdesk_after_sales_groups.xml",
        "security/helpdesk_after_sales_reason_security.xml",
        "security/helpdesk_team_security.xml",
        "security/helpdesk_ticket_security.xml",
        "security/ir.model.access.csv",
        "data/helpdesk_after_sales_reason_data.xml",
        "data/helpdesk_stage_data.xml",
        "data/helpdesk_team_data.xml",
        "data/ir_sequence_data.xml",
        "data/mail_message_subtype_data.xml",
        "views/helpdesk_after_sales_reason_views.xml",
        "views/helpdesk_stage_views.xml",
        "views/helpdesk_tag_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/helpdesk_team_views.xml",
        "views/helpdesk_after_sales_menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/helpdesk_ticket_demo.xml",
    ],
    "assets": {
        "web.assets_backend": ["helpdesk_after_sales/static/src/**/*"],
        "web.assets_tests": ["helpdesk_after_sales/static/tests/tours/**/*"],
    },
    "application": True,
}
