from odoo import api, fields, models
from odoo.exceptions import UserError


class HelpdeskAfterSalesStep(models.Model):
    """A gift card for what has arrived and was accepted, a coupon for who refuses the
    quotation of a repair (X18)."""

    _inherit = "helpdesk.after.sales.step"

    service = fields.Selection(
        selection_add=[("gift_card", "Gift Card"), ("coupon", "Coupon")],
        ondelete={"gift_card": "cascade", "coupon": "cascade"},
    )

    @api.model
    def _check_planned(self, service, ticket):
        team = ticket.team_id
        if service == "gift_card" and not (team.use_coupons and team.use_gift_cards):
            raise UserError(
                self.env._(
                    "The team %(team)s gives no gift cards. A helpdesk administrator "
                    "can allow it in the settings of the team.",
                    team=team.display_name,
                )
            )
        if service == "coupon" and not team.use_coupons:
            raise UserError(
                self.env._(
                    "The team %(team)s gives no coupons: plan something else, or ask "
                    "a Helpdesk administrator to switch them on.",
                    team=team.display_name,
                )
            )
        return super()._check_planned(service, ticket)

    @api.model
    def _get_rule_service(self, service):
        if service == "gift_card":
            return "use_coupons"
        return super()._get_rule_service(service)

    @api.model
    def _get_waits_for(self, service):
        return "refusal" if service == "coupon" else super()._get_waits_for(service)

    def _is_promised(self):
        # Nobody refuses for the sake of a coupon.
        return self.service != "coupon" and super()._is_promised()

    def _perform(self):
        if self.service == "coupon":
            return self._give_coupon(self._open_coupon_wizard(program_type="coupons"))
        if self.service != "gift_card":
            return super()._perform()
        # sudo: order lines of goods that came back on a ticket of the planner.
        amounts = {}
        for line, quantity in self.sudo()._get_accepted().items():
            invoice = line.invoice_lines.move_id.filtered(
                lambda move: move.move_type == "out_invoice" and move.state == "posted"
            )[:1]
            price = line.price_total / (line.product_uom_qty or 1.0)
            if quantity > 0:
                amounts[invoice] = amounts.get(invoice, 0.0) + price * quantity
        cards = self.env["loyalty.card"]
        for invoice, amount in amounts.items():
            if not invoice:
                raise UserError(
                    self.env._(
                        "What came back isn't invoiced yet: a gift card replaces the "
                        "refund of an invoice."
                    )
                )
            cards |= self._give_gift_card(invoice, amount)
        return cards[:1]

    def _give_gift_card(self, invoice, amount):
        wizard = self._open_coupon_wizard(
            program_type="gift_card", invoice_id=invoice.id
        )
        currency = wizard.currency_id
        wizard.amount = currency.round(wizard._convert_amount(invoice, amount))
        return self._give_coupon(wizard)

    def _open_coupon_wizard(self, **values):
        action = self.ticket_id.action_generate_coupon()
        wizards = self.env["helpdesk.coupon.wizard"].with_context(**action["context"])
        wizard = wizards.create(values)
        if not wizard.program_id:
            # Several can be used, and nobody is there to choose.
            wizard.program_id = wizard._get_programs()[:1].id
        return wizard

    @api.model
    def _give_coupon(self, wizard):
        coupon = wizard._get_coupon()
        # sudo: the code that was just made; its program says what is sent.
        coupon.sudo()._send_creation_communication()
        return coupon
