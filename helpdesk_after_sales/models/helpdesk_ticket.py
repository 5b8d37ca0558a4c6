import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _description = "Helpdesk Ticket"
    _inherit = [
        "helpdesk.named.mixin",
        "helpdesk.chosen.mixin",
        "portal.mixin",
        "rating.mixin",
        "mail.thread.cc",
        "mail.tracking.duration.mixin",
        "mail.activity.mixin",
    ]
    _order = "priority desc, id desc"
    _check_company_auto = True
    _mail_post_access = "read"
    _chosen_constrained = ("sale_order_id", "lot_id")
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

    def _get_user_domain(self, company="('company_ids', 'in', company_id), "):
        """Return whom the client offers as responsible: who can work on tickets."""
        group_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "helpdesk_after_sales.group_helpdesk_user"
        )
        return f"[('share', '=', False), {company}('all_group_ids', 'in', {group_id})]"

    name = fields.Char(string="Subject", required=True, index="trigram", tracking=True)
    # Who moves in brings the numbers along, once: administrators import them.
    ticket_ref = fields.Char(
        string="Ticket Number",
        readonly=True,
        server_only="base.group_system",
        copy=False,
        index="trigram",
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
        server_only="base.group_system",
        copy=False,
        groups="base.group_user",
    )
    close_date = fields.Datetime(
        string="Closed On",
        compute="_compute_dates",
        store=True,
        precompute=True,
        readonly=False,
        server_only="base.group_system",
        copy=False,
        help="When the ticket was moved into a folded stage. Empty while it is open.",
    )
    date_last_stage_update = fields.Datetime(
        string="Last Stage Update",
        default=fields.Datetime.now,
        readonly=True,
        server_only=True,
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
        index="trigram",
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
    access_token = fields.Char(
        default=lambda self: str(uuid.uuid4()), readonly=True, server_only=True
    )
    email_cc = fields.Char(groups="base.group_user")
    acknowledge_date = fields.Datetime(
        string="Acknowledged On",
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
        help="When the sender of the mail was told that the ticket was received.",
    )
    merged_into_id = fields.Many2one(
        comodel_name="helpdesk.ticket",
        readonly=True,
        server_only=True,
        copy=False,
        index="btree_not_null",
        groups="base.group_user",
    )
    is_automatic_mail = fields.Boolean(
        string="Automatic Mail",
        readonly=True,
        server_only=True,
        copy=False,
        groups="base.group_user",
        help="This ticket was created from an automatic email, so no automatic "
        "emails are sent in return.",
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
        "(company_id, ticket_ref)", "Another ticket already has this number."
    )
    # -- Computes ------------------------------------------------------------

    def _compute_access_url(self):
        for ticket in self:
            ticket.access_url = f"/my/tickets/{ticket.id}"

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

    @api.onchange("stage_id")
    def _onchange_stage_id(self):
        """Tell who closes a ticket by hand which documents are still under way."""
        if not self.stage_id.fold or self._origin.stage_id.fold:
            return None
        under_way = self._origin._get_open_after_sales_documents()
        return under_way and {
            "warning": {
                "title": self.env._("Still in Progress"),
                "message": self.env._(
                    "This ticket is being closed while some of its documents are "
                    "still in progress:\n%(documents)s",
                    documents="\n".join(f"- {name}" for name in under_way),
                ),
            }
        }

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        tickets = super().create(vals_list)
        tickets.filtered(lambda ticket: not ticket.user_id)._assign_automatically()
        return tickets

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
        # sudo: the user has just assigned or moved these tickets; the times are ours.
        if waiting:
            waiting.sudo().write({"assign_date": fields.Datetime.now()})
        moved = self.filtered(lambda t: t in stages and t.stage_id != stages[t])
        moved.sudo()._begin_stage(vals)
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
            raise UserError(self.env._("Enter the name or the email of the customer."))
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
    def get_import_templates(self):
        """Return the files that the import screen offers to begin with."""
        return [
            {
                "label": self.env._("Import Template for Tickets (%s)", kind.upper()),
                "template": f"/helpdesk_after_sales/static/import/tickets.{kind}",
            }
            for kind in ("xlsx", "csv")
        ]
