from odoo import api, models
from odoo.exceptions import AccessError


class HelpdeskNamedMixin(models.AbstractModel):
    """Records whose name tells more than somebody may read who only sees a link.

    Odoo reads the names of many2one fields as superuser: record rules don't hold for
    them, and the context of the client says how much they tell. Colleagues who may not
    read the record get the short name of :meth:`_get_short_name` instead.

    A model that takes part inherits this one *before* itself.
    """

    _name = "helpdesk.named.mixin"
    _description = "Record with a short name for who may not read it"

    #: keys of a context that make the names of this model tell more; without any, the
    #: name itself is short for who may not read the record
    _telling_context = ()

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        hidden = self._filtered_unreadable()
        quiet = dict.fromkeys(self._telling_context, False)
        short = hidden.with_context(**quiet)
        if quiet and short:
            super(HelpdeskNamedMixin, short)._compute_display_name()
        for record, named in zip(hidden, short, strict=True):
            record.display_name = named._get_short_name()
        return super(HelpdeskNamedMixin, self - hidden)._compute_display_name()

    def _get_short_name(self):
        """Return the name for colleagues who may not read this record. Called with
        ``sudo()``, where the context says nothing of ``_telling_context``."""
        self.ensure_one()
        return self.display_name

    def _filtered_unreadable(self):
        """Return those of these records whose name is asked for as superuser, for a
        colleague who may not read them. Customers and visitors see links on their own
        pages only."""
        if not self.env.su or not self.env.user._is_internal():
            return self.browse()
        if self._telling_context and not any(
            map(self.env.context.get, self._telling_context)
        ):
            return self.browse()
        records = self.filtered("id")
        try:
            # sudo: the environment of who asked, as it came; read as the user first.
            return records - records.sudo(False)._filtered_access("read").sudo()
        except AccessError:
            # The context names companies of somebody else.
            return records
