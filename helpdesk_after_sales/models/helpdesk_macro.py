from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class HelpdeskMacro(models.Model):
    """An answer that agents give often, and what they do along with it (X29).

    A macro never makes a document: of a service it opens the pop-up.
    """

    _name = "helpdesk.macro"
    _inherit = ["helpdesk.chosen.mixin", "mail.render.mixin"]
    _description = "Helpdesk Macro"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        comodel_name="res.company",
        default=lambda self: self.env.company,
        index="btree_not_null",
        help="Leave empty for all teams of all companies.",
    )
    team_ids = fields.Many2many(
        comodel_name="helpdesk.team",
        relation="helpdesk_macro_helpdesk_team_rel",
        string="Teams",
        check_company=True,
        domain="[('company_id', '=', company_id)]",
        help="Leave empty for all teams.",
    )

    # -- What it writes
    body = fields.Html(
        string="Text",
        translate=True,
        render_engine="qweb",
        render_options={"post_process": True},
        sanitize="email_outgoing",
        help="Sent in the language of each customer. Type /field for what changes from "
        "ticket to ticket.",
    )
    internal = fields.Boolean(
        string="Internal Note", help="Only colleagues see the text, not the customer."
    )
    attachment_ids = fields.Many2many(
        comodel_name="ir.attachment",
        relation="helpdesk_macro_ir_attachment_rel",
        string="Attachments",
        bypass_search_access=True,
    )

    # -- What it does
    stage_id = fields.Many2one(
        comodel_name="helpdesk.stage",
        string="Move to Stage",
        index="btree_not_null",
        domain="[('team_ids', 'in', team_ids)] if team_ids else []",
        ondelete="restrict",
    )
    tag_ids = fields.Many2many(
        comodel_name="helpdesk.tag",
        relation="helpdesk_macro_helpdesk_tag_rel",
        string="Add Tags",
    )
    priority = fields.Selection(
        selection=lambda self: (
            self.env["helpdesk.ticket"]._fields["priority"].selection
        ),
        string="Set Priority",
        help="Leave empty to make no change.",
    )
    assign_to = fields.Selection(
        selection=[
            ("me", "Whoever uses the macro"),
            ("user", "A colleague"),
            ("nobody", "Nobody"),
        ],
        string="Assign to",
        help="Leave empty to make no change.",
    )
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Colleague",
        index="btree_not_null",
        domain=lambda self: self.env["helpdesk.ticket"]._get_user_domain(company=""),
    )
    service_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.service",
        string="Open Service",
        domain="[('action', '!=', False)]",
        ondelete="cascade",
        index="btree_not_null",
        help="Its pop-up opens after the macro, if the team uses the service. "
        "Nothing is created until you confirm it there.",
    )

    # -- Computes and checks -------------------------------------------------

    def _compute_render_model(self):
        self.render_model = "helpdesk.ticket"

    @api.constrains("body")
    def _check_body(self):
        """Refuse what isn't a plain placeholder, whoever writes it: every agent has
        the text filled in."""
        languages = self.env["res.lang"].get_installed()
        for macro in self:
            for code, _name in languages:
                # sudo: Odoo asks template editors for less.
                text = macro.sudo().with_context(lang=code)
                if text._has_unsafe_expression():
                    raise ValidationError(
                        self.env._(
                            "The text of %(macro)s contains an unknown placeholder. "
                            "Use one of: %(placeholders)s.",
                            macro=macro.name,
                            placeholders=", ".join(
                                self.env[
                                    "helpdesk.ticket"
                                ].mail_allowed_qweb_expressions()
                            ),
                        )
                    )

    @api.constrains("assign_to", "user_id")
    def _check_user(self):
        for macro in self:
            if macro.assign_to == "user" and not macro.user_id:
                raise ValidationError(
                    self.env._(
                        "Choose the colleague to whom %(macro)s assigns tickets.",
                        macro=macro.name,
                    )
                )

    @api.constrains("stage_id", "team_ids")
    def _check_stage(self):
        for macro in self.filtered("stage_id"):
            for team in macro.team_ids:
                if macro.stage_id not in team.stage_ids:
                    raise ValidationError(
                        self.env._(
                            "%(team)s has no stage %(stage)s: take the team out of "
                            "%(macro)s, or choose another stage.",
                            team=team.name,
                            stage=macro.stage_id.name,
                            macro=macro.name,
                        )
                    )

    @api.model_create_multi
    def create(self, vals_list):
        macros = super().create(vals_list)
        macros._own_attachments()
        return macros

    def write(self, vals):
        result = super().write(vals)
        if "attachment_ids" in vals:
            self._own_attachments()
        return result

    def _own_attachments(self):
        """Let the files be read by whoever reads the macro."""
        for macro in self:
            macro.attachment_ids.filtered(
                lambda file, macro=macro: (
                    file.res_model != macro._name or file.res_id != macro.id
                )
            ).write({"res_model": macro._name, "res_id": macro.id})

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        if "name" in (default or {}):
            return vals_list
        return [
            dict(vals, name=self.env._("%s (copy)", macro.name))
            for macro, vals in zip(self, vals_list, strict=True)
        ]

    # -- Use -----------------------------------------------------------------

    @api.model
    def _get_domain_of_teams(self, teams):
        """Return which macros fit tickets of all of these teams."""
        domain = Domain("company_id", "in", [False, *teams.company_id.ids])
        if len(teams.company_id) > 1:
            domain = Domain("company_id", "=", False)
        for team in teams:
            domain &= Domain("team_ids", "=", False) | Domain("team_ids", "=", team.id)
        return domain

    def _render_for(self, tickets):
        """Return ``{id: text}`` for these tickets, each in its customer's language.

        :raises AccessError: when the user may not read them
        """
        self.ensure_one()
        self.check_access("read")
        tickets.check_access("read")
        # sudo: the user may read the tickets, as was just checked; the placeholders of
        # a macro are names and numbers of the ticket itself, see _check_body().
        macro, tickets = self.sudo(), tickets.sudo()
        languages = {
            ticket.id: ticket._get_macro_language(macro.internal) for ticket in tickets
        }
        return macro._render_field("body", tickets.ids, res_ids_lang=languages)

    def _prepare_ticket_vals(self, ticket):
        """Return what this macro writes on a ticket."""
        self.ensure_one()
        vals = {}
        if self.tag_ids - ticket.tag_ids:
            vals["tag_ids"] = [fields.Command.link(tag.id) for tag in self.tag_ids]
        if self.priority:
            vals["priority"] = self.priority
        if self.assign_to:
            vals["user_id"] = {
                "me": self.env.uid,
                "user": self.user_id.id,
                "nobody": False,
            }[self.assign_to]
        if self.stage_id:
            vals["stage_id"] = self.stage_id.id
        return vals
