import base64
import binascii
import hashlib
import io
import json

from PIL import Image, UnidentifiedImageError

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date, formatLang
from odoo.tools.image import IMAGE_MAX_RESOLUTION

from .fsm_visit import format_moment

#: what a drawn signature may weigh at most, in bytes
SIGNATURE_MAX_SIZE = 2 * 1024 * 1024


class ProjectTask(models.Model):
    """The worksheet of a visit: filled, signed, sealed (S109 to S114, X16).

    What was signed is kept as a text, the snapshot: the fields with their labels and
    values, times, customer, and the hashes of photos and signature. The report is made
    from it, and its SHA-256 stands on both.
    """

    _inherit = "project.task"

    worksheet_currency_id = fields.Many2one(
        comodel_name="res.currency", compute="_compute_worksheet_currency_id"
    )
    worksheet_signature = fields.Binary(
        string="Signature", attachment=True, copy=False, readonly=True
    )
    worksheet_signed_by = fields.Char(
        string="Signed By", copy=False, readonly=True, tracking=True
    )
    worksheet_signed_on = fields.Datetime(string="Signed On", copy=False, readonly=True)
    worksheet_signed_ip = fields.Char(
        string="Signed From (IP)", copy=False, readonly=True
    )
    worksheet_snapshot = fields.Text(
        string="Signed Content",
        copy=False,
        readonly=True,
        help="What was signed, word for word. Nothing of it follows later changes.",
    )
    worksheet_hash = fields.Char(
        string="Fingerprint (SHA-256)",
        copy=False,
        readonly=True,
        help="Of the signed content. It is printed on the report as well.",
    )
    worksheet_version = fields.Integer(default=1, copy=False, readonly=True)
    worksheet_shared_on = fields.Datetime(
        string="Shared With the Customer On", copy=False, readonly=True
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_worksheet_currency_id(self):
        for task in self:
            company = task.company_id or self.env.company
            # sudo: of the task's company, only its currency.
            task.worksheet_currency_id = company.sudo().currency_id

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

    @api.model
    def _get_worksheet_locked_fields(self):
        """Return the fields that only the methods of the worksheet write."""
        return {
            "worksheet_signature",
            "worksheet_signed_by",
            "worksheet_signed_on",
            "worksheet_signed_ip",
            "worksheet_snapshot",
            "worksheet_hash",
            "worksheet_version",
            "worksheet_shared_on",
            "fsm_done",
            "fsm_access_token",
        }

    def _check_worksheet_write(self, vals):
        """Refuse to forge a signature, and to change what was signed.

        :raises AccessError: for a field that only signing writes
        :raises UserError: when a worksheet is signed, or its template was filled in
        """
        if not self.env.su and vals.keys() & self._get_worksheet_locked_fields():
            raise AccessError(
                self.env._(
                    "A worksheet is signed, shared and marked as done by its buttons "
                    "only."
                )
            )
        if not vals.keys() & self._get_worksheet_sealed_fields():
            return
        for task in self.sudo():  # whether it is signed or filled, nothing else
            if task.worksheet_signed_on:
                raise UserError(task._get_signed_sentence())
            template = vals.get("worksheet_template_id", task.worksheet_template_id.id)
            if template != task.worksheet_template_id.id and task._is_filled():
                raise UserError(
                    self.env._(
                        "The worksheet of %(task)s is filled in already. Empty its "
                        "fields before you choose another template.",
                        task=task.name,
                    )
                )

    def _is_filled(self):
        """Return whether something was entered that the template doesn't preset."""
        self.ensure_one()
        return any(
            prop.get("value") not in (None, False, "", [], 0)
            and prop.get("value") != prop.get("default")
            for prop in self._read_worksheet()
        )

    def _get_signed_sentence(self):
        """Return the sentence that says who signed this worksheet, and when."""
        self.ensure_one()
        return self.env._(
            "The worksheet of %(task)s is already signed, by %(name)s on %(date)s. "
            "Reopen it to change it; it needs a new signature then.",
            task=self.name,
            name=self.worksheet_signed_by,
            date=format_moment(self.env, self.worksheet_signed_on),
        )

    def _read_worksheet(self):
        """Return the definition of the properties with the values of this task."""
        self.ensure_one()
        values = self.read(["worksheet_properties"])[0]["worksheet_properties"]
        return values or []

    def _get_missing_labels(self):
        """Return the labels of required fields (they end in ``*``) without a value."""
        self.ensure_one()
        return [
            (prop.get("string") or prop["name"]).rstrip(" *")
            for prop in self._read_worksheet()
            if (prop.get("string") or "").rstrip().endswith("*")
            and prop["type"] != "separator"
            and _is_empty(prop.get("value"))
        ]

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
        # Anything may come through the portal, numbers and lists as well.
        name = " ".join(name.split()) if isinstance(name, str) else ""
        if not name or len(name) > 120:
            raise UserError(
                self.env._(
                    "Write the name of the person who signs (up to 120 characters)."
                )
            )
        picture = self._clean_signature(signature)
        self.env["helpdesk.ticket"]._lock_after_sales(self)
        # sudo: the caller has checked the person; the fields of a signature are
        # written by this method only.
        task = self.sudo()
        task.invalidate_recordset()
        task._check_signable()
        now = fields.Datetime.now()
        content = task._prepare_worksheet_content()
        content["signature"] = {
            "name": name,
            "on": fields.Datetime.to_string(now),
            "ip": ip or "",
            "sha256": hashlib.sha256(picture).hexdigest(),
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
                "worksheet_hash": hashlib.sha256(snapshot.encode()).hexdigest(),
            }
        )
        sentence = self.env._(
            "The worksheet of %(task)s was signed by %(name)s.",
            task=task._get_html_link(),
            name=name,
        )
        task._message_log(body=sentence)
        task._after_sales_tell_ticket({task: sentence})

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
            raise UserError(self.env._("The signature is too large a picture."))
        refusal = self.env._("The signature is not a picture that can be read.")
        try:
            data = base64.b64decode(signature, validate=True)
            picture = Image.open(io.BytesIO(data), formats=["PNG", "JPEG"])
            if picture.width * picture.height > IMAGE_MAX_RESOLUTION / 4:
                raise UserError(self.env._("The signature is too large a picture."))
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
        self.env["helpdesk.ticket"]._lock_after_sales(self)
        # sudo: write access was checked; the fields of a signature are written by the
        # methods of the worksheet only.
        task = self.sudo()
        task.invalidate_recordset()
        if not task.worksheet_signed_on:
            raise UserError(self.env._("This worksheet is not signed."))
        version = task.worksheet_version
        task.message_post(
            body=self.env._(
                "Version %(version)s of the worksheet, signed by %(name)s, was opened "
                "again: %(reason)s",
                version=version,
                name=task.worksheet_signed_by,
                reason=reason,
            ),
            message_type="notification",
            subtype_xmlid="mail.mt_note",
            attachments=[
                (f"worksheet-v{version}.json", task.worksheet_snapshot.encode()),
                (
                    f"signature-v{version}.png",
                    base64.b64decode(task.worksheet_signature),
                ),
            ],
        )
        task.write(
            {
                "worksheet_signature": False,
                "worksheet_signed_by": False,
                "worksheet_signed_on": False,
                "worksheet_signed_ip": False,
                "worksheet_snapshot": False,
                "worksheet_hash": False,
                "worksheet_version": version + 1,
            }
        )

    # -- Content -------------------------------------------------------------

    def _get_worksheet_content(self):
        """Return what the report and the portal show: as signed, else as it is now.

        See :meth:`_prepare_worksheet_content` for the keys; a signed one has
        ``signature``, and photos that were changed since are marked ``changed``.
        """
        self.ensure_one()
        if not self.worksheet_snapshot:
            return self._prepare_worksheet_content()
        content = json.loads(self.worksheet_snapshot)
        photos = {photo.id: photo for photo in self.worksheet_photo_ids}
        for entry in content["photos"]:
            photo = photos.get(entry["id"])
            entry["changed"] = not photo or photo_hash(photo) != entry["sha256"]
        return content

    def _prepare_worksheet_content(self):
        """Return the worksheet as plain data, in the customer's language and time zone.

        Call it under ``sudo()``, after checking who asks.
        """
        self.ensure_one()
        partner = self.partner_id
        task = self.with_context(
            lang=partner.lang or self.env.lang, tz=self._get_visit_tz(partner)
        )
        company = task.company_id or task.env.company

        def moment(value):
            return format_moment(task.env, value)

        return {
            "version": task.worksheet_version,
            "task": {"id": task.id, "name": task.name},
            "project": task.project_id.name,
            "ticket": task.helpdesk_ticket_id.ticket_ref or "",
            "company": company.name,
            "customer": {
                "name": partner.display_name or "",
                "address": task.fsm_partner_address or "",
                "phone": partner.phone or "",
            },
            "timezone": task._get_visit_tz(partner),
            "planned": [moment(task.planned_date_begin), moment(task.date_deadline)],
            "worked": [
                moment(task.fsm_work_started_on),
                moment(task.fsm_work_ended_on),
            ],
            "technicians": task.user_ids.mapped("name"),
            "template": task.worksheet_template_id.name or "",
            "fields": [
                {
                    "name": prop["name"],
                    "label": prop.get("string") or "",
                    "type": prop["type"],
                    "value": task._format_property(prop),
                }
                for prop in task._read_worksheet()
            ],
            "photos": [
                {
                    "id": photo.id,
                    "caption": photo.caption or "",
                    "sha256": photo_hash(photo),
                }
                for photo in task.worksheet_photo_ids
            ],
        }

    def _format_property(self, prop):
        """Return the value of a property as people read it."""
        value, kind = prop.get("value"), prop["type"]
        if kind == "boolean":
            return self.env._("Yes") if value else self.env._("No")
        if _is_empty(value):
            return ""
        formats = {
            "date": lambda: format_date(self.env, value),
            "datetime": lambda: format_moment(
                self.env, fields.Datetime.to_datetime(value)
            ),
            "integer": lambda: formatLang(self.env, value, digits=0),
            "float": lambda: formatLang(self.env, value, digits=2),
            "monetary": lambda: formatLang(
                self.env, value, currency_obj=self.worksheet_currency_id
            ),
            "selection": lambda: dict(prop.get("selection") or ()).get(value, ""),
            "tags": lambda: ", ".join(
                tag[1] for tag in prop.get("tags") or () if tag[0] in value
            ),
            "many2one": lambda: value[1] or "",
            "many2many": lambda: ", ".join(name or "" for _id, name in value),
        }
        return formats[kind]() if kind in formats else str(value)


def photo_hash(photo):
    """Return the SHA-256 of a photo's picture."""
    return hashlib.sha256(base64.b64decode(photo.image or b"")).hexdigest()


def _is_empty(value):
    """Return whether a property has no value; a zero is one."""
    return value is None or value is False or value in ("", [], ())
