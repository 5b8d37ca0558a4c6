from odoo import api, models
from odoo.exceptions import AccessError


class Base(models.AbstractModel):
    """Fields that only the server sets.

    ``readonly`` and ``related`` hold in the web client only: over RPC whoever may write
    a record writes every column of it. What code under ``sudo()`` follows must be out
    of reach, and says so where it is defined::

        merged_into_id = fields.Many2one(..., readonly=True, server_only=True)

    Nobody gives such a field a value in ``create``, ``write`` or an import, nor by a
    default of the context or of the user: the code does, under ``sudo()``, after it
    has checked what it is about to do. With the external id of groups in place of
    ``True``, their members may; ``False`` says that whoever makes the document writes
    it, with their own rights.

    What the addons compute and don't let edit needs no word: it follows its source.
    Odoo computes it when a record is created, whatever came along, and here a later
    write is refused.
    """

    _inherit = "base"

    #: names of the fields of a model that only the server sets
    _server_only_fields = frozenset()

    def _valid_field_parameter(self, field, name):
        return name == "server_only" or super()._valid_field_parameter(field, name)

    @api.model
    def _post_model_setup__(self):
        type(self)._server_only_fields = frozenset(
            name
            for name, field in self._fields.items()
            if getattr(field, "server_only", False)
        )
        return super()._post_model_setup__()

    def _is_server_only(self, field):
        """Return whether the user may not set ``field``, on these records or, without
        any, on new ones."""
        if self.env.su:
            return False
        if groups := getattr(field, "server_only", False):
            return groups is True or not self.env.user.has_groups(groups)
        return bool(
            self
            and field.compute
            and field.readonly
            and not field.inverse
            and any(name.startswith("helpdesk_") for name in field._modules)
        )

    def _check_field_access(self, field, operation):
        # Not in _has_field_access(), which Odoo asks whenever a field is read.
        if operation != "read" and self._is_server_only(field):
            raise AccessError(
                self.env._(
                    "%(field)s (%(document)s) is set by the system itself and can't be "
                    "changed by hand. Leave it out, and use the buttons of the form.",
                    field=field._description_string(self.env),
                    document=self.env["ir.model"]._get(field.model_name).name,
                )
            )
        return super()._check_field_access(field, operation)

    @api.model
    def default_get(self, fields):
        defaults = super().default_get(fields)
        for name in self._server_only_fields & defaults.keys():
            # Not what the context says, which comes from the client even where the
            # code goes on under sudo(), nor what users have set for themselves.
            field = self._fields[name]
            del defaults[name]
            if field.default:
                value = field.convert_to_cache(field.default(self), self, False)
                defaults[name] = field.convert_to_write(value, self)
        return defaults

    def onchange(self, values, field_names, fields_spec):
        # Clients send along what they show; it's as stored, whatever they say.
        if locked := self._server_only_fields & values.keys():
            values = {name: values[name] for name in values if name not in locked}
            field_names = [name for name in field_names if name not in locked]
        return super().onchange(values, field_names, fields_spec)
