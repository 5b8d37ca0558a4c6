from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import AGENT

from .common import HelpdeskRepairCommon


@tagged("post_install", "-at_install")
class TestGiveBack(HelpdeskRepairCommon):
    """X15: one button makes the delivery of the repaired serial to the customer."""

    def _told(self):
        return str(self.ticket_a.message_ids.mapped("body"))

    def test_x15_agent_gives_back_what_came_with_a_return(self):
        back = self._send_back(*self.serials[:2])
        line = self.order_a.order_line.filtered(lambda li: li.product_id == self.phone)
        self.assertEqual(line.qty_delivered, 0)
        repair = self._repaired(back)
        self.assertEqual(self.ticket_a.repairs_to_give_back, 1)
        action = self.ticket_a.with_user(self.agent).action_give_back()
        delivery = repair.helpdesk_delivery_id
        self.assertIn(delivery.name, action["params"]["message"])
        self.assertRecordValues(
            delivery,
            [
                {
                    "picking_type_code": "outgoing",
                    "partner_id": self.order_a.picking_ids[0].partner_id.id,
                    "state": "assigned",
                    "return_id": back.id,
                }
            ],
        )
        self.assertEqual(delivery.move_ids.product_qty, 1)
        self.assertEqual(delivery.move_ids.lot_ids, self.serials[0])
        self.assertEqual(delivery.location_dest_id.usage, "customer")
        self.assertIn(
            f"goes back to the customer with delivery {delivery.name}", self._told()
        )
        for record in (repair, delivery):
            self.assertIn(
                delivery.name if record == repair else repair.name,
                str(record.message_ids.mapped("body")),
            )
        delivery.button_validate()
        self.assertEqual(delivery.state, "done")
        self.assertEqual(line.qty_delivered, 1)
        self.assertEqual(
            self.serials[0].with_user(self.stock_user).location_id.usage, "customer"
        )
        self.assertIn("was sent back to the customer on", self._told())

    def test_x15_return_that_the_repair_does_not_name(self):
        self._send_back(self.serials[0])
        repair = self._repaired()
        self.ticket_a.with_user(self.agent).action_give_back()
        delivery = repair.helpdesk_delivery_id
        self.assertEqual(delivery.partner_id, repair.partner_id)
        self.assertEqual(delivery.move_ids.lot_ids, self.serials[0])
        self.assertEqual(delivery.origin, repair.name)
        delivery.button_validate()
        self.assertEqual(delivery.state, "done")
        line = self.order_a.order_line.filtered(lambda li: li.product_id == self.phone)
        self.assertEqual(line.qty_delivered, 2, "the order counts it again")

    def test_x15_what_never_came_in_has_nothing_to_go_back(self):
        repair = self._repaired()
        self.assertFalse(self.ticket_a.repairs_to_give_back)
        with self.assertRaisesRegex(UserError, "SN-0001 is still with the customer"):
            repair.with_user(self.agent).action_give_back()
        self.assertFalse(repair.helpdesk_delivery_id)

    def test_x15_a_product_without_serial_number(self):
        self.ticket_a.write({"product_id": self.lamp.id, "lot_id": False})
        repair = self._repaired()
        self.ticket_a.with_user(self.agent).action_give_back()
        delivery = repair.helpdesk_delivery_id
        self.assertEqual(delivery.move_ids.product_id, self.lamp)
        self.assertEqual(delivery.move_ids.product_qty, 1)

    def test_x15_once(self):
        repair = self._repaired(self._send_back(self.serials[0]))
        ticket = self.ticket_a.with_user(self.agent)
        ticket.action_give_back()
        first = repair.helpdesk_delivery_id
        self.assertFalse(self.ticket_a.repairs_to_give_back)
        with self.assertRaisesRegex(UserError, "No repair of this ticket"):
            ticket.action_give_back()
        with self.assertRaisesRegex(UserError, first.name):
            repair.with_user(self.agent).action_give_back()
        first.action_cancel()
        repair.invalidate_recordset()
        repair.with_user(self.agent).action_give_back()
        self.assertNotEqual(
            repair.helpdesk_delivery_id, first, "a cancelled one is none"
        )

    def test_x15_only_when_it_is_done(self):
        repair = self._confirm(self._form().save())
        with self.assertRaisesRegex(UserError, "is not done yet"):
            repair.with_user(self.agent).action_give_back()
        with self.assertRaisesRegex(UserError, "No repair of this ticket"):
            self.ticket_a.with_user(self.agent).action_give_back()

    def test_x15_several_repairs_at_once(self):
        self._send_back(*self.serials[:2])
        repairs = self._repaired()
        self.ticket_a.lot_id = self.serials[1]
        repairs += self._repaired()
        self.ticket_a.with_user(self.agent).action_give_back()
        self.assertEqual(len(repairs.helpdesk_delivery_id), 2)
        self.assertEqual(
            repairs.helpdesk_delivery_id.move_ids.lot_ids, self.serials[:2]
        )

    def test_x15_users_of_inventory_get_the_delivery(self):
        repair = self._repaired(self._send_back(self.serials[0]))
        action = repair.with_user(self.stock_user).action_give_back()
        self.assertEqual(action["res_model"], "stock.picking")
        self.assertEqual(action["res_id"], repair.helpdesk_delivery_id.id)

    def test_t28_x15_others_are_refused(self):
        repair = self._repaired(self._send_back(self.serials[0]))
        self.team.write(
            {
                "privacy_visibility": "invited_internal",
                "member_ids": [Command.set(self.agent.ids)],
            }
        )
        portal = self._new_user("after_sales_give_back_portal", "base.group_portal")
        for user in (self.other_agent, self.employee, self.seller, portal):
            with self.assertRaises(AccessError):
                repair.with_user(user).action_give_back()
            with self.assertRaises(AccessError):
                self.ticket_a.with_user(user).action_give_back()
        self.assertFalse(repair.helpdesk_delivery_id)
        self.team.use_product_repairs = False
        with self.assertRaisesRegex(UserError, "switched off"):
            repair.with_user(self.agent).action_give_back()

    def test_t28_the_link_to_the_delivery_is_not_the_agents_to_write(self):
        repair = self._repaired()
        with self.assertRaises(AccessError):
            repair.with_user(self.agent).helpdesk_delivery_id = False

    def test_x8_x15_given_back_the_warranty_goes_on(self):
        self.phone.write({"warranty_duration": 2, "warranty_unit": "year"})
        self.phone.product_tmpl_id.action_begin_past_warranties()
        moves = self.order_a.picking_ids.move_ids
        moves.date = "2025-03-12 10:00:00"
        end = self.ticket_a.warranty_end
        for named in (True, False):
            back = self._send_back(self.serials[0])
            repair = self._repaired(back if named else None)
            self.ticket_a.with_user(self.agent).action_give_back()
            self.assertTrue(repair.helpdesk_delivery_id.button_validate())
            self.assertEqual(repair.helpdesk_delivery_id.state, "done")
            self.env.invalidate_all()
            self.assertTrue(end)
            self.assertEqual(self.ticket_a.warranty_end, end)

    def test_x15_agent_sees_the_delivery_on_the_repair(self):
        user = self._new_user("after_sales_other_seller", AGENT)
        repair = self._repaired(self._send_back(self.serials[0]))
        repair.with_user(self.agent).action_give_back()
        [values] = repair.with_user(user).web_read(
            {
                "helpdesk_delivery_id": {"fields": {"display_name": {}}},
                "helpdesk_delivery_state": {},
            }
        )
        self.assertEqual(
            values["helpdesk_delivery_id"]["display_name"],
            repair.helpdesk_delivery_id.name,
        )
        self.assertEqual(values["helpdesk_delivery_state"], "assigned")
