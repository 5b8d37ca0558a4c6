import {exportAllItem} from "@web/views/list/export_all/export_all";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";

/** Agents export the tickets that they see, also where they may export nothing else. */
registry.category("cogMenu").add("helpdesk-export-all-menu", {
    ...exportAllItem,
    isDisplayed: async (env) =>
        env.searchModel.resModel === "helpdesk.ticket" &&
        ["kanban", "list"].includes(env.config.viewType) &&
        !env.model.root.selection.length &&
        !(await user.hasGroup("base.group_allow_export")) &&
        (await user.hasGroup("helpdesk_after_sales.group_helpdesk_user")),
});
