import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("helpdesk_return_request", {
    steps: () => [
        {
            trigger: "a:contains(Your purchases)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "the customer asks to return the lamps",
            trigger: ".o_helpdesk_purchase:contains(Lamp) a:contains(Return)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "input[name=quantity]",
            run: "edit 2",
        },
        {
            trigger: "select[name=wish]",
            run: "selectByLabel Exchange",
        },
        {
            trigger: "textarea[name=description]",
            run: "edit Both flicker.",
        },
        {
            trigger: "form button[type=submit]:contains(Request a return)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_helpdesk_timeline:contains(Waiting for an answer)",
        },
    ],
});

tours.add("helpdesk_return_approve", {
    steps: () => [
        {
            content: "the agent sees what is asked for, and that it can be done",
            trigger: "[name=request]:contains(2 × Lamp):contains(All of it is still)",
        },
        {
            trigger: "button[name=action_approve_request]",
            run: "click",
        },
        {
            content: "the pop-up says what it answers",
            trigger:
                ".modal .alert-info:contains(2 × Lamp):contains(Requested: Exchange)",
        },
        {
            content: "the pop-up is filled with exactly that",
            trigger:
                ".modal .o_data_row:contains(Lamp) td[name=quantity]:contains(2.00)",
        },
        {
            trigger:
                ".modal .o_data_row:contains(Phone) td[name=quantity]:contains(0.00)",
        },
        {
            trigger: ".modal footer button[name=action_return]",
            run: "click",
        },
        {
            trigger: ".o_breadcrumb a:contains(Return of)",
            run: "click",
        },
        {
            content: "the question is answered",
            trigger: "button[name=action_view_returns]",
        },
        {
            trigger: ".o_form_sheet_bg:not(:has(button[name=action_approve_request]))",
        },
        {
            trigger: "a[name=timeline]",
            run: "click",
        },
        {
            trigger: ".o_helpdesk_timeline:contains(Approved)",
        },
    ],
});

tours.add("helpdesk_return_decline", {
    steps: () => [
        {
            trigger: "button[name=action_decline_request]",
            run: "click",
        },
        {
            trigger: ".modal [name=reason] textarea",
            run: "edit It was thrown",
        },
        {
            trigger: ".modal [name=answer] textarea",
            run: "edit We can't take it back.",
        },
        {
            trigger: ".modal footer button[name=action_decline]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal)) .o-mail-Message:contains(take it back)",
        },
    ],
});

tours.add("helpdesk_return_slip", {
    steps: () => [
        {
            content: "the slip is on the page of the ticket",
            trigger: ".o_helpdesk_timeline a[href*='/return/']:contains(Return slip)",
        },
    ],
});
