import logging
import uuid
from collections import defaultdict
from datetime import timedelta

from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import (
    SQL,
    email_normalize,
    email_normalize_all,
    format_datetime,
    formataddr,
    hmac,
    is_html_empty,
    parse_contact_from_email,
)

_logger = logging.getLogger(__name__)

# Kept until the changes are tracked: tickets that their customers opened again.
REOPENED = "helpdesk_after_sales.reopened"


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _description = "Helpdesk Ticket"
    _inherit = [
        "helpdesk.ticket.request",
        "helpdesk.ticket.timeline",
        "portal.mixin",
        "helpdesk.ticket.rating",
        "mail.thread.cc",
        "mail.tracking.duration.mixin",
        "mail.activity.mixin",
    ]
    _order = "priority desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"
    _primary_email = "partner_email"
    _track_duration_field = "stage_id"

    def _default_team_id(self):
        domain = Domain("company_id", "in", self.env.companies.ids)
        teams = self.env["helpdesk.team"]
        return teams.search(
            domain & Domain("member_ids", "=", self.env.uid), limit=1
        ) or teams.search(domain, limit=1)

    name = fields.Char(string="Subject", required=True, index="trigram", tracking=True)
    ticket_ref = fields.Char(
        string="Ticket Number", readonly=True, copy=False, index="trigram"
    )
    active = fields.Boolean(default=True)
    description = fields.Html(sanitize_attributes=False)
    priority = fields.Selection(
        selection=[
            ("0", "Low priority"),
            ("1", "Medium priority"),
            ("2", "High priority"),
            ("3", "Urgent"),
        ],
        default="0",
        required=True,
        tracking=True,
    )
    kanban_state = fields.Selection(
        selection=[
            ("normal", "In progress"),
            ("done", "Ready"),
            ("blocked", "Blocked"),
        ],
        compute="_compute_kanban_state",
        store=True,
        readonly=False,
        default="normal",
        required=True,
        copy=False,
        tracking=True,
        groups="base.group_user",
    )
    color = fields.Integer(string="Color Index", groups="base.group_user")
    tag_ids = fields.Many2many(
        comodel_name="helpdesk.tag", string="Tags", groups="base.group_user"
    )
    properties = fields.Properties(
        definition="team_id.ticket_properties", copy=True, groups="base.group_user"
    )

    # -- Team and stage
    team_id = fields.Many2one(
        comodel_name="helpdesk.team",
        required=True,
        index=True,
        default=lambda self: self._default_team_id(),
        tracking=True,
    )
    # Its index is that of the numbers, which leads with it.
    company_id = fields.Many2one(
        related="team_id.company_id", store=True, precompute=True
    )
    stage_id = fields.Many2one(
        comodel_name="helpdesk.stage",
        compute="_compute_stage_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="restrict",
        copy=False,
        tracking=True,
        group_expand="_read_group_stage_ids",
        domain="[('team_ids', '=', team_id)]",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Assigned to",
        index="btree_not_null",
        copy=False,
        tracking=True,
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
        groups="base.group_user",
    )
    assign_date = fields.Datetime(
        string="First Assigned",
        compute="_compute_assign_date",
        store=True,
        precompute=True,
        groups="base.group_user",
    )
    close_date = fields.Datetime(
        string="Closed On",
        compute="_compute_close_date",
        store=True,
        precompute=True,
        help="Set while the ticket is in a folded stage.",
    )
    date_last_stage_update = fields.Datetime(
        string="Last Stage Update",
        compute="_compute_date_last_stage_update",
        store=True,
        precompute=True,
    )

    # -- Customer
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Customer",
        tracking=True,
        check_company=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Commercial Entity",
        store=True,
        precompute=True,
    )
    partner_name = fields.Char(
        string="Customer Name",
        compute="_compute_partner_details",
        store=True,
        precompute=True,
        readonly=False,
    )
    partner_email = fields.Char(
        string="Customer Email",
        compute="_compute_partner_details",
        store=True,
        precompute=True,
        readonly=False,
        index="trigram",
    )
    partner_phone = fields.Char(
        string="Customer Phone",
        compute="_compute_partner_details",
        store=True,
        precompute=True,
        readonly=False,
    )

    # -- Purchase: what the ticket is about
    sale_order_id = fields.Many2one(
        comodel_name="sale.order",
        string="Sales Order",
        compute="_compute_sale_order_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="An order of this customer.",
        groups="base.group_user",
    )
    product_id = fields.Many2one(
        comodel_name="product.product",
        compute="_compute_product_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="A product that this customer bought. Only orders, deliveries and "
        "invoices with it can be chosen then.",
        groups="base.group_user",
    )
    lot_id = fields.Many2one(
        comodel_name="stock.lot",
        string="Lot/Serial Number",
        compute="_compute_lot_id",
        store=True,
        readonly=False,
        index="btree_not_null",
        tracking=True,
        check_company=True,
        help="The lot or serial number that was delivered to this customer.",
        groups="base.group_user",
    )
    product_tracking = fields.Selection(
        related="product_id.tracking", groups="base.group_user"
    )

    # -- Services of the team
    use_credit_notes = fields.Boolean(
        related="team_id.use_credit_notes", string="Use Refunds"
    )
    use_coupons = fields.Boolean(related="team_id.use_coupons", string="Use Coupons")
    use_product_returns = fields.Boolean(
        related="team_id.use_product_returns", string="Use Returns"
    )
    use_product_repairs = fields.Boolean(
        related="team_id.use_product_repairs", string="Use Repairs"
    )
    use_fsm = fields.Boolean(related="team_id.use_fsm", string="Use Field Service")

    # Odoo's own would let customers search in notes that they don't read (T14).
    message_ids = fields.One2many(bypass_search_access=False)
    website_message_ids = fields.One2many(bypass_search_access=False)
    access_token = fields.Char(default=lambda self: str(uuid.uuid4()))
    email_cc = fields.Char(groups="base.group_user")
    acknowledge_date = fields.Datetime(
        string="Acknowledged On",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="When the sender of the mail was told that the ticket was received.",
    )
    merged_into_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )
    is_automatic_mail = fields.Boolean(
        string="Automatic Mail",
        readonly=True,
        copy=False,
        groups="base.group_user",
        help="A machine wrote the mail that this ticket was made of: it gets no mail "
        "by itself.",
    )
    customer_ticket_count = fields.Integer(
        string="Customer's Tickets",
        compute="_compute_customer_ticket_count",
        groups="base.group_user",
    )
    user_follows = fields.Boolean(
        compute="_compute_user_follows",
        search="_search_user_follows",
        groups="base.group_user",
        export_string_translation=False,
        help="Technical: for the record rule of tickets.",
    )
    user_can_read = fields.Boolean(
        compute="_compute_user_can_read",
        search="_search_user_can_read",
        export_string_translation=False,
        help="Technical: for record rules of the documents that a ticket leads to.",
    )

    _ticket_ref_uniq = models.UniqueIndex(
        "(company_id, ticket_ref)", "Another ticket has this number already."
    )
    # Lists, columns, counters and the rules of agents are answered from these indexes
    # alone, without reading tickets: they hold what the rules and the groups ask for.
    # tests/plans shows how; tests/bench_screens.py measures it.
    _default_order_idx = models.Index(
        "(priority DESC, id DESC) INCLUDE (team_id, user_id, company_id, close_date) "
        "WHERE active IS TRUE"
    )
    _stage_idx = models.Index(
        "(stage_id, priority DESC, id DESC) INCLUDE "
        "(team_id, user_id, company_id) WHERE active IS TRUE"
    )
    _open_idx = models.Index(
        "(priority DESC, id DESC) INCLUDE (team_id, stage_id, user_id, company_id, "
        "create_date, date_last_stage_update) "
        "WHERE close_date IS NULL AND active IS TRUE"
    )
    _partner_idx = models.Index(
        "(partner_id, priority DESC, id DESC) INCLUDE "
        "(team_id, user_id, company_id, active) WHERE partner_id IS NOT NULL"
    )
    _customer_open_idx = models.Index(
        "(commercial_partner_id, id DESC) WHERE close_date IS NULL AND active IS TRUE"
    )
    _customer_idx = models.Index(
        "(commercial_partner_id, id DESC) INCLUDE "
        "(team_id, user_id, company_id, active) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    # The portal's list, by change of stage and by contact, of who has thousands.
    _customer_update_idx = models.Index(
        "(commercial_partner_id, date_last_stage_update DESC, id DESC) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    _customer_contact_idx = models.Index(
        "(commercial_partner_id, partner_name, id DESC) "
        "WHERE commercial_partner_id IS NOT NULL"
    )
    _kanban_state_idx = models.Index(
        "(kanban_state, priority DESC, id DESC) INCLUDE "
        "(stage_id, team_id, user_id, company_id, close_date) "
        "WHERE kanban_state <> 'normal' AND active IS TRUE"
    )
    _closed_idx = models.Index(
        "(team_id, close_date) INCLUDE (user_id, company_id, id) "
        "WHERE close_date IS NOT NULL AND active IS TRUE"
    )

    # -- Computes ------------------------------------------------------------

    def _compute_access_url(self):
        for ticket in self:
            ticket.access_url = f"/my/tickets/{ticket.id}"

    @api.depends("name", "ticket_ref")
    def _compute_display_name(self):
        for ticket in self:
            ticket.display_name = (
                f"{ticket.name} (#{ticket.ticket_ref})"
                if ticket.ticket_ref
                else ticket.name
            )

    @api.model
    def _search_display_name(self, operator, value):
        """Find words of the subject, and the number as people write it: ``#42`` is
        00042. The number is compared as a whole, so that its index serves."""
        domain = super()._search_display_name(operator, value)
        if operator in ("=", "like", "ilike", "=like", "=ilike") and value:
            number = str(value).strip().lstrip("#")
            domain |= Domain("ticket_ref", "in", [number, number.zfill(5)])
        return domain

    @api.depends("team_id")
    def _compute_stage_id(self):
        for ticket in self:
            if ticket.stage_id not in ticket.team_id.stage_ids or not ticket.stage_id:
                # The relation comes in the order of the stages.
                ticket.stage_id = ticket.team_id.stage_ids[:1]

    @api.depends("user_id")
    def _compute_assign_date(self):
        for ticket in self:
            if not ticket.user_id:
                ticket.assign_date = False
            elif not ticket.assign_date:
                ticket.assign_date = fields.Datetime.now()

    @api.depends("stage_id.fold")
    def _compute_close_date(self):
        for ticket in self:
            if not ticket.stage_id.fold:
                ticket.close_date = False
            elif not ticket.close_date:
                ticket.close_date = fields.Datetime.now()

    @api.depends("stage_id")
    def _compute_date_last_stage_update(self):
        self.date_last_stage_update = fields.Datetime.now()

    @api.depends("stage_id")
    def _compute_kanban_state(self):
        """What was ready or blocked was so in the stage before, as in Project."""
        self.kanban_state = "normal"

    @api.depends("partner_id")
    def _compute_partner_details(self):
        for ticket in self:
            if ticket.partner_id:
                ticket.partner_name = ticket.partner_id.name
                ticket.partner_email = ticket.partner_id.email
                ticket.partner_phone = ticket.partner_id.phone

    # What another customer or company sold is taken back. sudo: agents may not read
    # orders and lots; they are compared, not shown.

    @api.depends("partner_id", "team_id")
    def _compute_sale_order_id(self):
        for ticket in self.sudo():  # sudo: see above
            order = ticket.sale_order_id
            if (
                order.partner_id.commercial_partner_id != ticket.commercial_partner_id
                or order.company_id != ticket.company_id
            ):
                ticket.sale_order_id = False

    @api.depends("partner_id", "team_id")
    def _compute_product_id(self):
        for ticket in self:
            # The lot follows the product: asking for it here would compute it, and
            # check the purchase, while the product is still the former customer's.
            any_lot = self.env["stock.lot"]
            if ticket.product_id and not ticket._is_purchased(
                ticket.product_id, lot=any_lot
            ):
                ticket.product_id = False

    @api.depends("partner_id", "team_id", "product_id")
    def _compute_lot_id(self):
        for ticket in self.sudo():  # sudo: see above
            if ticket.lot_id and (
                ticket.lot_id.product_id != ticket.product_id
                or not ticket._is_purchased(ticket.lot_id)
            ):
                ticket.lot_id = False

    def _get_rotting_depends_fields(self):
        return [*super()._get_rotting_depends_fields(), "close_date"]

    def _get_rotting_domain(self):
        # What is closed goes stale no more; the open ones have an index.
        return super()._get_rotting_domain() & Domain("close_date", "=", False)

    @api.model
    def _search_is_rotting(self, operator, value):
        """Return conditions that the index of open tickets answers; Odoo lists the ids
        of all stale tickets first."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        # sudo: how long tickets may stay in a stage, as in Odoo.
        parameters = self.env["ir.config_parameter"].sudo()
        stages = self.env["helpdesk.stage"].sudo().with_context(active_test=False)
        months = int(parameters.get_param("crm.lead.rot.max.months", 12))
        now = self.env.cr.now()
        stale = Domain.OR(
            Domain("stage_id", "in", group.ids)
            & Domain("date_last_stage_update", "<=", now - timedelta(days=days))
            for days, group in stages.search([("rotting_threshold_days", "!=", 0)])
            .grouped("rotting_threshold_days")
            .items()
        )
        return (
            stale
            & Domain("date_last_stage_update", ">", now - relativedelta(months=months))
            & self._get_rotting_domain()
        )

    def _compute_customer_ticket_count(self):
        count = dict(
            self._read_group(
                Domain("commercial_partner_id", "in", self.commercial_partner_id.ids),
                ["commercial_partner_id"],
                ["__count"],
            )
        )
        for ticket in self:
            ticket.customer_ticket_count = count.get(ticket.commercial_partner_id, 0)

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_user_can_read(self):
        # The rules are evaluated as superuser: ask again as the user.
        readable = self.sudo(False)._filtered_access("read")
        for ticket in self:
            ticket.user_can_read = ticket.sudo(False) in readable

    @api.depends("message_partner_ids")
    @api.depends_context("uid")
    def _compute_user_follows(self):
        for ticket in self:
            ticket.user_follows = self.env.user.partner_id in ticket.message_partner_ids

    @api.model
    def _search_user_follows(self, operator, value):
        """Return a condition that comes after all others of a record rule: who follows
        thousands of tickets pays for them only where nothing else decides."""
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        # sudo: which tickets the user follows, nothing of the followers.
        followers = self.env["mail.followers"].sudo()
        followed = followers._search(
            Domain("res_model", "=", self._name)
            & Domain("partner_id", "=", self.env.user.partner_id.id)
        ).subselect("res_id")
        return Domain.custom(
            to_sql=lambda model, alias, query: SQL(
                "%s IN %s", model._field_to_sql(alias, "id", query), followed
            )
        )

    def _search_user_can_read(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain("id", "in", self.sudo(False)._search(Domain.TRUE))

    @api.model
    def _read_group_stage_ids(self, stages, _domain):
        team_id = self.env.context.get("default_team_id")
        shown = stages.search(
            Domain("id", "in", stages.ids)
            | (
                Domain("team_ids", "=", team_id)
                if team_id
                else Domain("team_ids.member_ids", "=", self.env.uid)
            )
        )
        # Who is in no team and sees no ticket gets empty columns, not an empty page.
        return shown or self.env["helpdesk.team"]._default_stage_ids()

    @api.readonly
    @api.model
    def read_progress_bar(self, domain, group_by, progress_bar):
        """Return the number of tickets in each state of each column, as Odoo does.

        Only of the states that have a colour, which an index of its own answers: nearly
        all others are in progress, and the client counts them itself.
        """
        if progress_bar.get("field") == "kanban_state":
            shown = list(progress_bar.get("colors") or ())
            domain = Domain(domain) & Domain("kanban_state", "in", shown)
        return super().read_progress_bar(domain, group_by, progress_bar)

    def _read_group(self, domain, groupby=(), *args, **kwargs):
        # Counting a million tickets pays for asking for the teams first, counting those
        # of some customers or orders doesn't.
        few = {"commercial_partner_id", "partner_id", "sale_order_id"}
        counting = self.with_context(helpdesk_counting=few.isdisjoint(groupby))
        return super(HelpdeskTicket, counting)._read_group(
            domain, groupby, *args, **kwargs
        )

    def _read_group_orderby(self, order, groupby_terms, query):
        """Sort the groups of a stage or team when they have been counted. Odoo joins
        them to every ticket for that, which costs as much as counting."""
        directions = {"": SQL("ASC"), "asc": SQL("ASC"), "desc": SQL("DESC")}
        terms = []
        for part in order.split(",") if order else [""]:
            name, _space, direction = part.strip().partition(" ")
            direction = directions.get(direction.strip().lower())
            if name in ("stage_id", "team_id") and name in groupby_terms and direction:
                # sudo: their order only; the groups are those of the user's tickets.
                others = self.env[self._fields[name].comodel_name].sudo()
                ranked = others.with_context(active_test=False)._search(
                    Domain.TRUE, order=others._order
                )
                term = SQL(
                    "array_position(ARRAY(%s), %s) %s",
                    ranked.select(),
                    groupby_terms[name],
                    direction,
                )
            else:
                term = super()._read_group_orderby(part, groupby_terms, query)
            terms.append(term)
        return SQL(", ").join(filter(None, terms))

    # -- Constraints and onchange --------------------------------------------

    @api.constrains("partner_id", "team_id", "sale_order_id", "product_id", "lot_id")
    def _check_purchase(self):
        """Refuse an order, product or lot that the customer didn't buy (S21, S22)."""
        for ticket in self:
            for field in ("sale_order_id", "product_id", "lot_id"):
                if not ticket[field] or ticket._is_purchased(ticket[field]):
                    continue
                raise ValidationError(
                    ticket.env._(
                        "%(label)s: %(customer)s did not buy this from %(company)s. "
                        "Choose the customer first, then one of the offered purchases.",
                        label=ticket._fields[field]._description_string(ticket.env),
                        customer=ticket.partner_id.display_name
                        or ticket.env._("A ticket without a customer"),
                        company=ticket.company_id.display_name,
                    )
                )

    @api.onchange("lot_id")
    def _onchange_lot_id(self):
        # sudo: the lot is one that the user was just offered as the customer's.
        product = self.lot_id.sudo().product_id
        if product and not self.product_id:
            self.product_id = product

    @api.onchange("stage_id")
    def _onchange_stage_id(self):
        """Tell who closes a ticket by hand which documents are still under way."""
        if not self.stage_id.fold or self._origin.stage_id.fold:
            return None
        under_way = self._origin._get_open_after_sales_documents()
        return under_way and {
            "warning": {
                "title": self.env._("Still under way"),
                "message": self.env._(
                    "This ticket is being closed while documents of it are still under "
                    "way:\n%(documents)s",
                    documents="\n".join(f"- {name}" for name in under_way),
                ),
            }
        }

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        self._give_numbers([vals for vals in vals_list if not vals.get("ticket_ref")])
        tickets = super().create(vals_list)
        tickets.filtered(lambda ticket: not ticket.user_id)._assign_automatically()
        return tickets

    @api.model
    def _give_numbers(self, vals_list):
        """Take the numbers of new tickets from the sequence of their company."""
        by_company = defaultdict(list)
        for vals in vals_list:
            team = self.env["helpdesk.team"].browse(
                vals.get("team_id") or self.env.context.get("default_team_id")
            )
            # sudo: the company of a team that the user may not see.
            by_company[team.sudo().company_id or self.env.company].append(vals)
        # sudo: agents may not read sequences.
        sequences = self.env["ir.sequence"].sudo()
        for company, same_company in by_company.items():
            sequence = sequences.with_company(company).search_fetch(
                Domain("code", "=", "helpdesk.ticket")
                & Domain("company_id", "in", [company.id, False]),
                order="company_id",
                limit=1,
            )
            for vals in same_company:
                vals["ticket_ref"] = sequence._next() if sequence else False

    def write(self, vals):
        former = (
            {ticket: ticket.partner_id for ticket in self}
            if "partner_id" in vals
            else {}
        )
        result = super().write(vals)
        for ticket, partner in former.items():
            if partner and partner != ticket.partner_id:
                ticket._forget_customer(partner, vals)
        return result

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", ticket.name))
            for ticket, vals in zip(self, vals_list, strict=True)
        ]

    # -- Actions -------------------------------------------------------------

    def action_create_partner(self):
        """Make a contact of the unknown sender of this ticket. Returns ``True``.

        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when there is neither a name nor an address
        """
        self.ensure_one()
        self.check_access("write")
        if self.partner_id:
            return True
        if not (self.partner_name or self.partner_email):
            raise UserError(self.env._("Enter the name or the e-mail of the customer."))
        known = self.partner_email and self._partner_find_from_emails_single(
            [self.partner_email], no_create=True
        )
        self.partner_id = known or self.env["res.partner"].create(
            {
                "name": self.partner_name or self.partner_email,
                "email": self.partner_email,
                "phone": self.partner_phone,
            }
        )
        return True

    @api.readonly
    def action_view_customer_tickets(self):
        """Return the action for all tickets of this ticket's commercial entity."""
        self.ensure_one()
        return self.commercial_partner_id.action_view_helpdesk_tickets()

    @api.readonly
    def action_view_sale_order(self):
        """Return the action that opens the sales order of this ticket."""
        self.ensure_one()
        return self.sale_order_id._get_records_action()

    @api.model
    def _get_new_ticket_action(self, values):
        """Return the action that opens the form of a new ticket with these values."""
        self.check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Ticket"),
            "res_model": self._name,
            "views": [(False, "form")],
            "context": {f"default_{name}": value for name, value in values.items()},
        }

    def action_merge(self):
        """Return the action that opens the pop-up **Merge Tickets** on these."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Merge Tickets"),
            "res_model": "helpdesk.ticket.merge",
            "views": [(False, "form")],
            "target": "new",
            "context": {"default_ticket_ids": [Command.set(self.ids)]},
        }

    @api.model
    def get_import_templates(self):
        """Return the files that the import screen offers to begin with."""
        return [
            {
                "label": self.env._("Import Template for Tickets (%s)", kind.upper()),
                "template": f"/helpdesk_after_sales/static/import/tickets.{kind}",
            }
            for kind in ("xlsx", "csv")
        ]

    # -- Merging -------------------------------------------------------------

    def _merge_into(self, target):
        """Move all that belongs to these tickets to ``target``, and archive them.

        Messages, files, followers, activities, and the documents of every service go
        along, with a note on both sides. What ``target`` doesn't say (customer,
        purchase) it takes over.

        :raises AccessError: when one of the tickets isn't the user's to work on
        :raises UserError: when they belong to different customers or companies
        """
        tickets = self | target
        tickets.check_access("write")
        self._lock_after_sales(tickets)
        tickets.invalidate_recordset()
        tickets._check_merge()
        # sudo: the user may write all of these tickets, as was just checked; what
        # hangs on them goes along, also documents that they may not open.
        target, sources = target.sudo(), (self - target).sudo()
        target.write(target._prepare_merge_vals(sources))
        for ticket in sources:
            target._take_over(ticket)
        sources.write({"active": False, "merged_into_id": target.id})

    def _check_merge(self):
        if gone := self.filtered("merged_into_id")[:1]:
            raise UserError(
                self.env._(
                    "%(ticket)s was merged into %(target)s already.",
                    ticket=gone.display_name,
                    # sudo: the name of a ticket that the user may not see.
                    target=gone.sudo().merged_into_id.display_name,
                )
            )
        if len(self.company_id) > 1:
            raise UserError(
                self.env._("Tickets of different companies can't be merged.")
            )
        if len(self.commercial_partner_id) > 1:
            raise UserError(
                self.env._(
                    "These tickets belong to different customers (%(customers)s), who "
                    "would read each other's messages: they can't be merged.",
                    customers=", ".join(self.commercial_partner_id.mapped("name")),
                )
            )

        # sudo: whether there are requests; the user may write all of these tickets.
        if len(self.sudo().filtered("request_service")) > 1:
            raise UserError(
                self.env._(
                    "Several of these tickets are requests of their customer: each "
                    "needs an answer of its own, so they can't be merged."
                )
            )

    def _prepare_merge_vals(self, sources):
        """Return what this ticket takes over from ``sources``."""
        self.ensure_one()
        vals = {
            "tag_ids": [Command.link(tag.id) for tag in sources.tag_ids],
            "priority": max((self | sources).mapped("priority")),
        }
        if copies := ", ".join(filter(None, (self | sources).mapped("email_cc"))):
            vals["email_cc"] = copies
        if not self.partner_id and (known := sources.filtered("partner_id")[:1]):
            vals["partner_id"] = known.partner_id.id
        purchase = ("sale_order_id", "product_id", "lot_id")
        if not any(self[name] for name in purchase):
            about = sources.filtered(
                lambda ticket: any(ticket[name] for name in purchase)
            )[:1]
            vals |= {name: about[name].id for name in purchase}
        return vals

    def _take_over(self, ticket):
        """Move messages, files and documents of ``ticket`` here. Called with sudo."""
        self.message_subscribe(partner_ids=ticket.message_partner_ids.ids)
        self._take_over_request(ticket)
        for model, link in self._get_links_to_tickets():
            linked = self.env[model].with_context(active_test=False)
            linked.search([(link, "=", ticket.id)]).with_context(
                helpdesk_merging=True
            ).write({link: self.id})
        for model in ("ir.attachment", "mail.activity", "rating.rating"):
            self.env[model].with_context(active_test=False).search(
                [("res_model", "=", self._name), ("res_id", "=", ticket.id)]
            ).write({"res_id": self.id})
        # As core's message_change_thread, which would take the kind of each message.
        self.env["mail.message"].search(
            [
                ("model", "=", self._name),
                ("res_id", "=", ticket.id),
                ("message_type", "!=", "user_notification"),
            ]
        ).write({"res_id": self.id})
        self._message_log(
            body=self.env._(
                "Merged with %(ticket)s: its messages, files and documents are here "
                "now.%(description)s",
                ticket=ticket._get_html_link(),
                description=Markup("<blockquote>%s</blockquote>") % ticket.description
                if not is_html_empty(ticket.description)
                else "",
            ),
            author_id=self.env.user.partner_id.id,
        )
        ticket._message_log(
            body=self.env._(
                "Merged into %(ticket)s, where its messages, files and documents are.",
                ticket=self._get_html_link(),
            ),
            author_id=self.env.user.partner_id.id,
        )

    @api.model
    def _get_links_to_tickets(self):
        """Return ``[(model, field)]``: what is moved when tickets are merged. An addon
        takes out what belongs to one ticket for ever."""
        return [
            (name, field.name)
            for name, model in self.env.registry.items()
            if model._auto and not model._abstract and not model._transient
            for field in model._fields.values()
            if field.type == "many2one"
            and field.comodel_name == self._name
            and field.store
            and not field.related
        ]

    # -- Assignment ----------------------------------------------------------

    def action_assign_to_me(self):
        """Make the user responsible for these tickets. Returns ``True``."""
        self.user_id = self.env.user
        return True

    def _assign_automatically(self):
        """Give unassigned tickets a responsible where their team wants it."""
        for team, tickets in self.grouped("team_id").items():
            members = team.auto_assignment and team._get_members_present()
            if not members:
                continue
            if team.assign_method == "balanced":
                tickets._assign_to_least_loaded(members)
            else:
                tickets._assign_in_turn(members)

    def _assign_in_turn(self, members):
        """Go on after the member who got the team's last ticket.

        Everybody gets the same number of new tickets; who joins later is not given
        what the others had before.
        """
        # sudo: see _assign_automatically.
        last = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                Domain("team_id", "=", self.team_id.id)
                & Domain("user_id", "in", members.ids),
                order="id desc",
                limit=1,
            )
        )
        turn = [*members].index(last.user_id) + 1 if last else 0
        for offset, ticket in enumerate(self):
            ticket.user_id = members[(turn + offset) % len(members)]

    def _assign_to_least_loaded(self, members):
        """Even out the number of open tickets of this team."""
        domain = (
            Domain("team_id", "=", self.team_id.id)
            & Domain("user_id", "in", members.ids)
            & Domain("close_date", "=", False)
        )
        # sudo: see _assign_automatically.
        load = dict.fromkeys(members, 0) | dict(
            self.sudo()._read_group(domain, ["user_id"], ["__count"])
        )
        for ticket in self:
            member = min(members, key=lambda m: (load[m], m.id))
            ticket.user_id = member
            load[member] += 1

    # -- After-sales services ------------------------------------------------

    def _check_after_sales(self, switch):
        """Raise unless the user may use a service of this ticket's team now (S2).

        :param switch: the field of the team that switches the service on
        :raises AccessError: when the ticket isn't the user's to work on
        :raises UserError: when the service is off, or the ticket has no customer
        """
        self.ensure_one()
        if not self.env.user.has_group("helpdesk_after_sales.group_helpdesk_user"):
            raise AccessError(
                self.env._("Only helpdesk users use the services of a ticket.")
            )
        ticket = self.sudo(False)
        ticket.check_access("write")
        if not ticket.team_id[switch]:
            raise UserError(
                self.env._(
                    "The service %(service)s is switched off for the team %(team)s. A "
                    "helpdesk administrator can switch it on in the settings of the "
                    "team.",
                    service=ticket.team_id._fields[switch]._description_string(
                        self.env
                    ),
                    team=ticket.team_id.display_name,
                )
            )
        if not ticket.partner_id:
            raise UserError(
                self.env._(
                    "Choose the customer of ticket #%(number)s first.",
                    number=ticket.ticket_ref,
                )
            )

    @api.model
    def _search_document_readable(self, model, link, operator, value):
        """Return the domain of the documents that a helpdesk user reads.

        For the search method of a field that the record rule of helpdesk users on
        ``model`` asks for. ``link`` is the path from the document to its ticket.

        Users of the application keep what they read without this, see
        :meth:`_reads_by_other_groups`.
        """
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        if self._reads_by_other_groups(model):
            return Domain.TRUE
        return Domain(f"{link}.user_can_read", "=", True)

    @api.model
    def _compute_document_readable(self, documents, field="helpdesk_readable"):
        """Compute ``field`` of ``documents``, for the record rule of helpdesk users.

        The answer is that of its search, see :meth:`_search_document_readable`.
        """
        if self._reads_by_other_groups(documents._name):
            documents[field] = True
            return
        # sudo: the ids only; the domain is asked as the user.
        readable = (
            documents.sudo()
            .with_context(active_test=False)
            .search(Domain("id", "in", documents.ids) & Domain(field, "=", True))
        )
        for document in documents:
            document[field] = document.sudo() in readable

    @api.model
    def _reads_by_other_groups(self, model):
        """Return whether the user reads all of ``model`` through a group besides those
        of Helpdesk.

        Once one group of a user has a rule for a model, Odoo limits the user to the
        rules of their groups. Whoever reads the model through a group that has no rule,
        such as a user of its application, must not lose that by ours.
        """
        groups = self.env.user.all_group_ids
        group_id = self.env["ir.model.data"]._xmlid_to_res_id
        for group in ("group_helpdesk_user", "group_helpdesk_manager"):
            groups -= groups.browse(group_id(f"helpdesk_after_sales.{group}"))
        reads = Domain("model_id.model", "=", model) & Domain("perm_read", "=", True)
        # sudo: whether the user has rights and rules, nothing of what they say.
        rights = self.env["ir.model.access"].sudo()
        rules = self.env["ir.rule"].sudo()  # sudo: as above
        return bool(
            rights.search_count(reads & Domain("group_id", "in", groups.ids), limit=1)
        ) and not rules.search_count(
            reads & Domain("groups", "in", groups.ids), limit=1
        )

    @api.model
    def _lock_after_sales(self, *recordsets):
        """Hold the rows of ``recordsets`` until the transaction ends.

        Odoo's transactions read from one snapshot. The rows are therefore *written*
        (unchanged): whoever waited for them is thrown back by PostgreSQL, retried by
        Odoo on a new snapshot, and then reads what the first one did. A mere
        ``FOR UPDATE`` would let a second snapshot pass (trust.md, T1 and T5).

        The order is always the same, whatever that of the arguments: wizards, tickets,
        then what was bought, by model name and id.
        """

        def rank(records):
            return not records._transient, records._name != self._name, records._name

        for records in sorted(filter(None, recordsets), key=rank):
            records.flush_recordset()
            self.env.cr.execute(
                SQL(
                    """
                    WITH held AS (
                        SELECT id FROM %(table)s WHERE id IN %(ids)s
                        ORDER BY id FOR NO KEY UPDATE
                    )
                    UPDATE %(table)s AS target SET write_date = target.write_date
                    FROM held WHERE held.id = target.id
                    """,
                    table=SQL.identifier(records._table),
                    ids=tuple(records.ids),
                )
            )

    def _open_after_sales_wizard(
        self, model, switch, title, view_xmlid=None, **context
    ):
        """Return the action that opens a service's wizard on this ticket.

        :param model: the wizard
        :param switch: the field of the team that switches the service on
        :param title: of the pop-up
        :param context: more keys for the context, such as defaults
        :raises AccessError, UserError: see :meth:`_check_after_sales`
        """
        self._check_after_sales(switch)
        view = self.env.ref(view_xmlid) if view_xmlid else self.env["ir.ui.view"]
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "views": [(view.id, "form")],
            "target": "new",
            "context": {
                "default_helpdesk_ticket_id": self.id,
                "allowed_company_ids": self.company_id.ids,
                **context,
            },
        }

    def _after_sales_count(self, model, domain=Domain.TRUE):
        """Return ``{ticket: number of its documents}`` by one grouped query.

        :param model: a model with the mixin ``helpdesk.after.sales.document``
        :param domain: which of them count
        """
        # sudo: whoever sees a ticket may know how many documents it has; reading
        # them takes the rights of their application.
        return dict(
            self.env[model]
            .sudo()
            ._read_group(
                Domain("helpdesk_ticket_id", "in", self.ids) & domain,
                ["helpdesk_ticket_id"],
                ["__count"],
            )
        )

    def _get_open_after_sales_documents(self):
        """Return the names of this ticket's documents that are still under way."""
        names = []
        for model in sorted(
            self.env.registry.descendants(["helpdesk.after.sales.document"], "_inherit")
        ):
            if self.env[model]._abstract:
                continue
            # sudo: whoever sees a ticket may know which documents it has, by name.
            documents = self.env[model].sudo()
            domain = Domain("helpdesk_ticket_id", "in", self.ids)
            names.extend(
                f"{document._after_sales_kind()} {document.display_name}"
                for document in documents.search(
                    domain & documents._after_sales_open_domain()
                )
            )
        return names

    def _open_after_sales_documents(self, model, domain=Domain.TRUE):
        """Return the action for the documents of this ticket: a form for one, else a
        list. The user sees those that their own rights allow.

        :raises AccessError: when the ticket isn't the user's to read
        """
        self.ensure_one()
        self.check_access("read")
        documents = self.env[model].search(
            Domain("helpdesk_ticket_id", "=", self.id) & domain
        )
        return documents._get_records_action()

    def _purchase_domain(self, model, **chosen):
        """Return the domain of what this ticket's customer bought from its company.

        :param model: ``sale.order``, ``stock.picking``, ``account.move``,
            ``product.product`` or ``stock.lot``
        :param chosen: records under ``sale_order``, ``product`` or ``lot`` instead of
            the ticket's own; no record means: any
        :rtype: Domain
        """
        scope = self._get_purchase_scope(**chosen)
        if not scope["customer"]:
            return Domain.FALSE
        return self.env[model]._get_purchase_domain(**scope)

    def _get_purchase_scope(self, **chosen):
        """Return the arguments of ``_get_purchase_domain`` for this ticket, under
        ``sudo()``."""
        self.ensure_one()
        # sudo: orders and lots are compared by id only.
        ticket = self.sudo()
        purchase = {
            key: chosen[key] if key in chosen else ticket[field]
            for key, field in (
                ("sale_order", "sale_order_id"),
                ("product", "product_id"),
                ("lot", "lot_id"),
            )
        }
        return {
            "company": ticket.company_id,
            "customer": ticket.commercial_partner_id._origin,
            **{key: record._origin for key, record in purchase.items()},
        }

    def _get_returned_purchases(self):
        """Return ``{order line: quantity}``, in the unit of the line: what comes back
        on this ticket and isn't replaced.

        The addon of returns answers, that of refunds proposes it; neither knows the
        other. Called with ``sudo()``.
        """
        self.ensure_one()
        return {}

    @api.readonly
    def get_purchases(self, offset=0, limit=20):
        """Return what this ticket's customer bought, for the tab *Purchases* (X6).

        Newest first, filtered by the order, product and lot of the ticket.

        :return: ``{"total": number of lines, "columns": [...], "rows": [...]}``, see
            :meth:`_get_purchase_columns`; quantities in the unit of each line
        :raises AccessError: when the ticket isn't the user's to read

        Agents see exactly these figures: the documents stay closed to those without
        the rights of their application.
        """
        self.ensure_one()
        self.check_access("read")
        columns = self._get_purchase_columns()
        # sudo: the user may read the ticket, as was just checked; they get the figures
        # of its customer's lines that are listed in the columns, and nothing else.
        lines = self.env["sale.order.line"].sudo()
        domain = self._get_purchase_line_domain()
        total = lines.search_count(domain)
        lines = lines.with_context(
            helpdesk_warranty_restarts=self.team_id.warranty_restarts
        ).search(
            domain, offset=int(offset), limit=min(int(limit), 80), order="order_id, id"
        )
        purchases = lines._prepare_helpdesk_purchases()
        readable = self._get_readable_documents(purchases.values())
        return {
            "total": total,
            "columns": columns,
            "rows": [
                {
                    "id": line.id,
                    "actions": self._get_purchase_actions(line, values),
                    "links": {
                        column: {"model": model, "ids": ids}
                        for column, (model, all_ids) in values["documents"].items()
                        if (ids := [i for i in all_ids if i in readable[model]])
                    },
                }
                | {column["name"]: values[column["name"]] for column in columns}
                for line, values in purchases.items()
            ],
        }

    def _get_readable_documents(self, purchases):
        """Return ``{model: ids}`` of the documents of these purchases that the user
        may open."""
        ids = defaultdict(set)
        for values in purchases:
            for model, document_ids in values["documents"].values():
                ids[model].update(document_ids)
        return {
            model: set(
                self.env[model].browse(sorted(found))._filtered_access("read").ids
            )
            for model, found in ids.items()
        }

    @api.model
    def _get_purchase_columns(self):
        """Return the columns of the tab *Purchases*: ``name``, ``label`` and ``type``
        (``char``, ``date`` or ``quantity``). A bridge adds its own, and their values in
        ``sale.order.line._prepare_helpdesk_purchases``."""
        return [
            {"name": "order", "label": self.env._("Order"), "type": "char"},
            {"name": "product", "label": self.env._("Product"), "type": "char"},
            {"name": "serials", "label": self.env._("Lot/Serial"), "type": "char"},
            {"name": "ordered", "label": self.env._("Ordered"), "type": "quantity"},
            {"name": "delivered", "label": self.env._("Delivered"), "type": "quantity"},
            {
                "name": "delivered_on",
                "label": self.env._("Delivered On"),
                "type": "date",
            },
            {"name": "warranty", "label": self.env._("Warranty Until"), "type": "char"},
            {"name": "returned", "label": self.env._("Returned"), "type": "quantity"},
            {"name": "invoiced", "label": self.env._("Invoiced"), "type": "quantity"},
            {"name": "credited", "label": self.env._("Credited"), "type": "quantity"},
        ]

    def _get_purchase_actions(self, _line, _values):
        """Return the buttons of one purchase: ``{"method": name of the method of the
        ticket, "label": text, "context": defaults of the wizard}``. A bridge adds its
        own where something is left to do, and where the user may."""
        return []

    def _get_purchase_line_domain(self):
        """Return the domain of the order lines that the tab *Purchases* shows."""
        ticket = self.sudo()  # sudo: order and lot are compared by id only
        domain = Domain("display_type", "=", False) & Domain(
            "order_id",
            "any!",
            self._purchase_domain(
                "sale.order",
                product=self.product_id.browse(),
                lot=ticket.lot_id.browse(),
            ),
        )
        if ticket.product_id:
            domain &= Domain("product_id", "=", ticket.product_id.id) | Domain(
                "move_ids.product_id", "=", ticket.product_id.id
            )
        if ticket.lot_id:
            domain &= Domain("move_ids.move_line_ids.lot_id", "=", ticket.lot_id.id)
        return domain

    def _is_purchased(self, record, **chosen):
        """Return whether an order, product or lot was bought by this ticket's customer,
        with the others that are set or ``chosen``."""
        scope = self._get_purchase_scope(**chosen)
        # sudo: agents may not read orders and lots; a yes or no is all that is asked.
        return bool(scope["customer"]) and record.sudo()._origin._is_purchased(**scope)

    # -- Portal --------------------------------------------------------------

    @api.model
    def _get_thread_with_access(
        self,
        thread_id,
        *,
        mode="read",
        hash=None,
        pid=None,
        token=None,
        **kwargs,
    ):
        """Let a link open the conversation only while the team shows its tickets."""
        # sudo: decides only whether the link counts at all; rights are checked after.
        ticket = self.sudo().browse(thread_id).exists()
        if (
            not ticket.access_token
            or ticket.team_id.privacy_visibility != "portal"
            or not all(str(value or "").isascii() for value in (hash, token))
            or not str(pid or 0).isdigit()
        ):
            hash = pid = token = None
        return super()._get_thread_with_access(
            thread_id, mode=mode, hash=hash, pid=pid, token=token, **kwargs
        )

    def _is_customer_side(self, partner, email=False):
        """Return whether a partner, or whoever writes from an address, belongs to the
        customer of this ticket."""
        self.ensure_one()
        # sudo: entities and addresses are compared, not shown.
        ticket, partner = self.sudo(), partner.sudo()
        if partner and partner.commercial_partner_id == ticket.commercial_partner_id:
            return True
        return bool(email) and email in email_normalize_all(
            f"{ticket.partner_email or ''}, {ticket.email_cc or ''}"
        )

    def _forget_customer(self, partner, vals):
        """Take link, notifications and address away from who was the customer."""
        self.ensure_one()
        # sudo: whoever may change the customer ends what the former one could do.
        ticket = self.sudo()
        # Colleagues see the ticket by the rule of their company, as long as the
        # company stays the customer.
        gone = partner | ticket.message_partner_ids.filtered(
            lambda follower: (
                follower.partner_share
                and follower.commercial_partner_id == partner.commercial_partner_id
                and follower.commercial_partner_id != ticket.commercial_partner_id
            )
        )
        ticket.message_unsubscribe(partner_ids=gone.ids)
        ticket.access_token = self._fields["access_token"].default(ticket)
        ticket._renew_file_tokens()
        if partner.commercial_partner_id != ticket.commercial_partner_id:
            ticket._drop_request()
        addresses = set(filter(None, gone.mapped("email_normalized")))
        ticket._forget_ratings()
        carbon_copies = ticket._mail_cc_sanitized_raw_dict(ticket.email_cc)
        ticket.email_cc = ", ".join(
            raw for email, raw in carbon_copies.items() if email not in addresses
        )
        if not ticket.partner_id:
            ticket.update(
                {
                    name: False
                    for name in ("partner_name", "partner_email", "partner_phone")
                    if name not in vals
                }
            )

    def _renew_file_tokens(self):
        """Take back the lasting links to files: pictures in texts, and files too big
        for a mail. The others end with the token of the ticket."""
        files = self.env["ir.attachment"].search(
            Domain("res_model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("access_token", "!=", False)
        )
        for file in files:
            old, file.access_token = file.access_token, file._generate_access_token()
            for record, name in (
                (self, "description"),
                *((message, "body") for message in self.message_ids),
            ):
                if old in (record[name] or ""):
                    record[name] = record[name].replace(old, file.access_token)

    def _check_portal_customer(self):
        """Raise unless the user is the customer of this ticket, and may read it.

        :raises AccessError: when it isn't theirs
        """
        self.ensure_one()
        self.check_access("read")
        if not self._is_customer_side(self.env.user.partner_id):
            raise AccessError(
                self.env._("Only the customer of this ticket can do that.")
            )

    @api.readonly
    def portal_details(self):
        """Return what the customer's page of this ticket shows, for clients that speak
        for customers: a dictionary of texts, times, and the files with their ids.

        :raises AccessError: when the user may not read the ticket
        """
        self.ensure_one()
        self.check_access("read")
        # sudo: the user may read the ticket, as was just checked; these names are shown
        # to its customer on the page, too.
        ticket = self.sudo()
        return {
            "number": ticket.ticket_ref,
            "subject": ticket.name,
            "description": ticket.description or "",
            "stage": ticket.stage_id.name,
            "request": ticket._get_request_badge()[0],
            "team": ticket.team_id.name,
            "contact": ticket.user_id.name,
            "customer": ticket.partner_id.display_name,
            "order": ticket.sale_order_id.name,
            "product": ticket.product_id.display_name,
            "serial_number": ticket.lot_id.name,
            "created": ticket.create_date,
            "closed": ticket.close_date,
            "can_close": ticket._portal_can_close(),
            "can_reopen": ticket._portal_can_reopen(),
            "url": ticket.access_url,
            "attachments": self._describe_portal_files(ticket._portal_attachments()),
        }

    @api.readonly
    def portal_messages(self, limit=30, before_id=None):
        """Return the conversation as the customer reads it, newest first, for clients
        that speak for customers: ``id``, ``date``, ``author``, ``body`` and files.

        :param limit: how many messages, 100 at most
        :param before_id: only messages older than the one with this id
        :raises AccessError: when the user may not read the ticket
        """
        self.ensure_one()
        self.check_access("read")
        domain = (
            Domain("model", "=", self._name)
            & Domain("res_id", "=", self.id)
            & Domain("subtype_id", "=", self.env.ref("mail.mt_comment").id)
            & Domain("is_internal", "=", False)
        )
        if before_id:
            domain &= Domain("id", "<", int(before_id))
        messages = self.env["mail.message"].search(
            domain, order="id desc", limit=max(0, min(int(limit), 100))
        )
        # sudo: the user has found the messages by their own rights; the page shows
        # who wrote them, and their files.
        messages = messages.sudo()
        return [
            {
                "id": message.id,
                "date": message.date,
                "author": message.author_id.name or self.partner_name,
                "body": message.body,
                "attachments": self._describe_portal_files(message.attachment_ids),
            }
            for message in messages
        ]

    @api.model
    def _describe_portal_files(self, attachments):
        """Return what a client needs to fetch these files, for some weeks."""
        return [
            {
                "name": attachment.name,
                "mimetype": attachment.mimetype,
                "url": f"/web/content/{attachment.id}?download=true"
                f"&access_token={attachment._get_raw_access_token()}",
            }
            for attachment in attachments
        ]

    def portal_close(self):
        """Close the ticket as its customer. Returns ``True``.

        :raises AccessError: when it isn't the user's own
        :raises UserError: when the team doesn't allow it, or it is closed already
        """
        self._check_portal_customer()
        # sudo: the user is the customer, as was just checked; the team has the say.
        self.sudo()._portal_close(self.env.user.partner_id)
        return True

    def portal_reopen(self):
        """Open the ticket again as its customer. Returns ``True``.

        :raises AccessError: when it isn't the user's own
        :raises UserError: when the team doesn't allow it, or it is open already
        """
        self._check_portal_customer()
        # sudo: the user is the customer, as was just checked; the team has the say.
        self.sudo()._portal_reopen(self.env.user.partner_id)
        return True

    def _portal_attachments(self):
        """Return the files that came with the ticket, under ``sudo()``.

        Those of later messages show in the conversation; those of internal notes
        belong to agents (T13). Call it after the access to the ticket was checked.
        """
        self.ensure_one()
        # sudo: customers can't read the internal subtype of the first message.
        return (
            self.env["mail.message"]
            .sudo()
            .search(
                [
                    ("model", "=", self._name),
                    ("res_id", "=", self.id),
                    ("message_type", "=", "email"),
                    ("is_internal", "=", False),
                    ("subtype_id", "=", self._creation_subtype().id),
                ]
            )
            .attachment_ids
        )

    def _portal_can_close(self):
        """Return whether the customer may close the ticket (issue 9)."""
        self.ensure_one()
        return (
            not self.close_date
            and self.team_id.allow_portal_ticket_closing
            and bool(self.team_id.stage_ids.filtered("fold"))
        )

    def _portal_can_reopen(self):
        """Return whether the customer may open the ticket again."""
        self.ensure_one()
        team = self.team_id
        return (
            bool(self.close_date)
            and (team.reopen_on_reply or team.allow_portal_ticket_closing)
            and not all(team.stage_ids.mapped("fold"))
        )

    def _portal_close(self, author):
        """Close the ticket for its customer.

        :param author: the partner who did it
        :raises UserError: when the team doesn't allow it, or it is closed already
        """
        self.ensure_one()
        if not self._portal_can_close():
            raise UserError(self.env._("This ticket can't be closed here."))
        self._track_set_author(author)
        self._track_set_log_message(self.env._("Closed by the customer."))
        self.stage_id = self.team_id.stage_ids.filtered("fold")[0]

    def _portal_reopen(self, author):
        """Open the ticket again for its customer.

        :param author: the partner who did it
        :raises UserError: when the team doesn't allow it, or it is open already
        """
        self.ensure_one()
        if not self._portal_can_reopen():
            raise UserError(self.env._("This ticket can't be reopened here."))
        self._track_set_log_message(self.env._("Reopened by the customer."))
        self._reopen(author)

    def _reopen(self, author):
        """Put a closed ticket into the first open stage of its team."""
        self.ensure_one()
        if author:
            self._track_set_author(author)
        # The mail of that stage says that a request was received: it isn't new. The
        # context of the first write would decide for all of a transaction.
        self.env.cr.precommit.data.setdefault(REOPENED, set()).add(self.id)
        self.stage_id = self.team_id.stage_ids.filtered(lambda stage: not stage.fold)[
            :1
        ]

    # -- Mail ----------------------------------------------------------------

    def _creation_subtype(self):
        # Its id is cached: env.ref() would ask for each ticket whether it exists.
        subtype_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.mt_ticket_new"
        )
        return self.env["mail.message.subtype"].browse(subtype_id)

    def _track_subtype(self, init_values):
        if "stage_id" in init_values:
            return self.env.ref("helpdesk_after_sales.mt_ticket_stage")
        return super()._track_subtype(init_values)

    def _track_post_template_finalize(self):
        # The stage of a new ticket is computed, which core doesn't count as a change.
        self.env.cr.precommit.data.setdefault(
            f"mail.tracking.create.{self._name}.{self.id}", []
        ).append("stage_id")
        return super()._track_post_template_finalize()

    def _track_template(self, changes):
        templates = super()._track_template(changes)
        ticket = self[:1]
        template = ticket.stage_id.template_id
        if (
            "stage_id" not in changes
            or not template
            or ticket.id in self.env.cr.precommit.data.get(REOPENED, ())
        ):
            return templates
        if self.env.context.get("helpdesk_from_mail"):
            if not ticket._may_acknowledge():
                return templates
            # sudo: the time is kept by the gateway, nobody writes it.
            ticket.sudo().acknowledge_date = self.env.cr.now()
        if ticket.partner_id:
            values = {
                "auto_delete_keep_log": False,
                "subtype_id": self.env.ref("mail.mt_comment").id,
                "email_layout_xmlid": "mail.mail_notification_light",
            }
            if not self.env.user._is_internal() or self.env.su:
                # The gateway acts as whoever wrote: it's the shop that answers.
                values["author_id"] = ticket.sudo().company_id.partner_id.id
                values["email_from"] = (
                    template.sudo()._render_field("email_from", ticket.ids)[ticket.id]
                    or ticket._get_mail_sender()
                )
            templates["stage_id"] = (template, values)
        elif ticket.partner_email:
            ticket._post_template_to_address(template)
        return templates

    def _post_template_to_address(self, template, subtype_xmlid="mail.mt_comment"):
        """Send a template to the address of a ticket that has no contact.

        Core would make a contact of every address that a mail comes from.
        """
        # sudo: templates are read and rendered by the system, as for other stages.
        values = template.sudo()._generate_template(
            self.ids, ("subject", "body_html", "email_from")
        )[self.id]
        self.sudo().message_post(
            subject=values["subject"],
            body=values["body_html"],
            email_from=values.get("email_from") or None,
            author_id=self.sudo().company_id.partner_id.id,
            message_type="auto_comment",
            subtype_xmlid=subtype_xmlid,
            outgoing_email_to=self.partner_email,
            email_layout_xmlid="mail.mail_notification_light",
        )

    def _may_acknowledge(self):
        """Return whether the sender of the mail may get an answer by itself.

        Not for automatic mail (RFC 3834), and not more often than a person would
        need: whoever forges a sender must not send mail through the shop (T23).
        """
        self.ensure_one()
        if self.env.context.get("helpdesk_automatic_mail"):
            return False
        # sudo: counts all tickets.
        tickets = self.sudo().with_context(active_test=False)
        parameter = self.env["ir.config_parameter"].sudo().get_param
        since = fields.Datetime.subtract(
            self.env.cr.now(), minutes=int(parameter("mail.gateway.loop.minutes", 120))
        )
        recent = Domain("acknowledge_date", ">=", since) & Domain("id", "!=", self.id)
        limits = [
            (
                recent & Domain("partner_email", "=", self.partner_email),
                "helpdesk_after_sales.acknowledge_per_address",
                5,
            )
        ]
        if not self.partner_id:
            limits.append(
                (
                    recent & Domain("partner_id", "=", False),
                    "helpdesk_after_sales.acknowledge_unknown",
                    100,
                )
            )
        return all(
            tickets.search_count(domain) < int(parameter(key, default))
            for domain, key, default in limits
        )

    def _acknowledged_subject(self):
        """Return the subject as it may stand in an automatic answer: one short line,
        so that nobody sends their own texts through it (T23)."""
        self.ensure_one()
        line = " ".join((self.name or "").split())
        return f"{line[:60]}…" if len(line) > 60 else line

    def _describe_promised_answer(self):
        """Return until when the customer gets a first answer, as they read it, by the
        hours that the team promises, or ``False``."""
        self.ensure_one()
        # sudo: the promise of the team, and the time zone of the customer.
        ticket = self.sudo()
        hours = ticket.team_id.answer_hours
        if hours <= 0:
            return False
        return format_datetime(
            self.env,
            self.create_date + timedelta(hours=hours),
            tz=ticket.partner_id.tz or ticket.company_id.partner_id.tz,
            dt_format="short",
        )

    def _get_mail_sender(self):
        """Return who automatic mail of this ticket comes from: its team."""
        self.ensure_one()
        # sudo: customers' tickets are read by the gateway and the portal.
        team = self.sudo().team_id
        if team.alias_email:
            return formataddr((team.name, team.alias_email))
        return team.company_id.email_formatted

    def _message_log_batch(self, *args, **kwargs):
        # Notes go to nobody: no address need be looked up for them.
        ticket = self.with_context(helpdesk_note=True)
        return super(HelpdeskTicket, ticket)._message_log_batch(*args, **kwargs)

    def _message_compute_author(self, author_id=None, email_from=None):
        """What an agent writes comes from the address of the team, in their name."""
        author_id, sender = super()._message_compute_author(author_id, email_from)
        user = self.env.user
        if (
            len(self) == 1
            and not self.env.context.get("helpdesk_note")
            and user._is_internal()
            and author_id == user.partner_id.id
            and email_from in (None, user.partner_id.email_formatted)
        ):
            # sudo: whoever may write here may not see the team.
            address = self.sudo().team_id.alias_email
            sender = formataddr((user.name, address)) if address else sender
        return author_id, sender

    def _notify_get_reply_to(self, default=None, author_id=False):
        """Answers go to the address of the team."""
        addresses = {}
        # sudo: reads addresses; whoever posts may not see the team.
        for team, tickets in self.sudo().grouped("team_id").items():
            # As Odoo does for the team itself, without looking for its alias.
            address = team.alias_email or team.company_id.catchall_email
            addresses |= dict.fromkeys(
                tickets.ids,
                team._notify_get_reply_to_formatted_email(address, author_id)
                if address
                else default,
            )
        return addresses

    def _notify_by_email_prepare_rendering_context(self, message, *args, **kwargs):
        values = super()._notify_by_email_prepare_rendering_context(
            message, *args, **kwargs
        )
        if message.message_type == "auto_comment":
            # The layout would show the whole subject of whoever wrote (T23).
            values["record_name"] = self.env._("Ticket #%s", self.ticket_ref)
            values["subtitles"] = [values["record_name"]]
        return values

    def _notify_by_email_get_base_mail_values(
        self, message, recipients_data, additional_values=None
    ):
        """Mark what we send, so that others don't answer to it by themselves, and we
        know it when it comes back (T18, T19)."""
        values = dict(additional_values or {})
        values["headers"] = dict(
            values.get("headers") or {}, **self._get_mail_marks(message)
        )
        return super()._notify_by_email_get_base_mail_values(
            message, recipients_data, additional_values=values
        )

    @api.model
    def _get_mail_marks(self, message=None):
        marks = {
            "X-Helpdesk-Origin": self._get_mail_origin(),
            "X-Auto-Response-Suppress": "OOF",
        }
        if message and message.message_type not in ("comment", "email"):
            marks["X-Auto-Response-Suppress"] = "All"
            marks["Auto-Submitted"] = (
                "auto-replied"
                if message.message_type == "auto_comment"
                else "auto-generated"
            )
        return marks

    @api.model
    def _get_mail_origin(self):
        """Return what only mail of this database carries."""
        env = self.env(su=True)
        return hmac(env, "helpdesk.ticket-mail", "origin")

    def _notify_get_recipients_groups(self, message, model_description, msg_vals=False):
        groups = super()._notify_get_recipients_groups(
            message, model_description, msg_vals=msg_vals
        )
        # sudo: only the visibility of the team.
        if self and self.sudo().team_id.privacy_visibility != "portal":
            for name, _match, data in groups:
                if name in ("portal", "portal_customer"):
                    data["has_button_access"] = False
        return groups

    def _message_get_suggested_recipients_batch(self, **kwargs):
        """Propose the customer's side and colleagues, not everybody who wrote: a mail
        can name any message of ours in its references (T22)."""
        suggested = super()._message_get_suggested_recipients_batch(**kwargs)
        asked = kwargs.get("additional_partners") or self.env["res.partner"]
        for ticket in self:
            suggested[ticket.id] = [
                info
                for info in suggested[ticket.id]
                if ticket._is_trusted(
                    self.env["res.partner"].browse(info["partner_id"] or ()),
                    email_normalize(info["email"]),
                )
                or info["partner_id"] in asked.ids
                or kwargs.get("primary_email")
            ]
        return suggested

    def _is_trusted(self, partner, email):
        """Return whether answers may go to a partner or address by themselves."""
        # sudo: only whether it's a colleague.
        colleague = partner.sudo().user_ids.filtered(lambda user: not user.share)
        return bool(colleague) or self._is_customer_side(partner, email)

    def message_post(self, **kwargs):
        """Post a message. What a customer posts through the API is an answer in their
        own name that everybody reads (T14, T22)."""
        if not self.env.su and self.env.user.share:
            answer = {"body", "attachments", "attachment_ids", "parent_id"}
            same = {
                "message_type": ("comment",),
                "subtype_xmlid": ("mail.mt_comment",),
            }
            for name, value in kwargs.items():
                if value and name not in answer and value not in same.get(name, ()):
                    raise AccessError(
                        self.env._(
                            "Customers answer with a text and files only (not: "
                            "%(name)s).",
                            name=name,
                        )
                    )
            kwargs = {name: kwargs[name] for name in answer & kwargs.keys()} | {
                name: value for name, [value] in same.items()
            }
            self.check_access("read")
            # sudo: the customer may read, and so answer to the ticket, as was just
            # checked; the files are new ones, or those that they have uploaded.
            return super(HelpdeskTicket, self.sudo()).message_post(
                author_id=self.env.user.partner_id.id, **kwargs
            )
        return super().message_post(**kwargs)

    def _message_post_after_hook(self, message, msg_values):
        result = super()._message_post_after_hook(message, msg_values)
        # sudo: whoever answers to their ticket may not write it.
        ticket, message = self.sudo(), message.sudo()
        if (
            message.message_type == "email"
            and message.subtype_id == self._creation_subtype()
            and not ticket.description
        ):
            # With its pictures: the message has been given its files by now.
            ticket.description = message.body
        elif (
            ticket.close_date
            and message.message_type in ("comment", "email")
            and message.subtype_id == self.env.ref("mail.mt_comment")
            and (not message.author_id or message.author_id.partner_share)
            and ticket.team_id.reopen_on_reply
            and not self.env.context.get("helpdesk_automatic_mail")
        ):
            ticket._reopen(message.author_id)
        return result

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        """Make a ticket of a mail: its sender becomes the customer if known,
        else name and address are kept."""
        self._clean_mail(msg_dict)
        values = dict(custom_values or {})
        team = self.env["helpdesk.team"].browse(values.get("team_id")) or (
            self._default_team_id()
        )
        # sudo: the gateway acts for the team, whoever wrote.
        self = self.with_company(team.sudo().company_id).with_context(
            helpdesk_from_mail=True
        )
        name, address = parse_contact_from_email(msg_dict.get("email_from") or "")
        partner = self._find_mail_customer(msg_dict, address, team.sudo().company_id)
        subject = " ".join((msg_dict.get("subject") or "").split())
        values = {
            # The message keeps what is longer than a title.
            "name": subject[:250] or self.env._("No subject"),
            "team_id": team.id,
            "partner_id": partner.id,
            "partner_name": partner.name or name or address,
            "is_automatic_mail": bool(self.env.context.get("helpdesk_automatic_mail")),
        } | values
        ticket = super().message_new(
            dict(msg_dict, email_from=address or msg_dict.get("email_from")), values
        )
        ticket._follow_carbon_copy(msg_dict)
        return ticket

    def _follow_carbon_copy(self, msg_dict):
        """Let the people whom a trusted mail has in copy follow, if the team wants.

        Those without a contact stay in ``email_cc``; the answer form proposes them.
        """
        if not self.team_id.follow_carbon_copy:
            return
        # Nobody writes to more people than that by hand (T26).
        addresses = email_normalize_all(msg_dict.get("cc") or "")[:50]
        if addresses:
            people = self._partner_find_from_emails(
                {self: addresses},
                filter_found=lambda partner: (
                    partner.company_id.id in (False, self.company_id.id)
                ),
                no_create=True,
            )
            self.message_subscribe(partner_ids=people[self.id].ids)

    @api.model
    def _clean_mail(self, msg_dict):
        """Take out what PostgreSQL can't store (T27). The gateway goes on with this
        dictionary, so it's changed in place."""
        for key, value in msg_dict.items():
            if isinstance(value, str) and "\0" in value:
                msg_dict[key] = type(value)(value.replace("\0", ""))

    @api.model
    def _find_mail_customer(self, msg_dict, address, company):
        """Return the contact of a sender whom the company of the team may use."""
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if not author.company_id or author.company_id == company:
            return author
        return author.search(
            [
                ("email_normalized", "=", address),
                ("company_id", "in", (False, company.id)),
            ],
            order="company_id, id",
            limit=1,
        )

    def message_update(self, msg_dict, update_vals=None):
        self._clean_mail(msg_dict)
        # Only the customer's side and colleagues add people to the conversation.
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        if self._is_trusted(author, email_normalize(msg_dict.get("email_from"))):
            self._follow_carbon_copy(msg_dict)
        else:
            msg_dict = dict(msg_dict, cc="")
        return super().message_update(msg_dict, update_vals)

    @api.model
    def _filter_mail_routes(self, message, message_dict, routes):
        """Return the routes of a mail without those that would make a second ticket of
        it, or feed a loop (T19, T20, T24)."""
        ours = [route for route in routes if route[0] == self._name]
        if not ours:
            return routes
        others = [route for route in routes if route[0] != self._name]
        reason = self._get_mail_refusal(message, message_dict)
        if reason:
            _logger.info(
                "Ignored mail from %s to %s with Message-Id %s: %s",
                message_dict["email_from"],
                message_dict["to"],
                message_dict["message_id"],
                reason,
            )
            return others
        first_of_team = {}
        for route in ours:
            key = route[1] or (route[2] or {}).get("team_id")
            first_of_team.setdefault((bool(route[1]), key), route)
        return others + list(first_of_team.values())

    @api.model
    def _get_mail_refusal(self, message, message_dict):
        if message.get("X-Helpdesk-Origin", "").strip() == self._get_mail_origin():
            return "it is our own, and came back"
        sender = email_normalize(message_dict["email_from"])
        # sudo: aliases are not for the users of the gateway to read.
        if sender and self.env["mail.alias"].sudo().search_count(
            [("alias_full_name", "=", sender)], limit=1
        ):
            return "its sender is an alias of ours"
        # Two workers may have got the same mail. The second one waits here for the
        # first, and then asks with a cursor that sees what the first has committed.
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                message_dict["message_id"],
            )
        )
        with self.env.registry.cursor() as cursor:
            cursor.execute(
                SQL(
                    "SELECT 1 FROM mail_message WHERE message_id = %s LIMIT 1",
                    message_dict["message_id"],
                )
            )
            return "another worker has processed it" if cursor.rowcount else ""
