from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskTicketMerge(models.TransientModel):
    """One matter that came in as several tickets becomes one ticket again."""

    _name = "helpdesk.ticket.merge"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Merge Tickets"

    ticket_ids = fields.Many2many(
        comodel_name="helpdesk.ticket",
        string="Tickets",
        domain="[('company_id', '=', company_id), ('commercial_partner_id', 'in', "
        "(False, commercial_partner_id))] if commercial_partner_id else []",
    )
    target_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Keep",
        compute="_compute_target_id",
        store=True,
        readonly=False,
        domain="[('id', 'in', ticket_ids)]",
        help="The other tickets are archived, and what belongs to them moves here.",
    )
    company_id = fields.Many2one(related="target_id.company_id")
    commercial_partner_id = fields.Many2one(related="target_id.commercial_partner_id")

    other_people = fields.Char(compute="_compute_other_people")
    people_confirmed = fields.Boolean(string="They Belong Together")

    @api.depends("ticket_ids")
    def _compute_other_people(self):
        for wizard in self:
            tickets = wizard.ticket_ids._origin
            others = tickets._get_other_people()
            wizard.other_people = ", ".join(
                ticket._describe_customer()
                for ticket in ((tickets - others)[:1] | others if others else others)
            )

    @api.depends("ticket_ids")
    def _compute_target_id(self):
        for wizard in self:
            if wizard.target_id not in wizard.ticket_ids:
                # The first one that came in.
                wizard.target_id = wizard.ticket_ids._origin.sorted("id")[:1]

    @api.constrains("ticket_ids", "target_id")
    def _check_tickets(self):
        # Their names and customers show in the pop-up. Constraints run as superuser:
        # ask as the user.
        (self.ticket_ids | self.target_id).sudo(False).check_access("read")

    def action_merge(self):
        """Merge the tickets, and open the one that is kept.

        :raises UserError: for a single ticket, or tickets that don't belong together
        """
        self.ensure_one()
        # Those that were merged before are archived.
        others = self.with_context(active_test=False).ticket_ids - self.target_id
        if others and all(t.merged_into_id == self.target_id for t in others):
            # A second click, or a request that was sent again (T2).
            return self.target_id._get_records_action(context={})
        if not self.target_id or not others:
            raise UserError(self.env._("Choose at least two tickets."))
        others._merge_into(self.target_id, people_confirmed=self.people_confirmed)
        return self.target_id._get_records_action(context={})
