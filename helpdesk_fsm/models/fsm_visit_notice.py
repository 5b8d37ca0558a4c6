import hashlib
import logging

from odoo import api, fields, models
from odoo.fields import Domain

from .fsm_visit import VISIT_LENGTH, format_span

_logger = logging.getLogger(__name__)


class ProjectTask(models.Model):
    """How customer and technician learn when somebody comes.

    The invitation is sent a moment later by a scheduled action: whoever moves a visit
    three times sends one mail, and planning doesn't wait for the mail server.
    """

    _inherit = "project.task"

    # What the customer was told last. A visit whose invitation is to be sent, changed
    # or taken back is marked, and the scheduled action compares.
    fsm_notice_pending = fields.Boolean(
        string="Visit Notice Pending", copy=False, readonly=True, server_only=True
    )
    fsm_notice_sequence = fields.Integer(
        string="Visit Notice Sequence", copy=False, readonly=True, server_only=True
    )
    fsm_told_begin = fields.Datetime(
        string="Announced Start", copy=False, readonly=True, server_only=True
    )
    fsm_told_end = fields.Datetime(
        string="Announced End", copy=False, readonly=True, server_only=True
    )
    fsm_told_partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Announced To",
        copy=False,
        readonly=True,
        server_only=True,
        index="btree_not_null",
    )

    # -- Invitations ---------------------------------------------------------

    @api.model
    def _get_notice_fields(self):
        """Return the fields whose change may concern the customer's calendar."""
        return {
            "planned_date_begin",
            "date_deadline",
            "partner_id",
            "state",
            "active",
            "project_id",
        }

    def _mark_visit_notice(self):
        """Have the scheduled action look at those visits whose customer is to be told
        something: one that has dates, or had."""
        # sudo: technical fields, written for whoever plans or moves a visit.
        visits = self.sudo().filtered(
            lambda task: (
                task.is_fsm
                and not task.fsm_notice_pending
                and task._get_visit_to_tell() != task._get_visit_told()
            )
        )
        if visits:
            visits.fsm_notice_pending = True
            cron = self.env.ref("helpdesk_fsm.ir_cron_visit_notices", False)
            if cron:
                # sudo: whoever changed the visit lets Odoo send its notice soon.
                cron.sudo()._trigger()

    def _get_visit_to_tell(self):
        """Return ``(begin, end, customer)`` as the customer should know it, empty
        when there is no visit (any more)."""
        self.ensure_one()
        if (
            not self.is_fsm
            or not self.active
            or self.state == "1_canceled"
            or not (self.planned_date_begin and self.partner_id)
        ):
            return self._get_nothing_to_tell()
        end = self.date_deadline or self.planned_date_begin + VISIT_LENGTH
        return (self.planned_date_begin, end, self.partner_id)

    def _get_nothing_to_tell(self):
        return (False, False, self.env["res.partner"])

    def _get_visit_told(self):
        self.ensure_one()
        return (self.fsm_told_begin, self.fsm_told_end, self.fsm_told_partner_id)

    @api.model
    def _cron_send_visit_notices(self, limit=100):
        """Send the invitations that are due, each visit in a transaction of its own.

        One that can't be sent stays marked and doesn't hold up the others.
        """
        pending = Domain("fsm_notice_pending", "=", True)
        visits = self.with_context(active_test=False).search(pending, limit=limit)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(visits))
        for visit in visits:
            try:
                with self.env.cr.savepoint():
                    visit._send_visit_notice()
            except Exception:
                _logger.warning("No notice of visit %s", visit.id, exc_info=True)
            cron._commit_progress(1)

    def _send_visit_notice(self):
        """Send the customer what changed since the last notice, as a mail with a
        calendar file; assignees read it too, since they follow the task."""
        self.ensure_one()
        self.fsm_notice_pending = False
        told, due = self._get_visit_told(), self._get_visit_to_tell()
        if told == due:
            return
        past = fields.Datetime.now()
        if told[2] and told[2] != due[2]:
            if told[1] > past and not self.fsm_done:
                self._tell_customer("cancelled", *told)
        if due[2] and due[1] > past and not self.fsm_done:
            kind = "moved" if told[2] == due[2] else "planned"
            if not self._tell_customer(kind, *due):
                due = self._get_nothing_to_tell()
        self.write(
            {
                "fsm_told_begin": due[0],
                "fsm_told_end": due[1],
                "fsm_told_partner_id": due[2].id,
            }
        )

    def _tell_customer(self, kind, begin, end, partner):
        """Send one notice; returns whether that is possible. Where it isn't, who plans
        the visit reads that the customer doesn't know of it."""
        if partner.email:
            self._post_visit_notice(kind, begin, end, partner)
            return True
        sentence = self.env._(
            "%(customer)s has no email address and doesn't know about this: please "
            "tell them. (%(subject)s)",
            customer=partner.display_name,
            subject=self._get_notice_subject(
                kind, format_span(self.env, begin, end, self._get_visit_tz(partner))
            ),
        )
        self._message_log(body=sentence)
        self._fsm_tell(sentence)
        return False

    def _get_notice_subject(self, kind, when):
        """Return the subject of a notice in the language of the context."""
        match kind:
            case "planned":
                return self.env._("Our visit on %(when)s", when=when)
            case "moved":
                return self.env._("Our visit was moved to %(when)s", when=when)
            case "reminder":
                return self.env._("We will visit you on %(when)s", when=when)
            case _:
                return self.env._("Our visit on %(when)s was cancelled", when=when)

    def _post_visit_notice(self, kind, begin, end, partner):
        """Post the message of one kind: ``planned``, ``moved``, ``reminder`` or
        ``cancelled``."""
        self.fsm_notice_sequence += 1
        task = self.with_context(lang=partner.lang or self.env.lang)
        when = format_span(task.env, begin, end, task._get_visit_tz(partner))
        values = {
            "kind": kind,
            "task": task,
            "when": when,
            "timezone": task._get_visit_tz(partner),
            "technicians": ", ".join(
                name.split()[0] for name in self.user_ids.mapped("name") if name.split()
            ),
            "url": task._get_visit_url() if kind != "cancelled" else False,
        }
        subject = task._get_notice_subject(kind, when)
        company = self.company_id or self.env.company
        task.message_post(
            author_id=company.partner_id.id,
            body=task.env["ir.qweb"]._render(
                "helpdesk_fsm.visit_notice", values, minimal_qcontext=True
            ),
            subject=subject,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=partner.ids,
            email_layout_xmlid="mail.mail_notification_light",
            attachments=[
                ("visit.ics", task._get_visit_ics(kind, begin, end, partner).encode())
            ],
        )
        if kind in ("moved", "cancelled"):
            self._fsm_tell(subject)

    def _get_visit_tz(self, partner):
        """Return the time zone in which the customer reads times."""
        company = self.company_id or self.env.company
        return partner.tz or company.partner_id.tz or self.env.user.tz or "UTC"

    def _get_visit_ics(self, kind, begin, end, partner):
        """Return the calendar file of one notice (RFC 5545).

        The identity of the event stays the same through all notices, so that calendars
        move or remove what they hold.
        """
        self.ensure_one()
        company = self.company_id or self.env.company
        # sudo: only its hash leaves this method.
        database = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        identity = hashlib.sha256(
            f"{database}:{self._name}:{self.id}:{partner.id}".encode()
        ).hexdigest()[:32]

        def stamp(moment):
            return moment.strftime("%Y%m%dT%H%M%SZ")

        cancelled = kind == "cancelled"
        url = "" if cancelled else self._get_visit_url()
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Helpdesk After-Sales//helpdesk_fsm//EN",
            f"METHOD:{'CANCEL' if cancelled else 'REQUEST'}",
            "BEGIN:VEVENT",
            f"UID:{identity}@helpdesk-fsm",
            f"SEQUENCE:{self.fsm_notice_sequence}",
            f"DTSTAMP:{stamp(fields.Datetime.now())}",
            f"DTSTART:{stamp(begin)}",
            f"DTEND:{stamp(end)}",
            f"SUMMARY:{_ics_text(f'{company.name}: {self.name}')}",
            f"STATUS:{'CANCELLED' if cancelled else 'CONFIRMED'}",
        ]
        if self.fsm_partner_address:
            lines.append(f"LOCATION:{_ics_text(self.fsm_partner_address)}")
        if url:
            lines.append(f"DESCRIPTION:{_ics_text(url)}")
        if company.email:
            lines.append(
                f"ORGANIZER;CN={_ics_param(company.name)}:mailto:{_ics_uri(company.email)}"
            )
        if partner.email:
            lines.append(
                f"ATTENDEE;CN={_ics_param(partner.name)};RSVP=FALSE"
                f":mailto:{_ics_uri(partner.email)}"
            )
        lines += ["END:VEVENT", "END:VCALENDAR"]
        return "".join(f"{folded}\r\n" for line in lines for folded in _ics_fold(line))


def _ics_text(text):
    for char, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r", "")):
        text = text.replace(char, escaped)
    return text.replace("\n", "\\n")


def _ics_param(text):
    """Return a quoted parameter: neither quotes nor line breaks may be in it."""
    clean = "".join(char for char in text or "" if char.isprintable() and char != '"')
    return f'"{clean}"'


def _ics_uri(text):
    return "".join(char for char in text if char.isprintable() and char not in ' "<>')


def _ics_fold(line):
    """Yield the line in pieces of at most 75 bytes, never within a character."""
    piece = ""
    for char in line:
        if len((piece + char).encode()) > 75:
            yield piece
            piece = " "
        piece += char
    yield piece
