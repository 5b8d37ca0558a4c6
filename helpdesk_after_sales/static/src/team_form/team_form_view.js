import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {formView} from "@web/views/form/form_view";

class TeamRecord extends formView.Model.Record {
    /** Whether saving the record as it is now installs an addon on the server. */
    get installsService() {
        return Object.keys(this.data.service_notices || {}).some(
            (name) => this.data[name]
        );
    }

    /** Block the screen while addons are installed, and load the new client after it. */
    async _save() {
        if (!this.installsService || !this.dirty) {
            return super._save(...arguments);
        }
        if (this.model._urgentSave) {
            // Whoever closes the tab is asked by the browser: nothing is installed then.
            return false;
        }
        const ui = this.model.env.services.ui;
        ui.block({
            message: _t("Installing what the service needs. This may take a minute…"),
        });
        let saved = false;
        try {
            saved = await super._save(...arguments);
        } finally {
            ui.unblock();
        }
        if (saved) {
            // In its own turn: the URL of a record that was just created comes first.
            browser.setTimeout(() => browser.location.reload());
        }
        return saved;
    }
}

class TeamModel extends formView.Model {
    static Record = TeamRecord;
}

class TeamController extends formView.Controller {
    /** Whoever looks at another tab has not decided to install something yet. */
    beforeVisibilityChange() {
        if (!this.model.root.installsService) {
            return super.beforeVisibilityChange();
        }
    }
}

registry.category("views").add("helpdesk_team_form", {
    ...formView,
    Controller: TeamController,
    Model: TeamModel,
});
