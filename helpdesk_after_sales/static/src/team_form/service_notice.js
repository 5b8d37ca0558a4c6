import {Component} from "@odoo/owl";

import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/** What switching a service on would install, or why it can't be (S11). */
export class ServiceNotice extends Component {
    static template = "helpdesk_after_sales.ServiceNotice";
    static props = {...standardWidgetProps, switch: String};

    get notice() {
        return (this.props.record.data.service_notices || {})[this.props.switch];
    }

    get pending() {
        return this.props.record.data[this.props.switch];
    }

    get blocked() {
        return (this.props.record.data.blocked_services || []).includes(
            this.props.switch
        );
    }
}

registry.category("view_widgets").add("helpdesk_service", {
    component: ServiceNotice,
    extractProps: ({attrs}) => ({switch: attrs.switch}),
});
