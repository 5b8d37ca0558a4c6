from odoo import api, fields, models
from odoo.fields import Domain


class AccountMove(models.Model):
    _inherit = "account.move"

    helpdesk_gift_card_ids = fields.One2many(
        comodel_name="loyalty.card",
        inverse_name="helpdesk_invoice_id",
        string="Gift Cards Instead of Money",
        groups="sales_team.group_sale_salesman",
    )

    @api.depends(
        "helpdesk_gift_card_ids.active", "helpdesk_gift_card_ids.helpdesk_value"
    )
    def _compute_amount_left_to_refund(self):
        """A gift card that was given instead of money is money that was given back."""
        result = super()._compute_amount_left_to_refund()
        # sudo: what is left is one figure, the same for everybody who may see it.
        # Withdrawn cards are archived and count no more.
        given = (
            self.env["loyalty.card"]
            .sudo()
            .search(Domain("helpdesk_invoice_id", "in", self.ids))
            .grouped("helpdesk_invoice_id")
        )
        for move in self:
            for card in given.get(move._origin.sudo(), ()):
                move.amount_left_to_refund -= card.currency_id._convert(
                    card.helpdesk_value,
                    move.currency_id,
                    move.company_id,
                    card.create_date.date(),
                )
        return result
