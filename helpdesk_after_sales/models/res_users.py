from odoo import models
from odoo.fields import Domain


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        leaving = (
            self.filtered(lambda user: user.active and not user.share)
            if vals.get("active") is False
            else self.browse()
        )
        result = super().write(vals)
        leaving._give_tickets_back()
        return result

    def _give_tickets_back(self):
        """Let the open tickets of people who left be unassigned, so that their team
        hears of them; what customers answer goes to their mailbox no more."""
        if not self:
            return
        # sudo: who may archive a user may not see all tickets.
        tickets = self.env["helpdesk.ticket"].sudo()
        followers = self.env["mail.followers"].sudo()
        followers.search(
            Domain("res_model", "=", tickets._name)
            & Domain("partner_id", "in", self.partner_id.ids)
        ).unlink()
        tickets.search(
            Domain("user_id", "in", self.ids) & Domain("close_date", "=", False)
        ).write({"user_id": False})
