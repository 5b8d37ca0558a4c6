from odoo import Command, api, fields, models
from odoo.fields import Domain


class RepairOrder(models.Model):
    _name = "repair.order"
    _inherit = ["repair.order", "helpdesk.after.sales.document"]

    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
        help="Technical: for the record rule of helpdesk users.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        # sudo: the ids only; the domain is asked as the user himself.
        readable = self.sudo().search(
            Domain("id", "in", self.ids) & Domain("helpdesk_readable", "=", True)
        )
        for repair in self:
            repair.helpdesk_readable = repair.sudo() in readable

    @api.model
    def _search_helpdesk_readable(self, operator, value):
        return self.env["helpdesk.ticket"]._search_document_readable(
            self._name, "helpdesk_ticket_id", operator, value
        )

    def action_create_helpdesk_ticket(self):
        """Return the action that opens a new ticket about this repair, filled from it;
        saving links the two.

        :raises AccessError: for users who may not create tickets
        """
        self.ensure_one()
        tickets = self.env["helpdesk.ticket"]
        team = self.env["helpdesk.team"].search(
            [("company_id", "=", self.company_id.id)], limit=1
        )
        values = {"partner_id": self.partner_id.id, "team_id": team.id}
        bought = {"product_id": self.product_id.id, "lot_id": self.lot_id.id}
        draft = tickets.new(values | bought)
        # Goods that were bought elsewhere are repaired, too.
        for name in bought:
            if draft[name] and draft._is_purchased(name):
                values[name] = bought[name]
        values["repair_ids"] = [Command.link(self.id)]
        return tickets._get_new_ticket_action(values)

    def write(self, vals):
        before = {repair: repair.state for repair in self if "state" in vals}
        result = super().write(vals)
        told = self._get_helpdesk_state_sentences()
        self._after_sales_tell_ticket(
            {
                repair: told[repair.state] % {"repair": repair._get_html_link()}
                for repair, state in before.items()
                if repair.helpdesk_ticket_id
                and repair.state != state
                and repair.state in told
            }
        )
        return result

    @api.model
    def _get_helpdesk_state_sentences(self):
        """Return ``{state: sentence}`` for the ticket when a repair gets there."""
        return {
            "confirmed": self.env._("Repair %(repair)s was confirmed."),
            "under_repair": self.env._("Repair %(repair)s was started."),
            "done": self.env._("Repair %(repair)s is done."),
            "cancel": self.env._("Repair %(repair)s was cancelled."),
        }

    @api.model
    def _after_sales_agent_views(self):
        return {
            kind: self.env.ref(f"helpdesk_repair.repair_order_view_{kind}_agent").id
            for kind in ("list", "form")
        }

    @api.model
    def _after_sales_open_domain(self):
        return Domain("state", "not in", ("done", "cancel"))

    def _after_sales_kind(self):
        return self.env._("Repair")
