from odoo import api, models
from odoo.fields import Domain

from odoo.addons.project.models.project_task import CLOSED_STATES

from .fsm_visit import format_moment, format_span


class ProjectTask(models.Model):
    """A visit as a document of a ticket: the one part of it that knows tickets."""

    _name = "project.task"
    _inherit = [
        "helpdesk.after.sales.document",
        "helpdesk.readable.mixin",
        "project.task",
    ]
    _helpdesk_ticket_path = "helpdesk_ticket_id"

    @api.ondelete(at_uninstall=False)
    def _tell_ticket_of_deletion(self):
        self._after_sales_tell_ticket(
            {
                task: self.env._(
                    "Field service task %(document)s was deleted.",
                    document=task.display_name,
                )
                for task in self.filtered("is_fsm")
            }
        )

    def _after_sales_kind(self):
        return self.env._("Field service task")

    def write(self, vals):
        if "state" not in vals:
            return super().write(vals)
        # sudo: who changes a task may not read what is compared here.
        former = {task: task.state for task in self.sudo()}
        result = super().write(vals)
        self.sudo().filtered("is_fsm")._tell_ticket_of_end(former)
        return result

    def _fsm_tell(self, sentence):
        self._after_sales_tell_ticket({self: sentence})
        return super()._fsm_tell(sentence)

    def _tell_ticket_of_end(self, former_states):
        """Tell the tickets of tasks that were done or cancelled just now."""
        sentences = {}
        for task in self:
            state = former_states[task]
            if task.state == state:
                continue
            if task.state == "1_done":
                sentences[task] = self.env._(
                    "Field service task %(document)s is done.",
                    document=task._get_html_link(),
                )
            elif task.state == "1_canceled":
                sentences[task] = self.env._(
                    "Field service task %(document)s was cancelled.",
                    document=task._get_html_link(),
                )
        self._after_sales_tell_ticket(sentences)

    @api.model
    def _after_sales_open_domain(self):
        return Domain("is_fsm", "=", True) & Domain("state", "not in", [*CLOSED_STATES])

    def _prepare_next_visit_values(self, deadline, delta):
        """The next visit is made on the same ticket, for the same reason."""
        return super()._prepare_next_visit_values(deadline, delta) | {
            "helpdesk_ticket_id": self.helpdesk_ticket_id.id,
            "helpdesk_reason_id": self.helpdesk_reason_id.id,
        }

    def _prepare_worksheet_content(self):
        content = super()._prepare_worksheet_content()
        return content | {"ticket": self.helpdesk_ticket_id.ticket_ref or ""}

    # -- Timeline (X7) -------------------------------------------------------

    def _prepare_timeline_values(self, customer=False):
        if not self.is_fsm:
            return not customer and super()._prepare_timeline_values(customer)
        values = super()._prepare_timeline_values(customer)
        if self.state == "1_canceled":
            values["state"], values["style"] = self.env._("Cancelled"), "secondary"
        elif self.fsm_done or self.state == "1_done":
            values["state"], values["style"] = self.env._("Done"), "success"
        elif self.planned_date_begin:
            values["state"], values["style"] = self.env._("Planned"), "info"
            values["promised"] = self.planned_date_begin
            values["promise"] = self._get_visit_promise()
        else:
            values["state"], values["style"] = self.env._("To be planned"), "info"
        if customer:
            values["title"] = self.env._("Visit: %(name)s", name=self.name)
            if self.state != "1_canceled" and not self.env.user._is_public():
                # Without its key, which signs: a link to the ticket isn't enough.
                values["url"] = f"/my/visits/{self.id}"
                values["url_label"] = self.env._("See the visit")
        return values

    def _get_visit_promise(self):
        """Return the sentence, with ``%(date)s``, that says when somebody comes: until
        another day where the visit lasts that long."""
        begin, end = self.planned_date_begin, self.date_deadline
        zone = self.env.context.get("tz") or self._get_visit_tz(self.partner_id)
        if format_span(self.env, begin, end, zone) == format_moment(
            self.env, begin, zone
        ):
            return self.env._("We will visit you on %(date)s")
        return self.env._(
            "We will visit you on %(date)s, until %(end)s",
            date="%(date)s",
            end=format_moment(self.env, end, zone).replace("%", "%%"),
        )
