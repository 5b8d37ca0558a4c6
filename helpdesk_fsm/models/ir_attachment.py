from odoo import api, fields, models
from odoo.exceptions import UserError


class IrAttachment(models.Model):
    """What was signed is a file, too, and files have rights of their own: whoever may
    write a task may write its attachments. These stay as they were signed, whoever
    asks (rights hole 5)."""

    _inherit = "ir.attachment"

    helpdesk_sealed = fields.Boolean(
        readonly=True,
        server_only=True,
        copy=False,
        export_string_translation=False,
        help="Technical: a version of a worksheet that was signed; it is neither "
        "changed nor deleted.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        # A second picture beside the signature would be shown instead of it.
        attachments._check_sealed()
        return attachments

    def write(self, vals):
        if "helpdesk_sealed" in vals:
            # Refused as what only the server sets, before it is told what is sealed.
            self._check_field_access(self._fields["helpdesk_sealed"], "write")
        if vals.keys() <= {"access_token"}:
            return super().write(vals)
        # The links are opened by a token, and an administrator who moves files to
        # another storage writes what was there.
        sealed = self._get_sealed()
        if any(
            name != "access_token" and (name not in file._fields or file[name] != value)
            for file in sealed
            for name, value in vals.items()
        ):
            raise UserError(sealed._get_sealed_sentence())
        result = super().write(vals)
        if vals.keys() & {"res_model", "res_field", "res_id"}:
            (self - sealed)._check_sealed()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_sealed(self):
        self._check_sealed()

    def _check_sealed(self):
        """Raise :class:`UserError` when one of these files was signed."""
        if sealed := self._get_sealed():
            raise UserError(sealed._get_sealed_sentence())

    def _get_sealed_sentence(self):
        """Return why these files, under ``sudo()``, are neither changed nor deleted."""
        for file in self:
            if file.helpdesk_sealed:
                continue
            owner = self.env[file.res_model].browse(file.res_id)
            task = owner if owner._name == "project.task" else owner.task_id
            return task._get_signed_sentence()
        return self.env._(
            "This file belongs to a worksheet that was signed. It stays as it is: "
            "reopen the worksheet to have another version signed."
        )

    def _get_sealed(self):
        """Return those of these files, under ``sudo()``, that were signed: signatures,
        photos of worksheets that are signed now, and the versions before a worksheet
        was opened again."""
        # sudo: what the files belong to and whether that is signed, nothing else.
        files = self.sudo()
        sealed = files.filtered("helpdesk_sealed")
        signatures = files.filtered(
            lambda file: (
                file.res_model == "project.task"
                and file.res_field == "worksheet_signature"
            )
        )
        photos = files.filtered(
            lambda file: (
                file.res_model == "fsm.task.photo"
                and file.res_field in ("image", "image_512")
            )
        )
        for found, model, path in (
            (signatures, "project.task", "worksheet_signed_on"),
            (photos, "fsm.task.photo", "task_id.worksheet_signed_on"),
        ):
            owners = files.env[model].browse(set(found.mapped("res_id"))).exists()
            signed = set(owners.filtered(path).ids)
            sealed |= found.filtered(lambda file, ids=signed: file.res_id in ids)
        return sealed
