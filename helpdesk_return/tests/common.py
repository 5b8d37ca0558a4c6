from odoo.tests import Form

from odoo.addons.helpdesk_after_sales.tests.common import HelpdeskAfterSalesCommon


class HelpdeskReturnCommon(HelpdeskAfterSalesCommon):
    """A customer with a delivered order, and a ticket about it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.team.use_product_returns = True
        cls.order_a = cls._sell(
            cls.contact_a1, (cls.lamp, 3), (cls.phone, 2), serials=cls.serials[:2]
        )
        cls.delivery_a = cls.order_a.picking_ids
        cls.ticket_a = cls._ticket(cls.contact_a1, sale_order_id=cls.order_a.id)

    def _form(self, ticket=None, user=None):
        """Return the pop-up as the web client opens it."""
        ticket = (ticket or self.ticket_a).with_user(user or self.agent)
        action = ticket.action_return()
        return Form(
            self.env[action["res_model"]]
            .with_user(ticket.env.user)
            .with_context(**action["context"])
        )

    def _fill(self, form, quantities, serials=None):
        """Set the quantity of each product, zero for those that aren't named."""
        for index in range(len(form.line_ids)):
            with form.line_ids.edit(index) as line:
                if line.returnable_quantity > 0:
                    if line.tracking == "serial":
                        line.lot_ids.clear()
                        for serial in serials or ():
                            line.lot_ids.add(serial)
                    line.quantity = quantities.get(line.product_id, 0)
        return form

    def _return(self, quantities, serials=None, exchange=False, **kwargs):
        """Return the transfers that the pop-up makes."""
        wizard = self._fill(self._form(**kwargs), quantities, serials).save()
        wizard.action_exchange() if exchange else wizard.action_return()
        return wizard.sudo().made_picking_ids.with_env(self.env)
