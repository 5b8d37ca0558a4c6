from odoo import api, fields, models
from odoo.fields import Domain


class ResPartner(models.Model):
    _inherit = "res.partner"

    helpdesk_ticket_count = fields.Integer(
        string="Tickets",
        compute="_compute_helpdesk_ticket_count",
        groups="helpdesk_after_sales.group_helpdesk_user",
        help="Tickets of this contact; for a company, of all its contacts.",
    )

    def _compute_helpdesk_ticket_count(self):
        tickets = self.env["helpdesk.ticket"]
        companies = self.filtered(
            lambda partner: partner == partner.commercial_partner_id
        )
        count = dict(
            tickets._read_group(
                Domain("commercial_partner_id", "in", companies.ids),
                ["commercial_partner_id"],
                ["__count"],
            )
        ) | dict(
            tickets._read_group(
                Domain("partner_id", "in", (self - companies).ids),
                ["partner_id"],
                ["__count"],
            )
        )
        for partner in self:
            partner.helpdesk_ticket_count = count.get(partner._origin, 0)

    @api.readonly
    def action_view_helpdesk_tickets(self):
        """Return the action for the tickets of this contact, of all its contacts for a
        company; a new one there is this contact's.

        :raises AccessError: for users who may not read tickets
        """
        self.ensure_one()
        self.env["helpdesk.ticket"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_ticket_action"
        )
        field = (
            "commercial_partner_id"
            if self == self.commercial_partner_id
            else "partner_id"
        )
        return action | {
            "domain": [(field, "=", self.id)],
            "context": {"default_partner_id": self.id},
        }

    def action_create_helpdesk_ticket(self):
        """Return the action that opens a new ticket of this contact.

        :raises AccessError: for users who may not create tickets
        """
        self.ensure_one()
        return self.env["helpdesk.ticket"]._get_new_ticket_action(
            {"partner_id": self.id}
        )

    def _get_warranty_zone(self, company):
        """Return the name of the time zone in which a warranty of ``company`` to this
        customer, who may be nobody, begins and ends."""
        people = (self, self.commercial_partner_id, company.partner_id)
        return next((partner.tz for partner in people if partner.tz), "UTC")
