import {registry} from "@web/core/registry";

const CHATTER = "#chatterRoot:shadow";

registry.category("web_tour.tours").add("helpdesk_portal", {
    steps: () => [
        {
            content: "the card of the home page leads to the tickets",
            trigger: ".o_portal_index_card:not(.d-none) a[href='/my/tickets']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "only the open tickets",
            trigger: "#portal_searchbar_filters",
            run: "click",
        },
        {
            trigger: ".dropdown-menu.show a:contains(/^Open$/)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "open the ticket",
            trigger: ".o_portal_my_doc_table a:contains(A: lamp broken)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "what the agent answered is there",
            trigger: `${CHATTER} .o-mail-Message:contains(Public answer to A)`,
        },
        {
            content: "what agents say among themselves isn't",
            trigger: `${CHATTER} .o-mail-Thread:not(:contains(Secret note))`,
        },
        {
            content: "write an answer",
            trigger: `${CHATTER} .o-mail-Composer-input`,
            run: "edit It still flickers",
        },
        {
            trigger: `${CHATTER} .o-mail-Composer button[title='Send']:enabled, ${CHATTER} .o-mail-Composer-send:enabled`,
            run: "click",
        },
        {
            content: "it shows at once",
            trigger: `${CHATTER} .o-mail-Message:contains(It still flickers)`,
        },
        {
            content: "close the ticket",
            trigger: "button:contains(Close this ticket)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "it is closed",
            trigger: ".alert-success:contains(The ticket is closed)",
        },
        {
            content: "open it again",
            trigger: "button:contains(Reopen this ticket)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".alert-success:contains(The ticket is open again)",
        },
        {
            content: "back to the list",
            trigger: ".breadcrumb a[href='/my/tickets']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_portal_my_doc_table a:contains(A: lamp broken)",
        },
    ],
});
