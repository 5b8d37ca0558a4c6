import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_repair_confirm", {
    steps: () => [
        {
            content: "press Repair",
            trigger: ".o_statusbar_buttons button[name=action_repair]",
            run: "click",
        },
        {
            content: "the form Repair Reference opens",
            trigger: ".modal-title:contains(/^Repair Reference$/)",
        },
        {
            content: "the product is the ticket's",
            trigger: ".modal .o_field_widget[name=product_id] input:value(Phone)",
        },
        {
            content: "and so is its serial number",
            trigger: ".modal .o_field_widget[name=lot_id] input:value(SN-0001)",
        },
        {
            content: "add a part",
            trigger: ".modal .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            content: "type its name",
            trigger: ".modal .o_data_row .o_field_widget[name=product_id] input",
            run: "edit Screen",
        },
        {
            content: "choose it",
            trigger: ".o-autocomplete--dropdown-item:contains(Screen)",
            run: "click",
        },
        {
            content: "press Confirm Repair",
            trigger: ".modal footer button[name=action_confirm_repair]",
            run: "click",
        },
        {
            content: "the phone is not here yet",
            trigger: ".modal .alert-warning:contains(not in stock)",
        },
        {
            content: "go on all the same",
            trigger: ".modal footer button[name=action_confirm_repair]",
            run: "click",
        },
        {
            content: "the agent reads the repair with its parts",
            trigger: ".o_form_view .o_data_row:contains(Screen)",
        },
        {
            content: "and its messages",
            trigger: ".o-mail-Message",
        },
        {
            content: "go back by the breadcrumbs",
            trigger: ".o_breadcrumb a:contains(The lamp arrived broken)",
            run: "click",
        },
        {
            content: "open the repair by the smart button",
            trigger: "button[name=action_view_repairs]:contains(Repairs)",
            run: "click",
        },
        {
            content: "it is the same one",
            trigger: ".o_form_view .o_data_row:contains(Screen)",
        },
        {
            content: "go back once more",
            trigger: ".o_breadcrumb a:contains(The lamp arrived broken)",
            run: "click",
        },
        {
            content: "open it by the link in the chatter",
            trigger: ".o-mail-Message a[data-oe-model='repair.order']",
            run: "click",
        },
        {
            content: "it opens read-only, without the buttons of Repairs",
            trigger:
                ".o_form_view:has(.o_data_row:contains(Screen)):not(:has(button[name=action_repair_start]))",
        },
    ],
});
