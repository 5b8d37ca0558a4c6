from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import HelpdeskRepairCommon

SERVICE = "use_product_repairs"


@tagged("post_install", "-at_install")
class TestRepairRequest(HelpdeskRepairCommon):
    """Customers ask for repairs in the portal (X9)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer = cls._new_user(
            "repair_request_a1",
            "base.group_portal",
            partner_id=cls.contact_a1.id,
            email=cls.contact_a1.email,
        )
        cls.lamps, cls.phones = cls.order_a.order_line
        # Only one team takes requests, whatever else is in the database.
        (cls.env["helpdesk.team"].search([]) - cls.team).allow_portal_requests = False

    def _ask(self, quantity=1, line=None, **values):
        tickets = self.env["helpdesk.ticket"].with_user(self.customer)
        ticket_id = tickets.portal_request(
            SERVICE, (line or self.lamps).id, quantity, **values
        )
        return self.env["helpdesk.ticket"].browse(ticket_id)

    def _approve(self, ticket):
        action = ticket.with_user(self.agent).action_approve_request()
        return Form(
            self.env[action["res_model"]]
            .with_user(self.agent)
            .with_context(**action["context"])
        )

    def _left(self, line):
        tickets = self.env["helpdesk.ticket"].with_user(self.customer)
        (row,) = [row for row in tickets.portal_purchases() if row["id"] == line.id]
        (offer,) = [o for o in row["requests"] if o["service"] == SERVICE]
        return offer["left"], offer["refusal"]

    def test_x9_request_from_question_to_repair(self):
        serial = self.serials[1]
        ticket = self._ask(1, self.phones, lot_id=serial.id, wish="repair")
        form = self._approve(ticket)
        self.assertEqual(form.product_id, self.phone)
        self.assertEqual(form.lot_id, serial)
        repair = self._confirm(form.save())
        self.assertEqual(repair.lot_id, serial)
        self.assertEqual(ticket.line_ids.state, "approved")
        acts = ticket.with_user(self.customer).portal_timeline()
        self.assertEqual(acts[-1]["state"], "Planned")
        self.assertIn(serial.name, acts[-1]["detail"])
        self.assertIn("Planned for", acts[-1]["promised"])
        with self.assertRaisesRegex(UserError, "already"):
            self._ask(1, self.phones, lot_id=serial.id)

    def test_x9_as_many_as_were_asked_for(self):
        ticket = self._ask(2)
        with self.assertRaisesRegex(UserError, "Only 1 can still"):
            self._ask(2)
        repair = self._confirm(self._approve(ticket).save())
        self.assertEqual(repair.product_qty, 2)
        self.assertEqual(self._left(self.lamps), (1, False))
        repair.action_repair_cancel()
        self.assertEqual(self._left(self.lamps), (3, False))

    def test_x9_what_is_not_left_can_not_be_approved(self):
        ticket = self._ask(3)
        wizard = self._approve(ticket).save()
        other = self._ticket(self.contact_a1)
        ticket.line_ids.copy({"ticket_id": other.id})
        self.env["repair.order"].create(
            {
                "product_id": self.lamp.id,
                "product_qty": 1,
                "partner_id": self.contact_a1.id,
                "helpdesk_ticket_id": other.id,
            }
        )
        self.assertIn("only 2", ticket.with_user(self.agent).request_notice)
        with self.assertRaisesRegex(UserError, "only 2"):
            wizard.action_confirm_repair()
        self.assertEqual(ticket.line_ids.state, "asked")

    def test_x9_what_can_not_be_repaired_is_said_before(self):
        order = self._sell(self.contact_a1, (self.service, 1))
        self.assertEqual(
            self._left(order.order_line), (0, "Only goods can be repaired.")
        )
        order = self._sell(self.contact_a1, (self.lamp, 1), deliver=False)
        self.assertEqual(self._left(order.order_line), (0, "You don't have any of it."))
        with self.assertRaises(UserError):
            self._ask(1, order.order_line)

    def test_t2_two_pop_ups_one_repair(self):
        ticket = self._ask()
        first, second = self._approve(ticket).save(), self._approve(ticket).save()
        self._confirm(first)
        with self.assertRaisesRegex(UserError, "in the meantime"):
            second.action_confirm_repair()
        self.assertEqual(len(ticket.repair_ids), 1)
