from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

# As many as one run of the scheduled action takes of each team.
BATCH = 100


class StockPicking(models.Model):
    """Returns that never come end by themselves (X25)."""

    _inherit = "stock.picking"

    helpdesk_reminded_on = fields.Datetime(
        string="Customer Reminded On",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )

    @api.model
    def _cron_expire_returns(self):
        """Remind the customers whose returns haven't come, and cancel these later."""
        teams = self.env["helpdesk.team"].search(
            Domain("return_expiry_days", ">", 0), order="id"
        )
        for number, team in enumerate(teams, start=1):
            for expired in (True, False):
                seen = self.browse()
                while pickings := self._get_late_returns(team, expired, seen):
                    seen |= pickings
                    if expired:
                        pickings._expire_returns()
                    else:
                        pickings._remind_of_returns()
                    self.env["ir.cron"]._commit_progress(
                        remaining=len(teams) - number + 1
                    )
            self.env["ir.cron"]._commit_progress(1, remaining=len(teams) - number)

    @api.model
    def _get_late_returns(self, team, expired, seen):
        """Return some returns of this team that haven't come, locked: those to cancel,
        or those to remind of. Who was reminded late has as many days as they were
        told.

        :param seen: without these
        """
        before = team.return_reminder_days
        if not expired and not before:
            return self.browse()
        now = fields.Datetime.now()
        days = team.return_expiry_days - (0 if expired else before)
        domain = (
            Domain("helpdesk_ticket_id.team_id", "=", team.id)
            & Domain("location_id.usage", "=", "customer")
            & Domain("state", "not in", ("done", "cancel"))
            & Domain("create_date", "<=", now - timedelta(days=days))
            & Domain("id", "not in", seen.ids)
            # The warehouse has begun to count it.
            & Domain("move_ids", "not any", Domain("picked", "=", True))
        )
        if not expired:
            domain &= Domain("helpdesk_reminded_on", "=", False)
        elif before:
            reminded = now - timedelta(days=before)
            domain &= Domain("helpdesk_reminded_on", "<=", reminded)
        pickings = self.search(domain, order="id", limit=BATCH)
        return pickings.try_lock_for_update(allow_referencing=True)

    def _remind_of_returns(self):
        """Tell the customers of these returns until when they are expected."""
        self.helpdesk_reminded_on = fields.Datetime.now()
        template = self.env.ref("helpdesk_return.mail_template_return_reminder", False)
        if not template:
            return
        for ticket in self.helpdesk_ticket_id:
            if ticket.partner_id.email or ticket.partner_email:
                ticket._send_by_itself(template)

    def _expire_returns(self):
        for picking in self:
            ticket = picking.helpdesk_ticket_id
            try:
                with self.env.cr.savepoint():
                    picking.action_cancel()
            except UserError as error:
                ticket._message_log(body=str(error))
                continue
            ticket._message_log(
                body=self.env._(
                    "%(picking)s never arrived: it was cancelled after %(days)s days.",
                    picking=picking._get_html_link(),
                    days=ticket.team_id.return_expiry_days,
                )
            )


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    def _describe_awaited_returns(self):
        """Return "WH/IN/00012, WH/IN/00015": what a customer was reminded of."""
        self.ensure_one()
        awaited = self.sudo().return_ids.filtered(  # sudo: names, for the mail
            lambda picking: (
                picking.helpdesk_reminded_on
                and picking._is_helpdesk_return()
                and picking.state not in ("done", "cancel")
            )
        )
        return ", ".join(awaited.mapped("name"))

    def _describe_return_end(self):
        """Return the day when returns that were reminded of today end."""
        self.ensure_one()
        # sudo: the setting of the team, for the mail to the customer.
        days = self.sudo().team_id.return_reminder_days
        day = fields.Datetime.now() + timedelta(days=days)
        return format_date(self.env, day, lang_code=self.env.lang)
