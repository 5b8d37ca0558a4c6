from odoo import fields, models


class HelpdeskTicket(models.Model):
    """What is to follow, on the ticket and in both timelines (X18)."""

    _inherit = "helpdesk.ticket"

    step_ids = fields.One2many(
        comodel_name="helpdesk.after.sales.step",
        inverse_name="ticket_id",
        string="Plan",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )

    def _get_own_acts(self, customer):
        acts = super()._get_own_acts(customer)
        styles = {"failed": "danger", "cancelled": "secondary"}
        # sudo: the caller has checked that the ticket may be read.
        for step in self.sudo().step_ids:
            if step.state == "done" or (
                customer and (step.state == "cancelled" or not step._is_promised())
            ):
                continue  # the document tells it; the customer was promised nothing
            states = dict(step._fields["state"]._description_selection(self.env))
            acts.append(
                {
                    "date": step.create_date,
                    "title": step._describe(),
                    "state": self.env._("Next") if customer else states[step.state],
                    "style": "info" if customer else styles.get(step.state, "info"),
                    "detail": "" if customer else step.reason or "",
                }
            )
        return acts
