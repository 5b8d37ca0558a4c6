import {xml} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {Many2One} from "@web/views/fields/many2one/many2one";
import {
    buildM2OFieldDescription,
    Many2OneField,
} from "@web/views/fields/many2one/many2one_field";
import {
    Many2ManyTagsField,
    many2ManyTagsField,
} from "@web/views/fields/many2many_tags/many2many_tags_field";
import {Many2XAutocomplete} from "@web/views/fields/relational_utils";

/**
 * Choose from what a customer bought. The ticket offers names also to agents who can't
 * read the documents themselves: the dialog behind "Search more" would be refused to
 * them, so more is listed instead. On a phone Odoo opens that dialog at once, with
 * everybody's documents: here the list as well.
 *
 * The view says in the context, under `helpdesk_purchase_of`, which ticket is asked and
 * what else is chosen in the form. Nothing on the server reads that key.
 */
class PurchaseAutocomplete extends Many2XAutocomplete {
    static template = xml`
        <div class="o_input_dropdown" t-ref="autocomplete_container">
            <AutoComplete t-props="autoCompleteProps">
                <t t-set-slot="option" t-slot-scope="optionScope">
                    <t t-slot="{{ optionScope.data.slotName }}" t-props="optionScope.data" label="optionScope.label">
                        <t t-out="optionScope.label"/>
                    </t>
                </t>
            </AutoComplete>
            <span class="o_dropdown_button" />
        </div>`;
    static defaultProps = {...Many2XAutocomplete.defaultProps, searchLimit: 30};

    async search(name) {
        const scope = this.props.context.helpdesk_purchase_of;
        if (!scope) {
            return super.search(name);
        }
        const {ticket_id: ticketId, ...chosen} = scope;
        const names = await this.orm.call(
            "helpdesk.ticket",
            "search_purchases",
            [ticketId ? [ticketId] : [], this.props.resModel],
            {name, limit: this.props.searchLimit + 1, chosen}
        );
        return names.map(([id, displayName]) => ({id, display_name: displayName}));
    }

    addSearchMoreSuggestion() {
        return false;
    }
}

class PurchaseMany2One extends Many2One {
    static components = {
        ...Many2One.components,
        Many2XAutocomplete: PurchaseAutocomplete,
    };
}

class PurchaseField extends Many2OneField {
    static components = {...Many2OneField.components, Many2One: PurchaseMany2One};
}

class PurchaseTagsField extends Many2ManyTagsField {
    static components = {
        ...Many2ManyTagsField.components,
        Many2XAutocomplete: PurchaseAutocomplete,
    };
}

registry.category("fields").add("helpdesk_purchase", {
    ...buildM2OFieldDescription(PurchaseField),
});

registry.category("fields").add("helpdesk_purchase_tags", {
    ...many2ManyTagsField,
    component: PurchaseTagsField,
});
