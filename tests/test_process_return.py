"""What other services do with goods that the warehouse has looked at (X17). The addons
don't know each other.
"""

import pytest

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestProcessReturn(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        needed = {"helpdesk.return.process", "helpdesk.repair.wizard"}
        if (
            not needed <= set(cls.env)
            or "helpdesk_returned_only" not in cls.env["account.move.reversal"]
        ):
            pytest.skip("not all services are installed")
        cls.team.write(
            {
                "use_product_returns": True,
                "use_product_repairs": True,
                "use_credit_notes": True,
            }
        )
        cls.order = cls._sell(
            cls.contact_a1, (cls.lamp, 4), (cls.phone, 1), serials=cls.serials[:1]
        )
        cls.invoice = cls.order._create_invoices()
        cls.invoice.action_post()
        cls.ticket = cls._ticket(cls.contact_a1, sale_order_id=cls.order.id)
        cls.accountant = cls._new_user(
            "process_accountant",
            "helpdesk_after_sales.group_helpdesk_user,account.group_account_invoice",
        )
        cls.team.member_ids = cls.agent | cls.accountant

    def _return(self, product, quantity):
        action = self.ticket.with_user(self.agent).action_return()
        wizard = (
            self.env["helpdesk.return.wizard"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        for line in wizard.line_ids:
            if line.product_id == product:
                line.quantity = quantity
            else:
                line.update({"quantity": 0, "lot_ids": [Command.clear()]})
        wizard.action_return()
        return wizard.sudo().made_picking_ids

    def _process(self, picking, *parts):
        wizard = (
            self.env["helpdesk.return.process"]
            .with_user(self.stock_user)
            .create({"picking_id": picking.id})
        )
        line = wizard.line_ids[0]
        wizard.line_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "move_id": line.move_id.id,
                        "lot_id": line.lot_id.id,
                        "quantity": quantity,
                        "condition": condition,
                        "disposition_id": self.env.ref(
                            f"helpdesk_return.disposition_{kind}"
                        ).id,
                    }
                )
                for quantity, condition, kind in parts
            ),
        ]
        wizard.action_process()
        return picking.helpdesk_decision_ids

    def test_x17_a_repair_is_made_on_the_ticket(self):
        picking = self._return(self.phone, 1)
        decision = self._process(picking, (1, "damaged", "repair"))
        repair = self.ticket.repair_ids
        self.assertEqual(decision._get_document(), repair)
        self.assertEqual(repair.state, "confirmed")
        self.assertEqual(
            (repair.product_id, repair.lot_id, repair.picking_id, repair.partner_id),
            (self.phone, self.serials[0], picking, self.contact_a1),
        )
        self.assertEqual(repair.create_uid, self.stock_user)
        # Repaired and given back, the order counts it as delivered again.
        repair.action_repair_start()
        repair.action_repair_end()
        self.ticket.with_user(self.agent).action_give_back()
        self._deliver(repair.helpdesk_delivery_id)
        self.assertEqual(self.order.order_line[1].qty_delivered, 1)

    def test_x17_a_repair_that_was_started_stays(self):
        picking = self._return(self.phone, 1)
        self._process(picking, (1, "damaged", "repair"))
        repair = self.ticket.repair_ids
        self._process(picking, (1, "sound", "restock"))
        self.assertEqual(repair.state, "cancel")
        self._process(picking, (1, "damaged", "repair"))
        repair = self.ticket.repair_ids - repair
        repair.action_repair_start()
        with self.assertRaises(UserError):
            self._process(picking, (1, "sound", "restock"))

    def _open_refund(self):
        action = self.ticket.with_user(self.accountant).action_refund()
        return (
            self.env["account.move.reversal"]
            .with_user(self.accountant)
            .with_context(**action["context"])
            .create({})
        )

    def test_x17_what_was_accepted_is_refunded(self):
        picking = self._return(self.lamp, 4)
        self._process(
            picking,
            (2, "sound", "restock"),
            (1, "wrong", "customer"),
            (1, "missing", "missing"),
        )
        wizard = self._open_refund()
        wizard.reverse_moves()
        [line] = self.ticket.credit_note_ids.invoice_line_ids
        self.assertEqual((line.product_id, line.quantity), (self.lamp, 2))
        # A draft is no money: what was found can still be changed.
        self._process(picking, (3, "sound", "restock"))
        self.ticket.credit_note_ids.action_post()
        with self.assertRaises(UserError):
            picking.with_user(self.stock_user).action_process_return()
