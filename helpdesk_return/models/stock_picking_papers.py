import base64

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.mimetypes import guess_mimetype

from odoo.addons.helpdesk_after_sales.tools.files import name_file

#: what a label can be: what a customer can print
PRINTABLE = ("application/pdf", "image/png", "image/jpeg", "image/gif")
LABEL_SIZE = 10 * 1024 * 1024


class StockPicking(models.Model):
    """The papers of a return (X24): a carrier's label, and what it is followed by."""

    _inherit = "stock.picking"

    helpdesk_label = fields.Binary(
        string="Return Label File",
        attachment=True,
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )
    helpdesk_label_name = fields.Char(
        string="Return Label Name",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )
    helpdesk_tracking_ref = fields.Char(
        string="Tracking Number of the Return",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
    )

    # -- Carriers ------------------------------------------------------------

    def _get_return_carrier(self):
        """Return the carrier that makes a label of this return, or ``None``: that of
        the return, else of the delivery. Known with the addon *Delivery - Stock*."""
        self.ensure_one()
        if "carrier_id" not in self._fields:
            return None
        carrier = self.carrier_id or self.return_id.carrier_id
        return carrier if carrier.can_generate_return else None

    def _fetch_return_label(self):
        """Ask the carrier for a label of this return; returns ``(name, content)``, or
        ``None`` when no carrier makes one. A connector that doesn't use Odoo's carriers
        answers here. Called with ``sudo()``.

        :raises UserError: when the carrier refuses
        """
        carrier = self._get_return_carrier()
        if not carrier:
            return None
        if not self.carrier_id:
            self.carrier_id = carrier
        carrier.get_return_label(self)
        self.invalidate_recordset(["return_label_ids"])
        label = self.return_label_ids[:1]
        return (label.name, label.raw) if label else None

    # -- Set by the pop-up ---------------------------------------------------

    def _set_return_papers(self, name, content, tracking_ref):
        """Keep label and tracking number of this return. Called with ``sudo()``.

        :param content: bytes; empty to take the label away
        :raises UserError: when the label can't be printed, or is too big
        """
        self.ensure_one()
        if content:
            if len(content) > LABEL_SIZE:
                raise UserError(
                    self.env._("The label is bigger than 10 MB: choose a smaller file.")
                )
            if guess_mimetype(content, default="") not in PRINTABLE:
                raise UserError(
                    self.env._(
                        "A label must be a PDF or a picture: choose another file."
                    )
                )
        self.write(
            {
                "helpdesk_label": content and base64.b64encode(content),
                "helpdesk_label_name": content and name_file(name, content),
                "helpdesk_tracking_ref": (tracking_ref or "").strip()[:100] or False,
            }
        )

    def _get_helpdesk_label_content(self):
        """Return ``(name, bytes)`` of the label of this return, or ``None``."""
        self.ensure_one()
        attachment = self.env["ir.attachment"].search(
            [
                ("res_model", "=", self._name),
                ("res_field", "=", "helpdesk_label"),
                ("res_id", "=", self.id),
            ],
            limit=1,
        )
        if not attachment:
            return None
        return self.helpdesk_label_name or attachment.name, attachment.raw

    def _describe_tracking(self):
        """Return "Tracking number 1Z999", or "". Called with ``sudo()``."""
        number = self.helpdesk_tracking_ref
        return number and self.env._("Tracking number %(number)s", number=number) or ""
