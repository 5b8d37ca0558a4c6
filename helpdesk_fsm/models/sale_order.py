from odoo import fields, models

from odoo.addons.helpdesk_after_sales.tools import format_quantity


class SaleOrder(models.Model):
    """The quotation of what was used on a visit."""

    _inherit = "sale.order"

    helpdesk_task_id = fields.Many2one(
        comodel_name="project.task",
        string="Visit",
        index="btree_not_null",
        copy=False,
        groups=fields.NO_ACCESS,
        help="The visit on which the goods of this quotation were used.",
    )

    def _describe_fsm_parts(self):
        """Return "S00042 (Quotation): 2 × Fuse, 1 × Cable"."""
        self.ensure_one()
        states = dict(self._fields["state"]._description_selection(self.env))
        goods = self.order_line.filtered(lambda line: line.product_id.type == "consu")
        return self.env._(
            "%(quotation)s (%(state)s): %(parts)s",
            quotation=self.name,
            state=states[self.state],
            parts=", ".join(
                f"{format_quantity(self.env, line.qty_delivered, line.product_uom_id)}"
                f" × {line.product_id.display_name}"
                for line in goods
            ),
        )
