import {toRaw} from "@odoo/owl";

import {registerMessageAction} from "@mail/core/common/message_actions";

import {_t} from "@web/core/l10n/translation";

/** Take a message out of a ticket: it becomes one of its own. */
registerMessageAction("helpdesk-split", {
    condition: ({message, thread, store}) =>
        thread?.model === "helpdesk.ticket" &&
        message.persistent &&
        message.isDiscussion &&
        ["comment", "email"].includes(message.message_type) &&
        store.self?.main_user_id?.share === false,
    icon: "fa fa-code-fork",
    name: _t("Split off into a Ticket"),
    async onSelected({message: msg, owner, thread: thr}) {
        const message = toRaw(msg);
        const thread = toRaw(thr);
        const {orm, action} = owner.env.services;
        action.doAction(
            await orm.call("helpdesk.ticket", "action_split", [[thread.id], message.id])
        );
    },
    sequence: 75,
});
