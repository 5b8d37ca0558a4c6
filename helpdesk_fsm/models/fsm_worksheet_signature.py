import base64
import binascii
import io
import json
import unicodedata

from PIL import Image, UnidentifiedImageError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.image import IMAGE_MAX_RESOLUTION

from odoo.addons.helpdesk_after_sales.tools import lock_records

from .fsm_visit import format_moment
from .fsm_worksheet import fingerprint

#: what a drawn signature may weigh at most, in bytes
SIGNATURE_MAX_SIZE = 2 * 1024 * 1024


class ProjectTask(models.Model):
    """The signature of a worksheet, and that what was signed stays as it was."""

    _inherit = "project.task"

    worksheet_signature = fields.Binary(
        string="Signature", attachment=True, copy=False, readonly=True, server_only=True
    )
    worksheet_signed_by = fields.Char(
        string="Signed By", copy=False, readonly=True, server_only=True, tracking=True
    )
    worksheet_signed_on = fields.Datetime(
        string="Signed On", copy=False, readonly=True, server_only=True
    )
    worksheet_signed_ip = fields.Char(
        string="Signed From (IP)", copy=False, readonly=True, server_only=True
    )
    worksheet_snapshot = fields.Text(
        string="Signed Content",
        copy=False,
        readonly=True,
        server_only=True,
        help="What was signed, word for word. Later changes don't affect it.",
    )
    worksheet_hash = fields.Char(
        string="Fingerprint (SHA-256)",
        copy=False,
        readonly=True,
        server_only=True,
        help="Of the signed content. It is printed on the report as well.",
    )
    worksheet_version = fields.Integer(
        default=1, copy=False, readonly=True, server_only=True
    )
    worksheet_shared_on = fields.Datetime(
        string="Shared With the Customer On",
        copy=False,
        readonly=True,
        server_only=True,
    )

    # -- Guards --------------------------------------------------------------

    @api.model
    def _get_worksheet_sealed_fields(self):
        """Return the fields that nobody changes while the worksheet is signed."""
        return {
            "worksheet_template_id",
            "worksheet_properties",
            "fsm_work_started_on",
            "fsm_work_ended_on",
        }

    def _check_worksheet_write(self, vals):
        """Refuse to change what was signed.

        :raises UserError: when a worksheet is signed, or its template was filled in
        """
        if not vals.keys() & self._get_worksheet_sealed_fields():
            return
        for task in self.sudo():  # whether it is signed or filled, nothing else
            if task.worksheet_signed_on:
                raise UserError(task._get_signed_sentence())
            template = vals.get("worksheet_template_id", task.worksheet_template_id.id)
            if template != task.worksheet_template_id.id and task._is_filled():
                raise UserError(
                    self.env._(
                        "The worksheet of %(task)s is already filled in. Clear its "
                        "fields before you choose another template.",
                        task=task.name,
                    )
                )

    def _get_signed_sentence(self):
        """Return the sentence that says who signed this worksheet, and when."""
        self.ensure_one()
        return self.env._(
            "The worksheet of %(task)s has already been signed by %(name)s on "
            "%(date)s. Reopen it to change it; it will then need a new signature.",
            task=self.name,
            name=self.worksheet_signed_by,
            date=format_moment(self.env, self.worksheet_signed_on),
        )

    # -- Signature -----------------------------------------------------------

    def action_sign_worksheet(self):
        """Return the action that asks for a signature on this screen (S110).

        :raises UserError: when it is signed already, or required fields are missing
        """
        self.ensure_one()
        self.check_access("write")
        self._check_signable()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sign the worksheet"),
            "res_model": "fsm.worksheet.sign",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_task_id": self.id},
        }

    def _check_signable(self):
        """Raise unless this worksheet can be signed now.

        :raises UserError: with the reason
        """
        self.ensure_one()
        task = self.sudo()  # callers have checked who asks; states are compared
        if task.worksheet_signed_on:
            raise UserError(task._get_signed_sentence())
        if not task.is_fsm or not task.worksheet_template_id:
            raise UserError(self.env._("This task has no worksheet to sign."))
        if not task.active or task.state == "1_canceled":
            raise UserError(
                self.env._("This visit was cancelled: there is nothing to sign.")
            )
        if missing := task._get_missing_labels():
            raise UserError(
                self.env._(
                    "Fill in first: %(labels)s.",
                    labels=", ".join(missing),
                )
            )

    def _sign_worksheet(self, name, signature, ip=False):
        """Seal this worksheet with a signature. The caller has checked who asks.

        The task's row is held, so that of two signatures at the same moment the first
        one counts and the second is told of it (T16).

        :param name: of the person who signs
        :param signature: a picture, base64
        :raises UserError: when it can't be signed, or name or picture are no good
        """
        self.ensure_one()
        name = self._clean_signer(name)
        if not name or len(name) > 120:
            raise UserError(
                self.env._(
                    "Write the name of the person who signs (up to 120 characters)."
                )
            )
        picture = self._clean_signature(signature)
        lock_records(self)
        # sudo: the caller has checked the person; the fields of a signature are
        # written by this method only.
        task = self.sudo()
        task.invalidate_recordset()
        task._check_signable()
        now = fields.Datetime.now()
        task._end_work_with_signature(now)
        content = task._prepare_worksheet_content()
        content["signature"] = {
            "name": name,
            "on": fields.Datetime.to_string(now),
            "ip": ip or "",
            "sha256": fingerprint(picture),
        }
        snapshot = json.dumps(
            content, sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        task.write(
            {
                "worksheet_signature": base64.b64encode(picture),
                "worksheet_signed_by": name,
                "worksheet_signed_on": now,
                "worksheet_signed_ip": ip,
                "worksheet_snapshot": snapshot,
                "worksheet_hash": fingerprint(snapshot.encode()),
            }
        )
        sentence = self.env._(
            "The worksheet of %(task)s was signed by %(name)s.",
            task=task._get_html_link(),
            name=name,
        )
        task._message_log(body=sentence)
        task._fsm_tell(sentence)

    @api.model
    def _clean_signer(self, name):
        """Return a name as one line of text; empty when it is none. Anything may come
        through the portal, numbers and what no database keeps as well."""
        if not isinstance(name, str):
            return ""
        return " ".join(
            "".join(
                " " if unicodedata.category(char) in ("Cc", "Cs") else char
                for char in name
            ).split()
        )

    def _end_work_with_signature(self, now):
        """Work that goes on while the customer signs ends with the signature: start and
        end are what is signed. Who signs by the link does so after the worksheet was
        sent: it had ended then."""
        self.ensure_one()
        started, shared = self.fsm_work_started_on, self.worksheet_shared_on
        if started and not self.fsm_work_ended_on:
            self.fsm_work_ended_on = shared if shared and shared > started else now

    @api.model
    def _clean_signature(self, signature):
        """Return the bytes of a PNG that holds what was drawn, and nothing else.

        :param signature: base64, as text or bytes
        :raises UserError: when it is missing, too large, no picture, or blank
        """
        if isinstance(signature, bytes):
            signature = signature.decode("ascii", "replace")
        if not isinstance(signature, str) or not signature:
            raise UserError(self.env._("The signature is missing: draw or type it."))
        if len(signature) > SIGNATURE_MAX_SIZE * 4 // 3 + 4:
            raise UserError(self.env._("The picture of the signature is too large."))
        refusal = self.env._("The picture of the signature can't be read.")
        try:
            data = base64.b64decode(signature, validate=True)
            picture = Image.open(io.BytesIO(data), formats=["PNG", "JPEG"])
            if picture.width * picture.height > IMAGE_MAX_RESOLUTION / 4:
                raise UserError(
                    self.env._("The picture of the signature is too large.")
                )
            picture = picture.convert("RGBA")
        except (
            ValueError,
            binascii.Error,
            UnidentifiedImageError,
            OSError,
            SyntaxError,
            Image.DecompressionBombError,
        ) as error:
            raise UserError(refusal) from error
        # Drawn on paper: transparent and one plain colour are both blank.
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        if all(low == high for low, high in paper.convert("RGB").getextrema()):
            raise UserError(self.env._("The signature is blank: draw or type it."))
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        return stream.getvalue()

    def _reopen_worksheet(self, reason):
        """Open a signed worksheet again, as a new version; what was signed before
        stays in the chatter, with the signature.

        :param reason: why, for the record
        :raises AccessError: when the task isn't the user's to change
        :raises UserError: when it isn't signed
        """
        self.ensure_one()
        self.check_access("write")
        lock_records(self)
        # sudo: write access was checked; the fields of a signature are written by the
        # methods of the worksheet only.
        task = self.sudo()
        task.invalidate_recordset()
        if not task.worksheet_signed_on:
            raise UserError(self.env._("This worksheet is not signed."))
        version = task.worksheet_version
        message = task.message_post(
            body=self.env._(
                "Version %(version)s of the worksheet, signed by %(name)s, was "
                "reopened: %(reason)s",
                version=version,
                name=task.worksheet_signed_by,
                reason=reason,
            ),
            message_type="notification",
            subtype_xmlid="mail.mt_note",
            attachments=task._get_signed_files(),
        )
        message.attachment_ids.helpdesk_sealed = True
        # The files of what is signed are sealed: it is opened first.
        task.worksheet_signed_on = False
        task.write(
            {
                "worksheet_signature": False,
                "worksheet_signed_by": False,
                "worksheet_signed_ip": False,
                "worksheet_snapshot": False,
                "worksheet_hash": False,
                "worksheet_version": version + 1,
            }
        )
        if task.fsm_done:
            # What is to be signed again is not done.
            task.action_fsm_reopen()

    def _get_signed_files(self):
        """Return ``[(name, bytes)]`` of what is signed, as far as it is there."""
        version = self.worksheet_version
        signature = self.with_context(bin_size=False).worksheet_signature
        files = {
            f"worksheet-v{version}.json": (self.worksheet_snapshot or "").encode(),
            f"signature-v{version}.png": base64.b64decode(signature or b""),
        }
        return [(name, data) for name, data in files.items() if data]
