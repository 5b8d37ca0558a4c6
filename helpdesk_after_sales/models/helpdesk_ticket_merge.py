import logging
from functools import partial

from markupsafe import Markup

from odoo import SUPERUSER_ID, Command, api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import email_normalize, formataddr, is_html_empty

from .helpdesk_ticket_turn import TURNED

_logger = logging.getLogger(__name__)

# What people write: it follows a merged ticket.
WRITTEN = ("comment", "email", "email_outgoing")


class HelpdeskTicket(models.Model):
    """Two tickets of one matter become one."""

    _inherit = "helpdesk.ticket"

    def write(self, vals):
        if "partner_id" not in vals:
            return super().write(vals)
        # sudo: whether they were merged; whoever changes the customer may not read it.
        merged = self.sudo().filtered("merged_into_id")
        former = {ticket: ticket.commercial_partner_id for ticket in merged}
        result = super().write(vals)
        for ticket, customer in former.items():
            if ticket.commercial_partner_id != customer:
                # Its page leads to the other ticket, for the customer of both only.
                ticket.merged_into_id = False
        return result

    def action_merge(self):
        """Return the action that opens the pop-up **Merge Tickets** on these."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge Tickets"),
            "res_model": "helpdesk.ticket.merge",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_ticket_ids": [Command.set(self.ids)]},
        }

    @api.constrains("active", "merged_into_id")
    def _check_merged_stays_archived(self):
        for ticket in self.filtered(lambda t: t.active and t.merged_into_id):
            raise ValidationError(
                self.env._(
                    "%(ticket)s was merged into %(target)s, where its messages are: it "
                    "stays archived.",
                    ticket=ticket.display_name,
                    # sudo: the name of a ticket that the user may not see.
                    target=ticket.sudo().merged_into_id.display_name,
                )
            )

    def _get_merge_target(self):
        """Return the ticket that this one went into in the end, or itself."""
        self.ensure_one()
        ticket, seen = self, self.browse()
        while ticket.merged_into_id and ticket not in seen:
            seen |= ticket
            ticket = ticket.merged_into_id
        return ticket

    def _get_other_people(self):
        """Return those of these tickets whose customer is somebody else than that of
        the others, for all that is known: a stranger with another address."""
        known = self.filtered("partner_id")
        main = known[:1] or self.filtered("partner_email")[:1]
        return (self - known - main).filtered(
            lambda ticket: (
                ticket.partner_email and not main._is_address_of_customer(ticket)
            )
        )

    def _is_address_of_customer(self, other):
        """Return whether the address of another ticket is one of this customer's."""
        self.ensure_one()
        email = email_normalize(other.partner_email) or other.partner_email
        # sudo: addresses are compared, not shown.
        contacts = self.env["res.partner"].sudo()
        customer = self.commercial_partner_id
        return self._is_customer_side(contacts, email) or bool(
            customer
            and contacts.search_count(
                Domain("email_normalized", "=", email)
                & Domain("commercial_partner_id", "=", customer.id),
                limit=1,
            )
        )

    def _describe_customer(self):
        """Return who the customer of this ticket is, as agents know them."""
        self.ensure_one()
        name = self.partner_id.display_name or self.partner_name
        return " ".join(
            filter(None, (name, self.partner_email and f"<{self.partner_email}>"))
        )

    def _merge_into(self, target, people_confirmed=False):
        """Move all that belongs to these tickets to ``target``, and archive them.

        Messages, files, followers, activities, and the documents of every service go
        along, with a note on both sides. What ``target`` doesn't say (customer,
        purchase) it takes over, and the lines of the others come behind its own.

        :param people_confirmed: whether the user has said that strangers with
            different addresses belong together
        :raises AccessError: when one of the tickets isn't the user's to work on
        :raises UserError: when they belong to different customers or companies
        """
        tickets = self | target
        tickets.check_access("write")
        self._lock_after_sales(tickets)
        tickets.invalidate_recordset()
        tickets._check_merge()
        if not people_confirmed and (others := tickets._get_other_people()):
            raise UserError(
                self.env._(
                    "%(people)s: these people would read each other's messages. "
                    "Confirm that they belong together.",
                    people=", ".join(
                        ticket._describe_customer()
                        for ticket in (tickets - others)[:1] | others
                    ),
                )
            )
        # sudo: the user may write all of these tickets, as was just checked; what
        # hangs on them goes along, also documents that they may not open.
        target, sources = target.sudo(), (self - target).sudo()
        vals = target._prepare_merge_vals(sources)
        before = target._read_to_undo(vals)
        tags = sources.tag_ids - target.tag_ids
        # The note of the merge says it; nothing else happens on the ticket.
        quiet = target.with_context(mail_notrack=True)
        quiet.write(vals)
        after = target._read_to_undo(vals)
        given = {name: (before[name], after[name]) for name in before}
        for ticket in sources:
            target._take_over(ticket)
        target._take_over_sla(sources)
        sources.write({"active": False, "merged_into_id": target.id})
        for ticket in sources:
            ticket._note_moved("ticket_id", ticket.line_ids)
        quiet._take_over_lines(sources.line_ids.with_env(quiet.env))
        quiet.flush_recordset()
        note = max(target.message_ids.ids, default=0)
        for ticket in sources:
            ticket._note_moved(
                "ticket_id",
                ticket.line_ids.browse(),
                note=note,
                given=given,
                tags=(tags & ticket.tag_ids).ids,
            )
        sources._look_for_late_messages()

    # -- Messages that come in meanwhile --------------------------------------

    def message_post(self, **kwargs):
        message = super().message_post(**kwargs)
        if self._may_be_left_behind(message):
            self._look_for_late_messages()
        return message

    def _may_be_left_behind(self, message):
        """Return whether a merge in another transaction could miss this message.

        Not where it has changed whose turn it is: two transactions that write on one
        ticket don't pass each other, and Odoo repeats the one that comes last.
        """
        # sudo: whether the ticket was merged; whoever writes may not read it.
        ticket, message = self.sudo(), message.sudo()
        if ticket.merged_into_id:
            return True
        return (
            message.message_type in WRITTEN
            and message.subtype_id != self._creation_subtype()
            and ticket.id not in self.env.cr.postcommit.data.get(TURNED, ())
        )

    def _look_for_late_messages(self):
        """Look after the commit whether somebody wrote on these tickets while they were
        merged, or has done so since.

        Neither transaction sees what the other one does; who ends last sees both. A
        lock would throw back mails that come in while an agent works on the ticket.
        """
        postcommit = self.env.cr.postcommit
        key = "helpdesk_late_messages"
        if key not in postcommit.data:
            postcommit.data[key] = set()
            postcommit.add(
                partial(self.browse()._move_late_messages, postcommit.data[key])
            )
        postcommit.data[key].update(self.ids)

    def _move_late_messages(self, ids):
        """Move what was written on merged tickets of ``ids`` to those that stay, in a
        transaction of its own."""
        domain = [("id", "in", list(ids)), ("merged_into_id", "!=", False)]
        try:
            with self.env.registry.cursor() as cr:
                # As the system: whoever wrote need not see the ticket that stays.
                env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})

                def move():
                    for ticket in env[self._name].search(domain):
                        ticket._hand_on_messages()

                retrying(move, env)
        except Exception:
            # What was asked for is done; the messages stay where they are.
            _logger.exception("Messages of merged tickets %s", sorted(ids))

    def _hand_on_messages(self):
        """Move what people wrote on this merged ticket, with its files."""
        late = self.env["mail.message"].search(
            [
                ("model", "=", self._name),
                ("res_id", "=", self.id),
                ("message_type", "in", WRITTEN),
            ],
            order="id",
        )
        if not late:
            return
        target = self._get_merge_target()
        # Something has happened since: the merge can't be undone.
        self.merge_data = False
        late.attachment_ids.filtered(
            lambda file: file.res_model == self._name and file.res_id == self.id
        ).res_id = target.id
        late.res_id = target.id
        for message in late:
            target._take_turn(message)

    # -- What can be merged ---------------------------------------------------

    def _check_merge(self):
        if gone := self.filtered("merged_into_id")[:1]:
            raise UserError(
                self.env._(
                    "%(ticket)s has already been merged into %(target)s.",
                    ticket=gone.display_name,
                    # sudo: the name of a ticket that the user may not see.
                    target=gone.sudo().merged_into_id.display_name,
                )
            )
        if len(self.company_id) > 1:
            raise UserError(
                self.env._("Tickets of different companies can't be merged.")
            )
        if len(self.commercial_partner_id) > 1:
            raise UserError(
                self.env._(
                    "These tickets belong to different customers (%(customers)s), who "
                    "would read each other's messages: they can't be merged.",
                    customers=", ".join(self.commercial_partner_id.mapped("name")),
                )
            )

    def _prepare_merge_vals(self, sources):
        """Return what this ticket takes over from ``sources``."""
        self.ensure_one()
        vals = {
            "tag_ids": [Command.link(tag.id) for tag in sources.tag_ids],
            "priority": max((self | sources).mapped("priority")),
        }
        copies = (self | sources).mapped("email_cc")
        # Who wrote from an address without a contact is answered there.
        copies += [
            formataddr((ticket.partner_name or "", ticket.partner_email))
            for ticket in sources
            if ticket.partner_email
            and email_normalize(ticket.partner_email)
            not in (
                ticket.partner_id.email_normalized,
                email_normalize(self.partner_email),
            )
        ]
        if copies := ", ".join(filter(None, copies)):
            addresses = self._mail_cc_sanitized_raw_dict(copies)
            vals["email_cc"] = ", ".join(addresses.values())
        if not self.partner_id and (known := sources.filtered("partner_id")[:1]):
            vals["partner_id"] = known.partner_id.id
        return vals

    def _take_over(self, ticket):
        """Move messages, files and documents of ``ticket`` here. Called with sudo."""
        followers = ticket.message_partner_ids - self.message_partner_ids
        self.message_subscribe(partner_ids=ticket.message_partner_ids.ids)
        moved = []
        for model, link in self._get_links_to_tickets():
            linked = self.env[model].with_context(active_test=False)
            linked = linked.search([(link, "=", ticket.id)])
            linked.with_context(helpdesk_merging=True).write({link: self.id})
            moved += [(link, linked)] if linked else []
        for model in ("ir.attachment", "mail.activity", "rating.rating"):
            attached = self._find_attached(model, ticket)
            attached.write({"res_id": self.id})
            moved += [("res_id", attached)] if attached else []
        # As core's message_change_thread, which would take the kind of each message.
        messages = self.env["mail.message"].search(
            [
                ("model", "=", self._name),
                ("res_id", "=", ticket.id),
                ("message_type", "!=", "user_notification"),
            ]
        )
        messages.write({"res_id": self.id})
        ticket.merge_data = False
        for link, records in [*moved, ("res_id", messages)]:
            ticket._note_moved(link, records, followers=followers.ids)
        self._message_log(
            body=self.env._(
                "Merged with %(ticket)s: its messages, files and documents are here "
                "now.%(description)s",
                ticket=ticket._get_number_link(),
                description=Markup("<blockquote>%s</blockquote>") % ticket.description
                if not is_html_empty(ticket.description)
                else "",
            ),
            author_id=self.env.user.partner_id.id,
        )
        ticket._message_log(
            body=self.env._(
                "Merged into %(ticket)s, where its messages, files and documents are.",
                ticket=self._get_number_link(),
            ),
            author_id=self.env.user.partner_id.id,
        )

    def _take_over_lines(self, lines):
        """Move ``lines`` behind those of this ticket. What is noted here as well
        isn't doubled. Called with sudo."""
        known = {line._get_key() for line in self.line_ids}
        lines = lines.filtered(
            lambda line: line.state != "draft" or line._get_key() not in known
        )
        last = max(self.line_ids.mapped("sequence"), default=9)
        lines.write({"ticket_id": self.id, "sequence": last + 1})

    @api.model
    def _get_links_to_tickets(self):
        """Return ``[(model, field)]``: what is moved when tickets are merged. An addon
        takes out what belongs to one ticket for ever."""
        return [
            (name, field.name)
            for name, model in self.env.registry.items()
            if model._auto and not model._abstract and not model._transient
            for field in model._fields.values()
            if field.type == "many2one"
            and field.comodel_name == self._name
            and field.store
            and not field.related
            # They find their place, see _take_over_lines() and _take_over_sla().
            and name not in ("helpdesk.ticket.line", "helpdesk.sla.status")
        ]
