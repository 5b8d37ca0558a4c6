import {Component, onWillStart, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formatFloat} from "@web/views/fields/formatters";
import {KanbanRenderer} from "@web/views/kanban/kanban_renderer";
import {kanbanView} from "@web/views/kanban/kanban_view";

/** What I and my teams did, and what waits for me: above the cards of the teams. */
export class HelpdeskOverview extends Component {
    static template = "helpdesk_after_sales.Overview";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({open: null, done: []});
        this.open = [
            {name: "open", title: _t("Open")},
            {name: "late", title: _t("Late")},
            {name: "urgent", title: _t("Urgent")},
        ];
        this.measures = [
            {name: "closed", title: _t("Closed")},
            {name: "answered", title: _t("First Answers")},
            {name: "rating", title: _t("Rating")},
            {name: "kept", title: _t("Promises Kept")},
        ];
        this.periods = [
            {name: "today", title: _t("Today")},
            {name: "week", title: _t("7 Days")},
        ];
        // The cards don't wait for it.
        onWillStart(() => {
            this.load();
        });
    }

    async load() {
        Object.assign(
            this.state,
            await this.orm.silent.call("helpdesk.team", "get_overview", [])
        );
    }

    /** A figure as people read it; a dash for none. */
    format(name, cell) {
        if (cell.value === false) {
            return "–";
        }
        if (name === "rating") {
            return formatFloat(cell.value, {digits: [16, 1]});
        }
        return name === "kept"
            ? `${formatFloat(cell.value, {digits: [16, 0]})} %`
            : `${cell.value}`;
    }

    /** Whether a figure should catch the eye. */
    isBad(name, cell) {
        return name === "late" && cell.value > 0;
    }

    /** Show what a figure counts. */
    show(title, cell) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: title,
            res_model: cell.model,
            domain: cell.domain,
            views: [
                [false, "list"],
                [false, "form"],
            ],
            context: {create: false},
        });
    }
}

export class HelpdeskOverviewRenderer extends KanbanRenderer {
    static template = "helpdesk_after_sales.OverviewRenderer";
    static components = {...KanbanRenderer.components, HelpdeskOverview};
}

registry.category("views").add("helpdesk_overview", {
    ...kanbanView,
    Renderer: HelpdeskOverviewRenderer,
});
