from datetime import datetime, time, timedelta

from pytz import UTC

from odoo import api, fields, models
from odoo.fields import Domain


class HelpdeskTeam(models.Model):
    """What the overview says on top: what I and my teams did today and in seven days,
    and what waits for me (X27)."""

    _inherit = "helpdesk.team"

    @api.model
    @api.readonly
    def get_overview(self):
        """Return what the overview shows on top, in a fixed number of queries.

        A *cell* is a dictionary: ``value``, and ``model`` and ``domain`` of what it
        counts. A rating is from 1 to 5, promises kept are in percent; ``False`` where
        nothing was rated or promised.

        :return: ``open``: ``{open, late, urgent: cell}`` of the user; ``done``: a list
            of ``{name, today, week}``, the user's first, then that of their teams;
            ``today`` and ``week`` are ``{closed, answered, rating, kept: cell}``
        :raises AccessError: for who may not read teams
        """
        self.check_access("read")
        tickets = self.env["helpdesk.ticket"]
        mine = Domain("user_id", "=", self.env.uid)
        waiting = mine & Domain("close_date", "=", False)
        still = {
            "open": waiting,
            "late": mine & Domain("sla_deadline", "<", "now"),
            "urgent": waiting & Domain("priority", "=", "3"),
        }
        result = {
            "open": {
                name: self._prepare_cell(tickets, domain, tickets.search_count(domain))
                for name, domain in still.items()
            },
            "done": [
                self._prepare_done(
                    self.env._("I"),
                    mine,
                    Domain("rated_partner_id", "=", self.env.user.partner_id.id),
                )
            ],
        }
        if teams := self.search([("member_ids", "=", self.env.uid)]):
            result["done"].append(
                self._prepare_done(
                    self.env._("My Teams"),
                    Domain("team_id", "in", teams.ids),
                    Domain("parent_res_model", "=", self._name)
                    & Domain("parent_res_id", "in", teams.ids),
                )
            )
        return result

    @api.model
    def _prepare_cell(self, records, domain, value):
        return {"value": value, "model": records._name, "domain": list(domain)}

    @api.model
    def _prepare_done(self, name, whose, ratings):
        """Return the row of some tickets.

        :param whose: domain of tickets
        :param ratings: domain of their ratings
        """
        today = fields.Date.context_today(self)
        return {"name": name} | {
            period: self._count_done(self._get_midnight(day), whose, ratings)
            for period, day in (("today", today), ("week", today - timedelta(days=6)))
        }

    @api.model
    def _get_midnight(self, day):
        """Return the moment at which a day of the user begins, in UTC, as text."""
        midnight = self.env.tz.localize(datetime.combine(day, time.min))
        return fields.Datetime.to_string(midnight.astimezone(UTC))

    @api.model
    def _count_done(self, begin, whose, ratings):
        """Return the cells of what was done since ``begin``."""
        tickets = self.env["helpdesk.ticket"]
        promises = self.env["helpdesk.sla.report.analysis"]
        rated = self.env["rating.rating"]
        closed = whose & Domain("close_date", ">=", begin)
        answered = whose & Domain("first_response_date", ">=", begin)
        ratings = (
            ratings
            & Domain("res_model", "=", "helpdesk.ticket")
            & Domain("consumed", "=", True)
            & Domain("rated_on", ">=", begin)
        )
        ended = whose & (
            Domain("reached_datetime", ">=", begin)
            | Domain("reached_datetime", "=", False)
            & Domain("deadline", ">=", begin)
            & Domain("deadline", "<", "now")
        )
        [(rating, number)] = rated._read_group(ratings, [], ["rating:avg", "__count"])
        [(kept, promised)] = promises._read_group(
            ended, [], ["successful_sla_rate:avg", "__count"]
        )
        return {
            "closed": self._prepare_cell(tickets, closed, tickets.search_count(closed)),
            "answered": self._prepare_cell(
                tickets, answered, tickets.search_count(answered)
            ),
            "rating": self._prepare_cell(rated, ratings, bool(number) and rating),
            "kept": self._prepare_cell(promises, ended, bool(promised) and kept),
        }
