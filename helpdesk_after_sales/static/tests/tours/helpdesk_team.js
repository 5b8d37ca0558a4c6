import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

registry.category("web_tour.tours").add("helpdesk_manager_sets_up_a_team", {
    steps: () => [
        {
            content: "open the settings of the team from its card",
            trigger: ".o_kanban_record:contains(After-Sales Test Team)",
            run: "hover && click .o_kanban_record:contains(After-Sales Test Team) .o_dropdown_kanban button",
        },
        {trigger: ".o-dropdown--menu a:contains(Settings)", run: "click"},
        {
            content: "the section After-Sales is there",
            trigger: "h2:contains(After-Sales)",
        },
        {
            content: "switch a service on that is installed",
            trigger: "#use_fsm input:enabled:not(:checked)",
            run: "click",
        },
        {
            content:
                "a service that is not installed is not the manager's to switch on",
            trigger: "#use_coupons input:disabled",
        },
        {
            content: "who may is named",
            trigger: "#use_coupons:contains(can install it):contains(Saving installs)",
        },
        ...stepUtils.saveForm(),
        {
            content: "back to the overview and to the tickets of the team",
            trigger: ".breadcrumb-item a",
            run: "click",
        },
        {
            trigger:
                ".o_kanban_record:contains(After-Sales Test Team) a:contains(Open)",
            run: "click",
        },
        {
            content: "make a stage",
            trigger:
                ".o_column_quick_create.o_quick_create_folded .o_quick_create_button",
            run: "click",
        },
        {trigger: ".o_column_quick_create input", run: "edit Waiting for Parts"},
        {trigger: ".o_column_quick_create .o_kanban_add", run: "click"},
        {
            content: "the stage is a column of this team",
            trigger: ".o_kanban_group:contains(Waiting for Parts)",
        },
    ],
});

registry.category("web_tour.tours").add("helpdesk_agent_merges_two_tickets", {
    steps: () => [
        {content: "as a list", trigger: ".o_switch_view.o_list", run: "click"},
        {
            content: "the one",
            trigger:
                ".o_data_row:contains(Broken lamp, once more) .o_list_record_selector input",
            run: "click",
        },
        {
            content: "and the other of the same customer",
            trigger:
                ".o_data_row:contains(Broken lamp):not(:contains(once more)) .o_list_record_selector input",
            run: "click",
        },
        {trigger: ".o_selection_box:contains(2)"},
        {
            trigger: ".o_cp_action_menus button:contains(Actions)",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .o_menu_item:contains(Merge)",
            run: "click",
        },
        {
            content: "the first one is kept",
            trigger: ".modal .o_field_widget[name=target_id] input:value(Broken lamp)",
        },
        {
            content: "both are named",
            trigger: ".modal:has(.o_data_row:eq(1))",
        },
        {trigger: ".modal button[name=action_merge]", run: "click"},
        {
            content: "the kept ticket is open, with the messages of the other",
            trigger: ".o_form_view .o-mail-Message:contains(Where is my answer?)",
        },
        {
            content: "and a note says where they come from",
            trigger: ".o-mail-Message:contains(once more)",
        },
    ],
});
