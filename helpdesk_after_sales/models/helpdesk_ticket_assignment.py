from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    """Who is responsible for a ticket."""

    _inherit = "helpdesk.ticket"

    @api.constrains("user_id")
    def _check_user(self):
        """Refuse a responsible who can't open tickets."""
        for user in self.user_id:
            # sudo: the groups of a colleague, which only decide.
            if not user.sudo().has_group("helpdesk_after_sales.group_helpdesk_user"):
                raise ValidationError(
                    self.env._(
                        "%(user)s can't open tickets: give them access to Helpdesk "
                        "first, or choose somebody else.",
                        user=user.display_name,
                    )
                )

    def _may_work(self, user):
        """Return whether somebody can work on this ticket, for all that is known of
        them in general."""
        self.ensure_one()
        # sudo: groups and companies of a colleague, which only decide.
        user = user.sudo()
        return (
            user.active
            and user.has_group("helpdesk_after_sales.group_helpdesk_user")
            and self.company_id in user.company_ids
        )

    def write(self, vals):
        if vals.get("team_id") and not self.env.su:
            # Nobody puts tickets before a team that they don't see.
            self.env["helpdesk.team"].browse(vals["team_id"]).check_access("read")
        return super().write(vals)

    # -- Onchange --------------------------------------------------------

    def action_assign_to_me(self):
        """Make the user responsible for these tickets. Returns ``True``."""
        self.user_id = self.env.user
        return True

    def _assign_automatically(self):
        """Give unassigned tickets a responsible where their team wants it."""
        for team, tickets in self.grouped("team_id").items():
            members = team.auto_assignment and team._get_members_present()
            if not members:
                continue
            if team.assign_method == "balanced":
                tickets._assign_to_least_loaded(members)
            else:
                tickets._assign_in_turn(members)

    def _assign_in_turn(self, members):
        """Go on after the member who got the team's last ticket.

        Everybody gets the same number of new tickets; who joins later is not given
        what the others had before.
        """
        # sudo: see _assign_automatically.
        last = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                Domain("team_id", "=", self.team_id.id)
                & Domain("user_id", "in", members.ids),
                order="id desc",
                limit=1,
            )
        )
        turn = [*members].index(last.user_id) + 1 if last else 0
        for offset, ticket in enumerate(self):
            ticket.user_id = members[(turn + offset) % len(members)]

    def _assign_to_least_loaded(self, members):
        """Even out the number of open tickets of this team."""
        domain = (
            Domain("team_id", "=", self.team_id.id)
            & Domain("user_id", "in", members.ids)
            & Domain("close_date", "=", False)
        )
        # sudo: see _assign_automatically.
        load = dict.fromkeys(members, 0) | dict(
            self.sudo()._read_group(domain, ["user_id"], ["__count"])
        )
        for ticket in self:
            member = min(members, key=lambda m: (load[m], m.id))
            ticket.user_id = member
            load[member] += 1
