from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import email_normalize

DAYS = 30
# As many as one step of the scheduled action deletes.
BATCH = 100


class HelpdeskTicket(models.Model):
    """Spam: out of sight in one press, and gone after some weeks."""

    _inherit = "helpdesk.ticket"

    spam_date = fields.Datetime(
        string="Marked as Spam On",
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="It is deleted 30 days later.",
    )

    def action_spam(self):
        """Put these tickets away as spam, and block who sent them, unless it is a
        contact or a colleague. Returns the action that says so.

        :raises AccessError: when one isn't the user's to work on
        :raises UserError: when documents were made on one of them
        """
        self.check_access("write")
        self._lock_after_sales(self)
        if busy := self._filter_with_documents()[:1]:
            raise UserError(
                self.env._(
                    "There are documents of %(ticket)s, so it isn't spam: close it "
                    "instead.",
                    ticket=busy.display_name,
                )
            )
        # sudo: the user works on these tickets, as was just checked; their senders are
        # blocked, and nothing else.
        tickets = self.sudo()
        blocked = tickets._block_senders()
        tickets._send_no_stage_mail()
        tickets.activity_ids.unlink()
        tickets.write({"active": False, "spam_date": fields.Datetime.now()})
        for ticket in tickets:
            ticket._message_log(
                body=self.env._("Marked as spam."),
                author_id=self.env.user.partner_id.id,
            )
        message = (
            self.env._("Blocked: %(senders)s.", senders=", ".join(blocked))
            if blocked
            else self.env._("Nobody was blocked: contacts and colleagues never are.")
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "title": self.env._("Marked as spam"),
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_no_spam(self):
        """Take these tickets out of the spam, and unblock who sent them. Returns
        ``True``.

        :raises AccessError: when one isn't the user's to work on
        """
        self.check_access("write")
        # sudo: the user works on these tickets, as was just checked; exactly their
        # senders are unblocked.
        tickets = self.sudo().filtered("spam_date")
        for ticket in tickets:
            email = email_normalize(ticket.partner_email)
            self.env["helpdesk.blocked.sender"].sudo().search(
                Domain("email", "=", email)
                & Domain("company_id", "=", ticket.company_id.id)
            ).unlink()
        tickets.write({"active": True, "spam_date": False, "is_automatic_mail": False})
        return True

    def _block_senders(self):
        """Block who sent these tickets; returns the addresses. Called with sudo."""
        senders = self.env["helpdesk.blocked.sender"]
        emails = {}
        for ticket in self.filtered(lambda t: t.partner_email and not t.partner_id):
            email = email_normalize(ticket.partner_email)
            known = self.env["res.partner"].search_count(
                Domain("email_normalized", "=", email), limit=1
            )
            if email and not known:
                emails.setdefault((ticket.company_id.id, email))
        for company_id, email in emails:
            values = {"company_id": company_id, "email": email}
            if not senders.search_count(
                Domain([(name, "=", value) for name, value in values.items()]), limit=1
            ):
                senders.create(values)
        return [email for _company, email in emails]

    def _filter_with_documents(self):
        """Return those of these tickets that documents of services were made on."""
        mixin = self.pool["helpdesk.after.sales.document"]
        found = self.browse()
        for name, link in self._get_links_to_tickets():
            model = self.env[name]
            if isinstance(model, mixin):
                # sudo: only whether there are documents.
                documents = model.sudo().with_context(active_test=False)
                found |= documents.search(Domain(link, "in", self.ids))[link]
        return self & found.with_env(self.env)

    # -- Mail of blocked senders ---------------------------------------------

    @api.model
    def _is_blocked(self, email, company):
        # sudo: who is blocked, whoever writes.
        return bool(
            email
            and self.env["helpdesk.blocked.sender"]
            .sudo()
            .search_count(
                Domain("email", "=", email) & Domain("company_id", "=", company.id),
                limit=1,
            )
        )

    @api.model
    def _prepare_spam_vals(self):
        """Return the values of a new ticket of a blocked sender."""
        return {
            "active": False,
            "spam_date": fields.Datetime.now(),
            "is_automatic_mail": True,
        }

    def _assign_automatically(self):
        return super(
            HelpdeskTicket, self.filtered(lambda ticket: not ticket.spam_date)
        )._assign_automatically()

    def _may_ask_for_rating(self):
        # sudo: whether it's spam; a customer may close their ticket.
        return super()._may_ask_for_rating() and not self.sudo().spam_date

    def _may_acknowledge(self):
        # sudo: whether it's spam, whoever wrote.
        return super()._may_acknowledge() and not self.sudo().spam_date

    def _may_send_stage_mail(self):
        # sudo: whether it's spam; whoever moves a ticket may not read it.
        return not self.sudo().spam_date and super()._may_send_stage_mail()

    def _take_answer(self, message):
        # sudo: whether it's spam; what its sender adds wakes nothing up.
        return None if self.sudo().spam_date else super()._take_answer(message)

    def _add_listeners(self, values, author):
        # sudo: as above
        if self.sudo().spam_date:
            return None
        return super()._add_listeners(values, author)

    # -- Scheduled action ----------------------------------------------------

    @api.model
    def _cron_delete_spam(self):
        """Delete what was marked as spam some weeks ago."""
        domain = Domain(
            "spam_date", "<=", fields.Datetime.now() - timedelta(days=DAYS)
        ) & Domain("active", "=", False)
        tickets = self.with_context(active_test=False)
        last = 0
        while batch := tickets.search(
            domain & Domain("id", ">", last), order="id", limit=BATCH
        ):
            last = batch[-1].id
            (batch - batch._filter_with_documents()).unlink()
            left = tickets.search_count(domain & Domain("id", ">", last))
            self.env["ir.cron"]._commit_progress(len(batch), remaining=left)
