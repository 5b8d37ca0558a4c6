from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    helpdesk_fee_product_id = fields.Many2one(
        groups="base.group_user",
        comodel_name="product.product",
        string="Restocking Fee Product",
        domain="[('type', '=', 'service')]",
        ondelete="restrict",
        index="btree_not_null",
        help="Used for the credit note line that keeps back a restocking fee. Its "
        "customer taxes apply to the fee; without any, the fee has the taxes of the "
        "goods.",
    )
