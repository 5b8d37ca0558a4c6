import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {reactive} from "@odoo/owl";

const MINUTE = 60 * 1000;
// Whose browser broke down says no farewell.
const FORGOTTEN = 30 * MINUTE;
const REPEATED = 5 * MINUTE;

/** Who else has the open ticket on the screen. Everybody says what they do, whoever
 * comes later is answered; nobody asks again and again. */
export const presenceService = {
    dependencies: ["bus_service", "mail.store", "orm"],

    start(env, {bus_service: bus, "mail.store": store, orm}) {
        const timers = {};
        let lastSign = 0;
        const presence = reactive({ticketId: false, own: "here", others: {}});

        async function tell(state) {
            if (!presence.ticketId) {
                return;
            }
            lastSign = Date.now();
            try {
                await orm.silent.call("helpdesk.ticket", "notify_presence", [
                    [presence.ticketId],
                    state,
                ]);
            } catch {
                // Nobody is kept from their work by it: the ticket may be gone.
            }
        }

        function forget(partnerId) {
            browser.clearTimeout(timers[partnerId]);
            delete presence.others[partnerId];
        }

        bus.subscribe("helpdesk.ticket/presence", (told) => {
            const {ticket_id: ticketId, partner_id: partnerId, name, state} = told;
            if (ticketId !== presence.ticketId || partnerId === user.partnerId) {
                return;
            }
            forget(partnerId);
            if (state !== "left") {
                presence.others[partnerId] = {name, answering: state === "answering"};
                timers[partnerId] = browser.setTimeout(
                    () => forget(partnerId),
                    FORGOTTEN
                );
            }
            if (state === "came") {
                tell(presence.own);
            }
            if (state === "sent" && presence.own !== "answering") {
                store.Thread.get({
                    model: "helpdesk.ticket",
                    id: ticketId,
                })?.fetchNewMessages();
            }
        });

        browser.addEventListener("pagehide", () => {
            if (presence.ticketId) {
                const params = {
                    model: "helpdesk.ticket",
                    method: "notify_presence",
                    args: [[presence.ticketId], "left"],
                    kwargs: {},
                };
                const body = JSON.stringify({jsonrpc: "2.0", method: "call", params});
                browser.navigator.sendBeacon(
                    "/web/dataset/call_kw/helpdesk.ticket/notify_presence",
                    new Blob([body], {type: "application/json"})
                );
            }
        });
        document.addEventListener("visibilitychange", () => {
            if (!document.hidden && Date.now() - lastSign > REPEATED) {
                tell("came");
            }
        });

        return Object.assign(presence, {
            /** Show and tell who is on this ticket. */
            enter(ticketId) {
                presence.ticketId = ticketId;
                presence.own = "here";
                bus.addChannel(`helpdesk.ticket_${ticketId}`);
                tell("came");
            },

            leave() {
                tell("left");
                bus.deleteChannel(`helpdesk.ticket_${presence.ticketId}`);
                Object.keys(presence.others).forEach(forget);
                presence.ticketId = false;
            },

            /** Say that an answer is being written, was sent, or was given up. */
            answer(ticketId, state) {
                if (ticketId === presence.ticketId) {
                    presence.own = state === "answering" ? state : "here";
                    tell(state);
                }
            },
        });
    },
};

registry.category("services").add("helpdesk_presence", presenceService);
