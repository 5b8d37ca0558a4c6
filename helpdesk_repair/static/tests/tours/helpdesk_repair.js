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

const openPopUp = () => [
    {
        content: "press Repair",
        trigger: ".o_statusbar_buttons button[name=action_repair]",
        run: "click",
    },
    {
        content: "the product is the ticket's",
        trigger: ".modal .o_field_widget[name=product_id] input:value(Phone)",
    },
];

registry.category("web_tour.tours").add("helpdesk_repair_quotation", {
    steps: () => [
        ...openPopUp(),
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
            content: "type a new tag",
            trigger: ".modal .o_field_widget[name=tag_ids] input",
            run: "edit Cracked",
        },
        {
            content: "make it",
            trigger: ".o-autocomplete--dropdown-item:contains(Create)",
            run: "click",
        },
        {
            content: "it is there",
            trigger: ".modal .o_field_widget[name=tag_ids] .o_tag:contains(Cracked)",
        },
        {
            content: "press Create Quotation",
            trigger: ".modal footer button[name=action_create_quotation]",
            run: "click",
        },
        {
            content: "without rights to Sales the agent gets the repair",
            trigger:
                ".o_form_view:has(button[name=print_repair_order]):has(.o_data_row:contains(Screen)) .o_tag:contains(Cracked)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_repair_warranty", {
    steps: () => [
        {
            content: "the ticket says until when, and since when",
            trigger:
                ".o_field_widget[name=warranty_info]:contains(Under warranty until):contains(S/N SN-0001)",
        },
        ...openPopUp(),
        {
            content: "the pop-up says so, too",
            trigger:
                ".modal .o_field_widget[name=warranty_info]:contains(Under warranty until)",
        },
        {
            content: "Under Warranty is proposed: decide against it",
            trigger: ".modal .o_field_widget[name=under_warranty] input:checked",
            run: "click",
        },
        {
            content: "a reason is asked for",
            trigger:
                ".modal .o_field_widget.o_required_modifier[name=warranty_reason] input",
            run: "edit Dropped into the sea",
        },
        {
            content: "press Confirm Repair",
            trigger: ".modal footer button[name=action_confirm_repair]",
            run: "click",
        },
        {
            content: "the phone is not here yet; go on all the same",
            trigger:
                ".modal:has(.alert-warning:contains(not in stock)) footer button[name=action_confirm_repair]",
            run: "click",
        },
        {
            content: "the repair tells why",
            trigger: ".o_form_view .o-mail-Message:contains(Dropped into the sea)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_repair_give_back", {
    steps: () => [
        {
            content: "the repair is done: give it back",
            trigger: ".o_statusbar_buttons button[name=action_give_back]",
            run: "click",
        },
        {
            content: "it says that the delivery was made",
            trigger:
                ".o_notification:contains(Inventory sends the repaired product back)",
        },
        {
            content: "once",
            trigger: ".o_statusbar_buttons:not(:has(button[name=action_give_back]))",
        },
        {
            content: "open the repair",
            trigger: "button[name=action_view_repairs]",
            run: "click",
        },
        {
            content: "it names the delivery",
            trigger:
                ".o_form_view .o_field_widget[name=helpdesk_delivery_id]:contains(OUT)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_repair_phone", {
    steps: () => [
        {
            content: "press Repair behind the button of the header",
            trigger: ".o_statusbar_buttons button.dropdown-toggle",
            run: "click",
        },
        {trigger: "button[name=action_repair]", run: "click"},
        {
            content: "the fields are as wide as the parts",
            trigger: ".modal .o_field_widget[name=product_id]",
            run() {
                const right = (element) => element.getBoundingClientRect().right;
                const pages = document.querySelector(".modal .o_notebook");
                if (
                    Math.abs(right(this.anchor.closest(".o_cell")) - right(pages)) > 1
                ) {
                    throw new Error("the fields end before the right edge");
                }
            },
        },
        {trigger: ".modal footer button[name=action_confirm_repair]", run: "click"},
        {trigger: ".modal .alert-warning:contains(not in stock)"},
        {trigger: ".modal footer button[name=action_confirm_repair]", run: "click"},
        {
            content: "the agent reads the repair",
            trigger: "body:not(:has(.modal)) .o_form_view:contains(RO/)",
        },
    ],
});
