import {registry} from "@web/core/registry";

const SEND = ".o-mail-Composer-send:enabled";

async function answerAsSomebodyElse() {
    const {orm} = odoo.__WOWL_DEBUG__.root.env.services;
    const [partner] = await orm.searchRead(
        "res.partner",
        [["user_ids.login", "=", "after_sales_other_agent"]],
        ["id"]
    );
    const [ticket] = await orm.search(
        "helpdesk.ticket",
        [["name", "=", "The lamp arrived broken"]],
        {limit: 1}
    );
    await orm.call("helpdesk.ticket", "message_post", [[ticket]], {
        body: "A new lamp is on its way.",
        author_id: partner.id,
        message_type: "comment",
        subtype_xmlid: "mail.mt_comment",
    });
}

function answer(text) {
    return [
        {trigger: "button.o-mail-Chatter-sendMessage", run: "click"},
        {trigger: ".o-mail-Composer-input", run: `edit ${text}`},
        {trigger: SEND, run: "click"},
        {trigger: `.o-mail-Message:contains(${text})`},
    ];
}

function choose(field, text) {
    return [
        {trigger: `.o_field_widget[name=${field}] input`, run: `edit ${text}`},
        {
            trigger: `.o-autocomplete--dropdown-item:not(:contains(Create)):contains(${text})`,
            run: "click",
        },
    ];
}

const twoAgentsAnswer = () => [
    {trigger: "button.o-mail-Chatter-sendMessage", run: "click"},
    {trigger: ".o-mail-Composer-input", run: "edit Please send a picture."},
    {
        content: "a colleague is faster",
        trigger: ".o-mail-Composer-input:value(Please send a picture.)",
        run: answerAsSomebodyElse,
    },
    {trigger: SEND, run: "click"},
    {
        content: "what the colleague wrote is shown before anything is sent",
        trigger: ".modal:contains(A new lamp is on its way.) .btn-secondary",
        run: "click",
    },
    {
        content: "it is in the conversation, and the own text is kept",
        trigger: ".o-mail-Message:contains(A new lamp is on its way.)",
    },
    {trigger: ".o-mail-Composer-input:value(Please send a picture.)"},
    {content: "it's still right", trigger: SEND, run: "click"},
    {trigger: ".o-mail-Message:contains(Please send a picture.)"},
];

registry.category("web_tour.tours").add("helpdesk_agents_day", {
    steps: () => [
        {
            content: "the tickets that nobody takes care of",
            trigger:
                ".o_kanban_record:contains(After-Sales Test Team) a:contains(Unassigned)",
            run: "click",
        },
        {
            trigger: ".o_kanban_record:contains(The lamp arrived broken)",
            run: "click",
        },
        {content: "take it", trigger: "button[name=action_assign_to_me]", run: "click"},
        {
            trigger: ".o_field_widget[name=user_id] input:value(after_sales_agent)",
        },
        {
            content: "begin",
            trigger: ".o_statusbar_status button:contains(In Progress)",
            run: "click",
        },
        {trigger: ".o_arrow_button_current:contains(In Progress)"},
        {
            content: "a colleague opens the ticket, too",
            trigger: ".o-mail-Chatter",
            run: () => {
                const {services} = odoo.__WOWL_DEBUG__.root.env;
                services.helpdesk_presence.others[0] = {name: "Bea", answering: true};
            },
        },
        {trigger: ".o_helpdesk_presence:contains(Bea)"},
        ...twoAgentsAnswer(),

        {content: "a macro", trigger: "button[name=action_macro]", run: "click"},
        ...choose("macro_id", "Ask for a photo"),
        {trigger: ".modal .o_field_widget[name=body]:contains(photo of the damage)"},
        {trigger: ".modal button[name=action_apply]", run: "click"},
        {trigger: ".o-mail-Message:contains(photo of the damage)"},

        {
            content: "the carrier is asked aside",
            trigger: ".o_notebook_headers a:contains(Side Conversations)",
            run: "click",
        },
        {trigger: "button[name=action_begin_conversation]", run: "click"},
        ...choose("partner_ids", "Carrier"),
        {trigger: ".o_field_widget[name=partner_ids] .o_tag:contains(Carrier)"},
        ...answer("Where is the parcel?"),
        {trigger: ".o_back_button, .breadcrumb-item.o_back_button a", run: "click"},
        {
            content: "it isn't among what the customer reads",
            trigger:
                ".o-mail-Chatter:has(.o-mail-Message:contains(photo of the damage)):not(:contains(Where is the parcel?))",
        },

        {
            content: "another matter becomes a ticket of its own",
            trigger: ".o-mail-Message:contains(Where is my invoice?)",
            run: "hover && click .o-mail-Message:contains(Where is my invoice?) [title='Expand']",
        },
        {trigger: ".o-dropdown-item:contains(Split off)", run: "click"},
        {trigger: ".o-mail-Message:contains(Split off from)"},
        {trigger: "button[name=action_close_and_next]", run: "click"},

        {
            content: "the next one: answered and closed by three clicks",
            trigger: ".o-mail-Message:contains(photo of the damage)",
        },
        ...answer("A new lamp was sent."),
        {trigger: "button[name=action_close_and_next]", run: "click"},

        {
            content: "the next one is spam, which takes one",
            trigger: ".o_field_widget[name=name] textarea:value(You have won)",
        },
        {trigger: "button[name=action_spam]", run: "click"},
        {trigger: ".o_notification:contains(win@spam.example.com)"},
    ],
});
