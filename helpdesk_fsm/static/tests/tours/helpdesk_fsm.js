import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_fsm_plan", {
    steps: () => [
        {
            content: "press Plan Intervention",
            trigger: ".o_statusbar_buttons > button[name=action_plan_intervention]",
            run: "click",
        },
        {
            content: "a pop-up with the title opens",
            trigger: ".modal-title:contains(/^Create a Field Service task$/)",
        },
        {
            content: "the title is that of the ticket",
            trigger:
                ".modal .o_field_widget[name=name] input:value(The lamp arrived broken)",
        },
        {
            content: "the project of the team is chosen",
            trigger: ".modal .o_field_widget[name=project_id] input:value(/./)",
        },
        {
            content: "and the template of the project",
            trigger:
                ".modal .o_field_widget[name=worksheet_template_id] input:value(Test Sheet)",
        },
        {
            content: "the address of the customer is shown",
            trigger:
                ".modal .o_field_widget[name=partner_address]:contains(Alder Street 1)",
        },
        {
            content: "another title",
            trigger: ".modal .o_field_widget[name=name] input",
            run: "edit Look at the lamp",
        },
        {
            content: "press Create & View Task",
            trigger: ".modal button[name=action_create_and_view_task]",
            run: "click",
        },
        {
            content: "the task opens",
            trigger:
                "body:not(:has(.modal)) .o_fsm_task .o_field_widget[name=name]:contains(Look at the lamp), body:not(:has(.modal)) .o_fsm_task .o_field_widget[name=name] input:value(Look at the lamp)",
        },
        {
            content: "go back by the breadcrumbs",
            trigger: ".o_breadcrumb a:contains(The lamp arrived broken)",
            run: "click",
        },
        {
            content: "plan another one",
            trigger: ".o_statusbar_buttons > button[name=action_plan_intervention]",
            run: "click",
        },
        {
            content: "press Create Task",
            trigger: ".modal button[name=action_create_task]",
            run: "click",
        },
        {
            content: "the ticket stays, and counts two tasks",
            trigger:
                "body:not(:has(.modal)) button[name=action_view_fsm_tasks]:contains(2)",
            run: "click",
        },
        {
            content: "both are listed",
            trigger: ".o_list_view .o_data_row:contains(Look at the lamp)",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(The lamp arrived broken)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_fsm_sign", {
    steps: () => [
        {
            content: "start the work",
            trigger: "button[name=action_fsm_start]",
            run: "click",
        },
        {
            content: "the button becomes Stop",
            trigger: "button[name=action_fsm_stop]",
        },
        {
            content: "one can call and find the customer",
            trigger: ".o_field_widget[name=partner_phone] a[href^='tel:']",
        },
        {
            trigger:
                ".o_field_widget[name=fsm_partner_map_url] a[href*='openstreetmap']",
        },
        {
            content: "fill in what was done",
            trigger: ".o_property_field[property-name=work] textarea",
            run: "edit Replaced the motor",
        },
        {
            content: "and the hours",
            trigger: ".o_property_field[property-name=hours] input",
            run: "edit 1.5 && press Tab",
        },
        {
            content: "have it signed",
            trigger: ".o_notebook button[name=action_sign_worksheet]",
            run: "click",
        },
        {
            content: "the customer writes the name",
            trigger: ".modal .o_field_widget[name=signed_by] input",
            run: "edit Ada Alder",
        },
        {
            content: "and signs",
            trigger: ".modal .o_field_widget[name=signature] .o_signature",
            run: "click",
        },
        {
            content: "the name is there as a signature",
            trigger: ".modal .o_web_sign_signature",
        },
        {
            content: "take it",
            trigger:
                ".modal:not(.o_inactive_modal) .modal-footer .btn-primary:contains(Adopt):enabled",
            run: "click",
        },
        {
            content: "seal the worksheet",
            trigger:
                ".modal:has(.o_field_widget[name=signature] img) button[name=action_sign]",
            run: "click",
        },
        {
            content: "it is signed, and the fingerprint shown",
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=worksheet_signed_by]:contains(Ada Alder)",
        },
        {
            content: "nothing of it can be typed over",
            trigger:
                ".o_property_field[property-name=work]:not(:has(textarea)):contains(Replaced the motor)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_fsm_portal_sign", {
    steps: () => [
        {
            content: "the worksheet is shown",
            trigger: "#worksheet:contains(Replaced the motor)",
        },
        {
            content: "write the name",
            trigger: ".o_web_sign_name_input",
            run: "edit Ada of the portal",
        },
        {
            content: "sign",
            trigger: ".o_portal_sign_submit:enabled",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "it is signed",
            trigger: ".alert-success:contains(Thank you)",
        },
        {
            trigger: ".fsm_signature:contains(Ada of the portal):contains(SHA-256)",
        },
    ],
});
