from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.reading import check_one


class ResPartner(models.Model):
    _inherit = "res.partner"

    helpdesk_ticket_count = fields.Integer(
        string="Tickets",
        compute="_compute_helpdesk_ticket_count",
        groups="helpdesk_after_sales.group_helpdesk_user",
        help="Tickets of this contact; for a company, of all its contacts.",
    )

    helpdesk_failure_cost = fields.Char(
        string="Cost of Failure",
        compute="_compute_helpdesk_failure_cost",
        groups="helpdesk_after_sales.group_helpdesk_costs",
        help="What after-sales service for this customer cost in the last 365 days.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_failure_cost(self):
        # As the user: their tickets, their companies.
        report = self.env["helpdesk.after.sales.report"].sudo(False)
        texts = report._get_cost_texts("commercial_partner_id", self.ids)
        for partner in self:
            partner.helpdesk_failure_cost = texts.get(partner._origin.id, False)

    @api.readonly
    def action_view_failure_cost(self):
        """Return the action of the report **Cost of Failure** about this customer.

        :raises AccessError: for users who may not see it
        """
        check_one(self)
        self.check_access("read")
        report = self.env["helpdesk.after.sales.report"]
        report.check_access("read")
        return report._open_for("commercial_partner_id", self.ids)

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
