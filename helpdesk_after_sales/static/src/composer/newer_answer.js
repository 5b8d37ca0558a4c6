import {toRaw} from "@odoo/owl";

import {Composer} from "@mail/core/common/composer";

import {ConfirmationDialog} from "@web/core/confirmation_dialog/confirmation_dialog";
import {_t} from "@web/core/l10n/translation";
import {patch} from "@web/core/utils/patch";

/** Stop before an answer is sent that somebody else has given in the meantime. */
patch(Composer.prototype, {
    async sendMessage() {
        const {composer, type} = this.props;
        const thread = toRaw(composer).thread;
        const known = thread?.newestPersistentMessage?.id;
        if (
            thread?.model !== "helpdesk.ticket" ||
            type === "note" ||
            composer.message ||
            !known ||
            !this.canProcessMessage
        ) {
            return super.sendMessage(...arguments);
        }
        if (this.helpdeskAsking) {
            return;
        }
        this.helpdeskAsking = true;
        try {
            const newer = await this.env.services.orm.call(
                "helpdesk.ticket",
                "get_newer_answers",
                [[thread.id], known]
            );
            if (newer.length && !(await this.helpdeskConfirm(newer))) {
                await thread.fetchNewMessages();
                return;
            }
        } finally {
            this.helpdeskAsking = false;
        }
        return super.sendMessage(...arguments);
    },

    helpdeskConfirm(newer) {
        const {author, preview} = newer.at(-1);
        return new Promise((resolve) => {
            this.env.services.dialog.add(
                ConfirmationDialog,
                {
                    title: _t("There is a newer message"),
                    body: _t("%(author)s wrote in the meantime: “%(text)s”", {
                        author,
                        text: preview,
                    }),
                    confirmLabel: _t("Send anyway"),
                    confirm: () => resolve(true),
                    cancelLabel: _t("Read it first"),
                    cancel: () => resolve(false),
                },
                {onClose: () => resolve(false)}
            );
        });
    },
});
