from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """The numbers of tickets."""

    _inherit = "helpdesk.ticket"

    def _prepare_create_values(self, vals_list):
        # Here what the client gives has been checked already.
        vals_list = super()._prepare_create_values(vals_list)
        self._give_numbers([vals for vals in vals_list if not vals.get("ticket_ref")])
        return vals_list

    @api.model
    def _give_numbers(self, vals_list):
        """Take the numbers of new tickets from the sequence of their company."""
        by_company = defaultdict(list)
        for vals in vals_list:
            team = self.env["helpdesk.team"].browse(vals.get("team_id"))
            # sudo: the company of a team that the user may not see.
            by_company[team.sudo().company_id or self.env.company].append(vals)
        # sudo: agents may not read sequences.
        sequences = self.env["ir.sequence"].sudo()
        for company, same_company in by_company.items():
            sequence = sequences.with_company(company).search_fetch(
                Domain("code", "=", "helpdesk.ticket")
                & Domain("company_id", "in", [company.id, False]),
                order="company_id",
                limit=1,
            )
            for vals in same_company:
                vals["ticket_ref"] = sequence._next() if sequence else False
