from odoo import fields, models


class HelpdeskStage(models.Model):
    _name = "helpdesk.stage"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Helpdesk Stage"
    _order = "sequence, id"

    def _default_team_ids(self):
        team_id = self.env.context.get("default_team_id")
        return self.env["helpdesk.team"].browse(team_id)

    active = fields.Boolean(default=True)
    name = fields.Char(required=True, translate=True)
    description = fields.Text(translate=True)
    sequence = fields.Integer(default=10)
    fold = fields.Boolean(
        string="Folded in Kanban",
        help="A ticket that is moved into a folded stage is closed; moving it out "
        "opens it again. Changing this leaves the tickets in the stage as they are.",
    )
    team_ids = fields.Many2many(
        comodel_name="helpdesk.team",
        relation="helpdesk_team_stage_rel",
        column1="stage_id",
        column2="team_id",
        string="Teams",
        default=lambda self: self._default_team_ids(),
    )
    template_id = fields.Many2one(
        comodel_name="mail.template",
        string="Email Template",
        domain="[('model', '=', 'helpdesk.ticket')]",
        index="btree_not_null",
        help="Sent to the customer when a ticket reaches this stage.",
    )
    rotting_threshold_days = fields.Integer(
        string="Days to rot",
        default=0,
        help="Tickets that stay in this stage for longer are shown as stale. "
        "0 switches it off.",
    )
    ask_rating = fields.Boolean(
        string="Ask for a Rating",
        default=True,
        help="Whether customers are asked for a rating when a ticket is closed in "
        "this stage. Switch it off for cancelled tickets or spam.",
    )
    waits_for_customer = fields.Boolean(
        string="Waiting for Customer",
        help="A ticket leaves this stage automatically when its customer replies.",
    )
