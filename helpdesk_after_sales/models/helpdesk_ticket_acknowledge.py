from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import email_normalize

# Kept until the changes are tracked: tickets whose stage sends no mail, and new ones.
QUIET = "helpdesk_after_sales.quiet"
CREATED = "helpdesk_after_sales.created"


class HelpdeskTicket(models.Model):
    """What customers are told by itself: that their request was received."""

    _inherit = "helpdesk.ticket"

    def _track_post_template_finalize(self):
        # The stage of a new ticket is computed, which core doesn't count as a change.
        self.env.cr.precommit.data.setdefault(
            f"mail.tracking.create.{self._name}.{self.id}", []
        ).append("stage_id")
        self.env.cr.precommit.data.setdefault(CREATED, set()).add(self.id)
        return super()._track_post_template_finalize()

    def _track_template(self, changes):
        templates = super()._track_template(changes)
        ticket = self[:1]
        template = ticket.stage_id.template_id
        if (
            "stage_id" not in changes
            or not template
            or not (ticket.partner_id or ticket.partner_email)
            or not ticket._may_send_stage_mail()
        ):
            return templates
        if ticket.partner_id:
            values = {
                "auto_delete_keep_log": False,
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "email_layout_xmlid": "mail.mail_notification_light",
                # Colleagues hear of the ticket itself.
                "notify_skip_followers": True,
            }
            if not self.env.user._is_internal() or self.env.su:
                # The gateway acts as whoever wrote: it's the shop that answers.
                # sudo: the company's and the template's sender; the stage chose it.
                values["author_id"] = ticket.sudo().company_id.partner_id.id
                values["email_from"] = (
                    template.sudo()._render_field("email_from", ticket.ids)[ticket.id]
                    or ticket._get_mail_sender()
                )
            templates["stage_id"] = (template, values)
        else:
            ticket._post_template_to_address(template)
        return templates

    def _may_send_stage_mail(self):
        """Return whether the mail of the stage that this ticket just got into is to be
        sent. That of the first stage says that a request was received: once, when it
        comes in, not when a ticket is put back or handed to another team."""
        self.ensure_one()
        data = self.env.cr.precommit.data
        if self.id in data.get(QUIET, ()):
            return False
        created = self.id in data.get(CREATED, ())
        # sudo: the order of the team's stages; whoever moves a ticket may not see it.
        if self.stage_id == self.sudo().team_id.stage_ids[:1] and not created:
            return False
        if not self.env.context.get("helpdesk_from_mail"):
            return True
        if not self._may_acknowledge():
            return False
        # sudo: the time is kept by the gateway, nobody writes it.
        self.sudo().acknowledge_date = self.env.cr.now()
        return True

    def write(self, vals):
        # A closed ticket that is put away with another team stays closed, silently.
        closed = self.filtered("close_date") if "team_id" in vals else self.browse()
        result = super().write(vals)
        closed.filtered("close_date")._send_no_stage_mail()
        return result

    def copy(self, default=None):
        copies = super().copy(default)
        copies._send_no_stage_mail()
        return copies

    def _send_no_stage_mail(self):
        """Let the stage that these tickets get into in this transaction send nothing.

        A context would be that of the first write, for all of the transaction.
        """
        self.env.cr.precommit.data.setdefault(QUIET, set()).update(self.ids)

    def _post_template_to_address(self, template, subtype_xmlid="mail.mt_comment"):
        """Send a template to the address of a ticket that has no contact.

        Core would make a contact of every address that a mail comes from.
        """
        # sudo: called where a stage or the gateway sends its template, which Odoo too
        # reads and sends as the system; it goes to the address of the ticket only.
        values = template.sudo()._generate_template(
            self.ids, ("subject", "body_html", "email_from")
        )[self.id]
        self.sudo().message_post(
            subject=values["subject"],
            body=values["body_html"],
            email_from=values.get("email_from") or None,
            author_id=self.sudo().company_id.partner_id.id,
            message_type="auto_comment",
            subtype_xmlid=subtype_xmlid,
            outgoing_email_to=self.partner_email,
            email_layout_xmlid="mail.mail_notification_light",
            notify_skip_followers=True,
        )

    def _send_by_itself(self, template):
        """Send a template to the customer of this ticket, from its team; colleagues
        find it among the notes. Returns the message to a contact. Called with sudo."""
        self.ensure_one()
        if not self.partner_id:
            self._post_template_to_address(template, subtype_xmlid="mail.mt_note")
            return None
        return self.message_post_with_source(
            template,
            message_type="auto_comment",
            subtype_xmlid="mail.mt_note",
            email_layout_xmlid="mail.mail_notification_light",
            notify_skip_followers=True,
            author_id=self.company_id.partner_id.id,
            email_from=self._get_mail_sender(),
        )

    def _may_acknowledge(self):
        """Return whether the sender of the mail may get an answer by itself.

        Not for automatic mail (RFC 3834), and not more often than a person would
        need: whoever forges a sender must not send mail through the shop (T23).
        """
        self.ensure_one()
        if self.env.context.get("helpdesk_automatic_mail"):
            return False
        # sudo: aliases are not for the users of the gateway to read.
        aliases = self.env["mail.alias.domain"].sudo()
        if aliases._find_aliases([email_normalize(self.partner_email) or ""]):
            return False
        # sudo: counts all tickets of the sender, and reads the limits; none is shown.
        tickets = self.sudo().with_context(active_test=False)
        parameter = self.env["ir.config_parameter"].sudo().get_param
        since = fields.Datetime.subtract(
            self.env.cr.now(), minutes=int(parameter("mail.gateway.loop.minutes", 120))
        )
        recent = Domain("acknowledge_date", ">=", since) & Domain("id", "!=", self.id)
        limits = [
            (
                recent & Domain("partner_email", "=", self.partner_email),
                "helpdesk_after_sales.acknowledge_per_address",
                5,
            )
        ]
        if not self.partner_id:
            limits.append(
                (
                    recent & Domain("partner_id", "=", False),
                    "helpdesk_after_sales.acknowledge_unknown",
                    100,
                )
            )
        return all(
            tickets.search_count(domain) < int(parameter(key, default))
            for domain, key, default in limits
        )

    def _acknowledged_subject(self):
        """Return the subject as it may stand in an automatic answer: one short line,
        so that nobody sends their own texts through it (T23)."""
        self.ensure_one()
        line = " ".join((self.name or "").split())
        return f"{line[:60]}…" if len(line) > 60 else line
