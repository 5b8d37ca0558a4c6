import {registry} from "@web/core/registry";

const open = [
    {
        content: "press Return",
        trigger: ".o_statusbar_buttons button[name=action_return]",
        run: "click",
    },
    {
        content: "a pop-up titled Reverse Transfer opens",
        trigger: ".modal-title:contains(/^Reverse Transfer$/)",
    },
    {
        content: "the delivery of the order is chosen",
        trigger: ".modal .o_field_widget[name=picking_id] input:value(/OUT/)",
    },
    {
        content: "with what can be returned",
        trigger: ".modal .o_data_row:contains(Lamp) td[name=quantity]:contains(3.00)",
    },
];

const back = [
    {
        content: "the agent reads the transfer, and can't validate it",
        trigger:
            ".o_form_view .o_form_readonly:not(:has(button[name=button_validate]))",
    },
    {
        content: "go back by the breadcrumbs",
        trigger: ".o_breadcrumb a:contains(The lamp arrived broken)",
        run: "click",
    },
    {
        content: "the ticket counts its return",
        trigger: "button[name=action_view_returns]:contains(Return)",
    },
];

registry.category("web_tour.tours").add("helpdesk_return_by_order", {
    steps: () => [
        ...open,
        {
            content: "remove the phones",
            trigger: ".modal .o_data_row:contains(Phone) .o_list_record_remove button",
            run: "click",
        },
        {
            content: "only the lamps are left",
            trigger: ".modal .o_list_renderer:not(:has(.o_data_row:contains(Phone)))",
        },
        {
            content: "press Return",
            trigger: ".modal footer button[name=action_return]",
            run: "click",
        },
        ...back,
    ],
});

registry.category("web_tour.tours").add("helpdesk_return_by_delivery", {
    steps: () => [
        {
            content: "press Return",
            trigger: ".o_statusbar_buttons button[name=action_return]",
            run: "click",
        },
        {
            content: "of two deliveries none is chosen, and there is no line",
            trigger: ".modal:not(:has(.o_data_row)) .o_field_widget[name=picking_id]",
        },
        {
            content: "look for a delivery",
            trigger: ".modal .o_field_widget[name=picking_id] input",
            run: "click",
        },
        {
            content: "take the first one: each is the customer's",
            trigger:
                ".modal .o_field_widget[name=picking_id] .dropdown-item:contains(/OUT/)",
            run: "click",
        },
        {
            content: "its lines come",
            trigger: ".modal .o_data_row td[name=quantity]",
        },
        {
            content: "take none",
            trigger: ".modal button[name=action_take_none]",
            run: "click",
        },
        {
            content: "nothing is proposed any more",
            trigger: ".modal .o_data_row td[name=quantity]:contains(/^0.00$/)",
        },
        {
            content: "return nothing",
            trigger: ".modal footer button[name=action_return]",
            run: "click",
        },
        {
            content: "that is refused with a sentence",
            trigger:
                ".o_error_dialog:contains(Enter a quantity to return), .modal:contains(Enter a quantity to return)",
        },
        {
            content: "close it",
            trigger:
                ".modal:contains(Enter a quantity to return) footer button:contains(Close)",
            run: "click",
        },
        {
            content: "take all",
            trigger: ".modal button[name=action_take_all]",
            run: "click",
        },
        {
            content: "all is proposed again",
            trigger:
                ".modal:not(:has(td[name=quantity]:contains(/^0.00$/))) .o_data_row",
        },
        {
            content: "press Return",
            trigger: ".modal footer button[name=action_return]",
            run: "click",
        },
        ...back,
    ],
});

registry.category("web_tour.tours").add("helpdesk_return_exchange", {
    steps: () => [
        ...open,
        {
            content: "press Return for Exchange",
            trigger: ".modal footer button[name=action_exchange]",
            run: "click",
        },
        {
            content: "the return is listed",
            // Not the lines of the pop-up, which are there until it has answered.
            trigger: "body:not(:has(.modal)) .o_list_view .o_data_row:contains(/IN/)",
        },
        {
            content: "so is the replacement",
            trigger: "body:not(:has(.modal)) .o_list_view .o_data_row:contains(/OUT/)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_return_phone", {
    steps: () => [
        {
            content: "press Return behind the button of the header",
            trigger: ".o_statusbar_buttons button.dropdown-toggle",
            run: "click",
        },
        {trigger: "button[name=action_return]", run: "click"},
        {
            content: "what can be returned stands on cards",
            trigger: ".modal .o_kanban_record:contains(Lamp):contains(3.00)",
        },
        {
            content: "the fields are as wide as the cards",
            trigger: ".modal .o_field_widget[name=picking_id]",
            run() {
                const right = (element) => element.getBoundingClientRect().right;
                const cards = document.querySelector(".modal [name=line_ids]");
                if (
                    Math.abs(right(this.anchor.closest(".o_cell")) - right(cards)) > 1
                ) {
                    throw new Error("the fields end before the right edge");
                }
            },
        },
        {trigger: ".modal footer button[name=action_return]", run: "click"},
        {
            content: "the agent reads the transfer",
            trigger: "body:not(:has(.modal)) .o_form_view:contains(IN/)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_process_return_phone", {
    steps: () => [
        {
            content: "the first button of the header",
            trigger: "button[name=action_process_return]",
            run: "click",
        },
        {
            content: "what was announced stands on cards, as sound",
            trigger: ".modal .o_kanban_record:contains(Lamp):contains(3.00)",
            run: "click",
        },
        {
            content: "say in which condition it came",
            trigger: ".modal .o_field_radio input[data-value=damaged]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=note] input",
            run: "edit A dent",
        },
        {
            content: "back to the cards",
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            trigger: ".modal .o_kanban_record:contains(A dent)",
        },
        {
            content: "one press makes it all",
            trigger: ".modal footer button[name=action_process]",
            run: "click",
        },
        {
            content: "the return is done",
            trigger: "body:not(:has(.modal)) .o_form_view:contains(IN/)",
        },
    ],
});
