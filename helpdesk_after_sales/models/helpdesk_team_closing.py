from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

# As many as one run of the scheduled action takes of each team.
BATCH = 100


class HelpdeskTeam(models.Model):
    """Tickets that wait for their customer in vain close by themselves (X30)."""

    _inherit = "helpdesk.team"

    auto_close_ticket = fields.Boolean(
        string="Automatic Closing",
        help="Tickets whose customer doesn't reply are closed after some days. A "
        "later reply reopens them.",
    )
    auto_close_day = fields.Integer(
        string="Days Without Reply",
        default=7,
        help="Days from our last answer until the ticket is closed.",
    )
    auto_close_warn_day = fields.Integer(
        string="Warn Before",
        default=2,
        help="Days before the closing at which the customer is warned by email; 0 "
        "for no warning.",
    )
    from_stage_ids = fields.Many2many(
        comodel_name="helpdesk.stage",
        relation="team_stage_auto_close_from_rel",
        string="In Stages",
        domain="[('id', 'in', stage_ids), ('fold', '=', False)]",
        help="Only tickets in these stages. Leave empty for all open stages.",
    )
    to_stage_id = fields.Many2one(
        comodel_name="helpdesk.stage",
        string="Move to Stage",
        domain="[('id', 'in', stage_ids), ('fold', '=', True)]",
        index="btree_not_null",
        help="Leave empty for the first closed stage of the team.",
    )
    follow_up_days = fields.Integer(
        string="Follow-Up Ticket After",
        help="A reply to a ticket that has been closed for more than this number of "
        "days creates a new ticket, which refers to the old one; 0 to reopen the "
        "old one instead.",
    )

    @api.constrains(
        "auto_close_ticket", "auto_close_day", "auto_close_warn_day", "follow_up_days"
    )
    def _check_auto_close(self):
        for team in self:
            if team.follow_up_days < 0 or team.auto_close_warn_day < 0:
                raise ValidationError(self.env._("Enter 0 days or more."))
            if (
                team.auto_close_ticket
                and not 0 <= team.auto_close_warn_day < team.auto_close_day
            ):
                raise ValidationError(
                    self.env._(
                        "Customers can be warned only after at least one day without "
                        "a reply: close tickets later, or warn closer to the "
                        "closing date."
                    )
                )

    @api.constrains("to_stage_id", "stage_ids")
    def _check_to_stage(self):
        for team in self:
            stage = team.to_stage_id
            if stage and (stage not in team.stage_ids or not stage.fold):
                raise ValidationError(
                    self.env._(
                        "%(stage)s is not a closed stage of %(team)s: choose another "
                        "one.",
                        stage=stage.name,
                        team=team.name,
                    )
                )

    # -- Scheduled action ----------------------------------------------------

    @api.model
    def _cron_auto_close(self):
        """Warn the customers who keep silent, and close their tickets."""
        teams = self.search(Domain("auto_close_ticket", "=", True))
        for number, team in enumerate(teams, start=1):
            while tickets := team._get_silent_tickets(closing=True):
                tickets._close_for_silence()
                self.env["ir.cron"]._commit_progress(remaining=len(teams) - number + 1)
            while tickets := team._get_silent_tickets(closing=False):
                tickets._warn_of_closing()
                self.env["ir.cron"]._commit_progress(remaining=len(teams) - number + 1)
            self.env["ir.cron"]._commit_progress(1, remaining=len(teams) - number)

    def _get_silent_tickets(self, closing):
        """Return some tickets of this team whose customers have kept silent, locked:
        those to close, or those to warn of. Nobody is told on the day itself: who was
        warned late has as many days as the warning says."""
        self.ensure_one()
        warn = self.auto_close_warn_day
        if not closing and not warn:
            return self.env["helpdesk.ticket"]
        now = fields.Datetime.now()
        silent_since = now - timedelta(
            days=self.auto_close_day - (0 if closing else warn)
        )
        stages = self.from_stage_ids or self.stage_ids.filtered(lambda s: not s.fold)
        domain = (
            Domain("team_id", "=", self.id)
            & Domain("stage_id", "in", stages.ids)
            & Domain("last_word", "=", "us")
            & Domain("last_word_date", "<=", silent_since)
            & Domain("close_date", "=", False)
        )
        if not closing:
            domain &= Domain("close_warn_date", "=", False)
        elif warn:
            domain &= Domain("close_warn_date", "<=", now - timedelta(days=warn))
        tickets = self.env["helpdesk.ticket"]
        tickets = tickets.search(domain, order="last_word_date", limit=BATCH)
        return tickets.try_lock_for_update(allow_referencing=True)
