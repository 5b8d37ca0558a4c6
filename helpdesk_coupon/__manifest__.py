{
    "name": "Helpdesk Coupon",
    "summary": "Coupons and gift cards from helpdesk tickets, for that customer only",
    "version": "19.0.1.0.0",
    "category": "Services/Helpdesk",
    "author": "Helpdesk After-Sales",
    "license": "LGPL-3",
    "depends": ["helpdesk_after_sales", "sale_loyalty"],
    "data": [
        "security/loyalty_card_security.xml",
        "security/ir.model.access.csv",
        "data/mail_template_data.xml",
        "wizards/helpdesk_coupon_wizard_views.xml",
        "wizards/helpdesk_coupon_withdraw_views.xml",
        "views/helpdesk_team_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/loyalty_card_views.xml",
        "views/loyalty_card_portal_templates.xml",
    ],
    "demo": ["demo/loyalty_program_demo.xml"],
    "assets": {
        "web.assets_tests": ["helpdesk_coupon/static/tests/tours/**/*"],
    },
}
