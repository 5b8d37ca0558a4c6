from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import email_normalize_all

from ..tools.files import name_file
from ..tools.reading import check_one, read_id, read_integer

# How a client says that the text of a file is one, or holds bytes.
FILE_ENCODINGS = [{"encoding": name} for name in ("utf-8", "latin-1", "iso-8859-1")]


class HelpdeskTicket(models.Model):
    """What customers see of their tickets, and do with them: in the portal, by RPC."""

    _inherit = "helpdesk.ticket"

    @api.model
    def _get_thread_with_access(
        self,
        thread_id,
        *,
        mode="read",
        hash=None,
        pid=None,
        token=None,
        **kwargs,
    ):
        """Let a link open the conversation only while the team shows its tickets."""
        # sudo: decides only whether the link counts at all; rights are checked after.
        ticket = self.sudo().browse(read_id(thread_id)).exists()
        pid = read_id(pid)
        # Only text of ASCII can be compared in constant time.
        hash, token = (
            value if isinstance(value, str) and value.isascii() else None
            for value in (hash, token)
        )
        if not ticket.access_token or ticket.team_id.privacy_visibility != "portal":
            hash = pid = token = None
        return super()._get_thread_with_access(
            ticket.id, mode=mode, hash=hash, pid=pid, token=token, **kwargs
        )

    def _is_customer_side(self, partner, email=False):
        """Return whether a partner, or whoever writes from an address, belongs to the
        customer of this ticket."""
        self.ensure_one()
        # sudo: entities and addresses are compared, not shown.
        ticket, partner = self.sudo(), partner.sudo()
        if partner and partner.commercial_partner_id == ticket.commercial_partner_id:
            return True
        return bool(email) and email in email_normalize_all(
            f"{ticket.partner_email or ''}, {ticket.email_cc or ''}"
        )

    def _forget_customer(self, partner, vals):
        """Take link, notifications and address away from who was the customer."""
        self.ensure_one()
        # sudo: whoever may change the customer ends what the former one could do.
        ticket = self.sudo()
        # Colleagues see the ticket by the rule of their company, as long as the
        # company stays the customer.
        gone = partner | ticket.message_partner_ids.filtered(
            lambda follower: (
                follower.partner_share
                and follower.commercial_partner_id == partner.commercial_partner_id
                and follower.commercial_partner_id != ticket.commercial_partner_id
            )
        )
        ticket.message_unsubscribe(partner_ids=gone.ids)
        ticket.access_token = self._fields["access_token"].default(ticket)
        ticket._renew_file_tokens()
        if partner.commercial_partner_id != ticket.commercial_partner_id:
            ticket._drop_lines_of_others(requests=True)
        addresses = set(filter(None, gone.mapped("email_normalized")))
        ticket._forget_ratings()
        carbon_copies = ticket._mail_cc_sanitized_raw_dict(ticket.email_cc)
        ticket.email_cc = ", ".join(
            raw for email, raw in carbon_copies.items() if email not in addresses
        )
        if not ticket.partner_id:
            ticket.update(
                {
                    name: False
                    for name in ("partner_name", "partner_email", "partner_phone")
                    if name not in vals
                }
            )

    def _renew_file_tokens(self):
        """Take back the lasting links to files: pictures in texts, and files too big
        for a mail. The others end with the token of the ticket."""
        files = self.env["ir.attachment"].search(
            Domain("res_model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("access_token", "!=", False)
        )
        for file in files:
            old, file.access_token = file.access_token, file._generate_access_token()
            for record, name in (
                (self, "description"),
                *((message, "body") for message in self.message_ids),
            ):
                if old in (record[name] or ""):
                    record[name] = record[name].replace(old, file.access_token)

    def _check_portal_customer(self):
        """Raise unless the user is the customer of this ticket, and may read it.

        :raises AccessError: when it isn't theirs
        """
        check_one(self)
        self.check_access("read")
        if not self._is_customer_side(self.env.user.partner_id):
            raise AccessError(
                self.env._("Only the customer of this ticket can do that.")
            )

    @api.model
    def _check_portal_post(self, kwargs):
        """Refuse what is no text, file or answer, before anything makes sense of it.

        :raises UserError: with a sentence
        """
        if not isinstance(kwargs.get("body") or "", str):
            raise UserError(self.env._("The text of an answer must be a string."))
        if kwargs.get("parent_id"):
            kwargs["parent_id"] = read_id(kwargs["parent_id"])
        if ids := kwargs.get("attachment_ids"):
            ids = [*map(read_id, ids)] if isinstance(ids, list | tuple) else [None]
            if None in ids:
                raise UserError(self.env._("Give the ids of the uploaded files."))
            kwargs["attachment_ids"] = ids
        files = kwargs.get("attachments") or []
        if not isinstance(files, list | tuple) or not all(
            isinstance(file, list | tuple)
            and len(file) in (2, 3)
            and isinstance(file[0], str)
            and isinstance(file[1], str | bytes)
            and (not file[2:] or file[2] in FILE_ENCODINGS)
            for file in files
        ):
            raise UserError(self.env._("Give each file as its name and its content."))

    def _message_post_after_hook(self, message, msg_values):
        author = message.author_id
        if not author or author.partner_share:
            # sudo: new names for the files of strangers; nothing of them is shown.
            for file in message.sudo().attachment_ids:
                name = name_file(file.name, file.raw)
                if name != file.name:
                    file.name = name
        return super()._message_post_after_hook(message, msg_values)

    @api.readonly
    def portal_details(self):
        """Return what the customer's page of this ticket shows, for clients that speak
        for customers: a dictionary of texts, times, and the files with their ids.

        :raises AccessError: when the user may not read the ticket
        """
        check_one(self)
        self.check_access("read")
        # sudo: the user may read the ticket, as was just checked; these names are shown
        # to its customer on the page, too.
        ticket = self.with_context(display_default_code=False).sudo()
        return {
            "number": ticket.ticket_ref,
            "subject": ticket.name,
            "description": ticket.description or "",
            "stage": ticket.stage_id.name,
            "request": ticket._get_request_badge()[0],
            "team": ticket.team_id.name,
            "contact": ticket.user_id.name,
            "customer": ticket.partner_id.display_name,
            "order": ticket.sale_order_id.name,
            "product": ticket.product_id.display_name,
            "serial_number": ticket.lot_id.name,
            "lines": ticket._describe_portal_lines(),
            "created": ticket.create_date,
            "closed": ticket.close_date,
            "can_close": ticket._portal_can_close(),
            "can_reopen": ticket._portal_can_reopen(),
            "url": ticket.access_url,
            "attachments": self._describe_portal_files(ticket._portal_attachments()),
        }

    @api.readonly
    def portal_messages(self, limit=30, before_id=None):
        """Return the conversation as the customer reads it, newest first, for clients
        that speak for customers: ``id``, ``date``, ``author``, ``body`` and files.

        :param limit: how many messages, 100 at most
        :param before_id: only messages older than the one with this id
        :raises AccessError: when the user may not read the ticket
        """
        check_one(self)
        self.check_access("read")
        domain = (
            Domain("model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("subtype_id", "=", self.env.ref("mail.mt_comment").id)
            & Domain("is_internal", "=", False)
        )
        if before_id:
            domain &= Domain("id", "<", read_integer(before_id))
        limit = read_integer(limit, default=30, maximum=100)
        if not limit:  # Odoo takes 0 for no limit
            return []
        messages = self.env["mail.message"].search(domain, order="id desc", limit=limit)
        # sudo: the user has found the messages by their own rights; the page shows
        # who wrote them, and their files.
        messages = messages.sudo()
        return [
            {
                "id": message.id,
                "date": message.date,
                "author": message._get_helpdesk_author_name(),
                "body": message.body,
                "attachments": self._describe_portal_files(message.attachment_ids),
            }
            for message in messages
        ]

    def _describe_portal_files(self, attachments):
        """Return what a client needs to fetch these files: for the customer links that
        work some weeks without a log-in, for others with their own rights only."""
        own = self._is_customer_side(self.env.user.partner_id)
        files = []
        for attachment in attachments:
            url = f"/web/content/{attachment.id}?download=true"
            if own:
                url += f"&access_token={attachment._get_raw_access_token()}"
            files.append(
                {"name": attachment.name, "mimetype": attachment.mimetype, "url": url}
            )
        return files

    def portal_close(self):
        """Close the ticket as its customer. Returns ``True``.

        :raises AccessError: when it isn't the user's own
        :raises UserError: when the team doesn't allow it, or it is closed already
        """
        self._check_portal_customer()
        # sudo: the user is the customer, as was just checked; the team has the say.
        self.sudo()._portal_close(self.env.user.partner_id)
        return True

    def portal_reopen(self):
        """Open the ticket again as its customer. Returns ``True``.

        :raises AccessError: when it isn't the user's own
        :raises UserError: when the team doesn't allow it, or it is open already
        """
        self._check_portal_customer()
        # sudo: the user is the customer, as was just checked; the team has the say.
        self.sudo()._portal_reopen(self.env.user.partner_id)
        return True

    def _portal_attachments(self):
        """Return the files that came with the ticket, under ``sudo()``.

        Those of later messages show in the conversation; those of internal notes
        belong to agents (T13). Call it after the access to the ticket was checked.
        """
        self.ensure_one()
        # sudo: who calls this has checked the access to the ticket; customers can't
        # read the internal subtype of its first message.
        return (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("message_type", "=", "email"),
                    ("is_internal", "=", False),
                    ("subtype_id", "=", self._creation_subtype().id),
                ]
            )
            .attachment_ids
        )

    def _portal_can_close(self):
        """Return whether the customer may close the ticket (issue 9)."""
        self.ensure_one()
        return (
            not self.close_date
            and self.team_id.allow_portal_ticket_closing
            and bool(self.team_id.stage_ids.filtered("fold"))
        )

    def _portal_can_reopen(self):
        """Return whether the customer may open the ticket again."""
        self.ensure_one()
        team = self.team_id
        return (
            bool(self.close_date)
            and (team.reopen_on_reply or team.allow_portal_ticket_closing)
            and not all(team.stage_ids.mapped("fold"))
        )

    def _portal_close(self, author):
        """Close the ticket for its customer.

        :param author: the partner who did it
        :raises UserError: when the team doesn't allow it, or it is closed already
        """
        self.ensure_one()
        if not self._portal_can_close():
            raise UserError(self.env._("This ticket can't be closed here."))
        self._track_set_author(author)
        self._track_set_log_message(self.env._("Closed by the customer."))
        # The date too: the ticket may be in that stage since before it was folded.
        self.write(
            {
                "stage_id": self.team_id.stage_ids.filtered("fold")[0].id,
                "close_date": fields.Datetime.now(),
            }
        )

    def _portal_reopen(self, author):
        """Open the ticket again for its customer.

        :param author: the partner who did it
        :raises UserError: when the team doesn't allow it, or it is open already
        """
        self.ensure_one()
        if not self._portal_can_reopen():
            raise UserError(self.env._("This ticket can't be reopened here."))
        self._track_set_log_message(self.env._("Reopened by the customer."))
        self._reopen(author)

    def _reopen(self, author):
        """Put a closed ticket into the first open stage of its team."""
        self.ensure_one()
        if not self.active and not self.merged_into_id:
            self.active = True
        if author:
            self._track_set_author(author)
        # The mail of that stage says that a request was received: it isn't new.
        self._send_no_stage_mail()
        stages = self.team_id.stage_ids.filtered(lambda stage: not stage.fold)
        if stages:
            # The date too: a closed one may be in that stage since it was folded.
            self.write(
                {"stage_id": stages[0].id, "close_date": False, "waiting_since": False}
            )
