"""Buttons that ask for an approval where a rule wants one (X10)."""

from functools import wraps

from odoo.exceptions import UserError
from odoo.fields import Date, Datetime
from odoo.models import MAGIC_COLUMNS


def asks_rules(method):
    """Let a button of a pop-up ask for an approval instead, when a rule wants one for
    what it makes. Nothing of that stays until somebody approves it."""

    @wraps(method)
    def button(self, *args, **kwargs):
        if not self._may_ask_approval():
            return method(self, *args, **kwargs)
        try:
            with self.env.cr.savepoint():
                return method(self, *args, **kwargs)
        except UserError as error:
            asked = getattr(error, "helpdesk_asked", None)
            if not asked:
                raise
        return self._ask_approval(*asked, method.__name__, [*args, *kwargs.values()])

    return button


def pack(record, but=()):
    """Return the values of ``record``, as JSON holds them, by which it can be made once
    more: what a user fills in, of its lines as well.

    :param but: names of fields to leave out
    """
    values = {}
    for name, field in record._fields.items():
        if (
            not field.store
            or name in MAGIC_COLUMNS
            or name in but
            or record._is_server_only(field)
            or (field.compute and field.readonly)
        ):
            continue
        value = record[name]
        if field.type == "one2many":
            lines = [pack(line, (field.inverse_name,)) for line in value]
            value = [[0, 0, line] for line in lines]
        elif field.type == "many2many":
            value = [[6, 0, value.ids]]
        elif field.type == "many2one":
            value = value.id
        elif field.type == "datetime":
            value = Datetime.to_string(value)
        elif field.type == "date":
            value = Date.to_string(value)
        values[name] = value
    return values
