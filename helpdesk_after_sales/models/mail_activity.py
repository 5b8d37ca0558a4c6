from odoo import fields, models

from ..tools.pointers import find_hidden


class MailActivity(models.Model):
    _inherit = "mail.activity"

    helpdesk_approval_id = fields.Many2one(
        comodel_name="helpdesk.after.sales.approval",
        ondelete="cascade",
        index="btree_not_null",
        groups="base.group_user",
        readonly=True,
        server_only=True,
        copy=False,
        help="What this activity asks to approve.",
    )

    def _compute_res_name(self):
        result = super()._compute_res_name()
        # A saved one was made by who may read the document.
        shown = self.filtered(lambda activity: not activity.id)
        find_hidden(shown, "res_model", lambda model: False).res_name = False
        return result
