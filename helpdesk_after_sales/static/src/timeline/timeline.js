import {Component, markup, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/**
 * What was done on a ticket. A page of a notebook is made when it is opened: nothing is
 * asked for before.
 */
export class Timeline extends Component {
    static template = "helpdesk_after_sales.Timeline";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({html: ""});
        onWillStart(() => this.load(this.props.record));
        onWillUpdateProps((props) => this.load(props.record));
    }

    async load(record) {
        if (record.resId) {
            const html = await this.orm.call("helpdesk.ticket", "get_timeline", [
                [record.resId],
            ]);
            // Rendered by our own template, which escapes what people wrote.
            this.state.html = markup(html);
        }
    }

    open(ev) {
        const link = ev.target.closest("a[data-model]");
        if (link) {
            ev.preventDefault();
            this.action.doAction({
                type: "ir.actions.act_window",
                res_model: link.dataset.model,
                res_id: Number(link.dataset.id),
                views: [[false, "form"]],
            });
        }
    }
}

registry.category("view_widgets").add("helpdesk_timeline", {component: Timeline});
