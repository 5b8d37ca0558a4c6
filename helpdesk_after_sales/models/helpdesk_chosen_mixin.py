from functools import partial

from odoo import Command, api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import ormcache

from ..tools.reading import read_id

LINKS = ("many2one", "many2many")
# What agents mostly can't read: asked for as an offer at first, in one query.
SOLD = (
    *("sale.order", "sale.order.line", "stock.picking", "stock.move", "stock.lot"),
    "account.move",
)
# What leads from a record to the ticket that offers something.
TICKETS = ("helpdesk_ticket_id", "ticket_id", "wizard_id")


class HelpdeskChosenMixin(models.AbstractModel):
    """Records whose links a user sets to what they may read, or are offered.

    Odoo asks for no right to what a link is set to, and tells the name of it as
    superuser: whoever may create a record could read all names by counting ids. Here
    each link that a client gives is asked for as that user: in ``create``, ``write``
    and ``onchange``, as default of the context or of a user.

    What the user can't read must be offered by the ticket, see
    :meth:`_get_offer_domain`. Whether it can be taken is for the buttons to say.
    """

    _name = "helpdesk.chosen.mixin"
    _description = "Record with links that the user was offered"

    #: on a model of another application: only our fields
    _chosen_ours = False
    #: links whose own constraint says in a sentence what can be chosen
    _chosen_constrained = ()

    @api.model
    def _get_offer_domain(self, field, ticket):
        """Return the domain, evaluated with ``sudo()``, of what may be chosen for a
        link although the user can't read it.

        :param ticket: one that the user may read, or no record
        """
        comodel = self.env[field.comodel_name]
        if ticket and (
            comodel._name in ("stock.move", "sale.order.line")
            or isinstance(comodel, self.pool["helpdesk.after.sales.purchase"])
        ):
            return ticket._offer_purchases(comodel._name)
        return Domain.FALSE

    # -- What a client gives -------------------------------------------------

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.su or self._get_chosen_names().isdisjoint(values):
            return values
        return self.browse()._check_chosen(values, form=True)

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su and (len(vals_list) < 2 or self._has_unread(vals_list)):
            for vals in vals_list:
                if not self._get_chosen_names().isdisjoint(vals):
                    self.browse()._check_chosen(vals)
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su and not self._get_chosen_names().isdisjoint(vals):
            for record in self:
                record._check_chosen(vals)
        return super().write(vals)

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        if not self.env.su:
            values = self._check_chosen(values, form=True)
            field_names = [name for name in field_names if name in values]
        return super().onchange(values, field_names, fields_spec)

    # -- Checks --------------------------------------------------------------

    def _check_chosen(self, values, ticket=None, form=False):
        """Return ``values`` of a client, without what is computed anyway.

        :param ticket: of the pop-up that a line belongs to
        :param form: nothing is saved yet
        :raises AccessError: for what the user may neither read nor is offered, without
            its name
        """
        links = {
            name: value
            for name, value in values.items()
            if value and name in self._get_chosen_names()
        }
        kept = dict(values)
        for name, value in links.items():
            field = self._fields[name]
            if field.type == "one2many":
                ticket = ticket or self._get_chosen_ticket(values)
                kept[name] = self._check_chosen_lines(field, value, ticket, form)
                continue
            if name in self._chosen_constrained and not form:
                continue
            if form and field.type == "many2one" and field.compute and field.readonly:
                # Shown only: a form that sends another one would have what is computed
                # under sudo() follow it.
                del kept[name]
                continue
            given = self.env[field.comodel_name].browse(self._get_given_ids(value))
            if self and field.store:
                # sudo: what is linked already is left alone; ids are compared.
                given -= self.sudo().with_context(active_test=False)[name].sudo(False)
            if not self._filter_refused(
                field, given, ticket or partial(self._get_chosen_ticket, values)
            ):
                continue
            if name in self._chosen_constrained or (field.compute and field.readonly):
                del kept[name]
                continue
            raise AccessError(
                self.env._(
                    "%(field)s: you can't choose this one. Choose one of those "
                    "offered.",
                    field=field._description_string(self.env),
                )
            )
        return kept

    def _check_chosen_lines(self, field, commands, ticket, form):
        lines = self.env[field.comodel_name]
        if not lines._has_refused(commands, ticket):
            return commands
        checked = []
        for command in commands if isinstance(commands, list | tuple) else ():
            if (
                isinstance(command, list | tuple)
                and len(command) == 3
                and command[0] in (Command.CREATE, Command.UPDATE)
                and isinstance(command[2], dict)
            ):
                saved = read_id(command[1]) if command[0] == Command.UPDATE else None
                values = lines.browse(saved)._check_chosen(command[2], ticket, form)
                command = (command[0], command[1], values)
            checked.append(command)
        return checked

    @api.model
    @ormcache("self._name", "self.env.user._get_group_ids()")
    def _get_chosen_names(self):
        """Return the names of the fields that are checked."""
        return frozenset(filter(self._is_chosen, self._fields))

    @api.model
    def _is_chosen(self, name):
        field = self._fields[name]
        if (
            name in models.MAGIC_COLUMNS
            or not field.relational
            # It is refused, or left out, whatever it is: see base.py.
            or self.browse()._is_server_only(field)
        ):
            return False
        ours = all(module.startswith("helpdesk_") for module in field._modules)
        if self._chosen_ours and not ours:
            return False
        if field.type == "one2many":
            mixin = self.pool["helpdesk.chosen.mixin"]
            return isinstance(self.env[field.comodel_name], mixin)
        return field.type in LINKS

    @api.model
    def _filter_unreadable(self, records):
        own = records.sudo(False).with_context(active_test=False)
        return own - own._filtered_access("read")

    @api.model
    def _filter_refused(self, field, records, ticket):
        """Return those of ``records`` that the user neither reads nor is offered.

        :param ticket: a record, or a function that returns it
        """
        if records and field.comodel_name not in SOLD:
            records = self._filter_unreadable(records)
        if not records:
            return records
        ticket = ticket() if callable(ticket) else ticket
        if self._filter_unreadable(ticket._origin):
            ticket = ticket.browse()
        domain = self._get_offer_domain(field, ticket)
        if not domain.is_false():
            # sudo: the ids of what a ticket of the user offers.
            records -= (
                records.sudo()
                .with_context(active_test=False)
                .search(Domain("id", "in", records.ids) & domain)
                .with_env(records.env)
            )
        return self._filter_unreadable(records) if records else records

    @api.model
    def _has_unread(self, vals_list):
        """Return whether the links of these new records need a look at each of them:
        the user can't read all of what they are set to. As many queries for 400 lines
        of a pop-up as for two."""
        given = {}
        for vals in vals_list:
            for name in self._get_chosen_names() & vals.keys():
                field = self._fields[name]
                if field.type == "one2many" or field.comodel_name in SOLD:
                    return True
                given.setdefault(name, set()).update(self._get_given_ids(vals[name]))
        return any(
            self._filter_unreadable(
                self.env[self._fields[name].comodel_name].browse(ids)
            )
            for name, ids in given.items()
        )

    @api.model
    def _has_refused(self, commands, ticket):
        """Return whether any of these new or changed lines links what is refused, all
        of them at once."""
        given = {}
        for command in commands if isinstance(commands, list | tuple) else ():
            values = command[-1] if isinstance(command, list | tuple) else None
            for name in values if isinstance(values, dict) else ():
                if name in self._get_chosen_names():
                    given.setdefault(name, []).extend(self._get_given_ids(values[name]))
        return any(
            self._filter_refused(
                self._fields[name],
                self.env[self._fields[name].comodel_name].browse({*ids}),
                ticket,
            )
            for name, ids in given.items()
        )

    def _get_chosen_ticket(self, values):
        """Return the ticket that ``values``, this record or the context lead to."""
        for name in TICKETS:
            if name not in self._fields:
                continue
            given = values.get(name) or self.env.context.get(f"default_{name}")
            # sudo: the link only; whether it may be read is asked for later.
            linked = self.sudo()[name].browse(self._get_given_ids(given))
            linked = linked or self.sudo()[name]
            if name != "wizard_id":
                return linked
            # A line sends along what its pop-up shows.
            known = given if isinstance(given, dict) else {}
            return linked._get_chosen_ticket(known)
        return self.env["helpdesk.ticket"]

    @api.model
    def _get_given_ids(self, value):
        """Return the ids that a form, a default or an import gives for a link."""
        if isinstance(value, models.BaseModel):
            return value.ids
        if isinstance(value, dict):
            value = value.get("id")
        if not isinstance(value, list | tuple):
            value = [value]
        ids = []
        for command in value:
            if not isinstance(command, list | tuple):
                ids.append(command)
            elif command and command[0] in (Command.UPDATE, Command.LINK):
                ids += command[1:2]
            elif command and command[0] == Command.SET and len(command) == 3:
                ids += command[2]
        return [*filter(None, map(read_id, ids))]
