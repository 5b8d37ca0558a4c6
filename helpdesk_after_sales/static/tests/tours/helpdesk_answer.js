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

registry.category("web_tour.tours").add("helpdesk_two_agents_answer", {
    steps: () => [
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
    ],
});
