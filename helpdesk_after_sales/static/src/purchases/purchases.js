import {Component, onWillStart, onWillUpdateProps, useState} from "@odoo/owl";
import {Pager} from "@web/core/pager/pager";
import {deserializeDateTime, formatDate} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formatFloat} from "@web/views/fields/formatters";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/**
 * What the customer of a ticket bought, and what can be done about it. A page of a
 * notebook is made when it is opened: nothing is asked for before.
 */
export class Purchases extends Component {
    static template = "helpdesk_after_sales.Purchases";
    static components = {Pager};
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.ui = useService("ui");
        this.limit = 20;
        this.state = useState({
            offset: 0,
            total: 0,
            columns: [],
            rows: [],
            everything: false,
        });
        onWillStart(() => this.load(this.props.record, 0));
        onWillUpdateProps((props) => this.load(props.record, 0));
    }

    async load(record, offset) {
        if (record.resId) {
            const result = await this.orm.call(
                "helpdesk.ticket",
                "get_purchases",
                [[record.resId]],
                {offset, limit: this.limit, everything: this.state.everything}
            );
            Object.assign(this.state, result, {offset});
        }
    }

    format(column, row) {
        const value = row[column.name];
        if (column.type === "quantity") {
            return value ? formatFloat(value, {trailingZeros: false}) : "";
        }
        if (column.type === "date") {
            return value ? formatDate(deserializeDateTime(value)) : "";
        }
        return value || "";
    }

    get isFiltered() {
        const {sale_order_id, product_id, lot_id} = this.props.record.data;
        return Boolean(sale_order_id || product_id || lot_id);
    }

    async showEverything(everything) {
        this.state.everything = everything;
        await this.load(this.props.record, 0);
    }

    /** Say that the ticket is about this purchase, too. */
    async add({id}) {
        const {record} = this.props;
        await record.save();
        await this.orm.call("helpdesk.ticket", "action_add_lines", [
            [record.resId],
            [id],
        ]);
        await record.load();
        await this.load(record, this.state.offset);
    }

    /** Open the documents that a figure is from: those that the user may read. */
    open(column, {links}) {
        const {model, ids} = links[column.name];
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: column.label,
            res_model: model,
            ...(ids.length === 1
                ? {res_id: ids[0], views: [[false, "form"]]}
                : {
                      domain: [["id", "in", ids]],
                      views: [
                          [false, "list"],
                          [false, "form"],
                      ],
                  }),
        });
    }

    async press({method, context}) {
        const {record} = this.props;
        await record.save();
        const action = await this.orm.call("helpdesk.ticket", method, [[record.resId]]);
        action.context = {...action.context, ...context};
        await this.action.doAction(action, {onClose: () => record.load()});
    }
}

registry.category("view_widgets").add("helpdesk_purchases", {component: Purchases});
