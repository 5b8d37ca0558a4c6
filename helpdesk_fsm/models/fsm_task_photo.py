from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class FsmTaskPhoto(models.Model):
    """A picture taken on site. It belongs to the worksheet, and is sealed with it."""

    _name = "fsm.task.photo"
    _inherit = "helpdesk.chosen.mixin"
    _description = "Worksheet Photo"
    _order = "sequence, id"
    _rec_name = "caption"

    task_id = fields.Many2one(
        comodel_name="project.task", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(default=10)
    caption = fields.Char()
    image = fields.Image(required=True, max_width=1920, max_height=1920)
    image_512 = fields.Image(
        related="image", max_width=512, max_height=512, store=True, string="Preview"
    )
    task_can_read = fields.Boolean(
        compute="_compute_task_can_read",
        search="_search_task_can_read",
        export_string_translation=False,
        help="Technical: for the record rule. Whoever sees a task sees its photos.",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_task_can_read(self):
        # The rules are evaluated as superuser: ask again as the user.
        readable = self.task_id.sudo(False)._filtered_access("read")
        for photo in self:
            photo.task_can_read = photo.task_id.sudo(False) in readable

    def _search_task_can_read(self, operator, value):
        if operator != "in" or list(value) != [True]:
            return NotImplemented
        tasks = self.env["project.task"].sudo(False).with_context(active_test=False)
        return Domain("task_id", "in", tasks._search(Domain.TRUE))

    @api.model_create_multi
    def create(self, vals_list):
        photos = super().create(vals_list)
        photos._check_task_open()
        return photos

    def write(self, vals):
        self._check_task_open()
        result = super().write(vals)
        if "task_id" in vals:
            self._check_task_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        self._check_task_open()

    def _check_task_open(self):
        """Raise unless the user may change the tasks, and their worksheets are open."""
        self.task_id.check_access("write")
        for task in self.task_id.sudo():  # whether it is signed, nothing else
            if task.worksheet_signed_on:
                raise UserError(task._get_signed_sentence())
