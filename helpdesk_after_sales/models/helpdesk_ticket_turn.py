from odoo import api, fields, models
from odoo.tools import email_normalize

# Kept until the commit: tickets that were written on because somebody had a word.
TURNED = "helpdesk_after_sales.turned"


class HelpdeskTicket(models.Model):
    """Whose turn it is: who had the last word, and since when the other one waits."""

    _inherit = "helpdesk.ticket"

    last_word = fields.Selection(
        string="Last Message By",
        selection=[("customer", "Customer"), ("us", "Us")],
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="Who wrote the last message to the other. Notes and automatic emails "
        "don't count.",
    )
    waiting_since = fields.Datetime(
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="Since when the customer has been waiting for an answer.",
    )

    # Who waits, longest first.
    _waiting_idx = models.Index(
        "(waiting_since) INCLUDE (team_id, user_id, company_id) "
        "WHERE waiting_since IS NOT NULL AND close_date IS NULL AND active IS TRUE"
    )

    @api.model_create_multi
    def create(self, vals_list):
        if self.env.su and self.env.context.get("helpdesk_from_mail"):
            # The customer has come to us: by mail, or by the form for visitors.
            now = fields.Datetime.now()
            turn = {
                "last_word": "customer",
                "last_word_date": now,
                "waiting_since": now,
            }
            vals_list = [turn | vals for vals in vals_list]
        return super().create(vals_list)

    def _message_post_after_hook(self, message, msg_values):
        result = super()._message_post_after_hook(message, msg_values)
        # sudo: the turn is kept by the conversation, nobody writes it.
        self.sudo()._take_turn(message.sudo())
        return result

    def _take_turn(self, message):
        """Note who has written, and what follows from it by the team's settings."""
        if (
            message.message_type not in ("comment", "email")
            or message.subtype_id != self.env.ref("mail.mt_comment")
            or self.env.context.get("helpdesk_automatic_mail") == "machine"
            # A late answer begins another ticket.
            or message.res_id != self.id
        ):
            return
        word = self._get_word(message)
        if not word:
            return
        vals = (
            self._prepare_customer_turn()
            if word == "customer"
            else self._prepare_our_turn(message.author_id)
        )
        vals["last_word_date"] = fields.Datetime.now()
        changed = {
            name: value
            for name, value in vals.items()
            if self._fields[name].convert_to_write(self[name], self) != value
        }
        if "stage_id" in changed:
            self._send_no_stage_mail()
        if changed:
            self.write(changed)
            self.env.cr.postcommit.data.setdefault(TURNED, set()).add(self.id)

    def _get_word(self, message):
        """Return who speaks in a message: ``"customer"``, ``"us"`` or ``False``."""
        if message.is_internal:
            # Said to a carrier or a supplier: the customer still waits.
            return False
        author = message.author_id
        if self._is_customer_side(author, email_normalize(message.email_from)):
            return "customer"
        return "us" if author and not author.partner_share else False

    def _prepare_customer_turn(self):
        """Return what a customer's message changes: it goes on with what waits for
        them. Who waits already waits since their first message."""
        vals = {
            "last_word": "customer",
            "waiting_since": self.waiting_since or fields.Datetime.now(),
        }
        if self.stage_id.waits_for_customer:
            stages = self.team_id.stage_ids.filtered(
                lambda stage: not stage.fold and not stage.waits_for_customer
            )
            # It isn't new: the one after the first, where there is one.
            if stage := stages[1:2] or stages[:1]:
                vals["stage_id"] = stage.id
        return vals

    def _prepare_our_turn(self, author):
        """Return what an answer changes: whoever answers takes the ticket, where the
        team wants it."""
        vals = {"last_word": "us", "waiting_since": False}
        team = self.team_id
        if not team.take_on_answer or self.close_date:
            return vals
        users = author.user_ids.filtered(
            lambda user: (
                user.has_group("helpdesk_after_sales.group_helpdesk_user")
                and team.company_id in user.company_ids
            )
        )
        if users and not self.user_id:
            vals["user_id"] = users[0].id
        begun = team.stage_ids.filtered(lambda stage: not stage.fold)[1:2]
        if begun and self.stage_id == team.stage_ids[:1]:
            vals["stage_id"] = begun.id
        return vals
