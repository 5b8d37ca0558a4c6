import {Component, useEffect, useState} from "@odoo/owl";

import {Composer} from "@mail/core/common/composer";

import {formatList} from "@web/core/l10n/utils";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {patch} from "@web/core/utils/patch";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** A line above a ticket that somebody else has open, too. */
export class HelpdeskPresence extends Component {
    static template = "helpdesk_after_sales.Presence";
    static props = {...standardWidgetProps};

    setup() {
        this.presence = useState(useService("helpdesk_presence"));
        useEffect(
            (ticketId) => {
                if (ticketId) {
                    this.presence.enter(ticketId);
                    return () => this.presence.leave();
                }
            },
            () => [this.props.record.resId]
        );
    }

    get names() {
        const others = Object.values(this.presence.others);
        const answering = others.filter((other) => other.answering);
        return formatList(
            (answering.length ? answering : others).map((other) => other.name)
        );
    }

    get isAnswering() {
        return Object.values(this.presence.others).some((other) => other.answering);
    }

    get text() {
        return this.isAnswering
            ? _t("Writing an answer now: %s", this.names)
            : _t("Also on this ticket: %s", this.names);
    }
}

registry.category("view_widgets").add("helpdesk_presence", {
    component: HelpdeskPresence,
});

patch(Composer.prototype, {
    setup() {
        super.setup();
        useEffect(
            (ticketId) => {
                if (ticketId) {
                    this.helpdeskSent = false;
                    const presence = this.env.services.helpdesk_presence;
                    presence.answer(ticketId, "answering");
                    return () =>
                        presence.answer(ticketId, this.helpdeskSent ? "sent" : "here");
                }
            },
            () => [this.helpdeskAnsweredTicket]
        );
    },

    /** The id of the ticket that an answer is being written to. */
    get helpdeskAnsweredTicket() {
        const {composer, type} = this.props;
        return (
            composer.thread?.model === "helpdesk.ticket" &&
            type === "message" &&
            Boolean(composer.composerText) &&
            composer.thread.id
        );
    },

    async sendMessage() {
        this.helpdeskSent = true;
        return super.sendMessage(...arguments);
    },
});
