from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .helpdesk_ticket_line import PURCHASE_FIELDS, UNREADABLE


class HelpdeskTicket(models.Model):
    """The lines of a ticket. Its own order, product and lot are those of the first
    line: whichever of the two is written, the other one follows (X31)."""

    _inherit = "helpdesk.ticket"

    line_ids = fields.One2many(
        comodel_name="helpdesk.ticket.line",
        inverse_name="ticket_id",
        string="What It Is About",
        copy=False,
        groups="base.group_user",
    )
    show_lines = fields.Boolean(
        compute="_compute_show_lines",
        groups="base.group_user",
        export_string_translation=False,
        help="Technical: there is more to tell than order, product and lot.",
    )

    @api.depends("line_ids.quantity", "line_ids.origin", "line_ids.state")
    def _compute_show_lines(self):
        for ticket in self:
            lines = ticket.line_ids
            ticket.show_lines = len(lines) > 1 or any(
                line.quantity or line.origin == "customer" or line.state != "draft"
                for line in lines
            )

    # -- In step -------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        tickets = super().create([self._prepare_lines_of(vals) for vals in vals_list])
        tickets.filtered(lambda t: t._has_purchase())._lead_first_line()
        return tickets

    def write(self, vals):
        purchase = vals.keys() & {*PURCHASE_FIELDS}
        if "line_ids" in vals and purchase:
            # One after the other, or the first line would take it back.
            lines = vals["line_ids"]
            self.write({name: vals[name] for name in vals if name != "line_ids"})
            return self.write({"line_ids": lines})
        result = super().write(vals)
        if not vals.keys().isdisjoint(("partner_id", "team_id")):
            self._drop_lines_of_others()
        elif purchase:
            self._lead_first_line()
        return result

    def _has_purchase(self):
        # sudo: whether there is something, for whoever creates a ticket.
        ticket = self.sudo()
        return any(ticket[name] for name in PURCHASE_FIELDS)

    @api.model
    def _prepare_lines_of(self, vals):
        """Return the values of a new ticket; with lines, those of the first one are
        the ticket's."""
        context = self.env.context
        commands = vals.get("line_ids", context.get("default_line_ids"))
        if not self._is_new_line(commands):
            return vals
        own = {
            name: vals.get(name, context.get(f"default_{name}")) or False
            for name in PURCHASE_FIELDS
        }
        first = self._get_purchase_of_line(commands[0][2])
        if not any(own.values()):
            return vals | first
        if own != first:
            # The ticket is about something else first.
            own_line = Command.create(own | {"sequence": 0})
            return vals | {"line_ids": [own_line, *commands]}
        return vals

    @api.model
    def _is_new_line(self, commands):
        """Return whether commands for lines begin with a new one."""
        return (
            isinstance(commands, list)
            and bool(commands)
            and isinstance(commands[0], list | tuple)
            and len(commands[0]) == 3
            and commands[0][0] == Command.CREATE
            and isinstance(commands[0][2], dict)
        )

    @api.readonly
    def onchange(self, values, field_names, fields_spec):
        # See the method of the line.
        if commands := values.get("line_ids"):
            values = values | {
                "line_ids": [
                    [
                        *command[:2],
                        {k: v for k, v in command[2].items() if k not in UNREADABLE},
                    ]
                    if len(command) == 3 and isinstance(command[2], dict)
                    else command
                    for command in commands
                ]
            }
        return super().onchange(values, field_names, fields_spec)

    @api.model
    def _get_purchase_of_line(self, vals):
        """Return ``{field: id}`` of what a new line with these values is about."""
        sold_id = vals.get("sale_line_id")
        # sudo: ids only, which the line checks.
        lines = self.env["sale.order.line"].sudo()
        sold = lines.browse(sold_id if type(sold_id) is int else ()).exists()
        of_order = {"sale_order_id": sold.order_id.id, "product_id": sold.product_id.id}
        return {
            name: vals.get(name) or of_order.get(name) or False
            for name in PURCHASE_FIELDS
        }

    def _follow_first_line(self):
        """Let order, product and lot be those of the first line."""
        # sudo: ids only; who may write a line of a ticket may write the ticket.
        for ticket in self.sudo():
            lines = ticket.line_ids.filtered(lambda line: line._is_own_purchase())
            first = lines.sorted(lambda line: (line.sequence, line.id))[:1]
            if not first and ticket.merged_into_id:
                continue  # its lines have moved: what it was about stays to read
            vals = {
                name: first[name].id
                for name in PURCHASE_FIELDS
                if first[name] != ticket[name]
            }
            if vals:
                ticket.write(vals)

    def _lead_first_line(self):
        """Let the first line be about order, product and lot of the ticket. What a
        customer has asked for, or what is done, isn't changed: it gets one before."""
        missing = []
        tickets = self.sudo()  # sudo: as above
        sold = tickets._find_order_lines()
        for ticket in tickets:
            first = ticket.line_ids.sorted(lambda line: (line.sequence, line.id))[:1]
            if all(first[name] == ticket[name] for name in PURCHASE_FIELDS):
                continue
            vals = {name: ticket[name].id for name in PURCHASE_FIELDS}
            own = first.origin == "agent" and first.state == "draft"
            if not any(vals.values()):
                first.filtered(lambda line, own=own: own).unlink()
                ticket._follow_first_line()
                continue
            found = sold.get((ticket.sale_order_id, ticket.product_id), first.browse())
            vals["sale_line_id"] = found.id
            if not own:
                sequence = first.sequence - 1 if first else 10
                missing.append(vals | {"ticket_id": ticket.id, "sequence": sequence})
            elif first.product_id == ticket.product_id:
                first.write(vals)
            else:
                first.write(vals | {"quantity": 0})
        if missing:
            tickets.line_ids.create(missing)
            # The new ones come first.
            tickets.invalidate_recordset(["line_ids"], flush=False)

    def _find_order_lines(self):
        """Return ``{(order, product): order line}`` of what these tickets are about,
        where there is only one. Called with ``sudo()``."""
        pairs = {(t.sale_order_id, t.product_id) for t in self}
        pairs = {pair for pair in pairs if all(pair)}
        if not pairs:
            return {}
        found = self.env["sale.order.line"].search(
            Domain("order_id", "in", [order.id for order, _product in pairs])
            & Domain("product_id", "in", [product.id for _order, product in pairs])
        )
        groups = found.grouped(lambda line: (line.order_id, line.product_id))
        return {pair: lines for pair, lines in groups.items() if len(lines) == 1}

    def _drop_lines_of_others(self, requests=False):
        """Forget the lines about what the present customer didn't buy here.

        :param requests: also what the former customer has asked for
        """
        self._lead_first_line()
        # sudo: as above
        self.sudo().line_ids.filtered(
            lambda line: (
                (requests and line.origin == "customer") or not line._is_own_purchase()
            )
        ).unlink()

    # -- Actions -------------------------------------------------------------

    def action_add_lines(self, sale_line_ids):
        """Add what the customer bought to this ticket, as a press in *Purchases* does.
        Returns ``True``; what the ticket has already isn't doubled.

        :param sale_line_ids: ids of order lines of the customer
        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the customer didn't buy one of them
        """
        self.ensure_one()
        self.check_access("write")
        if not isinstance(sale_line_ids, list) or not all(
            type(line_id) is int and 0 < line_id < 2**31 for line_id in sale_line_ids
        ):
            raise UserError(self.env._("Give the ids of the order lines."))
        wanted = {*sale_line_ids}
        # sudo: the domain names the purchases of the customer of this ticket.
        sold = (
            self.env["sale.order.line"]
            .sudo()
            .search(
                Domain("id", "in", [*wanted])
                & self._get_purchase_line_domain(everything=True),
                order="order_id, id",
            )
        )
        if wanted - {*sold.ids}:
            raise UserError(
                self.env._("Choose from the purchases of this ticket's customer.")
            )
        ticket = self.sudo()  # sudo: the user may write the ticket, as was just checked
        sold -= ticket.line_ids.sale_line_id
        first = ticket.line_ids
        if (
            sold
            and len(first) == 1
            and first.state == "draft"
            and not (first.product_id or first.lot_id)
            and first.sale_order_id in (sold[0].order_id, sold.order_id.browse())
        ):
            # The ticket was about the order: now it says of which product.
            first.write(self._prepare_line_vals(sold[0]))
            sold = sold[1:]
        last = max(ticket.line_ids.mapped("sequence"), default=9)
        ticket.line_ids.create(
            [
                self._prepare_line_vals(line)
                | {"ticket_id": self.id, "sequence": last + number}
                for number, line in enumerate(sold, 1)
            ]
        )
        return True

    def _prepare_line_vals(self, sold):
        """Return the values of a line about an order line, under ``sudo()``."""
        lots = sold.move_ids.filtered(
            lambda move: (
                move.state == "done" and move.location_dest_id.usage == "customer"
            )
        ).move_line_ids.lot_id
        return {
            "sale_line_id": sold.id,
            "sale_order_id": sold.order_id.id,
            "product_id": sold.product_id.id,
            "lot_id": lots.id if len(lots) == 1 else False,
            "quantity": max(sold.qty_delivered, 0) or sold.product_uom_qty,
            "uom_id": sold.product_uom_id.id,
        }
