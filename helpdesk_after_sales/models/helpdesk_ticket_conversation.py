from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import email_normalize, formataddr


class HelpdeskTicketConversation(models.Model):
    """What is talked about with a supplier or a carrier: a thread of its own, which
    neither the customer's page nor the customer's mail shows."""

    _name = "helpdesk.ticket.conversation"
    _inherit = ["helpdesk.chosen.mixin", "mail.thread"]
    _description = "Side Conversation"
    _order = "id desc"
    _mail_post_access = "read"
    _check_company_auto = True

    name = fields.Char(string="Subject", required=True)
    ticket_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        required=True,
        index=True,
        ondelete="cascade",
    )
    company_id = fields.Many2one(
        related="ticket_id.company_id", store=True, precompute=True, index=True
    )
    partner_ids = fields.Many2many(
        comodel_name="res.partner",
        relation="helpdesk_ticket_conversation_res_partner_rel",
        string="With",
        required=True,
        check_company=True,
        help="The supplier or carrier. They get what is sent here, and answer by mail.",
    )
    answer_date = fields.Datetime(
        string="Last Answer", readonly=True, server_only=True, copy=False
    )

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        ticket = self.env["helpdesk.ticket"].browse(values.get("ticket_id") or ())
        if "name" in fields and ticket and not values.get("name"):
            values["name"] = f"#{ticket.ticket_ref} "
        return values

    @api.constrains("partner_ids", "ticket_id")
    def _check_partners(self):
        # sudo: whether somebody belongs to the customer; nothing else is shown.
        for conversation in self.sudo():
            ticket = conversation.ticket_id
            for partner in conversation.partner_ids:
                if ticket._is_customer_side(partner, partner.email_normalized):
                    raise ValidationError(
                        self.env._(
                            "%(name)s belongs to the customer: write to them on the "
                            "ticket itself.",
                            name=partner.name,
                        )
                    )

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        conversations = super().create(vals_list)
        for conversation in conversations:
            conversation._invite()
            ticket = conversation.ticket_id
            ticket._message_log(
                body=self.env._(
                    "Side conversation with %(people)s: %(conversation)s",
                    people=", ".join(conversation.partner_ids.mapped("name")),
                    conversation=conversation._get_html_link(),
                ),
            )
        return conversations

    def write(self, vals):
        former = {conversation: conversation.partner_ids for conversation in self}
        result = super().write(vals)
        if "partner_ids" in vals:
            for conversation, partners in former.items():
                gone = partners - conversation.partner_ids
                conversation.message_unsubscribe(partner_ids=gone.ids)
                conversation._invite()
        return result

    def _invite(self):
        """Let whom it is with, and who works on the ticket, get what is written."""
        self.ensure_one()
        # sudo: who works on the ticket; the user has just begun or changed this.
        ticket = self.sudo().ticket_id
        people = self.partner_ids | ticket.user_id.partner_id
        self.message_subscribe(partner_ids=people.ids)

    # -- Mail ----------------------------------------------------------------

    def _message_compute_author(self, author_id=None, email_from=None):
        """What colleagues write comes from the address of the team, as on tickets."""
        author_id, sender = super()._message_compute_author(author_id, email_from)
        user = self.env.user
        if len(self) == 1 and user._is_internal() and author_id == user.partner_id.id:
            # sudo: whoever may write here may not see the team.
            address = self.sudo().ticket_id.team_id.alias_email
            sender = formataddr((user.name, address)) if address else sender
        return author_id, sender

    def _notify_get_reply_to(self, default=None, author_id=False):
        # sudo: reads addresses; whoever posts may not see the team.
        conversations = self.sudo()
        addresses = conversations.ticket_id._notify_get_reply_to(
            default=default, author_id=author_id
        )
        return {talk.id: addresses[talk.ticket_id.id] for talk in conversations}

    def _notify_by_email_get_base_mail_values(
        self, message, recipients_data, additional_values=None
    ):
        values = dict(additional_values or {})
        marks = self.env["helpdesk.ticket"]._get_mail_marks(message)
        values["headers"] = dict(values.get("headers") or {}, **marks)
        return super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=values
        )

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        for name, _match, data in groups:
            if name in ("portal", "portal_customer", "customer"):
                data["has_button_access"] = False
        return groups

    def message_post(self, **kwargs):
        """Post a message. Of what comes by mail, colleagues hear who work on the
        ticket."""
        message = super().message_post(**kwargs)
        if self.env.su and kwargs.get("message_type") == "email":
            self._tell_ticket(message)
        return message

    def _tell_ticket(self, message):
        """Note an answer on the ticket, and tell who works on it. Called with sudo."""
        self.ensure_one()
        self.answer_date = fields.Datetime.now()
        ticket = self.ticket_id
        people = ticket.user_id.partner_id or ticket.team_id._get_listeners()
        if self.env.context.get("helpdesk_automatic_mail") == "machine":
            people = people.browse()
        told = message.notified_partner_ids | message.author_id
        body = self.env._(
            "%(author)s answered in a side conversation: %(conversation)s",
            author=message.author_id.name or message.email_from,
            conversation=self._get_html_link(),
        )
        ticket.message_post(
            body=body,
            subtype_xmlid="mail.mt_note",
            author_id=self.env.ref("base.partner_root").id,
            partner_ids=(people - told).ids,
        )

    @api.model
    def _find_for_mail(self, message_dict, companies):
        """Return the conversation that a mail to these companies belongs to: the one
        whose message it answers, else one with its sender on the ticket that its
        subject names. What the customer writes belongs to the ticket, whatever message
        it answers."""
        references = " ".join(
            message_dict.get(name) or "" for name in ("references", "in_reply_to")
        ).split()[-32:]
        # sudo: the gateway acts for the team, whoever wrote.
        messages = self.env["mail.message"].sudo()
        found = messages.search(
            Domain("message_id", "in", references) & Domain("model", "=", self._name),
            order="id desc",
            limit=1,
        )
        # sudo: as above
        answered = self.sudo().browse(found.res_id).exists()
        ticket = answered.ticket_id
        if answered.company_id & companies and not ticket._is_customer_side(
            ticket._find_author(message_dict),
            email_normalize(message_dict["email_from"]),
        ):
            return answered
        numbers = self.env["helpdesk.ticket"]._read_numbers(message_dict)
        email = email_normalize(message_dict["email_from"])
        if not numbers or not email:
            return self.browse()
        # sudo: as above
        return self.sudo().search(
            Domain("ticket_id.ticket_ref", "in", numbers)
            & Domain("company_id", "in", companies.ids)
            & Domain("partner_ids.email_normalized", "=", email),
            limit=1,
        )


class HelpdeskTicket(models.Model):
    _inherit = "helpdesk.ticket"

    conversation_ids = fields.One2many(
        comodel_name="helpdesk.ticket.conversation",
        inverse_name="ticket_id",
        string="Side Conversations",
        groups="base.group_user",
    )

    @api.readonly
    def action_begin_conversation(self):
        """Return the action that opens a new side conversation of this ticket.

        :raises AccessError: when it isn't the user's to work on
        """
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Side Conversation"),
            "res_model": "helpdesk.ticket.conversation",
            "views": [(False, "form")],
            "context": {"default_ticket_id": self.id},
        }

    def unlink(self):
        if self.has_access("unlink"):
            # sudo: they go with the ticket, which the user may delete; the database
            # alone would leave their messages behind.
            self.sudo().conversation_ids.unlink()
        return super().unlink()

    def _anonymize(self):
        result = super()._anonymize()
        for conversation in self.conversation_ids:
            conversation.name = self.env._("Anonymized")
            self._anonymize_messages(conversation)
        return result
