from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestRepairPurchase(HelpdeskRepairCommon):
    """From a purchase to its repair, and from a repair to its ticket."""

    def test_x6_repair_is_ready_to_press_where_goods_are_with_the_customer(self):
        self._sell(self.contact_a1, (self.service, 1), (self.desk, 1), deliver=False)
        ticket = self._ticket(self.contact_a1).with_user(self.agent)
        actions = {
            row["product"]: [
                a for a in row["actions"] if a["method"] == "action_repair"
            ]
            for row in ticket.get_purchases()["rows"]
        }
        self.assertEqual(actions["Desk"], [])
        self.assertEqual(actions["Installation"], [])
        [action] = actions["Phone"]
        opened = ticket.action_repair()
        form = Form(
            self.env[opened["res_model"]]
            .with_user(self.agent)
            .with_context(**opened["context"], **action["context"])
        )
        self.assertEqual(form.product_id, self.phone)
        self.team.use_product_repairs = False
        rows = ticket.get_purchases()["rows"]
        self.assertFalse([a for row in rows for a in row["actions"]])

    def _ticket_of(self, repair, user):
        action = repair.with_user(user).action_create_helpdesk_ticket()
        form = Form(
            self.env[action["res_model"]]
            .with_user(user)
            .with_context(**action["context"])
        )
        form.name = "What about my repair?"
        return form.save()

    def test_ticket_from_a_repair(self):
        user = self._new_user("repair_agent", f"{AGENT},stock.group_stock_user")
        bought, foreign = self.env["repair.order"].create(
            [
                {
                    "partner_id": self.contact_a1.id,
                    "product_id": self.phone.id,
                    "lot_id": self.serials[1].id,
                },
                {"partner_id": self.contact_a1.id, "product_id": self.screen.id},
            ]
        )
        ticket = self._ticket_of(bought, user)
        self.assertEqual(ticket.partner_id, self.contact_a1)
        self.assertEqual(ticket.product_id, self.phone)
        self.assertEqual(ticket.lot_id, self.serials[1])
        self.assertEqual(bought.helpdesk_ticket_id, ticket)
        ticket = self._ticket_of(foreign, user)
        self.assertEqual(ticket.product_id, self.screen)
        self.assertEqual(foreign.helpdesk_ticket_id, ticket)
        with self.assertRaises(AccessError):
            bought.with_user(self.stock_user).action_create_helpdesk_ticket()
