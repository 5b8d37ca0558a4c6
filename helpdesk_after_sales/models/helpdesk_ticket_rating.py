import re

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, models
from odoo.tools import formataddr

from ..tools.reading import check_one

RATING_LINK = re.compile(r"""[^"'\s<>]*/rate/[^"'\s<>]+""")


class HelpdeskTicket(models.Model):
    """How happy customers are with a ticket.

    They are asked by mail once for each closing, where the team wants it, and answer
    through the link of that mail: nobody rates a ticket in another way.
    """

    _inherit = "helpdesk.ticket"

    def write(self, vals):
        was_open = self.browse()
        if not vals.keys().isdisjoint(("stage_id", "team_id")):
            was_open = self.filtered(lambda ticket: not ticket.close_date)
        result = super().write(vals)
        was_open.filtered("close_date")._ask_for_rating()
        return result

    @api.readonly
    def action_view_ratings(self):
        """Return the action for the ratings of this ticket: a form for one.

        :raises AccessError: when the ticket isn't the user's to read
        """
        check_one(self)
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.rating_rating_action"
        )
        ratings = self.rating_ids.filtered("consumed")
        if len(ratings) == 1:
            form = self.env.ref("helpdesk_after_sales.rating_rating_view_form")
            action |= {"res_id": ratings.id, "views": [(form.id, "form")]}
        return action | {
            "domain": [
                ("res_model", "=", self._name),
                ("res_id", "=", self.id),
                ("consumed", "=", True),
            ],
            "context": {},
        }

    # -- Asking --------------------------------------------------------------

    def _ask_for_rating(self):
        """Ask the customers of these tickets, which were just closed, by mail."""
        for ticket in self:
            if ticket._wants_rating():
                ticket._send_rating_request()

    def _wants_rating(self):
        """Return whether the customer of a ticket that was just closed is to be asked.

        Not by what closes tickets without a person: a scheduled action, an import or a
        migration; not for what a machine wrote; and a colleague who closes their own
        ticket isn't asked either.
        """
        self.ensure_one()
        # sudo: who the customer is; nothing is shown.
        ticket = self.sudo()
        return (
            self._may_ask_for_rating()
            and self.env.uid != SUPERUSER_ID
            and not any(
                self.env.context.get(key)
                for key in ("import_file", "tracking_disable", "mail_notrack")
            )
            and not (
                self.env.user._is_internal()
                and ticket.partner_id == self.env.user.partner_id
            )
        )

    def _may_ask_for_rating(self):
        """Return whether team, stage and customer of a closed ticket are such that it
        is asked how happy they are."""
        self.ensure_one()
        # sudo: settings of the team, and who the customer is; nothing is shown.
        ticket = self.sudo()
        return (
            ticket.team_id.use_rating
            and ticket.stage_id.ask_rating
            and ticket.active
            and bool(ticket.partner_email)
            and not ticket.is_automatic_mail
        )

    def _send_rating_request(self):
        """Send the request, from the team and in the language of the customer."""
        self.ensure_one()
        # sudo: whoever closes a ticket may be a customer in the portal; the template
        # makes the link of exactly this ticket's customer.
        ticket = self.sudo()
        template = ticket.env.ref("helpdesk_after_sales.mail_template_ticket_rating")
        # Another person may have taken over since the last closing.
        ticket.rating_ids.filtered(
            lambda rating: not rating.consumed
        ).rated_partner_id = ticket._rating_get_operator()
        if message := ticket._send_by_itself(template):
            # The mail has been made: the conversation keeps its text, not the links, by
            # which whoever reads it could rate.
            message.body = Markup(RATING_LINK.sub("#", message.body))

    def _forget_ratings(self):
        """End the links that the former customer of this ticket has got."""
        # sudo: whoever may change the customer ends what the former one could do.
        ratings = self.sudo().rating_ids
        answered = ratings.filtered("consumed")
        (ratings - answered).unlink()
        for rating in answered:
            rating.access_token = rating._default_access_token()

    # -- Answering -----------------------------------------------------------

    def _rating_get_parent_field_name(self):
        return "team_id"

    def _rating_apply_get_default_subtype_id(self):
        return self.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.mt_ticket_rating"
        )

    def _get_allowed_message_params(self):
        # Nobody rates by the way, in a message of their own.
        return super()._get_allowed_message_params() - {"rating_value"}

    def message_post(self, **kwargs):
        kwargs.pop("rating_value", None)
        if not self.env.su:
            kwargs.pop("rating_id", None)
        elif kwargs.get("rating_id") and not kwargs.get("author_id"):
            # The customer has no contact, and isn't the visitor of the website.
            ticket = self[:1]
            kwargs["author_id"] = False
            kwargs["email_from"] = formataddr(
                (ticket.partner_name or "", ticket.partner_email or "")
            )
        return super().message_post(**kwargs)

    def _message_post_after_hook(self, message, msg_values):
        result = super()._message_post_after_hook(message, msg_values)
        # sudo: the rating was found by its token, see message_post.
        rating = self.env["rating.rating"].sudo().browse(msg_values.get("rating_id"))
        if rating and not rating.partner_id and not message.author_id:
            # As Odoo does for contacts: a second answer changes the message.
            rating.message_id = message
        return result
