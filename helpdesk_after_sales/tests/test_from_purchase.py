from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import AGENT, HelpdeskAfterSalesCommon


@tagged("post_install", "-at_install")
class TestFromPurchase(HelpdeskAfterSalesCommon):
    """Tickets are opened from what they are about, and found there again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.selling_agent = cls._new_user(
            "after_sales_selling_agent",
            f"{AGENT},sales_team.group_sale_salesman_all_leads,stock.group_stock_user",
        )
        cls.order = cls._sell(cls.contact_a1, (cls.lamp, 2))

    def _new_ticket(self, record):
        action = record.with_user(self.selling_agent).action_create_helpdesk_ticket()
        form = Form(
            self.env["helpdesk.ticket"]
            .with_user(self.selling_agent)
            .with_context(**action["context"])
        )
        form.name = "Broken"
        return form.save()

    def test_ticket_from_order_delivery_and_invoice(self):
        for record in (self.order, self.order.picking_ids):
            ticket = self._new_ticket(record)
            self.assertEqual(ticket.partner_id, self.contact_a1)
            self.assertEqual(ticket.sale_order_id, self.order)
            self.assertEqual(ticket.company_id, self.company)

    def test_ticket_from_a_contact(self):
        action = self.contact_a1.with_user(self.agent).action_create_helpdesk_ticket()
        self.assertEqual(action["context"], {"default_partner_id": self.contact_a1.id})
        with self.assertRaises(AccessError):
            self.contact_a1.with_user(self.employee).action_create_helpdesk_ticket()

    def test_who_may_not_create_tickets_is_refused(self):
        with self.assertRaises(AccessError):
            self.order.with_user(self.seller).action_create_helpdesk_ticket()

    def test_order_and_contact_count_their_tickets(self):
        ticket = self._ticket(self.contact_a1, sale_order_id=self.order.id)
        other = self._ticket(self.contact_a2)
        hidden = self.team.copy(
            {"privacy_visibility": "invited_internal", "member_ids": [(6, 0, [])]}
        )
        self._ticket(self.contact_a2, team_id=hidden.id)
        order = self.order.with_user(self.selling_agent)
        self.assertEqual(order.helpdesk_ticket_count, 1)
        self.assertEqual(order.action_view_helpdesk_tickets()["res_id"], ticket.id)
        partners = (self.customer_a + self.contact_a1 + self.contact_a2).with_user(
            self.selling_agent
        )
        self.assertEqual(partners.mapped("helpdesk_ticket_count"), [2, 1, 1])
        action = partners[0].action_view_helpdesk_tickets()
        found = (
            self.env["helpdesk.ticket"]
            .with_user(self.selling_agent)
            .search(action["domain"])
        )
        self.assertEqual(found, ticket + other)

    def test_counters_cost_the_same_for_any_number_of_contacts(self):
        partners = self.env["res.partner"].create(
            [{"name": str(number)} for number in range(30)]
        )
        for partner in partners:
            self._ticket(partner)

        def count(records):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            records.with_user(self.agent).mapped("helpdesk_ticket_count")
            return self.cr.sql_log_count - before

        count(partners)
        self.assertEqual(count(partners[:1]), count(partners))

    def test_a_ticket_from_an_order_goes_to_the_agents_own_team(self):
        """Review 21a: as a new ticket by hand, not to the first team of the company."""
        order = self._sell(self.contact_a1, (self.lamp, 1))
        teams = self.env["helpdesk.team"]
        first = teams.create({"name": "AAA", "sequence": -1, "member_ids": False})
        own = teams.create(
            {"name": "Mine", "member_ids": [Command.set(self.selling_agent.ids)]}
        )
        other = self.env["res.company"].create({"name": "Other shop"})
        foreign = teams.create({"name": "Far", "company_id": other.id, "sequence": -9})
        teams.search([("id", "not in", (first + own + foreign).ids)]).member_ids = False
        order = order.with_user(self.selling_agent)
        context = order.action_create_helpdesk_ticket()["context"]
        self.assertEqual(context["default_team_id"], own.id)
        own.member_ids = False
        context = order.action_create_helpdesk_ticket()["context"]
        self.assertEqual(context["default_team_id"], first.id)

    def test_serial_number_names_customer_and_product(self):
        self._sell(self.contact_a1, (self.phone, 1), serials=self.serials[:1])
        context = self.serials[0].action_create_helpdesk_ticket()["context"]
        self.assertEqual(context["default_lot_id"], self.serials[0].id)
        self.assertEqual(context["default_product_id"], self.phone.id)
        self.assertEqual(context["default_partner_id"], self.contact_a1.id)

    def test_customers_other_tickets(self):
        ticket = self._ticket(self.contact_a1).with_user(self.agent)
        other = self._ticket(self.contact_a2)
        self._ticket(self.customer_b)
        self.assertEqual(ticket.customer_ticket_count, 2)
        action = ticket.action_view_customer_tickets()
        self.assertEqual(
            self.env["helpdesk.ticket"].search(action["domain"]), ticket + other
        )

    def test_unknown_sender_becomes_a_contact(self):
        values = {"partner_name": "Gina", "partner_email": "Gina <gina@x.example.com>"}
        self.agent.group_ids += self.env.ref("base.group_partner_manager")
        ticket = self._ticket(**values).with_user(self.agent)
        ticket.action_create_partner()
        self.assertEqual(ticket.partner_id.name, "Gina")
        again = self._ticket(**values).with_user(self.agent)
        again.action_create_partner()
        self.assertEqual(again.partner_id, ticket.partner_id, "known by the address")
        with self.assertRaises(UserError):
            self._ticket().with_user(self.agent).action_create_partner()

    def test_closing_tells_of_documents_under_way(self):
        """No service of this test database is asked: without one nothing is told."""
        ticket = self._ticket(self.contact_a1)
        self.assertEqual(ticket._get_open_after_sales_documents(), [])
        with Form(ticket.with_user(self.agent)) as form:
            form.stage_id = self.team.stage_ids.filtered("fold")[0]
        self.assertTrue(ticket.close_date)
