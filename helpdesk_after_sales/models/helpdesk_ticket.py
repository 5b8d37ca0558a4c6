import uuid
from collections import defaultdict
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _description = "Helpdesk Ticket"
    _inherit = [
        "portal.mixin",
        "rating.mixin",
        "mail.thread.cc",
        "mail.tracking.duration.mixin",
        "mail.activity.mixin",
    ]
    _order = "priority desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"
    _primary_email = "partner_email"
    _track_duration_field = "stage_id"

    @api.model
    def _default_team_id(self, company=None):
        """Return the team that a new ticket of the user goes to: their own before the
        first one, of ``company`` or of those that they work in."""
        domain = Domain("company_id", "in", (company or self.env.companies).ids)
        teams = self.env["helpdesk.team"]
        return teams.search(
            domain & Domain("member_ids", "=", self.env.uid), limit=1
        ) or teams.search(domain, limit=1)

    def _get_user_domain(self):
        """Return whom the client offers as responsible: who can work on tickets."""
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.group_helpdesk_user"
        )
        return (
            "[('share', '=', False), ('company_ids', 'in', company_id), "
            f"('all_group_ids', 'in', {group_id})]"
        )

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
        domain=lambda self: self._get_user_domain(),
        groups="base.group_user",
    )
    assign_date = fields.Datetime(
        string="First Assigned",
        compute="_compute_dates",
        store=True,
        precompute=True,
        readonly=False,
        copy=False,
        groups="base.group_user",
    )
    close_date = fields.Datetime(
        string="Closed On",
        compute="_compute_dates",
        store=True,
        precompute=True,
        readonly=False,
        copy=False,
        help="When the ticket came into a folded stage. Empty while it is open.",
    )
    date_last_stage_update = fields.Datetime(
        string="Last Stage Update",
        default=fields.Datetime.now,
        readonly=True,
        copy=False,
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
            # The relation comes in the order of the stages.
            stages = ticket.team_id.stage_ids
            if ticket.stage_id not in stages or not ticket.stage_id:
                # What was closed stays so with the other team.
                closed = stages.filtered("fold") if ticket.stage_id.fold else stages
                ticket.stage_id = closed[:1] or stages[:1]

    def _compute_dates(self):
        """Begin the dates of a new ticket. They are facts: from then on only a change
        of its own responsible or stage sets them, see :meth:`write`."""
        now = fields.Datetime.now()
        for ticket in self:
            ticket.assign_date = ticket.user_id and now
            ticket.close_date = ticket.stage_id.fold and now

    @api.depends("partner_id")
    def _compute_partner_details(self):
        for ticket in self:
            partner = ticket.partner_id
            if not partner:
                continue
            ticket.partner_name = partner.name
            # Where an unknown sender wrote from stays, whoever they turn out to be.
            sender = ticket._origin
            if not sender or sender.partner_id or not sender.partner_email:
                ticket.partner_email = partner.email
            ticket.partner_phone = partner.phone or ticket.partner_phone

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

    @api.constrains("user_id")
    def _check_user(self):
        """Refuse a responsible who can't open tickets."""
        for user in self.user_id:
            # sudo: the groups of a colleague, which only decide.
            if not user.sudo().has_group("helpdesk_after_sales.group_helpdesk_user"):
                raise ValidationError(
                    self.env._(
                        "%(user)s can't open tickets: give them the right Helpdesk "
                        "first, or choose somebody else.",
                        user=user.display_name,
                    )
                )

    # -- Onchange --------------------------------------------------------

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
        # Another team may have the same stage: no field that depends on it could tell.
        stages = (
            {ticket: ticket.stage_id for ticket in self}
            if not vals.keys().isdisjoint(("stage_id", "team_id"))
            else {}
        )
        waiting = self.browse()
        if vals.get("user_id") and "assign_date" not in vals:
            waiting = self.filtered(lambda ticket: not ticket.assign_date)
        result = super().write(vals)
        if waiting:
            # sudo: a date that follows from what the user was just allowed to write.
            waiting.sudo().write({"assign_date": fields.Datetime.now()})
        self.filtered(lambda t: t in stages and t.stage_id != stages[t])._begin_stage(
            vals
        )
        for ticket, partner in former.items():
            if partner and partner != ticket.partner_id:
                ticket._forget_customer(partner, vals)
        return result

    def _begin_stage(self, vals):
        """Note that these tickets have just come into their stage: when, and whether
        that closes or opens them. What ``vals`` says itself stays."""
        now = fields.Datetime.now()
        # What was ready or blocked was so in the stage before, as in Project.
        begin = {"date_last_stage_update": now, "kanban_state": "normal"}
        for tickets, dates in (
            (
                self.filtered(lambda t: t.stage_id.fold and not t.close_date),
                {"close_date": now},
            ),
            (
                self.filtered(lambda t: not t.stage_id.fold and t.close_date),
                {"close_date": False},
            ),
            (self.filtered(lambda t: t.stage_id.fold == bool(t.close_date)), {}),
        ):
            if tickets:
                values = begin | dates
                # sudo: what follows from the stage, which the user has just written.
                tickets.sudo().write({k: v for k, v in values.items() if k not in vals})

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
        # sudo: a contact of exactly this person, whose ticket the user may work on, as
        # was just checked.
        contact = known or self.env["res.partner"].sudo().create(
            {
                "name": self.partner_name or self.partner_email,
                "email": self.partner_email,
                "phone": self.partner_phone,
            }
        )
        self.partner_id = contact.id
        return True

    @api.readonly
    def action_view_customer_tickets(self):
        """Return the action for all tickets of this ticket's commercial entity."""
        self.ensure_one()
        return self.commercial_partner_id.action_view_helpdesk_tickets()

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
