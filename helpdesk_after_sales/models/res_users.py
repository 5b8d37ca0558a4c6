from odoo import models
from odoo.fields import Domain

AGENT = "helpdesk_after_sales.group_helpdesk_user"


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        leaving = self.browse()
        if not vals.keys().isdisjoint(("active", "company_ids", "group_ids")):
            leaving = self.filtered(lambda user: user.active and not user.share)
        result = super().write(vals)
        leaving._give_tickets_back()
        return result

    def _give_tickets_back(self):
        """Let the open tickets that these people can't work on any more be unassigned,
        so that their team hears of them: of those who have left, who have lost the
        right to Helpdesk, or the company. What customers answer goes to the mailbox of
        those who have left no more."""
        if not self:
            return
        # sudo: who may change a user may not see all tickets.
        tickets = self.env["helpdesk.ticket"].sudo()
        if gone := self.filtered(lambda user: not user.active):
            self.env["mail.followers"].sudo().search(
                Domain("res_model", "=", tickets._name)
                & Domain("partner_id", "in", gone.partner_id.ids)
            ).unlink()
        tickets.search(
            Domain("user_id", "in", self.ids) & Domain("close_date", "=", False)
        ).filtered(lambda ticket: not ticket._may_work(ticket.user_id)).write(
            {"user_id": False}
        )


class ResGroups(models.Model):
    _inherit = "res.groups"

    def write(self, vals):
        # It isn't there while the addon is being installed.
        agents = self.env.ref(AGENT, raise_if_not_found=False)
        if not agents or vals.keys().isdisjoint(("implied_ids", "user_ids")):
            return super().write(vals)
        # sudo: whose rights change, whoever may change them.
        agents = agents.sudo()
        before = agents.all_user_ids
        result = super().write(vals)
        (before - agents.all_user_ids)._give_tickets_back()
        return result
