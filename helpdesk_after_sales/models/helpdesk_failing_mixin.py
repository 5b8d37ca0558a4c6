from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools.failing import get_chance
from ..tools.quantity import format_quantity
from ..tools.reading import check_one

#: tickets of these days, about what was delivered in twice as many
DAYS = 365
#: tickets that an activity names
NAMED = 20


class HelpdeskFailingMixin(models.AbstractModel):
    """A product or a lot that has more tickets than chance allows (X13), see
    ``tools.failing``."""

    _name = "helpdesk.failing.mixin"
    _description = "What fails too often"

    #: field of case lines and of the report of return rates that names it
    _helpdesk_failing_field = None

    # By company: none learns how often something fails at another one.
    helpdesk_failing_since = fields.Date(
        string="Fails Too Often Since",
        readonly=True,
        server_only=True,
        company_dependent=True,
        copy=False,
        groups="base.group_user",
        help="There are more tickets than chance allows, compared with the others.",
    )
    helpdesk_failing_cases = fields.Integer(
        string="Tickets When It Was Noticed",
        readonly=True,
        server_only=True,
        company_dependent=True,
        copy=False,
        groups="base.group_user",
    )
    helpdesk_failing_delivered = fields.Float(
        string="Delivered When It Was Noticed",
        digits="Product Unit",
        readonly=True,
        server_only=True,
        company_dependent=True,
        copy=False,
        groups="base.group_user",
    )

    # -- Figures -------------------------------------------------------------

    @api.model
    def _get_failing_begin(self, days=DAYS):
        return fields.Date.context_today(self) - timedelta(days=days)

    @api.model
    def _get_failing_lines_domain(self):
        """Return the domain of case lines that tell of a failure, in this company.
        Spam, archived tickets and what was declined don't."""
        return (
            Domain("ticket_id.active", "=", True)
            & Domain("ticket_id.company_id", "=", self.env.company.id)
            & Domain("ticket_id.create_date", ">=", self._get_failing_begin())
            & Domain("state", "!=", "declined")
            & (
                Domain("reason_id", "=", False)
                | Domain("reason_id.is_failure", "=", True)
            )
        )

    @api.model
    def _count_failing_cases(self):
        """Return ``{record: number of tickets}``. Called with ``sudo()``."""
        name = self._helpdesk_failing_field
        return dict(
            self.env["helpdesk.ticket.line"]._read_group(
                self._get_failing_lines_domain() & Domain(name, "!=", False),
                [name],
                ["ticket_id:count_distinct"],
            )
        )

    @api.model
    def _count_failing_delivered(self):
        """Return ``{record: (quantity, days with customers)}``, in the unit of the
        product. Called with ``sudo()``."""
        name = self._helpdesk_failing_field
        return {
            record: (quantity, days)
            for record, quantity, days in self.env[
                "helpdesk.return.rate.report"
            ]._read_group(
                Domain("company_id", "=", self.env.company.id)
                & Domain("date", ">=", self._get_failing_begin(2 * DAYS))
                & Domain("delivered", ">", 0)
                & Domain(name, "!=", False),
                [name],
                ["delivered:sum", "customer_days:sum"],
            )
        }

    @api.model
    def _get_failing_chances(self, cases, delivered):
        """Return ``{record: chance}``: each compared with the sum of the others, by
        pieces and by days, see ``tools.failing``."""
        all_cases = sum(cases.get(record, 0) for record in delivered)
        chances = dict.fromkeys(delivered, 0.0)
        for measure in range(2):
            whole = sum(figures[measure] for figures in delivered.values())
            for record, figures in delivered.items():
                count = cases.get(record, 0)
                chance = get_chance(
                    min(count, int(figures[0])),
                    figures[measure],
                    all_cases - count,
                    whole - figures[measure],
                )
                chances[record] = max(chances[record], chance)
        return chances

    # -- Raising -------------------------------------------------------------

    def _raise_failing(self, cases, delivered):
        """Flag this and tell the responsible, once. What somebody has dismissed is told
        again when there are twice as many tickets."""
        self.ensure_one()
        if self.helpdesk_failing_since or cases < 2 * self.helpdesk_failing_cases:
            return
        self.write(
            {
                "helpdesk_failing_since": fields.Date.context_today(self),
                "helpdesk_failing_cases": cases,
                "helpdesk_failing_delivered": delivered,
            }
        )
        product = self._get_failing_product()
        user = self._get_failing_user(product)
        if not user:
            return
        record = self
        if not record.with_user(user).has_access("read"):
            record = product
        if record._name == "product.product":
            record = record.product_tmpl_id
        self = self.with_context(lang=user.lang)
        record.activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=user.id,
            summary=self.env._("Fails too often"),
            note=self._describe_failing(),
        )

    def _get_failing_product(self):
        """Return the product that this is, or is of."""
        raise NotImplementedError

    def _get_failing_user(self, product):
        """Return who takes care of a product: its responsible, else an administrator of
        Helpdesk."""
        company = self.env.company
        managers = self.env.ref("helpdesk_after_sales.group_helpdesk_manager")
        for users in (product.responsible_id, managers.all_user_ids.sorted("id")):
            found = users.filtered(
                lambda user: (
                    user.active
                    and user._is_internal()
                    and not user._is_superuser()
                    and company in user.company_ids
                )
            )
            if found:
                return found[0]
        return product.responsible_id.browse()

    def _describe_failing(self):
        """Return what the responsible reads: figures, and the tickets behind them."""
        tickets = self._find_failing_tickets()
        links = Markup(", ").join(
            ticket._get_number_link() for ticket in tickets[:NAMED]
        )
        if len(tickets) > NAMED:
            links += Markup(", …")
        return Markup("<p>%s</p><p>%s</p>") % (
            self.env._(
                "%(name)s has %(cases)s tickets in %(days)s days, with %(delivered)s "
                "delivered: more than chance allows, compared with the others.",
                name=self.display_name,
                cases=self.helpdesk_failing_cases,
                days=DAYS,
                delivered=format_quantity(
                    self.env,
                    self.helpdesk_failing_delivered,
                    self._get_failing_product().uom_id,
                ),
            ),
            links,
        )

    def _find_failing_tickets(self):
        lines = self.env["helpdesk.ticket.line"].search(
            self._get_failing_lines_domain()
            & Domain(self._helpdesk_failing_field, "in", self.ids)
        )
        return lines.ticket_id.sorted("id", reverse=True)

    # -- Actions -------------------------------------------------------------

    def action_view_failing_tickets(self):
        """Return the action for the tickets about this in the last 365 days.

        :raises AccessError: for users who may not read tickets
        """
        check_one(self)
        return self._view_failing_tickets()

    def _view_failing_tickets(self):
        self.check_access("read")
        self.env["helpdesk.ticket"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "helpdesk_after_sales.helpdesk_ticket_action"
        )
        lines = self._get_failing_lines_domain() & Domain(
            self._helpdesk_failing_field, "in", self.ids
        )
        return action | {
            "domain": [("line_ids", "any", list(lines))],
            "context": {"create": False},
        }

    def action_dismiss_failing(self):
        """Take the flag away; twice as many tickets raise it anew. Returns ``True``.

        :raises AccessError: when this isn't the user's to change
        """
        self.check_access("write")
        # sudo: write access was checked; the cron raises flags, this lowers them.
        self.sudo().write({"helpdesk_failing_since": False})
        return True
