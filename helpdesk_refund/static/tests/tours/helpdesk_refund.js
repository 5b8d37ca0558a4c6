import {registry} from "@web/core/registry";

const openRefund = [
    {
        content: "press Refund, the first button of the header",
        trigger: ".o_statusbar_buttons > button:first-child[name=action_refund]",
        run: "click",
    },
    {
        content: "a pop-up titled Refund opens",
        trigger: ".modal-title:contains(/^Refund$/)",
    },
    {
        content: "the order is that of the ticket",
        trigger:
            ".modal .o_field_widget[name=helpdesk_sale_order_id] input:value(/^S\\d+/)",
    },
    {
        content: "its invoice is chosen",
        trigger: ".modal .o_field_widget[name=move_ids] .o_tag:contains(INV/)",
    },
    {
        content: "what is left is shown",
        trigger: ".modal .o_data_row td[name=amount_left_to_refund]:contains(400.00)",
    },
    {
        content: "the reason is the ticket's number",
        trigger:
            ".modal .o_field_widget[name=reason] input:value(/^Helpdesk Ticket #/)",
    },
];

const backToTheTicket = [
    {
        content: "go back by the breadcrumbs",
        trigger: ".o_breadcrumb a:contains(The lamp arrived broken)",
        run: "click",
    },
    {
        content: "the ticket counts its credit note",
        trigger: "button[name=action_view_credit_notes]:contains(Credit Notes)",
    },
];

registry.category("web_tour.tours").add("helpdesk_refund_reverse", {
    steps: () => [
        ...openRefund,
        {
            content: "press Reverse",
            trigger: ".modal button[name=refund_moves]",
            run: "click",
        },
        {
            content: "the draft credit note opens",
            trigger:
                "body:not(:has(.modal)) .o_form_view:contains(Customer Credit Note) .o_arrow_button_current:contains(Draft)",
        },
        {
            content: "it leads back to its ticket",
            trigger: "button[name=action_view_helpdesk_ticket]",
        },
        ...backToTheTicket,
        {
            content: "a draft is marked",
            trigger: "button[name=action_view_credit_notes]:contains(draft)",
            run: "click",
        },
        {
            content: "the only one opens directly",
            trigger:
                ".o_form_view:contains(Customer Credit Note) button[name=action_post]",
            run: "click",
        },
        {
            content: "it is posted",
            trigger: ".o_arrow_button_current:contains(Posted)",
        },
        ...backToTheTicket,
        {
            content: "no draft any more",
            trigger: "button[name=action_view_credit_notes]:not(:contains(draft))",
        },
        {
            content: "a second time",
            trigger: "button[name=action_refund]",
            run: "click",
        },
        {
            content: "nothing is chosen now",
            trigger: ".modal .o_field_widget[name=move_ids]:not(:has(.o_tag)) input",
            run: "click",
        },
        {
            content: "choose the invoice all the same",
            trigger: ".o-autocomplete--dropdown-item:contains(INV/)",
            run: "click",
        },
        {
            content: "the pop-up says what took it",
            trigger:
                ".modal .alert:contains(already been credited in full):contains(RINV/)",
        },
        {
            content: "press Reverse",
            trigger: ".modal button[name=refund_moves]",
            run: "click",
        },
        {
            content: "it is refused with the same sentence",
            trigger:
                ".modal:not(.o_inactive_modal) .o_error_dialog, .modal:contains(Invalid Operation):contains(already been credited in full)",
        },
        {
            content: "close the message",
            trigger: ".modal:contains(Invalid Operation) footer button",
            run: "click",
        },
        {
            content: "discard",
            trigger: ".modal:not(:contains(Invalid Operation)) button[special=cancel]",
            run: "click",
        },
        {
            content: "the ticket is there",
            trigger: "body:not(:has(.modal)) button[name=action_refund]",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_refund_modify", {
    steps: () => [
        ...openRefund,
        {
            content: "press Reverse and Create Invoice",
            trigger: ".modal button[name=modify_moves]",
            run: "click",
        },
        {
            content: "the new draft invoice opens",
            trigger:
                "body:not(:has(.modal)) .o_form_view:contains(Customer Invoice) .o_arrow_button_current:contains(Draft)",
        },
        ...backToTheTicket,
        {
            content: "the credit note is posted: no draft",
            trigger: "button[name=action_view_credit_notes]:not(:contains(draft))",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_refund_without_invoicing", {
    steps: () => [
        {
            content: "the ticket is there",
            trigger: ".o_form_view .o_field_widget[name=name]",
        },
        {
            content: "without the buttons",
            trigger:
                ".o_form_view:not(:has(button[name=action_refund])):not(:has(button[name=action_view_credit_notes]))",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_refund_phone", {
    steps: () => [
        {trigger: "a[name=purchases]", run: "click"},
        {
            content: "no table",
            trigger: ".o_helpdesk_purchases:not(:has(table))",
        },
        {
            content: "the order of the line",
            trigger: ".o_helpdesk_purchases div[name=order]:contains(/S\\d+/)",
        },
        {
            content: "open the invoice that the figure is from",
            trigger: ".o_helpdesk_purchases div[name=invoiced] button",
            run: "click",
        },
        {trigger: ".o_form_view:contains(INV/)"},
        {
            content: "go back",
            trigger: ".o_back_button, .o_breadcrumb .o_back_button",
            run: "click",
        },
        {trigger: "a[name=purchases]", run: "click"},
        {
            content: "refund it",
            trigger: ".o_helpdesk_purchases button[name=action_refund]",
            run: "click",
        },
        {trigger: ".modal button[name=refund_moves]", run: "click"},
        {
            content: "the draft credit note opens",
            trigger:
                "body:not(:has(.modal)) .o_form_view:contains(Customer Credit Note)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_refund_line_with_fee", {
    steps: () => [
        ...openRefund,
        {
            content: "all of the invoice is proposed",
            trigger: ".modal .o_field_widget[name=helpdesk_total]:contains(400.00)",
        },
        {
            content: "take nothing",
            trigger: ".modal .o_selection_badge:contains(Nothing)",
            run: "click",
        },
        {
            content: "the pop-up says what is missing",
            trigger:
                ".modal .o_field_widget[name=helpdesk_choice_refusal]:contains(INV/)",
        },
        {
            content: "the quantity of the lamps",
            trigger:
                ".modal [name=helpdesk_line_ids] .o_data_row:first td[name=quantity]",
            run: "click",
        },
        {
            content: "one of them",
            trigger:
                ".modal [name=helpdesk_line_ids] .o_data_row:first td[name=quantity] input",
            run: "edit 1",
        },
        {
            content: "a fee of ten percent",
            trigger: ".modal [name=helpdesk_fee_percent] input",
            run: "edit 10",
        },
        {
            content: "leave the field",
            trigger: ".modal [name=helpdesk_amount] input",
            run: "click",
        },
        {
            content: "the total is that of the document",
            trigger: ".modal .o_field_widget[name=helpdesk_total]:contains(45.00)",
        },
        {
            content: "press Reverse",
            trigger: ".modal button[name=refund_moves]",
            run: "click",
        },
        {
            content: "the draft credit note opens",
            trigger:
                "body:not(:has(.modal)) .o_form_view:contains(Customer Credit Note) .o_arrow_button_current:contains(Draft)",
        },
    ],
});
