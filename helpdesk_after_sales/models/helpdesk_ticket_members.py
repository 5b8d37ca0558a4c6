from odoo import models


class HelpdeskTicket(models.Model):
    """New tickets that nobody is responsible for: the members of their team get them,
    as its followers do."""

    _inherit = "helpdesk.ticket"

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        """Add the members of the team to those who get a new ticket. Each is told as
        followers are: once, in their language, by mail or in their inbox."""
        if members := self._get_members_to_tell(message):
            # sudo: whom a message is for that is being sent.
            told = (msg_vals or {}).get("partner_ids") or message.sudo().partner_ids.ids
            members = [member for member in members.ids if member not in told]
            msg_vals = dict(msg_vals or {}, partner_ids=[*told, *members])
        return super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)

    def _get_members_to_tell(self, message):
        """Return the partners of the members who hear of this ticket by a message."""
        # sudo: whom the ticket is for, whoever wrote it.
        ticket, message = self.sudo(), message.sudo()
        nobody = ticket.env["res.partner"]
        team = ticket.team_id
        if (
            message.subtype_id != ticket._creation_subtype()
            # An agent made it of another ticket.
            or self.env.context.get("mail_auto_subscribe_no_notify")
            or ticket.user_id
            or not ticket.active
            or ticket.spam_date
            # They get the late answer itself.
            or ticket.follow_up_of_id
            or not team.tell_members
            or (team.auto_assignment and team._get_working_members())
        ):
            return nobody
        return team._get_working_members().partner_id
