import base64
import hashlib
import json

from odoo import api, fields, models
from odoo.tools import format_date, formatLang

from .fsm_visit import format_moment


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

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_worksheet_currency_id(self):
        for task in self:
            company = task.company_id or self.env.company
            # sudo: of the task's company, only its currency.
            task.worksheet_currency_id = company.sudo().currency_id

    def _get_report_base_filename(self):
        """Return the name of the file of a report, as Odoo's portal asks for it."""
        self.ensure_one()
        return f"worksheet-{self.id}"

    def _is_filled(self):
        """Return whether something was entered that the template doesn't preset."""
        self.ensure_one()
        return any(
            prop.get("value") not in (None, False, "", [], 0)
            and prop.get("value") != prop.get("default")
            for prop in self._read_worksheet()
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

    # -- Content -------------------------------------------------------------

    def _get_worksheet_content(self):
        """Return what the report and the portal show: as signed, else as it is now.

        See :meth:`_prepare_worksheet_content` for the keys; a signed one has
        ``signature``; content, photos and signature that were changed since are marked
        ``changed``, whatever way they were (rights hole 5).
        """
        self.ensure_one()
        if not self.worksheet_snapshot:
            return self._prepare_worksheet_content()
        content = json.loads(self.worksheet_snapshot)
        content["changed"] = (
            fingerprint(self.worksheet_snapshot.encode()) != self.worksheet_hash
        )
        content["signature"]["changed"] = content["signature"][
            "sha256"
        ] != picture_fingerprint(self, "worksheet_signature")
        photos = {photo.id: photo for photo in self.worksheet_photo_ids}
        for entry in content["photos"]:
            photo = photos.get(entry["id"])
            entry["changed"] = not photo or any(
                # Worksheets that were signed before lack the hash of the preview.
                entry[key] != seen
                for key, seen in photo_fingerprints(photo).items()
                if key in entry
            )
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
                    **photo_fingerprints(photo),
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


def fingerprint(data):
    """Return the SHA-256 of these bytes, as people compare it."""
    return hashlib.sha256(data).hexdigest()


def picture_fingerprint(record, field):
    """Return the SHA-256 of the picture in ``field``, of nothing when it is gone."""
    # What a file of that field holds now, not what the size of it is.
    record = record.with_context(bin_size=False)
    return fingerprint(base64.b64decode(record[field] or b""))


def photo_fingerprints(photo):
    """Return the SHA-256 of a photo and of its preview: that is what is shown."""
    return {
        "sha256": picture_fingerprint(photo, "image"),
        "preview_sha256": picture_fingerprint(photo, "image_512"),
    }


def _is_empty(value):
    """Return whether a property has no value; a zero is one."""
    return value is None or value is False or value in ("", [], ())
