from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize


class HelpdeskTicket(models.Model):
    _name = "helpdesk.ticket"
    _description = "Helpdesk Ticket"
    _inherit = [
        "portal.mixin",
        "mail.thread.cc",
        "mail.tracking.duration.mixin",
        "mail.activity.mixin",
    ]
    _order = "priority desc, id desc"
    _rec_names_search = ["name", "ticket_ref"]
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
    company_id = fields.Many2one(
        related="team_id.company_id", store=True, precompute=True, index=True
    )
    stage_id = fields.Many2one(
        comodel_name="helpdesk.stage",
        compute="_compute_stage_id",
        store=True,
        precompute=True,
        readonly=False,
        ondelete="restrict",
        index=True,
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
        groups="base.group_user",
    )
    close_date = fields.Datetime(
        string="Closed On",
        compute="_compute_close_date",
        store=True,
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
        index="btree_not_null",
        tracking=True,
        check_company=True,
    )
    commercial_partner_id = fields.Many2one(
        related="partner_id.commercial_partner_id",
        string="Commercial Entity",
        store=True,
        index="btree_not_null",
    )
    partner_name = fields.Char(
        string="Customer Name",
        compute="_compute_partner_details",
        store=True,
        readonly=False,
    )
    partner_email = fields.Char(
        string="Customer Email",
        compute="_compute_partner_details",
        store=True,
        readonly=False,
        index="trigram",
    )
    partner_phone = fields.Char(
        string="Customer Phone",
        compute="_compute_partner_details",
        store=True,
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
    use_credit_notes = fields.Boolean(related="team_id.use_credit_notes")
    use_coupons = fields.Boolean(related="team_id.use_coupons")
    use_product_returns = fields.Boolean(related="team_id.use_product_returns")
    use_product_repairs = fields.Boolean(related="team_id.use_product_repairs")
    use_fsm = fields.Boolean(related="team_id.use_fsm")

    user_can_read = fields.Boolean(
        compute="_compute_user_can_read",
        search="_search_user_can_read",
        export_string_translation=False,
        help="Technical: for record rules of the documents that a ticket leads to.",
    )

    _ticket_ref_uniq = models.UniqueIndex(
        "(company_id, ticket_ref)", "Another ticket has this number already."
    )
    _default_order_idx = models.Index("(priority DESC, id DESC)")
    _open_idx = models.Index("(team_id, stage_id) WHERE close_date IS NULL")

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
            if ticket.product_id and not ticket._is_purchased("product_id"):
                ticket.product_id = False

    @api.depends("partner_id", "team_id", "product_id")
    def _compute_lot_id(self):
        for ticket in self.sudo():  # sudo: see above
            if ticket.lot_id and (
                ticket.lot_id.product_id != ticket.product_id
                or not ticket._is_purchased("lot_id")
            ):
                ticket.lot_id = False

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_user_can_read(self):
        # The rules are evaluated as superuser: ask again as the user himself.
        readable = self.sudo(False)._filtered_access("read")
        for ticket in self:
            ticket.user_can_read = ticket.sudo(False) in readable

    def _search_user_can_read(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        return Domain("id", "in", self.sudo(False)._search(Domain.TRUE))

    @api.model
    def _read_group_stage_ids(self, stages, _domain):
        team_id = self.env.context.get("default_team_id")
        return stages.search(
            Domain("id", "in", stages.ids)
            | (
                Domain("team_ids", "=", team_id)
                if team_id
                else Domain("team_ids.member_ids", "=", self.env.uid)
            )
        )

    # -- Constraints and onchange --------------------------------------------

    @api.constrains("partner_id", "team_id", "sale_order_id", "product_id", "lot_id")
    def _check_purchase(self):
        """Refuse an order, product or lot that the customer didn't buy (S21, S22)."""
        for ticket in self:
            for field in ("sale_order_id", "product_id", "lot_id"):
                if not ticket[field] or ticket._is_purchased(field):
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

    # -- CRUD ----------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if not vals.get("ticket_ref"):
                vals["ticket_ref"] = self._next_ticket_ref(vals)
        tickets = super().create(vals_list)
        tickets.filtered(lambda ticket: not ticket.user_id)._assign_automatically()
        return tickets

    @api.model
    def _next_ticket_ref(self, vals):
        team = self.env["helpdesk.team"].browse(
            vals.get("team_id") or self.env.context.get("default_team_id")
        )
        # sudo: agents may not read sequences.
        company = team.sudo().company_id or self.env.company
        return (
            self.env["ir.sequence"]
            .sudo()
            .with_company(company)
            .next_by_code("helpdesk.ticket")
        )

    def write(self, vals):
        former = (
            {ticket: ticket.partner_id for ticket in self}
            if "partner_id" in vals
            else {}
        )
        result = super().write(vals)
        for ticket, partner in former.items():
            if partner != ticket.partner_id:
                # Who is no longer the customer must not get the answers any more.
                ticket.message_unsubscribe(partner_ids=partner.ids)
                ticket.access_token = False
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

    def action_view_sale_order(self):
        """Return the action that opens the sales order of this ticket."""
        self.ensure_one()
        return self.sale_order_id._get_records_action()

    # -- Assignment ----------------------------------------------------------

    def action_assign_to_me(self):
        """Make the user responsible for these tickets. Returns ``True``."""
        self.user_id = self.env.user
        return True

    def _assign_automatically(self):
        """Give unassigned tickets a responsible where their team wants it."""
        for team, tickets in self.grouped("team_id").items():
            if not team.auto_assignment:
                continue
            # sudo: who creates a ticket may not see the members; they are assigned only.
            members = team.sudo().member_ids.filtered("active")
            if not members:
                continue
            domain = Domain("team_id", "=", team.id) & Domain(
                "user_id", "in", members.ids
            )
            if team.assign_method == "balanced":
                domain &= Domain("close_date", "=", False)
            # sudo: the load counts in full, also where the user doesn't see it all.
            load = dict.fromkeys(members, 0) | dict(
                self.sudo()
                .with_context(active_test=False)
                ._read_group(domain, ["user_id"], ["__count"])
            )
            for ticket in tickets:
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
                    "%(service)s are switched off for the team %(team)s. A helpdesk "
                    "manager can switch them on in the settings of the team.",
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

    def _open_after_sales_documents(self, model, domain=Domain.TRUE):
        """Return the action for the documents of this ticket: a form for one, else a
        list. The user sees those that his own rights allow."""
        self.ensure_one()
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
        self.ensure_one()
        # sudo: orders and lots are compared by id only.
        ticket = self.sudo()
        purchase = {
            "sale_order": ticket.sale_order_id,
            "product": ticket.product_id,
            "lot": ticket.lot_id,
        } | chosen
        customer = ticket.commercial_partner_id
        if not customer:
            return Domain.FALSE
        return self.env[model]._get_purchase_domain(
            ticket.company_id,
            customer._origin,
            **{key: record._origin for key, record in purchase.items()},
        )

    def _is_purchased(self, field):
        """Return whether the order, product or lot of this ticket was bought by its
        customer, with the others that are set."""
        self.ensure_one()
        # sudo: agents may not read orders and lots; a number is all that is asked.
        record = self.sudo()[field]._origin
        domain = self._purchase_domain(record._name) & Domain("id", "=", record.id)
        return bool(
            record.with_context(active_test=False).search_count(domain, limit=1)
        )

    # -- Mail ----------------------------------------------------------------

    def _creation_subtype(self):
        return self.env.ref("helpdesk_after_sales.mt_ticket_new")

    def _track_subtype(self, init_values):
        if "stage_id" in init_values:
            return self.env.ref("helpdesk_after_sales.mt_ticket_stage")
        return super()._track_subtype(init_values)

    def _track_template(self, changes):
        templates = super()._track_template(changes)
        ticket = self[:1]
        if "stage_id" in changes and ticket.stage_id.template_id:
            templates["stage_id"] = (
                ticket.stage_id.template_id,
                {
                    "auto_delete_keep_log": False,
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                    "email_layout_xmlid": "mail.mail_notification_light",
                },
            )
        return templates

    @api.model
    def message_new(self, msg_dict, custom_values=None):
        author = self.env["res.partner"].browse(msg_dict.get("author_id") or ())
        sender = msg_dict.get("email_from") or ""
        defaults = {
            "name": msg_dict.get("subject") or self.env._("No subject"),
            "partner_id": author.id,
            "partner_email": email_normalize(sender) or sender,
        }
        if author:
            del defaults["partner_email"]
        return super().message_new(
            msg_dict, custom_values=defaults | (custom_values or {})
        )
