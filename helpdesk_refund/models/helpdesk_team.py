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
        "with this message. Empty: they aren't sent.",
    )
    refund_settlement = fields.Selection(
        selection=[("payout", "Paid out"), ("credit", "Kept as credit")],
        string="Money That Is Left",
        default="payout",
        required=True,
        help="What the message says of the money that isn't taken off the invoice.",
    )
