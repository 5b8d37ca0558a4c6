from odoo import api, fields, models
from odoo.fields import Domain


class RatingRating(models.Model):
    _inherit = "rating.rating"

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

    def _search_helpdesk_readable(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        others = Domain("res_model", "!=", "helpdesk.ticket")
        tickets = self.env["helpdesk.ticket"].sudo(False)
        if not tickets.has_access("read"):
            return others
        visible = tickets.with_context(active_test=False)._search(Domain.TRUE)
        return others | Domain("res_id", "in", visible)
