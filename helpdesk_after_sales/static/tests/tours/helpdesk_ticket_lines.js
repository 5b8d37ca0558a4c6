import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_agent_adds_a_purchase", {
    steps: () => [
        {
            content: "about one thing there are no lines to see",
            trigger: ".o_form_view:not(:has(.o_field_widget[name=line_ids]))",
        },
        {trigger: "a[name=purchases]", run: "click"},
        {
            content: "that is on the ticket already",
            trigger: ".o_helpdesk_purchases tr:contains(Lamp):contains(On the ticket)",
        },
        {
            content: "what else was bought",
            trigger: ".o_helpdesk_purchases input[name=everything]",
            run: "click",
        },
        {
            trigger:
                ".o_helpdesk_purchases tr:contains(Desk) button[name=action_add_lines]",
            run: "click",
        },
        {
            content: "now it is a list",
            trigger:
                ".o_field_widget[name=line_ids] .o_data_row:contains(Desk):contains(New)",
        },
        {
            content: "and the tab says so",
            trigger: ".o_helpdesk_purchases tr:contains(Desk):contains(On the ticket)",
        },
        {content: "it is saved", trigger: ".o_form_saved"},
    ],
});
