from odoo import fields, models


class HelpdeskTeam(models.Model):
    _inherit = "helpdesk.team"

    refund_delivery = fields.Boolean(
        string="Refund Delivery Charges",
        default=True,
        help="The pop-up Refund proposes the delivery charges of an order when "
        "everything else is taken back.",
    )
    refund_template_id = fields.Many2one(
        comodel_name="mail.template",
        string="Send Credit Notes",
        domain="[('model', '=', 'account.move')]",
        index="btree_not_null",
        ondelete="set null",
        help="Credit notes of tickets are sent to the customer when they are posted, "
        "with this message. Leave empty to send none.",
    )
    refund_settlement = fields.Selection(
        selection=[("payout", "Paid out"), ("credit", "Kept as credit")],
        string="Remaining Amount",
        default="payout",
        required=True,
        help="What the message says about the amount that isn't deducted from the "
        "invoice.",
    )
