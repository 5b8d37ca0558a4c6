import unittest

from odoo.tests import tagged

from .common import HelpdeskRefundCommon


@tagged("post_install", "-at_install")
class TestRefundDelivery(HelpdeskRefundCommon):
    """Delivery charges go with everything else, or not at all (X11).

    ``tests/test_companions.py`` runs this in a database with them.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if "delivery.carrier" not in cls.env:
            raise unittest.SkipTest("needs delivery")
        charge = cls.env["product.product"].create(
            {
                "name": "Parcel",
                "type": "service",
                "list_price": 7,
                "invoice_policy": "order",
                "taxes_id": False,
            }
        )
        cls.carrier = cls.env["delivery.carrier"].create(
            {"name": "Parcel", "product_id": charge.id, "fixed_price": 7}
        )
        cls.order = cls._sell(
            cls.contact_a1, (cls.lamp, 2), (cls.desk, 1), deliver=False
        )
        cls.order.set_delivery_line(cls.carrier, 7)
        cls._deliver(cls.order.picking_ids)
        cls.invoice = cls._invoice(cls.order)
        cls.ticket = cls._ticket(cls.contact_a1, sale_order_id=cls.order.id)

    def _enter(self, form, **quantities):
        for index in range(len(form.helpdesk_line_ids)):
            with form.helpdesk_line_ids.edit(index) as line:
                for name, quantity in quantities.items():
                    if name in line.name:
                        line.quantity = quantity

    def test_x11_delivery_goes_with_everything(self):
        self.assertEqual(self.invoice.amount_total, 307)
        form = self._form(self.ticket)
        self.assertEqual(form.helpdesk_total, 307)
        self._enter(form, Lamp=1)
        self.assertEqual(form.helpdesk_total, 250, "not with a part")
        self._enter(form, Lamp=2)
        self.assertEqual(form.helpdesk_total, 307)
        self._enter(form, Lamp=1)
        self._enter(form, Parcel=1)
        self.assertEqual(form.helpdesk_total, 257, "chosen by hand it stays")
        wizard = form.save()
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        rest = self._refund(ticket=self.ticket)
        self.assertEqual(rest.amount_total, 50)

    def test_x11_delivery_goes_with_the_last_part(self):
        form = self._form(self.ticket)
        self._enter(form, Lamp=1)
        wizard = form.save()
        wizard.refund_moves()
        wizard.new_move_ids.action_post()
        self.assertEqual(self._refund(ticket=self.ticket).amount_total, 57)

    def test_x11_teams_may_keep_delivery(self):
        self.team.refund_delivery = False
        form = self._form(self.ticket)
        self.assertEqual(form.helpdesk_total, 300)
        self._enter(form, Lamp=1)
        self._enter(form, Lamp=2)
        self.assertEqual(form.helpdesk_total, 300)

    def test_x11_what_came_back_is_everything(self):
        back = {
            line: line.product_uom_qty
            for line in self.order.order_line
            if line.product_id in self.lamp + self.desk
        }
        self.patch(
            type(self.ticket), "_get_returned_purchases", lambda *_args: dict(back)
        )
        self.assertEqual(self._form(self.ticket).helpdesk_total, 307)
        back.popitem()
        self.assertEqual(self._form(self.ticket).helpdesk_total, 100)
