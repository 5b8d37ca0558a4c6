from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import format_date


class HelpdeskTicket(models.Model):
    """What closes by itself, and what begins anew when it is answered late (X30)."""

    _inherit = "helpdesk.ticket"

    last_word_date = fields.Datetime(
        string="Last Message On",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="When the customer or we wrote last.",
    )
    close_warn_date = fields.Datetime(
        string="Closing Warning Sent On",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )
    follow_up_of_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        string="Follow-Up of",
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="The closed ticket that the customer replied to late.",
    )

    # Who waits for the customer, longest first.
    _silent_idx = models.Index(
        "(team_id, last_word_date) WHERE last_word = 'us' AND close_date IS NULL "
        "AND active IS TRUE"
    )

    def _take_turn(self, message):
        before = self.last_word_date
        result = super()._take_turn(message)
        if self.last_word_date != before and self.close_warn_date:
            # Both have a word again: the silence begins anew.
            self.close_warn_date = False
        return result

    # -- Closing -------------------------------------------------------------

    def _warn_of_closing(self):
        """Tell the customers of these tickets when they will be closed."""
        template = self.env.ref(
            "helpdesk_after_sales.mail_template_ticket_closing", False
        )
        self.close_warn_date = fields.Datetime.now()
        for ticket in self:
            if template and ticket.partner_email and not ticket.is_automatic_mail:
                ticket._send_by_itself(template)

    def _close_for_silence(self):
        """Close these tickets, whose customers don't answer."""
        for team, tickets in self.grouped("team_id").items():
            stage = team.to_stage_id or team.stage_ids.filtered("fold")[:1]
            if not stage:
                # Nowhere to go: not asked again before somebody writes.
                tickets.last_word_date = False
                continue
            for ticket in tickets:
                ticket._track_set_log_message(
                    self.env._(
                        "Closed automatically: no reply for %(days)s days.",
                        days=team.auto_close_day,
                    )
                )
            tickets.stage_id = stage.id
            for ticket in tickets:
                if ticket._may_ask_for_rating():
                    ticket._send_rating_request()

    def _describe_closing_day(self):
        """Return the day when this ticket closes by itself, for its customer."""
        self.ensure_one()
        # sudo: the setting of the team, for the mail to the customer.
        team = self.sudo().team_id
        day = fields.Datetime.now() + timedelta(days=team.auto_close_warn_day)
        return format_date(self.env, day, lang_code=self.env.lang)

    # -- Late answers --------------------------------------------------------

    def _wants_follow_up(self):
        """Return whether an answer to this ticket begins a new one."""
        self.ensure_one()
        days = self.team_id.follow_up_days
        if not self.close_date or days <= 0 or self.merged_into_id:
            return False
        return self.close_date < fields.Datetime.now() - timedelta(days=days)

    def _begin_follow_up(self, message):
        """Make a new ticket of a late answer to this one, which takes the message
        along; returns it. Called with sudo."""
        self.ensure_one()
        follow_up = self.with_context(helpdesk_from_mail=True).create(
            self._prepare_follow_up_vals()
        )
        follow_up.message_subscribe(partner_ids=self.message_partner_ids.ids)
        message.write({"res_id": follow_up.id})
        message.attachment_ids.filtered(
            lambda file: file.res_model == self._name and file.res_id == self.id
        ).write({"res_id": follow_up.id})
        self.message_post(
            body=self.env._(
                "This ticket was closed a while ago: your reply is in %(ticket)s.",
                ticket=Markup('<a href="%s">#%s</a>')
                % (follow_up.get_portal_url(), follow_up.ticket_ref),
            ),
            message_type="auto_comment",
            subtype_xmlid="mail.mt_comment",
            author_id=self.company_id.partner_id.id,
            notify_skip_followers=True,
        )
        follow_up._message_log(
            body=self.env._(
                "Created from a late reply to %(ticket)s.", ticket=self._get_html_link()
            )
        )
        return follow_up

    def _prepare_follow_up_vals(self):
        """Return what the new ticket takes from this one."""
        user = self.user_id if self.user_id.active else self.user_id.browse()
        return {
            "name": self.name,
            "team_id": self.team_id.id,
            "follow_up_of_id": self.id,
            "partner_id": self.partner_id.id,
            "partner_name": self.partner_name,
            "partner_email": self.partner_email,
            "partner_phone": self.partner_phone,
            "email_cc": self.email_cc,
            "priority": self.priority,
            "tag_ids": self.tag_ids.ids,
            "user_id": user.id,
            "sale_order_id": self.sale_order_id.id,
            "product_id": self.product_id.id,
            "lot_id": self.lot_id.id,
        }
