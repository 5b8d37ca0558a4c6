import {Component} from "@odoo/owl";

import {formatDateTime} from "@web/core/l10n/dates";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const {DateTime} = luxon;

/** Until when something was promised: "in 2 hours", red when it is past. */
export class HelpdeskDeadlineField extends Component {
    static template = "helpdesk_after_sales.DeadlineField";
    static props = {...standardFieldProps};

    get value() {
        return this.props.record.data[this.props.name];
    }

    get moment() {
        return formatDateTime(this.value);
    }

    get text() {
        return this.value.toRelative();
    }

    get className() {
        const now = DateTime.local();
        if (this.value < now) {
            return "text-danger fw-bold";
        }
        return this.value.hasSame(now, "day") ? "text-warning fw-bold" : "text-muted";
    }
}

registry.category("fields").add("helpdesk_deadline", {
    component: HelpdeskDeadlineField,
    displayName: _t("Deadline"),
    supportedTypes: ["datetime"],
});
