from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.pointers import find_hidden


class RatingRating(models.Model):
    _inherit = "rating.rating"

    # The link by which a customer rates is the customer's: whoever reads ratings could
    # answer in their name.
    access_token = fields.Char(groups="base.group_system")
    helpdesk_readable = fields.Boolean(
        compute="_compute_helpdesk_readable",
        search="_search_helpdesk_readable",
        export_string_translation=False,
        help="Technical: for the record rule. Ratings of tickets are read by those who "
        "may read the ticket, other ratings as before.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_helpdesk_readable(self):
        rated = self.filtered(lambda rating: rating.res_model == "helpdesk.ticket")
        (self - rated).helpdesk_readable = True
        tickets = self.env["helpdesk.ticket"].sudo(False).browse(rated.mapped("res_id"))
        # Rules are evaluated as superuser: ask again as the user.
        readable = set(tickets.exists()._filtered_access("read").ids)
        for rating in rated:
            rating.helpdesk_readable = rating.res_id in readable

    def _compute_res_name(self):
        result = super()._compute_res_name()
        shown = self.filtered(lambda rating: not rating.id)
        find_hidden(shown, "res_model", lambda model: False).res_name = False
        return result

    @api.model_create_multi
    def create(self, vals_list):
        ratings = super().create(vals_list)
        ratings._check_rated()
        return ratings

    def write(self, vals):
        result = super().write(vals)
        if not self.env.su and not vals.keys().isdisjoint(
            ("res_model", "res_model_id", "res_id")
        ):
            # The rules were asked before: no rating of something else becomes one of a
            # ticket.
            self.check_access("write")
            self._check_rated()
        return result

    def _check_rated(self):
        """Raise unless the user may read what of ours is rated: a rating tells its
        name."""
        if self.env.su:
            return
        for rating in self.sudo():  # sudo: what it points to, asked for as the user
            if (rating.res_model or "").startswith("helpdesk."):
                self.env[rating.res_model].browse(rating.res_id).check_access("read")

    def _search_helpdesk_readable(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        others = Domain("res_model", "!=", "helpdesk.ticket")
        tickets = self.env["helpdesk.ticket"].sudo(False)
        if not tickets.has_access("read"):
            return others
        visible = tickets.with_context(active_test=False)._search(Domain.TRUE)
        return others | Domain("res_id", "in", visible)
