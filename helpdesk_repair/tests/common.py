from odoo.tests import Form

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


class HelpdeskRepairCommon(HelpdeskAfterSalesCommon):
    """A customer with a phone, which has come to grief."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_product_repairs = True
        cls.order_a = cls._sell(
            cls.contact_a1, (cls.lamp, 3), (cls.phone, 2), serials=cls.serials[:2]
        )
        cls.ticket_a = cls._ticket(
            cls.contact_a1, product_id=cls.phone.id, lot_id=cls.serials[0].id
        )
        cls.screen = cls.env["product.product"].create(
            {"name": "Screen", "type": "consu", "is_storable": True, "list_price": 90}
        )

    def _form(self, ticket=None, user=None):
        """Return the pop-up as the web client opens it."""
        ticket = (ticket or self.ticket_a).with_user(user or self.agent)
        action = ticket.action_repair()
        return Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"])
        )

    def _confirm(self, wizard):
        """Press Confirm Repair until it is confirmed; returns the repair."""
        action = wizard.action_confirm_repair()
        if action["res_model"] == wizard._name:
            action = wizard.action_confirm_repair()
        return self.env["repair.order"].browse(action["res_id"])

    def _repaired(self, back=None):
        """Return a finished repair of the ticket's product, under sudo."""
        form = self._form()
        if back:
            form.picking_id = back
        repair = self._confirm(form.save()).sudo()
        repair.action_repair_start()
        repair.action_repair_end()
        return repair

    def _send_back(self, *serials):
        """Return the return, received, of these phones."""
        delivery = self.order_a.picking_ids[0]
        native = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        line = native.product_return_moves.filtered(
            lambda line: line.product_id == self.phone
        )
        line.quantity = len(serials)
        return self._deliver(native._create_return(), serials)
