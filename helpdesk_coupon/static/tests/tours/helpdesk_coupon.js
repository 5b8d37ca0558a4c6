import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("helpdesk_coupon_send", {
    steps: () => [
        {
            content: "start the service",
            trigger: "button[name=action_generate_coupon]",
            run: "click",
        },
        {
            content: "the pop-up is there",
            trigger: ".modal-title:contains(Generate a Coupon)",
        },
        {
            content: "clear the program that was chosen already",
            trigger: ".modal div[name=program_id] input",
            run: "edit Sorry",
        },
        {
            content: "choose it by name",
            trigger: ".o-autocomplete--dropdown-item:contains(Sorry 10%)",
            run: "click",
        },
        {
            content: "what it gives is said in plain words",
            trigger: ".modal div[name=program_summary]:contains(10% on your order)",
        },
        {
            content: "send it",
            trigger: ".modal button[name=action_send_by_email]",
            run: "click",
        },
        {
            content: "the composer names the customer",
            trigger:
                ".modal .o_field_many2many_tags_email:contains(Contact 1 of Alder)",
        },
        {
            content: "send the message",
            trigger: ".modal button.o_mail_send",
            run: "click",
        },
        {
            content: "the pop-up is closed",
            trigger: "body:not(:has(.modal))",
        },
        {
            content: "open the coupon from the smart button",
            trigger: "button[name=action_view_coupons]",
            run: "click",
        },
        {
            content: "the coupon is valid",
            trigger: ".o_arrow_button_current:contains(Valid)",
        },
        {
            content: "go back",
            trigger: "button[name=action_view_helpdesk_ticket]",
            run: "click",
        },
        {
            content: "the message is on the ticket",
            trigger: ".o-mail-Message:contains(this code is for you)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_coupon_share", {
    steps: () => [
        {
            content: "start the service",
            trigger: "button[name=action_generate_coupon]",
            run: "click",
        },
        {
            content: "get the link",
            trigger: ".modal button[name=action_get_share_link]",
            run: "click",
        },
        {
            content: "the pop-up is there",
            trigger: ".modal-title:contains(Share Coupons)",
        },
        {
            content: "with a link",
            trigger: ".modal div[name=share_link]:contains(/coupon/)",
        },
        {
            content: "and a button to copy it",
            trigger: ".modal div[name=share_link] button:contains(Copy)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_coupon_visitor", {
    steps: () => [
        {
            content: "the link says that the code waits for something in the cart",
            trigger: ".o_notification:contains(automatically applied)",
        },
        {
            content: "put something into the cart",
            trigger: "#add_to_cart",
            run: "click",
        },
        {
            content: "it is in there",
            trigger: ".my_cart_quantity:contains(1)",
        },
        {
            content: "go to the cart",
            trigger: "a[href^='/shop/cart']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "the code was applied by the link alone",
            trigger: "#cart_products:contains(10% on your order)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_coupon_used_twice", {
    steps: () => [
        {
            content: "the link of a used code says so",
            trigger: ".o_notification:contains(already been used)",
        },
        {
            content: "and nothing was applied",
            trigger: "#cart_products:not(:contains(10% on your order))",
        },
    ],
});
