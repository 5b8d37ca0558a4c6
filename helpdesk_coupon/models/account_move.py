from odoo import api, fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    helpdesk_gift_card_ids = fields.One2many(
        comodel_name="loyalty.card",
        inverse_name="helpdesk_invoice_id",
        string="Gift Cards Instead of Money",
        groups="sales_team.group_sale_salesman",
    )

    @api.depends(
        "helpdesk_gift_card_ids.active",
        "helpdesk_gift_card_ids.points",
        "helpdesk_gift_card_ids.helpdesk_value",
    )
    def _compute_amount_left_to_refund(self):
        """A gift card that was given instead of money is money that was given back."""
        return super()._compute_amount_left_to_refund()

    def _get_given_instead(self):
        # sudo: what is left is one figure, the same for everybody who may see it. The
        # code itself stays out of the sentence.
        cards = self.sudo().with_context(active_test=False).helpdesk_gift_card_ids
        given = {card: card._get_given_instead() for card in cards}
        return super()._get_given_instead() + [
            (
                card.currency_id._convert(
                    amount,
                    self.currency_id,
                    self.company_id,
                    card.create_date.date(),
                ),
                self.env._(
                    "%(amount)s with a gift card by %(user)s",
                    amount=card.currency_id.format(amount),
                    user=card.create_uid.name,
                ),
            )
            for card, amount in given.items()
            if not card.currency_id.is_zero(amount)
        ]
