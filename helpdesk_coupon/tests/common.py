from odoo import Command
from odoo.tests import Form

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


class HelpdeskCouponCommon(HelpdeskAfterSalesCommon):
    """A team that gives coupons, a program for them, and orders to use them on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What else the database offers must not play along.
        cls.env["loyalty.program"].search([]).active = False
        cls.team.use_coupons = True
        cls.program = cls._program("Sorry 10%")
        cls.ticket_a = cls._ticket(cls.contact_a1)

    @classmethod
    def _program(cls, name, program_type="coupons", reward=None, **values):
        return cls.env["loyalty.program"].create(
            {
                "name": name,
                "program_type": program_type,
                "company_id": cls.company.id,
                "applies_on": "current" if program_type == "coupons" else "future",
                "trigger": "with_code" if program_type == "coupons" else "auto",
                "reward_ids": [
                    Command.clear(),
                    Command.create(
                        {
                            "reward_type": "discount",
                            "discount": 10,
                            "discount_mode": "percent",
                            "discount_applicability": "order",
                            "required_points": 1,
                        }
                        | (reward or {})
                    ),
                ],
            }
            | values
        )

    @classmethod
    def _pay(cls, invoice):
        """Register the payment of all that is due."""
        cls.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=invoice.ids
        ).create({}).action_create_payments()

    def _wizard(self, ticket=None, user=None, **values):
        """Return the pop-up as the web client opens and fills it."""
        ticket = (ticket or self.ticket_a).with_user(user or self.agent)
        action = ticket.action_generate_coupon()
        form = Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"])
        )
        for name, value in values.items():
            setattr(form, name, value)
        return form.save()

    def _generate_coupon(self, **kwargs):
        """Return the code that **Send by Email** makes, for the superuser."""
        wizard = self._wizard(**kwargs)
        wizard.action_send_by_email()
        return wizard.coupon_id.sudo().with_user(self.env.user)

    def _composer(self, action, user=None):
        """Return the composer that ``action`` opens."""
        return Form(
            self.env[action["res_model"]]
            .with_user(user or self.agent)
            .with_context(**action["context"])
        )

    @classmethod
    def _order(cls, partner, quantity=2):
        return cls.env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": cls.lamp.id, "product_uom_qty": quantity}
                    )
                ],
            }
        )

    def _apply(self, order, coupon):
        """Return what Odoo answers to this code, after applying its one reward."""
        status = order._try_apply_code(coupon.code)
        if "error" not in status:
            for card, rewards in status.items():
                order._apply_program_reward(rewards, card)
        return status
