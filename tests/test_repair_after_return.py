"""Repair proposes the return that the product came back with, where both services are
installed (issue 6). The two addons don't know each other.
"""

import pytest

from odoo.tests import tagged

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestRepairAfterReturn(HelpdeskAfterSalesCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not {"helpdesk.return.wizard", "helpdesk.repair.wizard"} <= set(cls.env):
            pytest.skip("helpdesk_return and helpdesk_repair are not both installed")
        cls.team.write({"use_product_returns": True, "use_product_repairs": True})
        cls.order = cls._sell(cls.contact_a1, (cls.lamp, 5), (cls.desk, 2))
        cls.ticket = cls._ticket(
            cls.contact_a1, sale_order_id=cls.order.id, product_id=cls.lamp.id
        )

    def _return(self, product, ticket=None):
        """Return the transfer that brings one of ``product`` back, not received yet."""
        action = (ticket or self.ticket).with_user(self.agent).action_return()
        wizard = (
            self.env["helpdesk.return.wizard"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        for line in wizard.line_ids:
            line.quantity = line.product_id == product
        wizard.action_return()
        return wizard.sudo().made_picking_ids

    def _receive(self, picking, moment):
        self._deliver(picking)
        picking.date_done = moment

    def _proposed(self):
        """Return the return that the pop-up proposes."""
        action = self.ticket.with_user(self.agent).action_repair()
        wizard = (
            self.env["helpdesk.repair.wizard"]
            .with_user(self.agent)
            .with_context(**action["context"])
            .create({})
        )
        self.assertEqual(wizard.product_id, self.lamp)
        return wizard.sudo().picking_id

    def test_s86_latest_received_return_of_this_product_is_proposed(self):
        first, second = self._return(self.lamp), self._return(self.lamp)
        self.assertFalse(self._proposed(), "nothing was received yet")
        self._receive(second, "2026-03-01 10:00:00")
        self.assertEqual(self._proposed(), second, "the other isn't received yet")
        self._receive(first, "2026-03-02 10:00:00")
        self.assertEqual(self._proposed(), first, "it came in later")
        third = self._return(self.lamp)
        self._receive(third, "2026-03-03 10:00:00")
        self.assertEqual(self._proposed(), third)

    def test_s86_another_product_and_another_ticket_do_not_count(self):
        self._receive(self._return(self.desk), "2026-03-01 10:00:00")
        other = self._ticket(self.contact_a1, sale_order_id=self.order.id)
        self._receive(self._return(self.lamp, other), "2026-03-02 10:00:00")
        self.assertFalse(self._proposed())
        mine = self._return(self.lamp)
        self._receive(mine, "2026-03-01 10:00:00")
        self.assertEqual(self._proposed(), mine)
        self._return(self.lamp).action_cancel()
        self.assertEqual(self._proposed(), mine)
